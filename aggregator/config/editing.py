"""More sources in the text of feeds.yaml: comments, layout, quoting and order of all that stands there are kept.

The text is edited, not written anew: whoever keeps a file in order wants it back as it was. Whether the result says
what it should is for the caller to find out, by reading it before it takes the place of the old file.
"""

import contextlib
import json
import os
import re
import stat
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from aggregator.errors import AggregatorError

FRESH: Final = "# Everything that can stand here: docs/feeds.md. `aggregator check` says what is wrong.\n"
_KEY = "sources"
_PLAIN = re.compile(r"[^\W\d_][\w./%?=~+-]*(?::[\w./%?=~+&-]+)*")  # a text that needs no quotes, block or flow
_WORDS = frozenset("true false null yes no on off y n".split())  # other programs take them for more than texts
_DASH = re.compile(r"(\s*)-( +)(?:[&!]\S+ +)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSource:
    """A source as it is to be written."""

    url: str  # with its variables, as feeds.yaml has it
    title: str | None = None
    categories: Sequence[str] = ()


class EditRefused(AggregatorError):
    """feeds.yaml can't be edited by a program; the text says why, and what to write by hand."""


@dataclass(slots=True)
class _List:
    """Where the list of sources stands in a text."""

    key_end: int  # of `sources` itself
    start: int  # of what is said of it
    end: int  # of the last thing in it: nothing but blanks and comments follow
    is_flow: bool = False
    is_within_flow: bool = False  # the whole file is in brackets
    closing: int = -1  # a flow list: its bracket
    has_items: bool = False
    item: int = -1  # start of the last item
    item_is_block: bool = False  # a mapping over several lines

    def note_node(self, event: yaml.Event, *, is_item: bool) -> None:
        """Hear of something in the list."""
        if is_item:
            self.item, self.has_items = _start(event), True
            self.item_is_block = isinstance(event, yaml.MappingStartEvent) and not event.flow_style
        if not isinstance(event, yaml.CollectionStartEvent):
            self.end = _end(event)

    def note_bracket(self, event: yaml.Event, *, is_last: bool) -> None:
        """Hear of a bracket that closes something in the list, or the list."""
        if is_last:
            self.closing = _start(event)
        else:
            self.end = _end(event)


def with_sources(data: bytes, new: Sequence[NewSource]) -> bytes:
    """Return a feeds.yaml with more sources, at the end of its list and in the form of their neighbours.

    Args:
        data: the file as it is; empty for a new one.
        new: what is added, at least one, in this order.

    Raises:
        EditRefused: the list is written in a way that is not for a program to edit.
    """
    try:
        text = data.decode("utf-8") if data.strip() else FRESH
        found = _found(text)
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise EditRefused("feeds.yaml is not YAML in UTF-8; `aggregator check` says where") from error
    newline = "\r\n" if "\r\n" in text else "\n"
    if found is None:
        text = f"{_ended(text, newline)}{_KEY}:{newline}{_lines(new, newline)}"
    elif found.is_flow and (found.has_items or found.is_within_flow):
        text = _in_flow(text, found, new, newline)
    elif found.has_items:
        text = _in_block(text, found, new, newline)
    else:
        text = _in_empty(text, found, new, newline)
    return text.encode("utf-8")


def literal(text: str) -> str:
    """Give a text as feeds.yaml has it if nothing in it is to be taken from the environment."""
    return text.replace("${", "$${")


def replace_config(path: Path, before: bytes | None, after: bytes) -> None:
    """Put a new text in the place of feeds.yaml, whole, with the rights that it has.

    Args:
        path: of the file; what a symlink leads to is replaced, and the link stays.
        before: what was read of it; None: there was none.
        after: what it is to say.

    Raises:
        EditRefused: somebody else has changed it meanwhile; it stays as it is.
        OSError: it can't be written; likewise.
    """
    real = path.resolve()
    descriptor, draft = tempfile.mkstemp(prefix=f".{real.name}.", dir=real.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(after)
            _take_rights(file.fileno(), real)
            file.flush()
            os.fsync(file.fileno())
        now = real.read_bytes() if real.exists() else None
        if now != before:
            raise EditRefused(f"{path} was changed meanwhile; run the command again")
        Path(draft).replace(real)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
    folder = os.open(real.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _take_rights(descriptor: int, real: Path) -> None:
    """Give a draft the rights of the file that it replaces, and its owner, if we may."""
    try:
        old = real.stat()
    except FileNotFoundError:
        mask = os.umask(0o022)
        os.umask(mask)
        os.fchmod(descriptor, 0o666 & ~mask)
        return
    with contextlib.suppress(PermissionError):
        os.fchown(descriptor, old.st_uid, old.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(old.st_mode))


def _found(text: str) -> _List | None:
    """Find the list of sources; None if the file names none yet.

    PyYAML's own reader, not libyaml: its places count characters.

    Raises:
        EditRefused: it is an alias, or the file is no mapping.
    """
    found: _List | None = None
    flows: list[bool] = []  # of each open collection: is it in brackets?
    key: str | None = None  # of the outermost mapping, while its value is read
    key_end = -1
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.CollectionEndEvent):
            is_flow, depth = flows.pop(), len(flows)
            if found is not None and is_flow:
                found.note_bracket(event, is_last=depth == 1)
        elif isinstance(event, yaml.NodeEvent):
            depth = len(flows)
            is_mapping = isinstance(event, yaml.MappingStartEvent)
            if depth == 0 and not is_mapping and not (isinstance(event, yaml.ScalarEvent) and not event.value):
                raise EditRefused("feeds.yaml is no mapping; write sources: above the list, and indent that")
            if depth == 1 and key == _KEY:
                found = _begun(event, key_end, is_within_flow=flows[0])
            elif found is not None:
                found.note_node(event, is_item=depth == 2)
            if isinstance(event, yaml.CollectionStartEvent):
                flows.append(bool(event.flow_style))
                continue
        else:
            continue
        if depth == 1:  # a key or a value has ended
            if found is not None:
                break
            key, key_end = None if key is not None else str(getattr(event, "value", "")), _end(event)
    if found is not None and found.has_items:
        found.end = len(text[: found.end].rstrip())  # a text of several lines ends where the next thing begins
    return found


def _begun(event: yaml.Event, key_end: int, *, is_within_flow: bool) -> _List:
    if isinstance(event, yaml.SequenceStartEvent):
        is_flow = bool(event.flow_style)
        return _List(key_end, _start(event), _end(event), is_flow=is_flow, is_within_flow=is_within_flow)
    if isinstance(event, yaml.ScalarEvent) and event.value in ("", "~", "null") and not is_within_flow:
        return _List(key_end, _start(event), _end(event))
    raise EditRefused("the sources in feeds.yaml are an alias or no list; write the new one by hand")


def _start(event: yaml.Event) -> int:
    assert event.start_mark is not None
    return int(event.start_mark.index)


def _end(event: yaml.Event) -> int:
    assert event.end_mark is not None
    return int(event.end_mark.index)


def _in_block(text: str, found: _List, new: Sequence[NewSource], newline: str) -> str:
    """Write them on lines of their own, behind the last item and its comment."""
    line = text.rfind("\n", 0, found.item) + 1
    dash = _DASH.fullmatch(text[line : found.item])
    if dash is None:
        raise EditRefused("the last source in feeds.yaml begins in an unusual place; write the new one by hand")
    indent, gap = dash[1], dash[2]
    head, tail = _split_behind(text, found.end, newline)
    if found.item_is_block:
        items = [f"{newline}{indent} {gap}".join(f"{key}: {value}" for key, value in _pairs(each)) for each in new]
    else:
        items = [_item(each) for each in new]
    return head + "".join(f"{indent}-{gap}{item}{newline}" for item in items) + tail


def _in_empty(text: str, found: _List, new: Sequence[NewSource], newline: str) -> str:
    """Write them below the key, of which nothing is said yet, or that it has none."""
    end = found.closing + 1 if found.is_flow else found.end
    if text[found.start : end].strip():
        text = text[: found.start].rstrip() + text[end:]
    head, tail = _split_behind(text, found.key_end, newline)
    return f"{head}{_lines(new, newline)}{tail}"


def _in_flow(text: str, found: _List, new: Sequence[NewSource], newline: str) -> str:
    """Write them before the bracket, behind the last item: on lines of their own, if that one has."""
    items = [_item(each, in_flow=True) for each in new]
    if not found.has_items:
        return f"{text[: found.closing]}{', '.join(items)}{text[found.closing :]}"
    line = text.rfind("\n", 0, found.item) + 1
    indent = text[line : found.item]
    between = f",{newline}{indent}" if line and not indent.strip() else ", "
    return text[: found.end] + "".join(between + item for item in items) + text[found.end :]


def _split_behind(text: str, place: int, newline: str) -> tuple[str, str]:
    """Split a text behind the line of a place; a last line that is open is closed."""
    end = text.find("\n", place)
    return (text[: end + 1], text[end + 1 :]) if end >= 0 else (text + newline, "")


def _ended(text: str, newline: str) -> str:
    return text if text.endswith("\n") else text + newline


def _lines(new: Sequence[NewSource], newline: str) -> str:
    return "".join(f"  - {_item(each)}{newline}" for each in new)


def _item(new: NewSource, *, in_flow: bool = False) -> str:
    """Write it in one line: the address alone, if nothing else is said."""
    pairs = _pairs(new)
    if len(pairs) == 1:
        return _scalar(new.url, quotes=in_flow)
    pairs[0] = ("url", _scalar(new.url, quotes=True))
    return "{" + ", ".join(f"{key}: {value}" for key, value in pairs) + "}"


def _pairs(new: NewSource) -> list[tuple[str, str]]:
    pairs = [("url", _scalar(new.url))]
    if new.title is not None:
        pairs.append(("title", _scalar(literal(new.title))))
    names = [_scalar(literal(name)) for name in new.categories]
    if names:
        pairs.append(("category", names[0] if len(names) == 1 else f"[{', '.join(names)}]"))
    return pairs


def _scalar(text: str, *, quotes: bool = False) -> str:
    """Write a text, in quotes where it needs them, or where `quotes` wants them."""
    if not quotes and _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return json.dumps(text, ensure_ascii=False)
