"""A record does what a frozen dataclass with slots does."""

from collections.abc import Callable, Mapping
from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, is_dataclass, replace
from functools import partial
from importlib import import_module
from inspect import signature
from pkgutil import iter_modules
from threading import Barrier, Thread
from typing import Any, Generic, NamedTuple, TypeVar, get_type_hints

import pytest

import aggregator.model
from aggregator.model.record import record

T = TypeVar("T")


class Kinds(NamedTuple):
    """The same classes, made in one of the two ways."""

    Point: Any
    Base: Any
    Derived: Any
    Box: Any
    Empty: Any
    Silent: Any


def kinds(named: Callable[[type], Any], placed: Callable[[type], Any]) -> Kinds:
    @placed
    class Point:
        """A point."""

        x: int
        y: "int" = 2

        def total(self) -> int:
            return self.x + self.y

    @named
    class Base:
        """What others extend."""

        url: str
        facts: Mapping[str, int] = field(default_factory=dict)
        said: str = field(default="", compare=False, repr=False)

    @named
    class Derived(Base):
        """An extension, with another default."""

        at: int | None = None
        said: str = "more"

    @placed
    class Box(Generic[T]):
        """A box."""

        content: T

    @named
    class Empty:
        """Nothing."""

    @placed
    class Silent:
        """A secret."""

        text: str

        def __repr__(self) -> str:
            return "***"

    return Kinds(Point, Base, Derived, Box, Empty, Silent)


OURS = kinds(record, record(kw_only=False))
frozen = partial(dataclass, frozen=True, slots=True)
THEIRS = kinds(frozen(kw_only=True), frozen())


def instances(kinds: Kinds) -> list[Any]:
    return [
        kinds.Point(1),
        kinds.Point(1, 2),
        kinds.Point(y=3, x=1),
        replace(kinds.Point(0), x=1),
        kinds.Base(url="a"),
        kinds.Base(url="a", facts={"b": 1}),
        kinds.Base(url="a", said="unseen"),
        kinds.Derived(url="a"),
        kinds.Derived(url="a", at=1),
        replace(kinds.Derived(url="a", said="b"), at=1),
        kinds.Box("a"),
        kinds.Empty(),
        kinds.Silent("a"),
    ]


def hash_or_error(value: object) -> int | str:
    try:
        return hash(value)
    except TypeError as error:
        return str(error)


def test_instances_are_equal_hashed_and_shown_alike() -> None:
    ours, theirs = instances(OURS), instances(THEIRS)
    assert [[one == other for other in ours] for one in ours] == [[one == other for other in theirs] for one in theirs]
    assert list(map(repr, ours)) == list(map(repr, theirs))
    assert list(map(hash_or_error, ours)) == list(map(hash_or_error, theirs))
    assert list(map(asdict, ours)) == list(map(asdict, theirs))
    assert ours[4].facts is not OURS.Base(url="a").facts
    assert (ours[0] == 1, ours[0] != 1) == (False, True)
    assert ours[0].total() == theirs[0].total()


@pytest.mark.parametrize("name", Kinds._fields)
def test_functions_of_dataclasses_and_inspect_know_the_fields(name: str) -> None:
    ours: Any = getattr(OURS, name)
    theirs: Any = getattr(THEIRS, name)
    assert bool(is_dataclass(ours))
    for about in ("name", "type", "default", "default_factory", "compare", "repr", "kw_only"):
        assert [getattr(each, about) for each in fields(ours)] == [getattr(each, about) for each in fields(theirs)]
    assert [(each.name, each.kind) for each in signature(ours).parameters.values()] == [
        (each.name, each.kind) for each in signature(theirs).parameters.values()
    ]
    assert get_type_hints(ours.__init__) == get_type_hints(theirs.__init__)
    assert ours.__slots__ == theirs.__slots__
    assert (ours.__doc__, ours.__name__, ours.__module__) == (theirs.__doc__, theirs.__name__, theirs.__module__)
    assert ours.__qualname__ == theirs.__qualname__


def test_a_record_does_not_change_and_is_given_all_its_values() -> None:
    point = OURS.Point(1)
    changes: list[Callable[[], object]] = [
        lambda: setattr(point, "x", 2),
        lambda: setattr(point, "other", 2),
        lambda: delattr(point, "x"),
    ]
    for change in changes:
        with pytest.raises(FrozenInstanceError):
            change()
    assert (point.x, hasattr(point, "__dict__")) == (1, False)
    mistakes: list[Callable[[], object]] = [
        lambda: OURS.Point(),
        lambda: OURS.Point(1, 2, 3),
        lambda: OURS.Base("a"),
        lambda: OURS.Base(url="a", other=1),
        lambda: replace(point, other=1),
    ]
    for mistake in mistakes:
        with pytest.raises(TypeError):
            mistake()


def test_threads_may_make_the_first_instances_at_once() -> None:
    for _ in range(20):
        made = kinds(record, record(kw_only=False))
        found: list[Any] = []
        gate = Barrier(4)

        def first(point: Any = made.Point, gate: Barrier = gate, found: list[Any] = found) -> None:
            gate.wait()
            found.append(point(1))

        threads = [Thread(target=first) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [made.Point(1)] * 4


def test_all_records_of_the_model_can_be_written() -> None:
    modules = [import_module(f"aggregator.model.{each.name}") for each in iter_modules(aggregator.model.__path__)]
    values = [value for module in modules for value in vars(module).values()]
    records = [each for each in values if isinstance(each, type) and is_dataclass(each)]
    assert len(records) > 100
    for each in records:
        assert signature(each).parameters.keys() == {one.name for one in fields(each) if one.init}
        assert callable(each.__eq__)
        assert callable(each.__hash__)


def test_what_a_record_does_not_do_is_refused() -> None:
    class Doubled:
        """Computes a value."""

        x: int

        def __post_init__(self) -> None:
            raise AssertionError

    with pytest.raises(TypeError, match="no __post_init__"):
        record(Doubled)
