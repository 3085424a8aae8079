"""Shapes of values that contain other values: lists, and mappings whose keys the operator chooses."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from aggregator.config.document import Json, ListNode, MapNode, Node, Scalar
from aggregator.config.findings import Findings, Unfit, quoted
from aggregator.config.shapes import BOOLEAN, INTEGER, Schema, Shape
from aggregator.config.variables import has_variable

T = TypeVar("T")
N = TypeVar("N")


class ListOf(Shape[tuple[T, ...]]):
    """A list; with `alone`, a single value means a list of one item."""

    def __init__(
        self, each: Shape[T], words: str, write: str, *, alone: bool = False, least: int = 0, most: int = 1000
    ) -> None:
        self.each, self.words, self.write = each, words, write
        self.alone, self.least, self.most = alone, least, most

    def read(self, node: Node, findings: Findings) -> tuple[T, ...]:
        """Read a list. An invalid item is reported to `findings` and left out."""
        if not isinstance(node, ListNode):
            if not self.alone or not isinstance(node, Scalar) or node.is_null:
                raise self.unfit(node)
            return (self.each.read(node, findings),)
        if len(node.items) < self.least and not node.cut:
            raise Unfit(f"the list is empty; write {self.write}")
        if len(node.items) > self.most:
            raise Unfit(f"the list has {len(node.items):,} items; write at most {self.most:,}")
        items: list[T] = []
        for item in node.items:
            try:
                items.append(self.each.read(item, findings))
            except Unfit as unfit:
                findings.problem_at(item, str(unfit))
        return tuple(items)

    def schema(self) -> Schema:
        each = self.each.schema()
        least: Schema = {"minItems": self.least} if self.least else {}
        items: Schema = {"type": "array", "items": each, **least}
        return {"anyOf": [each, items]} if self.alone else items


@dataclass(frozen=True, slots=True)
class Pair(Generic[N, T]):
    """One item of a mapping whose keys the operator chooses."""

    key: Scalar
    name: N
    node: Node
    value: T


class MapOf(Shape[tuple[Pair[N, T], ...]], Generic[N, T]):
    """A mapping whose keys the operator chooses: categories, hosts, headers."""

    def __init__(
        self, name: Callable[[str], N], each: Shape[T], words: str, write: str, *, form: str | None = None
    ) -> None:
        """Set the shapes of keys and values.

        Args:
            name: reads a key; raises Unfit with a message such as "is not a host name; write one such as …".
            each: shape of the values.
            words: name of the mapping in messages, such as "a mapping of hosts".
            write: example for messages.
            form: regular expression of the keys, for the JSON Schema.
        """
        self.each, self.words, self.write = each, words, write
        self._name, self._form = name, form

    def read(self, node: Node, findings: Findings) -> tuple[Pair[N, T], ...]:
        """Read a mapping. An item with an invalid key or value is reported to `findings` and left out."""
        if isinstance(node, Scalar) and node.is_null:
            return ()
        if not isinstance(node, MapNode):
            raise self.unfit(node)
        pairs: list[Pair[N, T]] = []
        for raw, key in node.keys.items():
            try:
                name = self._name(raw)
            except Unfit as unfit:
                findings.problem_at(key, f"{quoted(raw)} {unfit}")
                continue
            item = node.values[raw]
            try:
                pairs.append(Pair(key, name, item, self.each.read(item, findings)))
            except Unfit as unfit:
                findings.problem_at(item, str(unfit))
        return tuple(pairs)

    def schema(self) -> Schema:
        names: Schema = {"propertyNames": {"pattern": self._form}} if self._form else {}
        return {"type": ["object", "null"], "additionalProperties": self.each.schema(), **names}


class Either(Shape[T]):
    """A short value, or a mapping with more details."""

    def __init__(self, short: Shape[T], long: Shape[T]) -> None:
        self.short, self.long = short, long
        self.words = f"{short.words}, or {long.words}"
        self.write = f"{short.write}, or {long.write}"

    @property
    def values(self) -> str:
        return f"{self.short.values}, or {self.long.write}"

    def read(self, node: Node, findings: Findings) -> T:
        if isinstance(node, ListNode):
            raise self.unfit(node)
        return (self.long if isinstance(node, MapNode) else self.short).read(node, findings)

    def schema(self) -> Schema:
        return {"anyOf": [self.short.schema(), self.long.schema()]}


class Anything(Shape[Json]):
    """Any text, or a mapping that is sent as JSON."""

    words = write = "a text or a mapping"

    def read(self, node: Node, findings: Findings) -> Json:
        """Return the value as JSON data, with variables replaced."""
        if isinstance(node, MapNode):
            return {name: self.read(item, findings) for name, item in node.values.items()}
        if isinstance(node, ListNode):
            return [self.read(item, findings) for item in node.items]
        assert isinstance(node, Scalar)
        text = findings.filled(node.raw)
        if not node.plain or has_variable(node.raw):
            return text
        if node.is_null:
            return None
        if node.raw in BOOLEAN:
            return BOOLEAN[node.raw]
        if INTEGER.fullmatch(node.raw):
            return int(node.raw)
        return float(node.raw) if re.fullmatch(r"-?[0-9]{1,15}\.[0-9]{1,15}", node.raw) else text

    def schema(self) -> Schema:
        return {"type": ["string", "object", "array"]}
