"""R44: a source that looks like another feed, and what is held until that is known. R45, R47: what a document shows."""

from datetime import timedelta

import pytest

from aggregator.app import App
from aggregator.model.changes import Changes
from aggregator.model.correction import Act, Outcome
from aggregator.model.event import Code
from aggregator.model.poll import State
from aggregator.poll.corrections import run_pending_requests
from aggregator.urls import Url, normalise_link
from tests.fake_source import FakeSource, said
from tests.sample_site import START, SampleSite

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FEEDS = """
defaults: {initial: 200}
categories: {x: {}}
sources:
  - {key: one, url: 'https://one.example/feed', category: x, exclude: [{title: Spam}]}
  - {key: two, url: 'https://two.example/feed', category: x}
  - {key: sure, url: 'https://sure.example/feed', category: x, trust: true}
"""
OURS = {"id": "tag:one.example,2026:feed", "title": "Harbour news", "link": normalise_link("https://one.example/")}
THEIRS = {"id": "tag:casino.example,2026:feed", "title": "Casino", "link": normalise_link("https://casino.example/")}


@pytest.fixture
def fake_source(app: App) -> FakeSource:
    return FakeSource(app)


def accept(app: App, key: str) -> Outcome:
    """File and carry out a request to accept a source; return its outcome."""
    with app.store.begin() as tx:
        number = tx.corrections.file(Act.ACCEPT, {"source": key}, app.clock())
    run_pending_requests(app.store, app.in_force.roster, app.clock)
    with app.store.read() as tx:
        outcome = tx.corrections.outcome(number)
    assert outcome is not None
    return outcome


def codes(changes: Changes) -> set[Code]:
    return {event.code for event in changes.entries.events}


def titles(app: App) -> list[str]:
    with app.store.read() as tx:
        (row,) = tx.categories.rows()
        return [p.title for p in tx.documents.publications(row.id, None)]


def sold(fake_source: FakeSource, site: SampleSite, key: str = "one") -> Changes:
    """Poll a source with its own feed, and an hour later with another feed; return the changes of the second poll."""
    fake_source.says(key, said(1), said(2), **OURS)
    site.clock.move(hours=1)
    return fake_source.says(key, said("c1"), said("c2"), said("c3", title="Spam"), **THEIRS)


def test_r44_what_a_stranger_says_is_held(fake_source: FakeSource, app: App, site: SampleSite) -> None:
    changes = sold(fake_source, site)
    assert {Code.SUSPECT_SOURCE, Code.HOLD_ENTRY} <= codes(changes)
    assert changes.update.state is State.SUSPECT
    assert titles(app) == ["Title 1", "Title 2"]
    assert changes.entries.new_count == 1, "a rule rejects one of them anyhow"
    (alarm,) = [a for a in app.store.status(app.in_force.roster, site.clock()).alarms if a.source == "one"]
    assert alarm.code.value == "replaced"
    site.clock.move(hours=1)
    again = fake_source.says("one", said("c4"), said("c1"), said("c2"), **THEIRS)
    assert again.update.state is State.SUSPECT
    assert titles(app) == ["Title 1", "Title 2"]


@pytest.mark.parametrize(
    "feed",
    [
        pytest.param(OURS | {"title": "Casino"}, id="another-title"),
        pytest.param(OURS | {"id": "tag:casino.example,2026:feed"}, id="another-id"),
        pytest.param(OURS | {"link": normalise_link("https://casino.example/")}, id="another-host"),
        pytest.param(OURS | {"id": None, "link": None}, id="says-less"),
    ],
)
def test_r44_one_change_proves_nothing(
    fake_source: FakeSource, app: App, site: SampleSite, feed: dict[str, object]
) -> None:
    fake_source.says("one", said(1), **OURS)
    site.clock.move(hours=1)
    assert fake_source.says("one", said("c1"), **feed).update.state is State.OK
    assert titles(app) == ["Title c1", "Title 1"]


@pytest.mark.parametrize(
    "kept",
    [
        pytest.param(said(1), id="id"),
        pytest.param(said(1, own_id="other"), id="link"),
        pytest.param(said(1, own_id="other", link="https://casino.example/elsewhere"), id="title"),
    ],
)
def test_r44_a_known_id_link_or_title_vouches_for_the_rest(fake_source: FakeSource, kept: object) -> None:
    fake_source.says("one", said(1), **OURS)
    assert fake_source.says("one", said("c1"), kept, **THEIRS).update.state is State.OK  # type: ignore[arg-type]


