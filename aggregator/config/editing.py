"""Adds sources to the text of feeds.yaml and keeps its comments, layout, quoting and order.

The text is edited, not generated from the settings, so that all other lines stay as the operator wrote them. The
caller must load the result and check it before it replaces the old file.
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
_PLAIN = re.compile(r"[^\W\d_][\w./%?=~+-]*(?::[\w./%?=~+&-]+)*")  # needs no quotes, inside brackets or outside
_WORDS = frozenset("true false null yes no on off y n".split())  # other programs don't read these as texts
_DASH = re.compile(r"(\s*)-( +)(?:[&!]\S+ +)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSource:
    """A source to add."""

    url: str  # as written in feeds.yaml, with `${NAME}` variables
    title: str | None = None
    categories: Sequence[str] = ()


class EditRefused(AggregatorError):
    """feeds.yaml can't be edited by a program; the message gives the reason and the text to write by hand."""


@dataclass(slots=True)
class _List:
    """Positions of the list of sources in the text, as indexes of characters."""

    key_end: int  # end of the key `sources`
    start: int  # start of its value
    end: int  # end of the last node in the list; only blanks and comments follow
    is_flow: bool = False  # the list is in brackets
    is_within_flow: bool = False  # the whole file is in brackets
    closing: int = -1  # closing bracket of a list in brackets
    has_items: bool = False
    item: int = -1  # start of the last item
    item_is_block: bool = False  # the last item is a mapping over several lines

    def note_node(self, event: yaml.Event, *, is_item: bool) -> None:
        """Record the position of a node in the list."""
        if is_item:
            self.item, self.has_items = _start(event), True
            self.item_is_block = isinstance(event, yaml.MappingStartEvent) and not event.flow_style
        if not isinstance(event, yaml.CollectionStartEvent):
            self.end = _end(event)

    def note_bracket(self, event: yaml.Event, *, is_last: bool) -> None:
        """Record the position of a bracket that closes the list, or a node in the list."""
        if is_last:
            self.closing = _start(event)
        else:
            self.end = _end(event)


def with_sources(data: bytes, new: Sequence[NewSource]) -> bytes:
    """Return the text of feeds.yaml with more sources at the end of its list, written like the sources before them.

    Args:
        data: content of the file; empty for a new file.
        new: the sources to add in this order, at least one.

    Raises:
        EditRefused: the list is written in a way that a program can't edit safely.
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
    """Return a text with `${` escaped, so that feeds.yaml takes nothing in it from the environment."""
    return text.replace("${", "$${")


def replace_config(path: Path, before: bytes | None, after: bytes) -> None:
    """Replace feeds.yaml atomically; its permissions stay.

    Args:
        path: path of the file; the target of a symlink is replaced, and the link stays.
        before: content that was read before the edit; None if there was no file.
        after: new content.

    Raises:
        EditRefused: another program has changed the file since `before` was read; the file stays unchanged.
        OSError: the file can't be written; it stays unchanged.
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
            raise EditRefused(f"{path} was changed by another program; run the command again")
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
    """Set permissions of a new file to those of the file that it replaces, and the owner, if this user may."""
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
    """Return the positions of the list of sources; None if the file has no key `sources` yet.

    Uses PyYAML's own parser, not libyaml, because its positions count characters.

    Raises:
        EditRefused: the list is an alias, or the file is not a mapping.
    """
    found: _List | None = None
    flows: list[bool] = []  # for each open collection: whether it is in brackets
    key: str | None = None  # key of the outermost mapping while its value is read
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
                raise EditRefused("feeds.yaml is not a mapping; write sources: above the list, and indent the list")
            if depth == 1 and key == _KEY:
                found = _begun(event, key_end, is_within_flow=flows[0])
            elif found is not None:
                found.note_node(event, is_item=depth == 2)
            if isinstance(event, yaml.CollectionStartEvent):
                flows.append(bool(event.flow_style))
                continue
        else:
            continue
        if depth == 1:  # end of a key, or of its value
            if found is not None:
                break
            key, key_end = None if key is not None else str(getattr(event, "value", "")), _end(event)
    if found is not None and found.has_items:
        found.end = len(text[: found.end].rstrip())  # the event of a text over several lines ends at the next node
    return found


def _begun(event: yaml.Event, key_end: int, *, is_within_flow: bool) -> _List:
    if isinstance(event, yaml.SequenceStartEvent):
        is_flow = bool(event.flow_style)
        return _List(key_end, _start(event), _end(event), is_flow=is_flow, is_within_flow=is_within_flow)
    if isinstance(event, yaml.ScalarEvent) and event.value in ("", "~", "null") and not is_within_flow:
        return _List(key_end, _start(event), _end(event))
    raise EditRefused("sources in feeds.yaml is an alias or not a list; add the new source by hand")


def _start(event: yaml.Event) -> int:
    assert event.start_mark is not None
    return int(event.start_mark.index)


def _end(event: yaml.Event) -> int:
    assert event.end_mark is not None
    return int(event.end_mark.index)


def _in_block(text: str, found: _List, new: Sequence[NewSource], newline: str) -> str:
    """Return the text with each new source on its own line, after the last item and its comment."""
    line = text.rfind("\n", 0, found.item) + 1
    dash = _DASH.fullmatch(text[line : found.item])
    if dash is None:
        raise EditRefused("the last source in feeds.yaml begins in an unusual place; add the new source by hand")
    indent, gap = dash[1], dash[2]
    head, tail = _split_behind(text, found.end, newline)
    if found.item_is_block:
        items = [f"{newline}{indent} {gap}".join(f"{key}: {value}" for key, value in _pairs(each)) for each in new]
    else:
        items = [_item(each) for each in new]
    return head + "".join(f"{indent}-{gap}{item}{newline}" for item in items) + tail


def _in_empty(text: str, found: _List, new: Sequence[NewSource], newline: str) -> str:
    """Return the text with the new sources below the key `sources`, whose value is empty or null."""
    end = found.closing + 1 if found.is_flow else found.end
    if text[found.start : end].strip():
        text = text[: found.start].rstrip() + text[end:]
    head, tail = _split_behind(text, found.key_end, newline)
    return f"{head}{_lines(new, newline)}{tail}"


def _in_flow(text: str, found: _List, new: Sequence[NewSource], newline: str) -> str:
    """Return the text with the new sources before the closing bracket; on new lines if the last item is on its own."""
    items = [_item(each, in_flow=True) for each in new]
    if not found.has_items:
        return f"{text[: found.closing]}{', '.join(items)}{text[found.closing :]}"
    line = text.rfind("\n", 0, found.item) + 1
    indent = text[line : found.item]
    between = f",{newline}{indent}" if line and not indent.strip() else ", "
    return text[: found.end] + "".join(between + item for item in items) + text[found.end :]


def _split_behind(text: str, place: int, newline: str) -> tuple[str, str]:
    """Return the text up to the end of the line at `place`, and the rest; a missing last newline is added."""
    end = text.find("\n", place)
    return (text[: end + 1], text[end + 1 :]) if end >= 0 else (text + newline, "")


def _ended(text: str, newline: str) -> str:
    return text if text.endswith("\n") else text + newline


def _lines(new: Sequence[NewSource], newline: str) -> str:
    return "".join(f"  - {_item(each)}{newline}" for each in new)


def _item(new: NewSource, *, in_flow: bool = False) -> str:
    """Return a source in one line; the address alone if it has neither title nor category."""
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
    """Return a text as a YAML scalar, in quotes if it needs them or if `quotes` is set."""
    if not quotes and _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return json.dumps(text, ensure_ascii=False)
