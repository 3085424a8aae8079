"""What pages, feeds and the list of sources show of private, limited and unlisted sources (S44, S69): pure."""

import json
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid5

import pytest

from aggregator.model.entry import Origin
from aggregator.model.poll import State
from aggregator.model.settings import Category, CategoryKey, Reading, Roster, Show, Source, SourceKey
from aggregator.model.source_row import Limits, SourceRow
from aggregator.model.story import Credit, SourceLine, Tombstone
from aggregator.render.redaction import public_name
from aggregator.render.status_json import render_status_json
from aggregator.render.theme_check import STATUS
from aggregator.render.visibility import Visibility
from aggregator.urls import Url
from tests.render.records import NOON, STORE, a_publication

HERON, EGRET = SourceKey("heron"), SourceKey("egret")
X, Y, HIDDEN = CategoryKey("x"), CategoryKey("y"), CategoryKey("hidden")
SECRET = Url("https://heron.example/feed/9f8e7d6c5b4a/all.rss")
PRIVATE = Limits(private=True, show=None, noindex=False, addresses=(SECRET,))
OPEN = Limits(private=False, show=None, noindex=False, addresses=(SECRET,))


def visibility(
    limits: dict[SourceKey, Limits] | None = None, *, unlisted: frozenset[CategoryKey] = frozenset({HIDDEN}), **of: Any
) -> Visibility:
    """Return the visibility of the sources heron, in x, y and hidden, and egret, in hidden alone."""
    heron = Source(**{"key": HERON, "url": SECRET, "categories": (X, Y, HIDDEN), "safe_url": SECRET} | of)
    egret = Source(key=EGRET, url=Url("https://egret.example/"), categories=(HIDDEN,))
    categories = {
        X: Category(key=X, title="The X"),
        Y: Category(key=Y, title="The Y"),
        HIDDEN: Category(key=HIDDEN, title="Hidden", unlisted=True),
    }
    return Visibility(Roster({HERON: heron, EGRET: egret}, categories), limits or {}, "en", UUID(STORE), unlisted)


HERE = Category(key=X, title="The X")


def test_what_has_no_limit_is_shown_as_it_is() -> None:
    told = a_publication()
    assert visibility().publication(told, HERE) == told


def test_a_title_is_made_of_the_text() -> None:
    told = a_publication(title="", content="<p>What it <b>says</b>.</p>")
    assert visibility().publication(told, HERE).title == "What it says."
    told = replace(told, content="", summary="<p>Summary.</p>")
    assert visibility().publication(told, HERE).title == "Summary."


@pytest.mark.parametrize(
    ("of_category", "of_source", "content", "summary"),
    [
        (Show.FULL, None, "<p>Text of story 1.</p>", ""),
        (Show.FULL, Show.SUMMARY, "", "Text of story 1."),
        (Show.SUMMARY, Show.FULL, "", "Text of story 1."),
        (Show.TITLE, Show.SUMMARY, "", ""),
        (Show.SUMMARY, Show.TITLE, "", ""),
    ],
)
def test_the_stricter_of_two_limits_counts(
    of_category: Show, of_source: Show | None, content: str, summary: str
) -> None:
    limit = replace(OPEN, show=of_source)
    found = visibility({HERON: limit}).publication(a_publication(), replace(HERE, show=of_category))
    assert (found.content, found.summary) == (content, summary)
    assert not found.noindex


def test_settings_of_the_source_go_with_its_publications() -> None:
    reading = Reading(allow_classes=frozenset({"note"}))
    found = visibility({HERON: replace(OPEN, noindex=True)}, reading=reading).publication(a_publication(), HERE)
    assert (found.noindex, found.allow_classes) == (True, frozenset({"note"}))


@pytest.mark.parametrize(
    ("places", "shown"),
    [((X,), True), ((HIDDEN,), False), ((Y,), True), ((Y, HIDDEN), True), ((CategoryKey("old"),), True)],
)
def test_a_copy_is_credited_where_it_is_or_in_the_open(places: tuple[CategoryKey, ...], shown: bool) -> None:
    credit = Credit(source=EGRET, title="Egret", link=None, places=places)
    found = visibility().publication(a_publication(credits=(credit,)), HERE)
    assert bool(found.credits) is shown
    here = replace(HERE, key=HIDDEN)
    assert visibility().publication(a_publication(credits=(credit,)), here).credits == (
        (credit,) if shown or HIDDEN in places else ()
    )
    assert visibility({EGRET: PRIVATE}).publication(a_publication(credits=(credit,)), HERE).credits == ()


