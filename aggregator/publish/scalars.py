"""Values as YAML that any parser reads back as they were, on one line: what front matter is made of (S45)."""

import json
import re
from collections.abc import Mapping
from datetime import date, datetime

# JSON text is YAML, but for what YAML takes for line breaks or does not let stand in a text at all.
_UNFIT = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")


class Quoted(str):
    """YAML that is finished: nothing in it needs to be escaped any more."""

    __slots__ = ()


def yaml_of(value: object) -> Quoted:
    """Give a value as YAML: a text in double quotes, always; lists and mappings in one line.

    Args:
        value: a text, number, flag, date or None, or lists and mappings of such; of anything else, what `str` says.
    """
    match value:
        case None | bool() | int() | float():
            return Quoted(json.dumps(value))
        case datetime():
            return Quoted(value.isoformat(" ", timespec="seconds"))
        case date():
            return Quoted(value.isoformat())
        case Mapping():
            return Quoted("{" + ", ".join(f"{_text(key)}: {yaml_of(item)}" for key, item in value.items()) + "}")
        case list() | tuple():
            return Quoted("[" + ", ".join(map(yaml_of, value)) + "]")
        case _:
            return Quoted(_text(value))


def _text(value: object) -> str:
    return _UNFIT.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(str(value), ensure_ascii=False))
