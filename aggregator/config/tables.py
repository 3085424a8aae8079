"""Tables: mappings with declared keys. A key is declared once, as a class attribute, and used to read its value.

class SiteKeys(Keys):
    HOME = "site"
    title = key(Text(), "Planet", "Name of the whole site.")

values = Table(SiteKeys).read(node, findings)
values[SiteKeys.title]  # a str
"""

import re
from typing import Any, ClassVar, Generic, TypeVar

from aggregator.config.document import TYPOGRAPHIC, Json, MapNode, Node, Scalar
from aggregator.config.findings import Findings, Unfit, quoted
from aggregator.config.other_readers import EQUIVALENTS
from aggregator.config.shapes import Schema, Shape, nearest, read_default

MAX_NAMED = 14  # keys that a message lists

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Key(Generic[T_co]):
    """A declared key: shape, default and sentence of documentation. Made by `key`, `optional` and `required`."""

    name: str
    home: str  # the HOME of the table that declares it

    def __init__(
        self, shape: Shape[Any], default: T_co, written: Json, says: str, *, shown: str, is_required: bool = False
    ) -> None:
        self.shape, self.default, self.written = shape, default, written
        self.says, self.shown, self.is_required = says, shown, is_required

    def __set_name__(self, owner: "type[Keys]", name: str) -> None:
        self.name = name.removesuffix("_")  # `with_` declares `with`, a keyword of Python
        self.home = owner.HOME


class Keys:
    """Base of classes that declare the keys of a table in the order of the documentation, inherited keys first."""

    HOME: ClassVar[str] = ""  # place of the table in feeds.yaml: "site", "sources"; empty for the top level
    CALLED: ClassVar[str] = "feeds.yaml"  # name of the table in messages about unknown keys


def key(shape: Shape[T], default: Json, says: str) -> Key[T]:
    """Declare a key with a default, which is written as in feeds.yaml."""
    shown = "" if default in ([], {}, "") else _flow(default)
    return Key(shape, read_default(shape, default), default, says, shown=shown)


def optional(shape: Shape[T], says: str, *, shown: str = "") -> Key[T | None]:
    """Declare a key whose value is None if it is not written; `shown` is the default in the documentation."""
    return Key(shape, None, None, says, shown=shown)


def required(shape: Shape[T], says: str) -> Key[T | None]:
    """Declare a key that must be written. Its value is None only if a problem has been reported."""
    return Key(shape, None, None, says, shown="required", is_required=True)


def _flow(value: Json) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


class Values:
    """Values of a table, by declared key."""

    __slots__ = ("_read", "node")

    def __init__(self, node: Node, read: dict[str, Any]) -> None:
        self.node = node
        self._read = read

    def __getitem__(self, key: Key[T]) -> T:
        """Return the value of a key, or its default."""
        value: T = self._read.get(key.name, key.default)
        return value

    def over(self, key: Key[T], fallback: "Values") -> T:
        """Return the value of a key; if it is not written here, the value in another table."""
        value: T = self._read[key.name] if key.name in self._read else fallback[key]
        return value

    def says(self, key: Key[Any]) -> bool:
        """Report whether a key is written, with a valid value or not."""
        return key.name in self._nodes

    def is_bad(self, key: Key[Any]) -> bool:
        """Report whether a key is written with an invalid value."""
        return key.name in self._nodes and key.name not in self._read

    def place(self, key: Key[Any]) -> Node:
        """Return the node of a key's value, or of the table if the key is not written."""
        return self._nodes.get(key.name, self.node)

    @property
    def _nodes(self) -> dict[str, Node]:
        if isinstance(self.node, MapNode):
            return self.node.values
        return {name: self.node for name in self._read}  # a text in place of the table: see `alone`


class Table(Shape[Values]):
    """A mapping with declared keys."""

    def __init__(self, keys: type[Keys], *, words: str, write: str, alone: Key[Any] | None = None) -> None:
        """Set the declared keys.

        Args:
            keys: the declarations.
            words: name of the mapping in messages.
            write: example for messages.
            alone: the key whose value a text in place of the mapping is, such as `url` of a source.
        """
        self.declares, self.words, self.write = keys, words, write
        self.keys: dict[str, Key[Any]] = {
            declared.name: declared
            for base in reversed(keys.__mro__)
            for declared in vars(base).values()
            if isinstance(declared, Key)
        }
        self._alone = alone
        self._advice: dict[str, str] = {}  # unknown key -> message: each of 10,000 sources may have the same mistake
        self._required = [declared for declared in self.keys.values() if declared.is_required]

    @property
    def values(self) -> str:
        return self.write

    def read(self, node: Node, findings: Findings) -> Values:
        """Read a mapping. Unknown keys, missing keys and values of another shape are added to `findings`."""
        if isinstance(node, MapNode):
            return self._pairs(node, findings)
        if isinstance(node, Scalar):
            if node.is_null and not self._required:
                return Values(node, {})
            if self._alone is not None and not node.is_null:
                return Values(node, {self._alone.name: self._alone.shape.read(node, findings)})
        raise self.unfit(node)

    def _pairs(self, node: MapNode, findings: Findings) -> Values:
        read: dict[str, Any] = {}
        for name, item in node.values.items():
            declared = self.keys.get(name)
            if declared is None:
                if name not in self._advice:
                    self._advice[name] = self._unknown(name, findings)
                findings.problem_at(node.keys[name], self._advice[name])
                continue
            try:
                read[name] = declared.shape.read(item, findings)
            except Unfit as unfit:
                findings.problem_at(item, str(unfit))
        for declared in self._required:
            if declared.name not in node.values and not node.cut:
                findings.problem_at(node, f"{declared.name} is missing; write {declared.name}: {declared.shape.write}")
        return Values(node, read)

    def _unknown(self, name: str, findings: Findings) -> str:
        what = f"{quoted(name)} is not a key of {self.declares.CALLED}"
        if name == "<<":
            return 'merge keys ("<<") are not supported; write the keys out, or use defaults:'
        plain = re.sub(r"[\s-]+", "_", name.strip(TYPOGRAPHIC)).casefold()
        meant = EQUIVALENTS.get(self.declares.HOME, {}).get(plain)
        if meant is not None and plain not in self.keys:
            return f"{what}; write {meant}"
        places = findings.key_places.get(name, [])
        near = plain if plain in self.keys else nearest(plain, self.keys, likely=True)
        if near and not places:
            return f"{what}; write {near}"
        if places:
            return f"{what}; write it {' or '.join(places[:3])}" + (f", or write {near} here" if near else "")
        if len(self.keys) > MAX_NAMED:
            return f"{what}; write one that docs/feeds.md lists, or remove it"
        return f"{what}; write {'one of ' if len(self.keys) > 1 else ''}{', '.join(self.keys)}"

    def schema(self) -> Schema:
        properties: dict[str, Json] = {}
        for name, declared in self.keys.items():
            about: Schema = {"description": declared.says}
            if declared.written is not None:
                about["default"] = declared.written
            properties[name] = {**declared.shape.schema(), **about}
        needed: list[Json] = [declared.name for declared in self._required]
        table: Schema = {
            "type": "object" if needed else ["object", "null"],
            "properties": properties,
            "additionalProperties": False,
            **({"required": needed} if needed else {}),
        }
        return {"anyOf": [self._alone.shape.schema(), table]} if self._alone is not None else table
