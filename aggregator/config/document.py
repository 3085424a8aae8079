"""Parses the text of feeds.yaml into a tree whose nodes know line and column (S52).

The tree is built from the events of libyaml, not from its loaded documents: events have line, column and quoting, and
both keys of a duplicate. Scalars keep their written text. The shape of each key decides by the rules of YAML 1.2 what
`no`, `010` or `12:30` means.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeAlias

import yaml

from aggregator.config.findings import Findings, quoted
from aggregator.config.syntax import MAX_DEPTH, syntax_problem

MAX_EXPANDED = 100_000  # nodes that all aliases together may expand to (S52)

TYPOGRAPHIC = "\u201c\u201d\u201e\u2018\u2019\u201a"  # quotation marks that YAML reads as ordinary characters

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


@dataclass(slots=True)
class Node:
    """Any value in the document, with its position."""

    line: int  # from 1
    column: int  # from 1


@dataclass(slots=True)
class Scalar(Node):
    """A value that is neither a list nor a mapping, as written."""

    raw: str
    plain: bool = True  # without quotes: may be a number, true, false or null

    @property
    def is_null(self) -> bool:
        """Report whether the value is YAML's null: nothing, `~` or `null`."""
        return self.plain and self.raw in ("", "~", "null", "Null", "NULL")

    @property
    def is_false(self) -> bool:
        """Report whether the value is YAML's false."""
        return self.plain and self.raw in ("false", "False", "FALSE")


@dataclass(slots=True)
class ListNode(Node):
    """A list in the document."""

    items: list[Node] = field(default_factory=list)
    size: int = 1  # nodes in it, with aliases expanded
    cut: bool = False  # a syntax error ended it: more items may follow in the file


@dataclass(slots=True)
class MapNode(Node):
    """A mapping; each key is a text and occurs once."""

    keys: dict[str, Scalar] = field(default_factory=dict)
    values: dict[str, Node] = field(default_factory=dict)
    size: int = 1
    cut: bool = False  # a syntax error ended it: more keys may follow in the file


def read_document(data: bytes, findings: Findings) -> Node | None:
    """Parse the file, which must have one document.

    A syntax error is reported to `findings` as one problem. The part before the error is returned, so that the same run
    reports its problems too.

    Returns:
        The root node; None if the file is empty or can't be decoded.
    """
    text = _text_of(data, findings)
    if text is None:
        return None
    builder = _Builder(findings)
    try:
        builder.build(yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        findings.problem(*syntax_problem(error, text))
        builder.cut()
    except _Stop:
        builder.cut()
    return builder.root


def is_between_marks(node: Scalar) -> bool:
    """Report whether a plain scalar is between typographic quotation marks, which YAML makes part of the text."""
    return node.plain and len(node.raw) > 1 and node.raw[0] in TYPOGRAPHIC and node.raw[-1] in TYPOGRAPHIC


def node_of(value: Json) -> Node:
    """Return the node of a JSON value, with position 1:1."""
    match value:
        case dict():
            keys = {key: Scalar(1, 1, key) for key in value}
            return MapNode(1, 1, keys, {key: node_of(item) for key, item in value.items()})
        case list():
            return ListNode(1, 1, [node_of(item) for item in value])
        case None:
            return Scalar(1, 1, "")
        case bool():
            return Scalar(1, 1, "true" if value else "false")
        case str():
            return Scalar(1, 1, value, plain=False)
        case _:
            return Scalar(1, 1, str(value))


# Wheels of PyYAML contain libyaml. A build without libyaml reads the same events, about thirty times slower.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TEXT_TAGS = ("!", "tag:yaml.org,2002:str")
_CORE_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in "str int float bool null map seq".split()) | {"!", None}


_NO_KEY = Scalar(0, 0, "")  # in place of an invalid key; its value is skipped


class _Stop(Exception):
    """Parsing stops here; the problem is already in the findings."""


def _text_of(data: bytes, findings: Findings) -> str | None:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace")
        findings.problem(
            *_place_in(before, len(before)), f"byte 0x{data[error.start]:02x} is not UTF-8; save the file as UTF-8"
        )
        return None
    unprintable = list(_UNPRINTABLE.finditer(text))
    for match in unprintable:
        code = ord(match[0])
        what = f"the control character U+{code:04X} is not allowed; remove it, or write \\x{code:02x} in double quotes"
        findings.problem(*_place_in(text, match.start()), what)
    return None if unprintable else text


def _place_in(text: str, index: int) -> tuple[int, int]:
    return text.count("\n", 0, index) + 1, index - (text.rfind("\n", 0, index) + 1) + 1


