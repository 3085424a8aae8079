"""MinHash bands: which entries have them, when they are deleted, and that no decision depends on that (K2, T5)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from aggregator.app import App
from aggregator.config import load_config
from aggregator.model.entry import Entry
from aggregator.poll.maintenance import Maintenance
from aggregator.service.service import Service
from aggregator.store import minhash_bands
from aggregator.store.schema import entry, fingerprint, source, store
from tests.fake_source import FakeSource, said
from tests.rows import connected, rows
from tests.sample_site import SampleSite
from tests.twin import Step, Twin, ask, later_twins, twins

FEEDS = """
publish: {entries: 10, archive_page: 10, formats: [atom]}
defaults: {dedupe: near, keep: 20d}
sources:
  - {key: a, url: 'https://a.example/', category: x}
  - {key: b, url: 'https://b.example/', category: x}
  - {key: c, url: 'https://c.example/', category: x, keep: forever}
"""


def tells(key: str, number: int, *, age: timedelta | None = None, app: App) -> Entry:
    """Return an entry with nearly the same words in each source, and with a link and an id of its own."""
    words = " ".join(f"word{number}of{place}" for place in range(60))
    return said(
        number,
        title=f"What is to be told of number {number} today",
        text=f"<p>{words} {key}.</p>",
        own_id=f"{key}-{number}",
        link=f"https://{key}.example/{number}",
        published=None if age is None else app.clock() - age,
    )


def banded(app: App) -> set[str]:
    """Return the own ids of the entries that have bands."""
    query = select(entry.c.own_id).join(fingerprint, fingerprint.c.entry_id == entry.c.id)
    return {value for (value,) in rows(app.store, query)}


def bands(app: App) -> int:
    return int(rows(app.store, select(func.count()).select_from(fingerprint))[0][0])


def drop_bands(app: App) -> None:
    """Delete all bands of deleted texts, which one step of `Maintenance` does only in part."""
    with connected(app.store, writes=True) as connection:
        minhash_bands.begin_trimming(connection)
    while Maintenance(app.store, app.clock).trim_bands():
        pass


def grow_old(site: SampleSite, app: App) -> None:
    """Store twenty stories, of which ten lose their texts."""
    fake_source = FakeSource(app)
    for numbers in (range(10, 0, -1), range(20, 10, -1)):
        fake_source.says("a", *(tells("a", number, app=app) for number in numbers))
        app.publisher.publish()
        site.clock.move(days=1)
    app.publisher.publish()
    fake_source.says("a", tells("a", 20, app=app))
    site.clock.move(days=30)
    assert Maintenance(app.store, app.clock).thin() == 10


def test_bands_are_kept_of_founders_alone(site: SampleSite) -> None:
    with site.opened() as app:
        fake_source = FakeSource(app)
        for key in "abc":
            fake_source.says(key, tells(key, 1, app=app))
        assert banded(app) == {"a-1"}
        (told,) = stories(app, *"abc")
        ask(app, "unmerge", story=told, entry=None)
        assert banded(app) == {"a-1", "b-1", "c-1"}, "each founds a story now"


def stories(app: App, *keys: str) -> set[int | None]:
    """Return the ids of the stories of sources; None stands for entries without a story."""
    query = select(entry.c.story_id).join(source, source.c.id == entry.c.source_id).where(source.c.key.in_(keys))
    return {value for (value,) in rows(app.store, query)}


def test_thirty_copies_of_a_story_are_no_form(site: SampleSite) -> None:
    keys = [f"{one}{other}" for one in "abcdef" for other in "abcdef"]
    assert len(keys) > minhash_bands.CROWD
    site.writes("sources:\n" + "".join(f"  - {{key: {key}, url: 'https://{key}.example/'}}\n" for key in keys))
    with site.opened() as app:
        for key in keys:
            FakeSource(app).says(key, tells(key, 1, app=app))
        assert len(stories(app, *keys)) == 1


def test_a_passage_that_some_stories_share_is_no_sign_of_a_copy(site: SampleSite) -> None:
    keys = "abcdefgh"
    note = " ".join(f"note{place}" for place in range(60))
    site.writes("sources:\n" + "".join(f"  - {{key: {key}, url: 'https://{key}.example/'}}\n" for key in keys))
    with site.opened() as app:
        for number, key in enumerate(keys):
            own = " ".join(f"word{number}of{place}" for place in range(60))
            told = tells(key, number, app=app)
            FakeSource(app).says(key, replace(told, content=f"<p>{own} {note}</p>", text=f"{own} {note}"))
        assert len(stories(app, *keys)) == len(keys)
        query = select(func.count()).where(fingerprint.c.band < 0).group_by(fingerprint.c.band)
        shared = [int(count) for (count,) in rows(app.store, query)]
    assert 1 < max(shared) <= minhash_bands.COMMON


def test_k2_bands_go_with_the_texts(site: SampleSite) -> None:
    with site.opened() as app:
        grow_old(site, app)
        before = bands(app)
        assert len(banded(app)) == 20
        dropped = Maintenance(app.store, app.clock).trim_bands()
        assert banded(app) == {f"a-{number}" for number in range(11, 21)}
        assert bands(app) == before - dropped > 0
        assert Maintenance(app.store, app.clock).trim_bands() == 0


def test_a_step_is_bounded_and_goes_on_where_it_was_killed(site: SampleSite, monkeypatch: pytest.MonkeyPatch) -> None:
    with site.opened() as app:
        grow_old(site, app)
        all_of_them = bands(app)
        monkeypatch.setattr(minhash_bands, "WALKED", 7)
        monkeypatch.setattr("aggregator.poll.maintenance.BAND_STEPS", 2)
        with pytest.raises(ZeroDivisionError), app.store.begin() as tx:
            tx.bands.trim() / 0  # something goes wrong before its end
        assert bands(app) == all_of_them
        assert 0 < Maintenance(app.store, app.clock).trim_bands() <= 14
    with site.opened() as app:
        looks = 1
        with app.store.read() as tx:
            assert tx.bands.is_trimming(), "a new process goes on with it"
        while Maintenance(app.store, app.clock).trim_bands() or is_trimming(app):
            looks += 1
        assert looks == all_of_them // 14 + 1
        assert len(banded(app)) == 10


def test_a_look_that_takes_more_than_a_day_comes_to_its_end(site: SampleSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """A `poll` once a day takes a few steps a day, and each day begins with a pass over the archives."""
    with site.opened() as app:
        grow_old(site, app)
        monkeypatch.setattr(minhash_bands, "WALKED", bands(app) // 4)
        monkeypatch.setattr("aggregator.poll.maintenance.BAND_STEPS", 1)
        for _ in range(6):
            Maintenance(app.store, app.clock).trim_bands()
            site.clock.move(days=1, minutes=1)
            Maintenance(app.store, app.clock).thin()
        assert banded(app) == {f"a-{number}" for number in range(11, 21)}


def is_trimming(app: App) -> bool:
    with app.store.read() as tx:
        return tx.bands.is_trimming()


def test_few_texts_that_go_are_no_reason_to_look_at_many_bands(
    site: SampleSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    with site.opened() as app:
        grow_old(site, app)
        monkeypatch.setattr(minhash_bands, "BANDS", 1)  # of 120 bands that stay, 15 texts are worth it
        drop_bands(app)
        FakeSource(app).says("a", *(tells("a", number, app=app) for number in range(30, 20, -1)))
        app.publisher.publish()
        site.clock.move(days=1)
        app.publisher.publish()
        FakeSource(app).says("a", tells("a", 30, app=app))
        site.clock.move(days=30)
        assert Maintenance(app.store, app.clock).thin() == 10
        assert not is_trimming(app)
        monkeypatch.setattr(minhash_bands, "BANDS", 2)
        with connected(app.store, writes=True) as connection:
            minhash_bands.begin_trimming(connection)
        assert is_trimming(app)
        assert Maintenance(app.store, app.clock).trim_bands() > 0


def test_a_poll_and_a_service_drop_them(site: SampleSite) -> None:
    with site.opened() as app:
        grow_old(site, app)
        service = Service(app, {})
        service.start()
        try:
            job = service.jobs["bands"]
            job.run()
        finally:
            service.stop()
        assert job.every == timedelta(minutes=1)
        assert len(banded(app)) == 10
    site.writes(FEEDS.replace("category: x", "category: x, paused: true"))
    with connected(site.folder, writes=True) as connection:
        gone = connection.execute(select(func.min(entry.c.id)).where(entry.c.thinned.is_not(None))).scalar_one()
        connection.execute(fingerprint.insert(), {"band": 7, "entry_id": gone})
        connection.execute(update(store).values(bands_walked=None))
        minhash_bands.begin_trimming(connection)
    site.poll()
    with site.opened() as app:
        assert len(banded(app)) == 10


# What hangs on bands that go: nothing.

AGES = st.sampled_from([None, 0, 1, 9, 40, 400])  # days
STEPS = st.one_of(
    st.tuples(st.just("tells"), st.sampled_from("abc"), st.tuples(st.integers(1, 40), st.integers(1, 25), AGES)),
    st.tuples(st.just("edits"), st.sampled_from("abc"), st.lists(st.integers(1, 40), max_size=4, unique=True)),
    st.tuples(st.just("merge"), st.integers(1, 20), st.integers(1, 20)),
    st.tuples(st.just("unmerge"), st.integers(1, 20), st.none()),
    st.tuples(st.just("waits"), st.sampled_from([1, 25, 500, 800, -700]), st.none()),  # hours; a clock may be set back
    st.tuples(st.just("window"), st.sampled_from(["1d", "7d", "365d"]), st.none()),
    st.tuples(st.just("publish"), st.none(), st.none()),
)


class Near(Twin):
    """A twin whose sources have nearly the same entries."""

    def take(self, app: App, fake_source: FakeSource, step: Step) -> None:
        match step:
            case "tells", key, (first, count, days):
                age = None if days is None else timedelta(days=days)
                fake_source.says(key, *(tells(key, number, age=age, app=app) for number in range(first, first + count)))
            case "window", length, _:
                self.site.writes(FEEDS.replace("dedupe: near", f"dedupe: {{near: 0.85, window: {length}}}"))
                path = self.site.folder / "feeds.yaml"
                app.apply(load_config(path, {}), path.read_text())
            case _:
                super().take(app, fake_source, step)

    def rows(self) -> dict[str, list[dict[str, Any]]]:
        """Return the rows of all tables, without the bands."""
        tables = self.site.tables()
        del tables["fingerprint"]
        for row in tables["store"]:
            del row["bands_walk"], row["bands_walked"]
        return tables


LATE = [  # texts go, the clock is set back to where they stood, and others tell the same, dated then, in any window
    ("tells", "a", (1, 10, 0)),
    ("publish", None, None),
    ("waits", 25, None),
    ("tells", "a", (11, 10, 0)),
    ("publish", None, None),
    ("waits", 25, None),
    ("publish", None, None),
    ("tells", "a", (20, 1, None)),
    ("waits", 800, None),
    ("window", "365d", None),
    ("tells", "b", (1, 15, 40)),
    ("waits", -700, None),
    ("tells", "c", (1, 15, 9)),
]


def number_of_dropped(long: Near, short: Near) -> int:
    """Check that a store that keeps old bands and one that deletes them are alike; return how many are deleted."""
    assert short.rows() == long.rows()
    assert short.site.outputs() == long.site.outputs()
    return len(long.site.tables()["fingerprint"]) - len(short.site.tables()["fingerprint"])


def test_k2_late_copies_find_the_same_stories_when_bands_have_gone() -> None:
    with twins(Near, FEEDS, drop_bands, LATE) as pair:
        assert number_of_dropped(*pair) > 0


@pytest.fixture(scope="module")
def old_twins() -> Iterator[tuple[Near, Near]]:
    """Yield twins whose texts and bands have gone, in the second one."""
    with twins(Near, FEEDS, drop_bands, LATE[:9]) as pair:
        assert number_of_dropped(*pair) > 0
        yield pair


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(STEPS, min_size=4, max_size=14))
def test_nothing_is_decided_by_a_band_that_goes(old_twins: tuple[Near, Near], steps: list[Step]) -> None:
    with later_twins(old_twins, steps) as pair:
        number_of_dropped(*pair)
