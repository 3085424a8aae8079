"""`record`: a frozen class of named values whose methods are written at their first use.

It is `dataclass(frozen=True, slots=True, kw_only=True)` without `__post_init__`, and `replace`, `fields` and `asdict`
of `dataclasses` work on it. But that decorator compiles six methods for each class when its module is imported, 0.6 ms
each time, and most runs make instances of a quarter of our classes.
"""

import sys
from collections.abc import Callable
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field
from functools import partial
from typing import Any, TypeVar, dataclass_transform, overload

T = TypeVar("T")


@overload
def record(cls: type[T], /) -> type[T]: ...
@overload
def record(*, kw_only: bool) -> Callable[[type[T]], type[T]]: ...
@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
def record(cls: type[T] | None = None, /, *, kw_only: bool = True) -> type[T] | Callable[[type[T]], type[T]]:
    """Make a class of annotated names a record.

    Args:
        cls: the class, if the decorator has no arguments.
        kw_only: arguments must be named when an instance is made.
    """
    make = partial(_record, kw_only=kw_only)
    return make if cls is None else make(cls)


def _record(cls: Any, kw_only: bool) -> Any:
    """Return a new class with slots; its methods are made at their first use."""
    if hasattr(cls, "__post_init__"):
        raise TypeError(f"{cls.__qualname__}: a record has no __post_init__; write dataclass(frozen=True, slots=True)")
    names = cls.__annotations__
    defaults = {name: getattr(cls, name) for name in names if name in cls.__dict__}
    inherited = {name for base in cls.__mro__[1:] for name in getattr(base, "__slots__", ())}
    content = {
        name: value
        for name, value in cls.__dict__.items()
        if name not in defaults and name not in ("__dict__", "__weakref__")
    }
    own: dict[str, Any] = {
        "__qualname__": cls.__qualname__,
        "__slots__": tuple(name for name in names if name not in inherited),
        "__dataclass_fields__": _Late(lambda made: _fields(made, names, defaults, kw_only)),
        "__init__": _Late(_init),
        "__eq__": _Late(_eq),
        "__hash__": _Late(_hash),
        "__repr__": _repr,
        "__setattr__": _refuse,
        "__delattr__": _refuse,
    }
    return type(cls.__name__, cls.__bases__, own | content)


class _Late:
    """An attribute of a class that is made when it is first asked for, and then takes the place of this object."""

    __slots__ = ("_make", "_name", "_owner")

    def __init__(self, make: Callable[[type], Any]) -> None:
        self._make = make

    def __set_name__(self, owner: type, name: str) -> None:
        self._owner, self._name = owner, name

    def __get__(self, instance: object, owner: type) -> Any:
        made = self._make(self._owner)  # two threads may both do so: what they make is equal
        setattr(self._owner, self._name, made)
        return made.__get__(instance, owner) if callable(made) else made


def _fields(cls: type, names: dict[str, Any], defaults: dict[str, Any], kw_only: bool) -> dict[str, Field[Any]]:
    """Return the `dataclasses.Field` of each field of a record, those of its bases first."""
    plain = type(cls.__name__, (), {"__annotations__": names, "__module__": cls.__module__, "__doc__": "-"} | defaults)
    own: Any = dataclass(init=False, repr=False, eq=False, kw_only=kw_only)(plain)
    found: dict[str, Field[Any]] = {}
    for base in cls.__mro__[:0:-1]:
        found |= getattr(base, "__dataclass_fields__", {})
    found |= own.__dataclass_fields__
    return found


def _init(cls: Any) -> Callable[..., None]:
    given: dict[str, Any] = {"MISSING": MISSING}
    arguments: dict[bool, list[str]] = {False: ["self"], True: []}
    lines = []
    for each in cls.__dataclass_fields__.values():
        name, argument, value = each.name, each.name, each.name
        given[f"set_{name}"] = getattr(cls, name).__set__  # a third faster than `object.__setattr__`
        if each.default_factory is not MISSING:
            given[f"make_{name}"] = each.default_factory
            argument, value = f"{name}=MISSING", f"make_{name}() if {name} is MISSING else {name}"
        elif each.default is not MISSING:
            given[f"default_{name}"] = each.default
            argument = f"{name}=default_{name}"
        arguments[each.kw_only].append(argument)
        lines.append(f"set_{name}(self, {value})")
    named = ", ".join([*arguments[False], *(["*", *arguments[True]] if arguments[True] else [])])
    made = _written(cls, "__init__", named, "; ".join(lines) or "pass", given)
    made.__annotations__ = {each.name: each.type for each in cls.__dataclass_fields__.values()} | {"return": None}
    return made


def _eq(cls: Any) -> Callable[..., bool]:
    same = f"{_compared(cls, 'self')} == {_compared(cls, 'other')}"
    return _written(
        cls, "__eq__", "self, other", f"return {same} if other.__class__ is self.__class__ else NotImplemented", {}
    )


def _hash(cls: Any) -> Callable[..., int]:
    return _written(cls, "__hash__", "self", f"return hash({_compared(cls, 'self')})", {})


def _compared(cls: Any, instance: str) -> str:
    """Return the expression of all values that count for equality."""
    return f"({''.join(f'{instance}.{each.name}, ' for each in cls.__dataclass_fields__.values() if each.compare)})"


def _written(cls: type, name: str, arguments: str, body: str, given: dict[str, Any]) -> Callable[..., Any]:
    """Compile a method. Its globals are those of the module of the class, for annotations that are texts."""
    space: dict[str, Any] = {}
    text = f"def write({', '.join(given)}):\n def {name}({arguments}):\n  {body}\n return {name}"
    exec(text, vars(sys.modules[cls.__module__]), space)
    made: Callable[..., Any] = space["write"](**given)
    made.__qualname__ = f"{cls.__qualname__}.{name}"
    return made


def _repr(self: Any) -> str:
    said = (f"{each.name}={getattr(self, each.name)!r}" for each in self.__dataclass_fields__.values() if each.repr)
    return f"{self.__class__.__qualname__}({', '.join(said)})"


def _refuse(self: object, name: str, *_: object) -> None:
    raise FrozenInstanceError(f"{name} of a {self.__class__.__qualname__} does not change")
