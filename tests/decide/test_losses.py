"""Fields that most entries of a source had and that none has any more."""

from dataclasses import replace
from typing import Any

import pytest

from aggregator.decide.losses import (
    forgone_fields,
    is_held_for_loss,
    kept_fields,
    lost_fields,
    lost_since,
    may_be_lost,
    missing_fields,
    watched_fields,
)
from aggregator.model.entry import Entry, Person, Tag
from aggregator.model.observed import NOTHING_OBSERVED
from aggregator.model.settings import Detail, Kind, Reading, Request, Source
from aggregator.urls import Url
from tests.decide.records import DAY, HOUR, NOON, SOURCE, entry

LINK = Url("https://news.example/a")


def source(kind: Kind = Kind.FEED, detail: Reading | None = None, **fields: str) -> Source:
    reading = Reading(kind=kind, fields=tuple(fields.items()))
    return replace(
        SOURCE, reading=reading, detail=Detail(url="x", request=Request(), reading=detail) if detail else None
    )


def seen(**fields: Any) -> Any:
    return replace(NOTHING_OBSERVED, **fields)


def entries(count: int, **fields: Any) -> list[Entry]:
    return [entry(f"k{number}", **fields) for number in range(count)]


@pytest.mark.parametrize(
    ("watched", "expected"),
    [
        pytest.param(source(), ("link", "title", "date", "text"), id="feed"),
        pytest.param(source(Kind.OPML), (), id="list"),
        pytest.param(source(Kind.JSON, id="a", author="b"), ("id", "author"), id="json"),
        pytest.param(source(Kind.HTML, author="b"), ("link", "title", "published", "author"), id="page"),
        pytest.param(source(detail=Reading(is_article=True)), ("link", "title"), id="full-text"),
        pytest.param(
            source(Kind.JSON, detail=Reading(fields=(("content", "c"),)), title="t", content="c"),
            ("title",),
            id="detail",
        ),
    ],
)
def test_which_fields_are_watched(watched: Source, expected: tuple[str, ...]) -> None:
    assert watched_fields(watched) == expected


def test_which_fields_no_entry_has() -> None:
    assert missing_fields(source(), []) == ()
    assert missing_fields(source(), entries(1)) == ("link", "date")
    assert missing_fields(source(), [*entries(1), entry(link=LINK, updated=NOON)]) == ()
    assert missing_fields(source(), entries(1, title="", content="", summary="s", text="")) == ("link", "title", "date")


def test_which_missing_fields_are_no_loss() -> None:
    missing = ("link", "date")
    assert forgone_fields(missing, seen()) == ()
    assert forgone_fields(missing, seen(forgone=("date", "title"))) == ("date",)
    assert forgone_fields(missing, seen(forgone=("date",), lost=("date",))) == ()
    assert forgone_fields(missing, seen(restored_until=NOON)) == missing


def test_when_the_document_before_has_to_be_looked_at() -> None:
    assert may_be_lost(("link",), entries(5), seen())
    assert not may_be_lost(("link",), entries(4), seen())
    assert not may_be_lost((), entries(5), seen())
    assert not may_be_lost(("link",), entries(5), seen(lost=("link",)))
    assert not may_be_lost(("link",), entries(5), seen(forgone=("link",)))
    assert may_be_lost(("link", "date"), entries(5), seen(lost=("link",)))


@pytest.mark.parametrize(
    ("had", "without", "lost"),
    [(5, 0, True), (4, 0, False), (5, 4, True), (5, 5, False), (6, 5, True)],
)
def test_a_field_is_lost_if_over_half_and_five_had_it(had: int, without: int, lost: bool) -> None:
    before = [*entries(had, link=LINK), *entries(without)]
    assert lost_fields(("link",), entries(5), before, seen()) == (("link",) if lost else ())