def test_s44_a_private_source_is_shown_under_an_invented_name() -> None:
    told = a_publication(link=SECRET, origin=Origin(id="urn:h", title="H", self_link=SECRET))
    found = visibility({HERON: PRIVATE}).publication(told, HERE)
    assert found.source == public_name(HERON)
    assert "9f8e7d6c5b4a" not in repr(found)


def test_s44_an_id_with_the_address_gets_another_that_stays() -> None:
    seen = visibility({HERON: PRIVATE})
    atom_id = f"{SECRET}#1"
    public = uuid5(UUID(STORE), f"private\0{atom_id}").urn
    assert seen.publication(a_publication(atom_id=atom_id, founder=HERON), HERE).atom_id == public
    assert seen.publication(a_publication(atom_id=atom_id, founder=EGRET), HERE).atom_id == atom_id
    assert seen.tombstone(Tombstone(ref=atom_id, when=NOON, source=HERON)) == Tombstone(
        ref=public, when=NOON, source=HERON
    )
    for other in (
        Tombstone(ref=atom_id, when=NOON, source=EGRET),
        Tombstone(ref=atom_id, when=NOON),
        Tombstone(ref="urn:uuid:1", when=NOON, source=HERON),
    ):
        assert seen.tombstone(other) == other


def row(**fields: Any) -> SourceRow:
    plain = SourceRow(
        key=HERON, url=SECRET, state=State.FAILING, paused=False, code="dns", error="e", feed=Origin(
            id="urn:h", title="Heron Notes", link=Url("https://heron.example/")
        ),
    )  # fmt: skip
    return replace(plain, **fields)


def test_a_line_of_the_list_of_sources() -> None:
    assert visibility().source_line(row()) == SourceLine(
        key=HERON, title="Heron Notes", link=Url("https://heron.example/"), url=SECRET, state=State.FAILING,
        code="dns", categories=("The X", "The Y"), places=(CategoryKey("x"), CategoryKey("y")),
    )  # fmt: skip
    paused = visibility(title="Mine").source_line(row(paused=True))
    assert paused is not None
    assert (paused.state, paused.title) == (State.PAUSED, "Mine")
    bare = visibility().source_line(row(feed=None))
    assert bare is not None
    assert bare.link is None
    assert bare.title != "Heron Notes"


def test_s44_a_line_of_a_private_source_tells_no_address() -> None:
    line = visibility({HERON: PRIVATE}).source_line(row(feed=Origin(id="", title=f"At {SECRET}", link=SECRET)))
    assert line is not None
    assert (line.key, line.url, line.link) == (public_name(HERON), None, None)
    assert "9f8e7d6c5b4a" not in line.title
    assert visibility({HERON: PRIVATE}).source_line(row(feed=None)) == replace(
        line, title=public_name(HERON), link=None
    )


def test_s69_sources_of_unlisted_categories_and_strangers_are_not_listed() -> None:
    assert visibility().source_line(row(key=EGRET)) is None
    assert visibility().source_line(row(key=SourceKey("stranger"))) is None
    assert visibility(categories=(CategoryKey("gone"),)).source_line(row()) is None


def test_s69_the_public_status_has_no_address_of_a_private_source() -> None:
    told = replace(STATUS.sources[0], key=HERON, url=SECRET, is_titled=False, categories=(X, HIDDEN))
    shown = visibility({HERON: PRIVATE}).status(replace(STATUS, sources=(told,)))
    (source,) = json.loads(render_status_json(shown))["sources"]
    assert (source["key"], source["title"]) == (public_name(HERON), public_name(HERON))
    assert (source["url"], source["categories"]) == (None, ["x"])


def test_what_limits_shape_has_a_digest() -> None:
    digests = [
        visibility().digest,
        visibility({HERON: OPEN}).digest,
        visibility({HERON: PRIVATE}).digest,
        visibility(unlisted=frozenset()).digest,
    ]
    assert len(set(digests)) == len(digests)
    assert visibility({HERON: OPEN, EGRET: PRIVATE}).digest == visibility({EGRET: PRIVATE, HERON: OPEN}).digest
