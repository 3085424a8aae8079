"""Finds where each value stands in the text of feeds.yaml, for edits of the text."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import yaml

from aggregator.errors import AggregatorError


class EditRefused(AggregatorError):
    """feeds.yaml can't be edited by a program; the message gives the reason and the text to write by hand."""


class Shape(Enum):
    """Kind of YAML node that holds the value of a key."""

    SCALAR = "scalar"
    LIST = "list"
    MAP = "mapping"
    ALIAS = "alias"


@dataclass(slots=True)
class Place:
    """A value and its position in the text. Positions are indexes of characters."""

    shape: Shape
    start: int  # with an anchor and a tag, if it has any
    end: int  # behind the last character; of a mapping or list without brackets, that of its last value
    value: str = ""  # of a scalar
    is_flow: bool = False  # a mapping or list in brackets
    body: int = 0  # of a mapping or list: behind the opening bracket, or its first character
    items: list["Place"] = field(default_factory=list)  # of a list
    pairs: list[tuple["Place", "Place"]] = field(default_factory=list)  # of a mapping: keys and values

    @property
    def is_null(self) -> bool:
        """Report whether nothing is written here, or YAML's null."""
        return self.shape is Shape.SCALAR and self.value in ("", "~", "null")

    def pair(self, key: str) -> tuple["Place", "Place"] | None:
        """Return a key of a mapping and its value; None if it does not have the key."""
        return next((pair for pair in self.pairs if pair[0].value == key), None)

    def get(self, key: str) -> "Place | None":
        """Return the value of a key; None if this is not a mapping, or does not have the key."""
        found = self.pair(key)
        return None if found is None else found[1]


def read_positions(text: str) -> Place | None:
    """Return the root of a YAML document; None if the document is empty.

    Uses PyYAML's own parser, not libyaml, because its positions count characters.

    Raises:
        yaml.YAMLError: the text is not YAML.
    """
    events = (event for event in yaml.parse(text, Loader=yaml.SafeLoader) if isinstance(event, _COUNTED))
    return _value(next(events, None), events, text)


_COUNTED = (yaml.NodeEvent, yaml.CollectionEndEvent)


def _value(event: yaml.Event | None, events: Iterator[yaml.Event], text: str) -> Place | None:
    """Return the value that an event begins, with everything inside; None at the end of a collection."""
    if event is None or isinstance(event, yaml.CollectionEndEvent):
        return None
    start, end = _index(event.start_mark), _index(event.end_mark)
    if isinstance(event, yaml.AliasEvent):
        return Place(Shape.ALIAS, start, end)
    if isinstance(event, yaml.ScalarEvent):
        # The event of a text over several lines ends where the next value begins.
        end = start + len(text[start:end].rstrip())
        return Place(Shape.SCALAR, start, end, value=event.value)
    assert isinstance(event, yaml.CollectionStartEvent)
    shape = Shape.MAP if isinstance(event, yaml.MappingStartEvent) else Shape.LIST
    place = Place(shape, start, start, is_flow=bool(event.flow_style), body=end)
    while True:
        begun = next(events)
        inner = _value(begun, events, text)
        if inner is None:
            break
        if shape is Shape.LIST:
            place.items.append(inner)
            place.end = inner.end
            continue
        value = _value(next(events), events, text)
        assert value is not None, "each key has a value"
        place.pairs.append((inner, value))
        place.end = max(inner.end, value.end)
        if value.shape is Shape.SCALAR and value.start == value.end:  # nothing: the colon ends it
            place.end = _behind_colon(text, inner.end)
            value.start = value.end = place.end
    if place.is_flow:
        place.end = _index(begun.end_mark)
    return place


def _behind_colon(text: str, key_end: int) -> int:
    colon = text.find(":", key_end)
    between = text[key_end:colon] if colon >= 0 else "x"
    return key_end if between.strip() else colon + 1


def _index(mark: Any) -> int:
    return int(mark.index)
