"""Tolerant JSON reader: for documents that are cut off, have a broken item, or are wrapped in a callback.

Follows I13, S14, S23 and R41.
"""

import json
import re
from dataclasses import dataclass
from typing import Final

from aggregator.errors import ParseError
from aggregator.urls import Url

MAX_DEPTH: Final = 50  # nested arrays and objects (S14)
_TOO_DEEP: Final = f"JSON nested deeper than {MAX_DEPTH} levels"
MAX_BROKEN: Final = 20  # broken items that are replaced in one document; with more, the document is refused

_CALLBACK = re.compile(r"\s*(?:/\*\*/\s*)?[A-Za-z_$][\w$.]{0,100}\s*\(\s*(?=[\[{])")
_MARKS = re.compile(r'["\[\]{},]')
_NEXT = re.compile(
    r"\}\s*(?:,\s*(?=\{|null\b)|(?=\]))"
)  # the end of an item that is followed by another item or by the end of the list


@dataclass(frozen=True, slots=True)
class Loaded:
    """A JSON document, and the repairs that were necessary to read it."""

    document: object
    cut: bool = False  # the end is missing
    broken: tuple[
        str, ...
    ] = ()  # first characters of items that could not be read; the document has null in their places
    notices: tuple[str, ...] = ()


def load_json(text: str, url: Url, *, lenient: bool = False) -> Loaded:
    """Read JSON: of equal keys the last counts, NaN is refused, long integers become text (S23).

    A broken item of a list is replaced by null. A document that is cut off ends after its last whole item.

    Args:
        text: the document.
        url: the address that sent the response.
        lenient: read NaN and Infinity as null, which is what such publishers mean.

    Raises:
        ParseError: the text is not JSON, or is nested too deep.
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
            document: object = decoder.raw_decode(text)[0]  # text after the document is ignored (I8)
            break
        except json.JSONDecodeError as error:
            repaired = _repair(text, error.pos, broken)
            if repaired is None or len(broken) > MAX_BROKEN:
                raise ParseError(url, f"broken JSON: {str(error)[:200]}", error.lineno) from error
            text, was_cut = repaired
            cut = cut or was_cut
        except ValueError as error:
            raise ParseError(url, f"broken JSON: {str(error)[:200]}") from error
        except RecursionError as error:  # thousands of levels: the decoder fails before the depth can be measured
            raise ParseError(url, _TOO_DEEP) from error
    if _is_deeper(document, MAX_DEPTH):
        raise ParseError(url, _TOO_DEEP)
    if cut:
        notices = (*notices, "the document is cut off")
    return Loaded(document, cut, tuple(broken), notices)


def is_callback(text: str) -> bool:
    """Return True if a text is JSON inside a function call."""
    return _CALLBACK.match(text) is not None


def _refused(constant: str) -> object:
    """Refuse NaN and Infinity, which are not JSON."""
    raise ValueError(f"{constant} is not JSON")


def _integer(digits: str) -> object:
    """Return an integer, or its digits as text if there are 19 or more: such numbers are ids."""
    return int(digits) if len(digits) < 19 else digits


def _is_deeper(value: object, limit: int) -> bool:
    """Return True if a document has more levels than `limit`."""
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


def _repair(text: str, at: int, broken: list[str]) -> tuple[str, bool] | None:
    """Replace the item in which a document breaks by null, or end the document before that item.

    Args:
        text: the document, valid up to `at`.
        at: the position at which decoding stopped.
        broken: the first characters of the item are appended.

    Returns:
        The text, and whether its end was missing; None if the error is outside of any list.
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
        if rest.startswith("]") and head != before:  # a comma before the end of the list
            return head + rest, False
        if _is_whole(rest):
            head = text
        closers = "".join("]" if mark == "[" else "}" for mark in reversed(open_[: depth + 1]))
        return None if rest.strip(" \t\r\n]}") == "" and head == before else (head + closers, True)
    broken.append(text[start : found.start() + 1][:80])
    return text[:start] + "null" + text[found.start() + 1 :], False


def _is_whole(item: str) -> bool:
    """Return True if the last item is complete; False for a number, which may lack digits."""
    try:
        json.loads(item)
    except (ValueError, RecursionError):
        return False
    return item.endswith(("}", "]", '"'))


def _open_at(text: str, at: int) -> tuple[list[str], list[int]]:
    """Return the brackets that are open at `at`, and where the last item in each begins."""
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
