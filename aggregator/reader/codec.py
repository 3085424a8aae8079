"""Frozen records as JSON, and back: how data crosses processes (S15: never pickle). Pure.

It follows the declared types, so that a new field of a record is not forgotten here. A field with its default value is
not written: most fields of an entry are absent.
"""

import types
from collections.abc import Callable, Hashable
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import datetime, timedelta
from enum import Enum
from functools import cache
from typing import Any, NewType, TypeVar, Union, get_args, get_origin, get_type_hints

Record = TypeVar("Record")
Turn = Callable[[Any], Any]
_Way = tuple[Turn, Turn]  # to JSON, and back

_MICROSECOND = timedelta(microseconds=1)
_PLAIN = (str, int, float, bool)


def to_json(record: object) -> Any:
    """Return a record as values for `json.dumps`.

    Raises:
        TypeError: the type of a field has no JSON form: a fault in the record.
    """
    kind: Any = type(record)
    return _way(kind)[0](record)


def from_json(kind: Callable[..., Record], value: Any) -> Record:
    """Read a record back; `from_json(type(record), to_json(record)) == record`."""
    record: Record = _way(kind)[1](value)
    return record


@cache
def _way(hint: Hashable) -> _Way:
    """Return both converters of a type."""
    if isinstance(hint, NewType):
        return _way(hint.__supertype__)
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _optional(hint, parts)
    if origin is tuple:
        return _several(parts[0]) if parts[1:] == (...,) else _fixed(parts)
    if origin is frozenset:
        return _set(parts[0])
    if hint in _PLAIN:
        return _same, _same
    if hint in _MADE:
        return _MADE[hint]
    if isinstance(hint, type) and issubclass(hint, Enum):
        return (lambda value: value.value), hint
    if isinstance(hint, type) and is_dataclass(hint):
        return _record(hint)
    raise TypeError(f"{hint} has no form in JSON")


def _same(value: Any) -> Any:
    return value


def _optional(hint: Any, parts: tuple[Any, ...]) -> _Way:
    known = [part for part in parts if part is not type(None)]
    if len(known) != 1 or len(known) == len(parts):
        raise TypeError(f"{hint} has no form in JSON: which of them is it?")
    there, back = _way(known[0])
    if there is _same:
        return _same, _same

    def there_if_any(value: Any) -> Any:
        return None if value is None else there(value)

    def back_if_any(value: Any) -> Any:
        return None if value is None else back(value)

    return there_if_any, back_if_any


def _several(part: Any) -> _Way:
    there, back = _way(part)
    return (lambda values: [there(value) for value in values]), (lambda values: tuple(map(back, values)))


def _set(part: Any) -> _Way:
    there, back = _way(part)
    return (lambda values: sorted(map(there, values))), (lambda values: frozenset(map(back, values)))


def _fixed(parts: tuple[Any, ...]) -> _Way:
    ways = [_way(part) for part in parts]

    def there(values: Any) -> list[Any]:
        return [way[0](value) for way, value in zip(ways, values, strict=True)]

    def back(values: Any) -> tuple[Any, ...]:
        return tuple(way[1](value) for way, value in zip(ways, values, strict=True))

    return there, back


def _record(kind: type[Any]) -> _Way:
    hints = get_type_hints(kind)
    ways = {each.name: _way(hints[each.name]) for each in fields(kind)}
    outward = [(each.name, ways[each.name][0], _default_of(each)) for each in fields(kind)]

    def there(record: Any) -> dict[str, Any]:
        said = {}
        for name, turn, default in outward:
            value = getattr(record, name)
            if default is MISSING or value != default:
                said[name] = turn(value)
        return said

    def back(said: Any) -> Any:
        return kind(**{name: ways[name][1](value) for name, value in said.items()})

    return there, back


def _default_of(each: "Field[Any]") -> Any:
    return each.default_factory() if each.default_factory is not MISSING else each.default


_MADE: dict[Any, _Way] = {
    datetime: (datetime.isoformat, datetime.fromisoformat),
    timedelta: ((lambda value: value // _MICROSECOND), (lambda value: value * _MICROSECOND)),
    bytes: (bytes.hex, bytes.fromhex),
}
