"""Merges, switches, corrections and tombstones as a subscriber of a published Atom feed sees them (T3 to T8)."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from aggregator.app import App
from aggregator.model.changes import Changes
from aggregator.model.event import Code
from aggregator.poll.corrections import run_pending_requests
from aggregator.poll.maintenance import Maintenance
from tests.fake_source import FakeSource, said
from tests.sample_site import ATOM, SampleSite
from tests.subscriber import Subscriber

TITLE = "The lamp is back in its lighthouse"
TEXT = (
    "<p>After nine years in a workshop cellar, the lamp of the old lighthouse is back where it belongs. Four people "
    "carried its lens up the hundred and twelve steps in the early morning, before the wind got up.</p>"
)
OTHER = (
    "<p>Who stood on the mole on Tuesday saw it turn for the first time since 2017, and some had brought their "
    "children, who were born when it was dark, and who asked what it is good for, now that all boats know the way.</p>"
)
ONE, TWO, THREE = "tag:one.example,2026:lamp", "tag:two.example,2026:mole", "tag:three.example,2026:wire"
FEEDS = """
publish: {formats: [atom]}
categories: {x: {}, y: {}}
sources:
  - {key: one, url: 'https://one.example/feed', category: x}
  - {key: two, url: 'https://two.example/feed', category: x}
  - {key: three, url: 'https://three.example/feed', category: x, priority: 5}
  - {key: strict, url: 'https://strict.example/feed', category: [x, y], dedupe: exact}
