"""The characters that XML 1.0 forbids (section 2.2; I7, A33): read of no source, published nowhere."""

import re
from typing import Final

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_CONTROLS: Final = bytes(code for code in range(32) if code not in (9, 10, 13))


def legal(text: str) -> str:
    """Remove them: controls, lone surrogates, U+FFFE and U+FFFF. Idempotent.

    Returns:
        The text itself, not a copy, if there are none.
    """
    return _FORBIDDEN.sub("", text) if _may_hold_some(text) else text


def _may_hold_some(text: str) -> bool:
    """Tell whether a text is worth the search, which costs three times what these tests do."""
    if text.isprintable():
        return False
    try:
        data = text.encode()
    except UnicodeEncodeError:  # a lone surrogate
        return True
    return len(data.translate(None, _CONTROLS)) < len(data) or b"\xef\xbf\xbe" in data or b"\xef\xbf\xbf" in data