def test_r44_new_entries_alone_however_many_are_never_this(fake_source: FakeSource) -> None:
    fake_source.says("one", said(1), **OURS)
    assert fake_source.says("one", *(said(f"c{n}") for n in range(300)), **OURS).update.state is State.OK


def test_r44_a_first_poll_a_file_and_a_trusted_source_are_never_suspect(
    fake_source: FakeSource, site: SampleSite
) -> None:
    assert fake_source.says("one", said(1), **THEIRS).update.state is State.OK
    assert sold(fake_source, site, "sure").update.state is State.OK


def test_r44_forty_eight_hours_of_one_identity_are_proof(fake_source: FakeSource, app: App, site: SampleSite) -> None:
    sold(fake_source, site)
    site.clock.move(hours=47)
    assert fake_source.says("one", said("c4"), said("c1"), **THEIRS).update.state is State.SUSPECT
    site.clock.move(hours=1)
    released_at = site.clock()
    changes = fake_source.says("one", said("c5"), said("c4"), said("c1"), **THEIRS)
    assert changes.update.state is State.OK
    assert {Code.CLEAR_SOURCE, Code.RELEASE_ENTRY} <= codes(changes)
    assert changes.entries.new_count == 4
    assert set(titles(app)) == {"Title 1", "Title 2", "Title c1", "Title c2", "Title c4", "Title c5"}
    with app.store.read() as tx:
        times = {p.title: p.sort_at for p in tx.documents.publications(1, None)}
    assert all(released_at - HOUR < times[f"Title c{n}"] <= released_at for n in (1, 2, 4, 5)), "the time of release"
    assert fake_source.says("one", said("c5"), said("c4"), said("c1"), **THEIRS).entries.events == ()


def test_r44_a_304_after_forty_eight_hours_is_proof_as_well(
    fake_source: FakeSource, app: App, site: SampleSite
) -> None:
    sold(fake_source, site)
    site.clock.move(hours=47)
    fake_source.unchanged(["one"])
    assert titles(app) == ["Title 1", "Title 2"]
    site.clock.move(hours=1)
    (changes,) = fake_source.unchanged(["one"])
    assert changes.update.state is State.OK
    assert set(titles(app)) == {"Title 1", "Title 2", "Title c1", "Title c2"}


def test_r44_an_edit_of_feeds_yaml_is_no_proof_and_forgets_nothing(site: SampleSite) -> None:
    with site.opened() as app:
        sold(FakeSource(app), site)
    site.writes(FEEDS.replace("category: x, exclude", "category: x, encoding: utf-8, exclude"))
    site.clock.move(hours=1)
    with site.opened() as app:
        assert FakeSource(app).says("one", said("c4"), said("c1"), **THEIRS).update.state is State.SUSPECT
        site.clock.move(hours=48)
        FakeSource(app).unchanged(["one"])
        assert set(titles(app)) == {"Title 1", "Title 2", "Title c1", "Title c2", "Title c4"}


def test_r44_a_failure_is_no_proof(fake_source: FakeSource, app: App, site: SampleSite) -> None:
    sold(fake_source, site)
    site.clock.move(hours=60)
    assert fake_source.fails("one").update.state is State.FAILING
    assert titles(app) == ["Title 1", "Title 2"]
    (changes,) = fake_source.unchanged(["one"])
    assert changes.update.state is State.OK


def test_r44_another_change_begins_anew(fake_source: FakeSource, app: App, site: SampleSite) -> None:
    sold(fake_source, site)
    site.clock.move(hours=47)
    fake_source.says(
        "one", said("p1"), id="tag:pills.example,2026:f", title="Pills", link=Url("https://pills.example/")
    )
    site.clock.move(hours=2)
    fake_source.unchanged(["one"])
    assert titles(app) == ["Title 1", "Title 2"]


def test_r44_who_comes_back_is_believed_and_the_stranger_forgotten(
    fake_source: FakeSource, app: App, site: SampleSite
) -> None:
    sold(fake_source, site)
    site.clock.move(hours=5)
    changes = fake_source.says("one", said(3), said(1), said(2), **OURS)
    assert changes.update.state is State.OK
    assert Code.DROP_ENTRY in codes(changes)
    assert titles(app) == ["Title 3", "Title 1", "Title 2"]
    site.clock.move(days=9)
    assert fake_source.says("one", said("c1"), said(3), **OURS).entries.new_count == 0, (
        "what was dropped is no news either"
    )