def test_how_long_a_field_stays_lost() -> None:
    before = entries(9)
    assert lost_fields(("link",), entries(1), before, seen(lost=("link",))) == ("link",)
    assert lost_fields((), entries(5, link=LINK), before, seen(lost=("link",))) == ()
    assert lost_fields(("link",), entries(5), entries(9, link=LINK), seen(forgone=("link",))) == ()
    assert lost_fields(("link",), entries(4), entries(9, link=LINK), seen()) == ()
    both = lost_fields(("link", "date"), entries(5), entries(9, updated=NOON), seen(lost=("link",)))
    assert both == ("link", "date")


def test_a_known_entry_keeps_what_its_source_lost() -> None:
    stored = entry(link=LINK, title="Old", content="old", text="old", summary="s", authors=(Person(name="A"),))
    said = entry(title="New", content="", text="", summary="")
    assert kept_fields(said, stored, ("link",), SOURCE).link == LINK
    found = kept_fields(said, stored, ("text", "title"), SOURCE)
    assert (found.title, found.content, found.text, found.summary) == ("New", "old", "old", "s")
    assert found.link is None
    assert found.authors == ()
    assert kept_fields(said, stored, ("author",), SOURCE).authors == stored.authors
    assert kept_fields(said, stored, ("link",), SOURCE).digest != kept_fields(said, stored, (), SOURCE).digest


@pytest.mark.parametrize(
    ("lost", "kept"),
    [
        ("link", {"link"}),
        ("title", {"title"}),
        ("published", {"published"}),
        ("date", {"published", "updated"}),
        ("author", {"authors"}),
        ("tag", {"tags"}),
        ("summary", {"summary", "text"}),
        ("content", {"content", "text"}),
        ("text", {"summary", "content", "text"}),
        ("id", set()),
    ],
)
def test_which_parts_a_lost_field_keeps(lost: str, kept: set[str]) -> None:
    parts: dict[str, Any] = {
        "link": LINK, "title": "T", "published": NOON, "updated": NOON + HOUR, "authors": (Person(name="A"),),
        "tags": (Tag(term="t"),), "summary": "s", "content": "c", "text": "c",
    }  # fmt: skip
    found = kept_fields(entry(title="", content="", text="", summary=""), entry(**parts), (lost,), SOURCE)
    assert {name for name in parts if getattr(found, name)} == kept
    assert all(getattr(found, name) == parts[name] for name in kept)


@pytest.mark.parametrize(
    ("field", "part"),
    [
        ("id", {"id": "1"}),
        ("link", {"link": LINK}),
        ("title", {"title": "T"}),
        ("published", {"published": NOON}),
        ("author", {"authors": (Person(name="A"),)}),
        ("tag", {"tags": (Tag(term="t"),)}),
        ("summary", {"summary": "s"}),
        ("content", {"content": "c"}),
    ],
)
def test_which_part_of_an_entry_is_a_mapped_field(field: str, part: dict[str, Any]) -> None:
    mapped = replace(SOURCE, reading=Reading(kind=Kind.JSON, fields=((field, "path"),)))
    bare = entry(title="", content="", text="")
    assert missing_fields(mapped, [bare]) == (field,)
    assert missing_fields(mapped, [bare, replace(bare, **part)]) == ()


def test_since_when_entries_are_held_for_a_loss() -> None:
    since = NOON - DAY
    assert lost_since((), seen(lost_since=since), NOON) is None
    assert lost_since(("date",), seen(), NOON) == NOON
    assert lost_since(("date",), seen(lost=("date",), lost_since=since), NOON) == since
    assert lost_since(("date", "link"), seen(lost=("date",), lost_since=since), NOON) == NOON
    assert lost_since(("title", "link"), seen(lost=("link",), lost_since=since), NOON) == since
    assert not is_held_for_loss(("link",), None, NOON)
    assert is_held_for_loss(("link",), NOON, NOON)
    assert not is_held_for_loss(("date",), NOON, NOON)
    assert is_held_for_loss(("title", "date"), NOON - 2 * DAY + HOUR, NOON)
    assert not is_held_for_loss(("title",), NOON - 2 * DAY, NOON)
