"""JSON as it is really sent: cut off, with a broken item in the middle, inside a callback (I13, S14, S23, R41)."""

import json
import re
from dataclasses import dataclass
from typing import Final

from aggregator.errors import ParseError
from aggregator.urls import Url

MAX_DEPTH: Final = 50  # arrays and objects within each other (S14)
_TOO_DEEP: Final = f"JSON nested deeper than {MAX_DEPTH} levels"
MAX_BROKEN: Final = 20  # items that are cut out of one document; beyond, it counts as cut off

_CALLBACK = re.compile(r"\s*(?:/\*\*/\s*)?[A-Za-z_$][\w$.]{0,100}\s*\(\s*(?=[\[{])")
_MARKS = re.compile(r'["\[\]{},]')
_NEXT = re.compile(r"\}\s*(?:,\s*(?=\{|null\b)|(?=\]))")  # where an item ends, and another or the list's end follows


@dataclass(frozen=True, slots=True)
class Loaded:
    """A document, and what had to be done to read it."""

    document: object
    cut: bool = False  # its end is missing
    broken: tuple[str, ...] = ()  # how items begin that could not be read; null stands in their places
    notices: tuple[str, ...] = ()


def load_json(text: str, url: Url, *, lenient: bool = False) -> Loaded:
    """Read JSON: the last of equal keys counts, no NaN, long integers as text (S23).

    An item of a list that is broken is cut out, and a document that is cut off ends with its last whole item.

    Args:
        text: the document.
        url: that answered.
        lenient: NaN and Infinity are null, as whoever writes them means.

    Raises:
        ParseError: no JSON at all, or nested too deep.
    """
    decoder = json.JSONDecoder(parse_constant=(lambda _: None) if lenient else _refused, parse_int=_integer)
    notices: tuple[str, ...] = ()
    if called := _CALLBACK.match(text):
        text, notices = text[called.end() :], ("the JSON is wrapped in a callback",)
    text = text.strip()
    broken: list[str] = []
    cut = False
    while True:
        try:
            document: object = decoder.raw_decode(text)[0]  # what follows the document is ignored (I8)
            break
        except json.JSONDecodeError as error:
            mended = _mended(text, error.pos, broken)
            if mended is None or len(broken) > MAX_BROKEN:
                raise ParseError(url, f"broken JSON: {str(error)[:200]}", error.lineno) from error
            text, was_cut = mended
            cut = cut or was_cut
        except ValueError as error:
            raise ParseError(url, f"broken JSON: {str(error)[:200]}") from error
        except RecursionError as error:  # thousands of levels: the decoder gives up before we can count
            raise ParseError(url, _TOO_DEEP) from error
    if _is_deeper(document, MAX_DEPTH):
        raise ParseError(url, _TOO_DEEP)
    if cut:
        notices = (*notices, "the document is cut off")
    return Loaded(document, cut, tuple(broken), notices)


def is_callback(text: str) -> bool:
    """Tell whether a text is JSON inside the call of a function."""
    return _CALLBACK.match(text) is not None


def _refused(constant: str) -> object:
    """Refuse NaN and Infinity, which are no JSON."""
    raise ValueError(f"{constant} is no JSON")


def _integer(digits: str) -> object:
    """Give a whole number; a long one as text, since ids are longer than numbers go."""
    return int(digits) if len(digits) < 19 else digits


def _is_deeper(value: object, limit: int) -> bool:
    """Tell whether a document has more levels than this."""
    level = [value]
    for _ in range(limit):
        level = [
            child
            for each in level
            if isinstance(each, dict | list)
            for child in (each.values() if isinstance(each, dict) else each)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True


def _mended(text: str, at: int, broken: list[str]) -> tuple[str, bool] | None:
    """Put null in the place of the item in which a document breaks, or end it before that item.

    Args:
        text: the document, good up to `at`.
        at: where decoding stopped.
        broken: how the item begins is added to it.

    Returns:
        The text, and whether its end had to be made up; None if it breaks outside of any list.
    """
    open_, starts = _open_at(text, at)
    lists = [depth for depth, mark in enumerate(open_) if mark == "["]
    objects = [depth for depth in lists if text[starts[depth] :].lstrip().startswith("{")]
    if not lists:
        return None
    depth = objects[-1] if objects else lists[0]
    start = starts[depth]
    found = _NEXT.search(text, max(at, start))
    if found is None:
        before, rest = text[:start].rstrip(), text[start:].strip()
        head = before.removesuffix(",")
        if rest.startswith("]") and head != before:  # a comma too many
            return head + rest, False
        if _is_whole(rest):
            head = text
        closers = "".join("]" if mark == "[" else "}" for mark in reversed(open_[: depth + 1]))
        return None if rest.strip(" \t\r\n]}") == "" and head == before else (head + closers, True)
    broken.append(text[start : found.start() + 1][:80])
    return text[:start] + "null" + text[found.start() + 1 :], False


def _is_whole(item: str) -> bool:
    """Tell whether nothing is missing of an item that nothing follows; of a number, digits may be."""
    try:
        json.loads(item)
    except (ValueError, RecursionError):
        return False
    return item.endswith(("}", "]", '"'))


def _open_at(text: str, at: int) -> tuple[list[str], list[int]]:
    """Walk the good part of a document: give the brackets open at `at`, and where the last item in each begins."""
    open_: list[str] = []
    starts: list[int] = []
    position = 0
    while (found := _MARKS.search(text, position)) and found.start() < at:
        mark, position = found[0], found.end()
        if mark == '"':
            position = _end_of_string(text, position, at)
        elif mark in "[{":
            open_.append(mark)
            starts.append(position)
        elif mark == "," and starts:
            starts[-1] = position
        elif mark in "]}" and open_:
            open_.pop()
            starts.pop()
    return open_, starts


def _end_of_string(text: str, position: int, at: int) -> int:
    while True:
        end = text.find('"', position)
        if end < 0 or end >= at:
            return at
        slashes = end - len(text[position:end].rstrip("\\")) - position
        if slashes % 2 == 0:
            return end + 1
        position = end + 1