def test_r44_what_it_lists_itself_was_its_own(fake_source: FakeSource, app: App, site: SampleSite) -> None:
    sold(fake_source, site)
    site.clock.move(hours=5)
    fake_source.says("one", said("c1"), said(1), **THEIRS)
    assert titles(app) == ["Title c1", "Title 1", "Title 2"]


def test_r44_an_operator_accepts(fake_source: FakeSource, app: App, site: SampleSite) -> None:
    sold(fake_source, site)
    site.clock.move(hours=2)
    assert not accept(app, "two").done, "that one is not suspect"
    assert accept(app, "one").facts == {"source": "one", "released": 2}
    assert set(titles(app)) == {"Title 1", "Title 2", "Title c1", "Title c2"}
    assert not accept(app, "one").done
    site.clock.move(hours=1)
    assert fake_source.says("one", said("c9"), said("c1"), **THEIRS).update.state is State.OK
    assert titles(app)[0] == "Title c9"


def test_r44_what_is_released_meets_its_copies(fake_source: FakeSource, app: App, site: SampleSite) -> None:
    sold(fake_source, site)
    fake_source.says("two", said("c1", own_id="theirs"))
    site.clock.move(hours=2)
    accept(app, "one")
    with app.store.read() as tx:
        shown = [
            (p.title, p.source, len(p.credits)) for p in tx.documents.publications(1, None) if p.title == "Title c1"
        ]
    assert shown == [("Title c1", "two", 1)], "one story, two sources"


def test_r44_a_revision_of_what_is_held_is_what_is_released(
    fake_source: FakeSource, app: App, site: SampleSite
) -> None:
    sold(fake_source, site)
    fake_source.says("one", said("c1", title="Corrected"), said("c2"), **THEIRS)
    accept(app, "one")
    assert "Corrected" in titles(app)
    assert fake_source.says("one", said("c1", title="Corrected"), said("c2"), **THEIRS).entries.events == ()


def test_r45_a_window_that_ran_over_halves_the_interval(fake_source: FakeSource, app: App, site: SampleSite) -> None:
    dated = [said(n, published=START - n * DAY) for n in range(10)]
    before = fake_source.says("one", *dated)
    assert before.update.interval == timedelta(hours=12)
    site.clock.move(days=1)
    changes = fake_source.says("one", *(said(f"n{n}") for n in range(10)))
    assert Code.OVERFLOW in codes(changes)
    assert changes.update.observed.hurry == 1
    assert changes.update.interval < before.update.interval
    alarms = [a.code.value for a in app.store.status(app.in_force.roster, site.clock()).alarms]
    assert "overflow" in alarms
    site.clock.move(days=1)
    after = fake_source.says("one", said("m"), *(said(f"n{n}") for n in range(9)))
    assert after.update.observed.hurry == 0
    assert "overflow" not in [a.code.value for a in app.store.status(app.in_force.roster, site.clock()).alarms]


def test_r45_a_first_poll_and_a_known_entry_are_no_gap(fake_source: FakeSource) -> None:
    assert Code.OVERFLOW not in codes(fake_source.says("one", said(1)))
    assert Code.OVERFLOW not in codes(fake_source.says("one", said(2), said(1)))
    assert Code.OVERFLOW not in codes(fake_source.says("one"))


def test_r47_a_flood_is_told_for_a_day(fake_source: FakeSource, app: App, site: SampleSite) -> None:
    fake_source.says("one", said("first"))
    changes = fake_source.says("one", *(said(n) for n in range(201)), said("first"))
    assert Code.FLOOD in codes(changes)
    assert "flood" in [a.code.value for a in app.store.status(app.in_force.roster, site.clock()).alarms]
    site.clock.move(days=1)
    assert "flood" not in [a.code.value for a in app.store.status(app.in_force.roster, site.clock()).alarms]


def test_m7_of_a_template_change_pages_take_no_notice(fake_source: FakeSource, app: App, site: SampleSite) -> None:
    entries = [said(n, published=START - n * DAY) for n in range(200)]
    fake_source.says("one", *entries)
    app.publisher.publish()
    page = site.published("category/x/archive/1.atom")
    site.clock.move(days=1)
    framed = [said(n, text=f"<p>{n} in a new frame, in which all is said again.</p>") for n in range(200)]
    assert Code.TEMPLATE in codes(fake_source.says("one", *framed))
    app.publisher.publish()
    assert b"new frame" in site.published("category/x.atom")
    assert site.published("category/x/archive/1.atom") == page