class _Builder:
    """Builds the tree from the events of libyaml."""

    def __init__(self, findings: Findings) -> None:
        self.root: Node | None = None
        self._findings = findings
        self._open: list[ListNode | MapNode] = []
        self._names: list[Scalar | None] = []  # for each open collection: the key whose value comes next
        self._anchors: dict[str, Node | None] = {}  # None: the collection of this anchor is still open
        self._anchored: list[str | None] = []
        self._aliased = 0
        self._documents = 0

    def build(self, events: Iterator[yaml.Event]) -> None:
        for event in events:
            kind = type(event)
            if kind is yaml.ScalarEvent:
                self._scalar(event)
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                self._begin(event, kind is yaml.MappingStartEvent)
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                self._end()
            elif kind is yaml.AliasEvent:
                self._alias(event)
            elif kind is yaml.DocumentStartEvent:
                self._documents += 1
                if self._documents > 1:
                    self._stop(event, "a second document begins here; write all in one, and remove this line")

    def cut(self) -> None:
        """Close every open collection, after a syntax error."""
        while self._open:
            node = self._open[-1]
            node.cut = True
            self._end()

    def _stop(self, event: Any, what: str) -> NoReturn:
        mark = event.start_mark
        self._findings.problem(mark.line + 1, mark.column + 1, what)
        raise _Stop

    def _scalar(self, event: Any) -> None:
        mark = event.start_mark
        node = Scalar(mark.line + 1, mark.column + 1, event.value, event.implicit[0])
        if event.tag is not None:
            self._check_tag(event, node)
            node.plain = event.tag not in _TEXT_TAGS
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        self._add(node, 1)

    def _begin(self, event: Any, is_mapping: bool) -> None:
        if len(self._open) >= MAX_DEPTH:
            self._stop(event, f"over {MAX_DEPTH} levels of nesting; write it flatter, or remove brackets")
        mark = event.start_mark
        node: ListNode | MapNode = (MapNode if is_mapping else ListNode)(mark.line + 1, mark.column + 1)
        self._check_tag(event, node)
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        self._anchored.append(event.anchor)
        self._open.append(node)
        self._names.append(None)

    def _end(self) -> None:
        node = self._open.pop()
        self._names.pop()
        anchor = self._anchored.pop()
        if anchor is not None:
            self._anchors[anchor] = node
        self._add(node, node.size)

    def _alias(self, event: Any) -> None:
        node = self._anchors.get(event.anchor)
        if node is None:
            why = "refers to a value around it" if event.anchor in self._anchors else "has no &anchor before it"
            self._stop(event, f"*{event.anchor} {why}; write the value out")
        size = 1 if isinstance(node, Scalar) else getattr(node, "size", 1)
        self._aliased += size
        if self._aliased > MAX_EXPANDED:
            self._stop(event, f"the aliases expand to over {MAX_EXPANDED:,} values; write fewer of them")
        if len(self._open) + _depth(node) > MAX_DEPTH:
            self._stop(event, f"*{event.anchor} makes over {MAX_DEPTH} levels of nesting; write it flatter")
        self._add(node, size)

    def _add(self, node: Node, size: int) -> None:
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        parent.size += size
        if isinstance(parent, ListNode):
            parent.items.append(node)
            return
        name = self._names[-1]
        if name is None:
            self._names[-1] = self._key(node)
            return
        self._names[-1] = None
        if name is _NO_KEY:
            return
        first = parent.keys.get(name.raw)
        if first is None:
            parent.keys[name.raw] = name
            parent.values[name.raw] = node
        else:
            self._findings.problem(
                name.line, name.column, f"{quoted(name.raw)} is already in line {first.line}; remove one of the two"
            )

    def _key(self, node: Node) -> Scalar:
        if isinstance(node, Scalar) and node.raw:
            if is_between_marks(node) and not self._findings.was_in_force:
                bare = node.raw.strip(TYPOGRAPHIC)
                what = f"{node.raw[0]} and {node.raw[-1]} are typographic quotation marks, which do not quote in YAML"
                self._findings.problem(node.line, node.column, f"{what}; write {quoted(bare)}")
                return Scalar(node.line, node.column, bare) if bare else _NO_KEY
            return node
        fault = "an empty key" if isinstance(node, Scalar) else "a list or a mapping as a key"
        self._findings.problem(
            node.line, node.column, f"{fault}; write a name, and put a value that begins with {{ or [ in quotes"
        )
        return _NO_KEY

    def _check_tag(self, event: Any, node: Node) -> None:
        if event.tag not in _CORE_TAGS:
            self._findings.problem(node.line, node.column, f"the tag {quoted(event.tag)} is not supported; remove it")


def _depth(node: Node) -> int:
    match node:
        case ListNode():
            return 1 + max(map(_depth, node.items), default=0)
        case MapNode():
            return 1 + max(map(_depth, node.values.values()), default=0)
    return 0