"""


@pytest.fixture
def app(site: SampleSite) -> Iterator[App]:
    with site.opened() as app:
        fake_source = FakeSource(app)
        for key in ("one", "two", "three", "strict"):
            fake_source.says(key, said(f"first-of-{key}", title=f"About {key}", text=f"<p>{key} and only {key} " * 30))
        site.clock.move(days=1)
        yield app


def tell(app: App, key: str, own_id: str, title: str, text: str, updated: datetime | None = None) -> Changes:
    link = f"https://{key}.example/lamp"
    return FakeSource(app).says(key, said(key, own_id=own_id, title=title, text=text, link=link, updated=updated))


def carry_out(app: App, command: str, **arguments: object) -> None:
    with app.store.begin() as tx:
        number = tx.corrections.file(command, arguments, app.clock())
    run_pending_requests(app.store, app.in_force.roster, app.clock)
    with app.store.read() as tx:
        outcome = tx.corrections.outcome(number)
    assert outcome is not None
    assert outcome.done, outcome.said


def test_a_third_copy_matches_two_stories_is_shown_and_is_taken_out_after_a_day(site: SampleSite, app: App) -> None:
    """T6: both were published, so both stay. Nobody ever sees one entry twice, and nothing is lost."""
    reader = Subscriber()

    def publish() -> dict[str, list[str]]:
        app.publisher.publish()
        return reader.reads(site.published("category/x.atom"))

    tell(app, "one", ONE, TITLE, TEXT)
    tell(app, "two", TWO, TITLE, OTHER)
    assert publish()["new"].count(TITLE) == 2
    site.clock.move(minutes=30)
    wire = TEXT.replace("</p>", " Reporting by a staff writer.</p>")
    third = tell(app, "three", TWO, f"{TITLE} - Agency", wire)  # the words of the first, and the id of the second
    (join,) = [event for event in third.entries.events if event.code is Code.JOIN_STORY]
    assert join.facts["others"] == [join.story + 1 if join.story else None], "the oldest is joined, the other named"
    assert Code.SWITCH_COPY in {event.code for event in third.entries.events}
    assert publish() == {"changed": [f"{TITLE} - Agency"]}
    assert publish() == {}
    site.clock.move(days=1)
    (new,) = third.entries.new
    carry_out(app, "unmerge", story=new.story, entry=new.id)
    assert publish() == {"new": [f"{TITLE} - Agency"], "changed": [TITLE]}
    assert {ONE, TWO} < set(reader.titles)
    site.clock.move(minutes=1)
    assert publish() == {}


@pytest.mark.parametrize("published", ["none", "the first", "both"])
def test_t6_two_stories_that_nobody_has_seen_both_of_become_one_without_trace(
    site: SampleSite, app: App, published: str
) -> None:
    """A source whose copies may only be joined if they are exact, another near it, and a third that is both."""
    reader, in_y = Subscriber(), Subscriber()

    def publish() -> dict[str, list[str]]:
        app.publisher.publish()
        in_y.reads(site.published("category/y.atom"))
        return reader.reads(site.published("category/x.atom"))

    publish()
    site.clock.move(minutes=5)
    wire = TEXT.replace("</p>", " Reporting by a staff writer.</p>")
    tell(app, "one", ONE, TITLE, TEXT)
    if published == "the first":
        publish()
        site.clock.move(minutes=5)
    tell(app, "strict", TWO, TITLE, wire)
    if published == "both":
        publish()
        site.clock.move(minutes=5)
    third = tell(app, "three", THREE, TITLE, wire)
    publish()
    titles = [title for title in reader.titles.values() if title == TITLE]
    assert len(titles) == (2 if published == "both" else 1)
    assert (reader.dropped, in_y.dropped) == ({}, {})
    assert list(in_y.titles.values()).count(TITLE) == 1, "where only the other stood, the one stands now (N3)"
    assert (ONE in in_y.titles) is (published != "both")
    (join,) = [event for event in third.entries.events if event.code is Code.JOIN_STORY]
    assert len(join.facts["others"]) == 1
    carry_out(app, "unmerge", story=join.story, entry=None)  # it can be undone like any other
    publish()
    assert list(reader.titles.values()).count(TITLE) == 3
    assert {ONE, TWO, THREE} <= set(reader.titles)


def test_t6_what_stood_in_files_before_a_kill_was_seen(site: SampleSite) -> None:
    """Killed between the files and the note that they stand there: a subscriber has read them, so two stories stay."""
    site.writes(FEEDS.replace("[atom]", "[atom, json]"))
    reader = Subscriber()
    with site.opened() as app:
        for key in ("one", "two", "three", "strict"):
            FakeSource(app).says(
                key, said(f"first-of-{key}", title=f"About {key}", text=f"<p>{key} and only {key} " * 30)
            )
        app.publisher.publish()
        site.clock.move(minutes=5)
        wire = TEXT.replace("</p>", " Reporting by a staff writer.</p>")
        tell(app, "one", ONE, TITLE, TEXT)
        tell(app, "strict", TWO, TITLE, wire)
        site.clock.move(minutes=5)
    assert site.dies_publishing(files=2), "category/x.atom and its twin stand, the store does not know yet"
    reader.reads(site.published("category/x.atom"))
    assert {ONE, TWO} <= set(reader.titles)
    site.clock.move(minutes=5)
    with site.opened() as app:
        tell(app, "three", THREE, TITLE, wire)
        app.publisher.publish()
    assert reader.reads(site.published("category/x.atom")).get("gone", []) == []
    assert {ONE, TWO} <= set(reader.titles)
    assert {ONE, TWO} <= {str(entry.findtext(f"{ATOM}id")) for entry in site.entries("category/x.atom")}


def test_a_merge_a_day_later_drops_one_and_an_unmerge_brings_the_same_back(site: SampleSite, app: App) -> None:
    reader, late = Subscriber(), Subscriber()

    def publish(*readers: Subscriber) -> list[dict[str, list[str]]]:
        app.publisher.publish()
        return [each.reads(site.published("category/x.atom")) for each in readers]

    one = tell(app, "one", ONE, TITLE, TEXT).entries.new[0].story
    two = tell(app, "two", TWO, "The mole on Tuesday", OTHER).entries.new[0].story
    publish(reader)
    order = list(reader.titles)
    site.clock.move(days=1)
    carry_out(app, "merge", story=one, other=two)
    assert publish(reader) == [{"gone": ["The mole on Tuesday"]}]
    assert publish(reader, late)[0] == {}
    site.clock.move(days=1)
    carry_out(app, "unmerge", story=one, entry=None)
    assert publish(reader, late) == [{"new": ["The mole on Tuesday"]}] * 2
    assert [str(entry.findtext("{*}id")) for entry in site.entries("category/x.atom")] == order, "each where it was"


def test_a_retraction_reaches_who_reads_within_a_month_and_nobody_sees_it_again(site: SampleSite, app: App) -> None:
    reader = Subscriber()
    story = tell(app, "one", ONE, TITLE, TEXT).entries.new[0].story
    app.publisher.publish()
    reader.reads(site.published("category/x.atom"))
    carry_out(app, "retract", story=story, undo=False)
    site.clock.move(days=29)
    Maintenance(app.store, app.clock).end_tombstones()
    tell(app, "two", TWO, TITLE, TEXT)
    app.publisher.publish()
    assert reader.reads(site.published("category/x.atom")) == {"gone": [TITLE]}
    assert Subscriber().reads(site.published("category/x.atom"))["new"].count(TITLE) == 0


@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(hours=20)], ids=["dated-now", "dated-ahead"])
def test_back_and_forth_within_a_second_reaches_every_reader(site: SampleSite, app: App, ahead: timedelta) -> None:
    """The newer of entry and tombstone wins; readers disagree about ties, and a date may lie ahead (I42)."""
    readers = [Subscriber(tombstone_wins_ties=wins) for wins in (True, False)]

    def publish() -> list[dict[str, list[str]]]:
        app.publisher.publish()
        return [reader.reads(site.published("category/x.atom")) for reader in readers]

    story = tell(app, "one", ONE, TITLE, TEXT, site.clock.now + ahead).entries.new[0].story
    publish()
    for _ in range(3):
        carry_out(app, "retract", story=story, undo=False)
        assert publish() == [{"gone": [TITLE]}] * 2
        carry_out(app, "retract", story=story, undo=True)
        assert publish() == [{"new": [TITLE]}] * 2
