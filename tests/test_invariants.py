"""Whatever sources and operators do, in whatever order, the invariants hold.

Invariants 2 to 6; M2, M4, M8, T1, T4, T8, T9: what can be seen of them in the store, in the files, and by a subscriber.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from lxml import etree

from aggregator.model.entry import Entry
from aggregator.model.event import PASSING_FOR, Code
from aggregator.model.known import EntryState, KnownEntry, KnownStory
from aggregator.poll.corrections import run_pending_requests
from aggregator.poll.maintenance import TOMBSTONE, Maintenance
from aggregator.serve.metrics import current_figures
from tests.fake_source import FakeSource, said
from tests.rows import rows
from tests.sample_site import ATOM, SampleSite
from tests.subscriber import Subscriber

PLACES = {"one": "x", "two": "[x, y]", "three": "y"}
KEYS = tuple(PLACES)
KEEP = {"one": "5d", "two": "20d", "three": "forever"}
YAML = """
publish: {entries: 10, archive_page: 10, formats: [atom, json]}
defaults: {dedupe: exact, initial: 15}
categories: {x: {}, y: {}}
sources:
"""
sources = st.sampled_from(KEYS)
some = st.integers(0, 100)


class Planet(RuleBasedStateMachine):
    """Three sources over one pool of stories, published now and then."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.site = SampleSite(self.folder)
        self.places, self.ranks = dict(PLACES), dict.fromkeys(KEYS, 0) | {"three": 1}
        self.owners = dict.fromkeys(KEYS, 0)  # how often each source was sold
        self.feeds: dict[str, list[Entry]] = {key: [] for key in KEYS}
        self.gone: dict[str, dict[str, datetime]] = {key: {} for key in KEYS}  # ids that it takes back, and when
        self.drawer: dict[str, list[Entry]] = {key: [] for key in KEYS}  # the articles of those
        self.fixed: dict[tuple[str, str], object] = {}  # (category, atom_id): sort_at, page_id
        self.pages: dict[tuple[str, str], int] = {}
        self.updated: dict[tuple[str, str], tuple[datetime, object]] = {}
        self.feeds_updated: dict[str, str] = {}  # by path, as each document said last
        self.standing: set[tuple[str, str]] = set()  # (category, atom_id) when it was last looked
        self.readers = {slug: [Subscriber(tombstone_wins_ties=wins) for wins in (True, False)] for slug in "xy"}
        self.read_at = self.site.clock()
        self.made, self.quietly = 0, False
        self.stack = ExitStack()
        self.open()

    def open(self) -> None:
        """Start the program, with feeds.yaml as it is to be."""
        rows = (
            f"  - {{key: {key}, url: 'https://{key}.example/feed', category: {self.places[key]}, "
            f"priority: {self.ranks[key]}, keep: {KEEP[key]}}}\n"
            for key in KEYS
        )
        self.site.writes(YAML + "".join(rows))
        self.app = self.stack.enter_context(self.site.opened())
        self.fake_source = FakeSource(self.app)

    def teardown(self) -> None:
        if hasattr(self, "stack"):
            self.stack.close()
            shutil.rmtree(self.folder)

    @rule(key=sources, count=st.integers(1, 25), dated=st.booleans(), age=st.integers(0, 5000))
    def write_articles(self, key: str, count: int, dated: bool, age: int) -> None:
        """A source gets new articles, dated long ago or not at all."""
        for _ in range(count):
            self.made += 1
            date = self.site.clock.now - timedelta(hours=age) if dated else None
            self.feeds[key].insert(0, said(self.made, published=date))

    @rule(key=sources, other=sources, place=st.integers(0, 50))
    def copy_article(self, key: str, other: str, place: int) -> None:
        """A source tells what another has told."""
        if self.feeds[other]:
            article = self.feeds[other][place % len(self.feeds[other])]
            self.feeds[key].insert(
                0, said(f"{key}-{article.id}", title=article.title, text=article.content, link=article.link)
            )

    @rule(key=sources, place=st.integers(0, 50))
    def edit_article(self, key: str, place: int) -> None:
        """A source edits one of its articles."""
        if self.feeds[key]:
            at = place % len(self.feeds[key])
            old = self.feeds[key][at]
            self.made += 1
            self.feeds[key][at] = said(
                0, own_id=old.id, title=old.title, link=old.link, text=old.content + f" Edit {self.made}."
            )

    @rule(key=sources)
    def change_the_frame(self, key: str) -> None:
        """A source changes the frame of all that it lists (R47)."""
        self.made += 1
        frame = f" Frame {self.made}."
        self.feeds[key] = [replace(old, content=old.content + frame, text=old.text + frame) for old in self.feeds[key]]

    @rule(key=sources, other=sources, place=some, theirs=some)
    def say_the_same(self, key: str, other: str, place: int, theirs: int) -> None:
        """A source edits an article until it says what another's does: a third copy tells both stories (T6)."""
        if self.feeds[key] and self.feeds[other]:
            at = place % len(self.feeds[key])
            model = self.feeds[other][theirs % len(self.feeds[other])]
            own = self.feeds[key][at]
            self.feeds[key][at] = replace(own, title=model.title, content=model.content, text=model.text)

    @rule(key=sources, place=some)
    def empty_article(self, key: str, place: int) -> None:
        """A source loses the text of an article (I61)."""
        if self.feeds[key]:
            at = place % len(self.feeds[key])
            self.feeds[key][at] = replace(self.feeds[key][at], content="", text="")

    @rule(key=sources, place=some)
    def take_back(self, key: str, place: int) -> None:
        """A source takes an article back (I26)."""
        if self.feeds[key]:
            article = self.feeds[key].pop(place % len(self.feeds[key]))
            self.gone[key][str(article.id)] = self.site.clock()
            self.drawer[key].append(article)

    @rule(key=sources, place=some, updated=st.booleans())
    def list_again(self, key: str, place: int, updated: bool) -> None:
        """A source lists again what it took back, with a new date or the old one; its tombstone may stand on (I26)."""
        if self.drawer[key]:
            article = self.drawer[key].pop(place % len(self.drawer[key]))
            self.feeds[key].insert(0, replace(article, updated=self.site.clock() if updated else article.updated))

    @rule(key=sources)
    def clear_tombstones(self, key: str) -> None:
        """A source has said for long enough what it took back."""
        self.gone[key].clear()

    @rule(key=sources)
    def give_other_ids(self, key: str) -> None:
        """A source changes its software, and with it the ids of all that it lists (I35)."""
        for at, old in enumerate(self.feeds[key]):
            self.made += 1
            self.feeds[key][at] = replace(old, id=f"renamed-{self.made}")

    @rule(key=sources, count=st.integers(1, 12))
    def sell(self, key: str, count: int) -> None:
        """A source is another feed all at once (R44)."""
        self.owners[key] += 1
        self.feeds[key], self.gone[key], self.drawer[key] = [], {}, []
        self.write_articles(key=key, count=count, dated=False, age=0)

    @rule(key=sources)
    def poll(self, key: str) -> None:
        """A source is polled; the same document twice changes nothing the second time (R11)."""
        number = self.owners[key]
        facts: dict[str, Any] = {"id": f"tag:{key}.example,{number}:feed", "title": f"Feed {key} {number}"}
        facts["deleted"] = tuple(self.gone[key].items())
        changes = self.fake_source.says(key, *self.feeds[key], **facts)
        codes = {event.code for event in changes.entries.events}
        self.quietly = bool(codes & {Code.TEMPLATE, Code.REKEY_ENTRY})
        again = self.fake_source.says(key, *self.feeds[key], **facts)
        assert not again.entries.new
        assert not again.entries.revised
        assert not again.entries.stories.withdrawn

    @rule(key=sources, place=st.sampled_from(["x", "y", "[x, y]"]), rank=st.integers(-1, 1))
    def edit_settings(self, key: str, place: str, rank: int) -> None:
        """An operator moves a source between categories, or ranks it anew (N1, N2, T3)."""
        self.stack.close()
        self.places[key], self.ranks[key] = place, rank
        self.open()

    @rule(files=st.integers(0, 12))
    def crash(self, files: int) -> None:
        """The program is killed while it publishes: what was stored is there, and the next one finishes.

        Subscribers have read what stood there in between (T6).
        """
        unfinished = {
            slug for slug in self.readers if not self.stands(slug)
        }  # a first publication writes its archive last
        self.stack.close()
        self.site.dies_publishing(files)
        for path in (self.folder / "public").rglob("*.atom"):
            assert etree.fromstring(path.read_bytes()).tag == f"{ATOM}feed"
        for slug, readers in self.readers.items():
            if (self.folder / f"public/category/{slug}.atom").exists():
                documents = [document for _, document in self.documents(slug, whole=slug not in unfinished)]
                for reader in readers:
                    reader.reads(*documents)
        self.open()

    def stands(self, slug: str) -> bool:
        """Return whether the main feed of a category and all of its archive stand."""
        path = f"category/{slug}"
        while path and (self.folder / f"public/{path}.atom").exists():
            path = self.site.previous(path)
        return not path

    def documents(self, slug: str, *, whole: bool = True) -> Iterator[tuple[str, bytes]]:
        """Walk back from the main feed of a category; if not `whole`, archive pages may not stand yet (R31)."""
        path = f"category/{slug}"
        while path and (whole or (self.folder / f"public/{path}.atom").exists()):
            yield path, self.site.published(f"{path}.atom")
            path = self.site.previous(path)

    @rule()
    def end_tombstones(self) -> None:
        """Tombstones end that have stood for thirty days (M8)."""
        Maintenance(self.app.store, self.app.clock).end_tombstones()

    @rule(key=sources)
    def accept(self, key: str) -> None:
        """An operator believes a source, suspect or not (R44)."""
        self.ask("accept", source=key)

    @rule(one=st.integers(0, 100), other=st.integers(0, 100))
    def merge(self, one: int, other: int) -> None:
        """An operator says that two stories are one, sensible or not."""
        numbers = self.numbers()
        if numbers:
            self.ask("merge", story=numbers[one % len(numbers)], other=numbers[other % len(numbers)])

    @rule(one=st.integers(0, 100))
    def unmerge(self, one: int) -> None:
        """An operator takes a story apart, if there is anything to take apart."""
        numbers = self.numbers()
        if numbers:
            self.ask("unmerge", story=numbers[one % len(numbers)], entry=None)

    @rule(one=st.integers(0, 100), undo=st.booleans())
    def retract(self, one: int, undo: bool) -> None:
        """An operator takes a story back, or the taking back."""
        numbers = self.numbers()
        if numbers:
            self.ask("retract", story=numbers[one % len(numbers)], undo=undo)

    def ask(self, command: str, **arguments: object) -> None:
        """File a request and have it carried out; what makes no sense is refused, never more."""
        with self.app.store.begin() as tx:
            number = tx.corrections.file(command, arguments, self.site.clock())
        run_pending_requests(self.app.store, self.app.in_force.roster, self.app.clock)
        with self.app.store.read() as tx:
            outcome = tx.corrections.outcome(number)
        assert outcome is not None
        assert "a fault of ours" not in outcome.said

    def numbers(self) -> Sequence[int]:
        """Return the numbers of all stories that ever were."""
        with self.app.store.read() as tx:
            return range(1, tx.members([]).next_story)

    @rule(hours=st.integers(1, 60))
    def wait(self, hours: int) -> None:
        """Time passes."""
        self.site.clock.move(hours=hours)

    @rule(days=st.integers(1, 40), listed=st.integers(1, 10))
    def grow_old(self, days: int, listed: int) -> None:
        """Sources list only what is new any more, and texts leave that are kept no longer (K2 to K4)."""
        for key in KEYS:
            self.feeds[key] = self.feeds[key][:listed]
            self.poll(key)
            self.ids_order_and_dates_hold()  # it goes by the time of the last poll, and what that was
        self.site.clock.move(days=days)
        Maintenance(self.app.store, self.app.clock).thin()

    @rule()
    def forget_how_it_came(self) -> None:
        """Every event goes that goes some day: nothing that is promised may hang on one."""
        with self.app.store.begin() as tx:
            while tx.events.trim(self.site.clock() + PASSING_FOR + timedelta(days=1)):
                pass

    @rule()
    def publish(self) -> None:
        """Publish what is dirty; publishing again writes nothing; rendering everything gives the same bytes (A30)."""
        self.app.publisher.publish()
        before = self.site.files()
        assert self.app.publisher.publish().changed == ()
        self.app.publisher.publish(everything=True)
        assert self.site.files() == before
        for slug in self.readers:
            self.walk(slug)
        self.check_feed("all", self.site.published("all.atom"))
        self.read_at = self.site.clock()

    def walk(self, slug: str) -> None:
        """Walking back from the main feed meets each publication exactly once (M2); a page keeps what it holds (M4).

        A subscriber who looks often enough to meet each tombstone shows that, and nothing else (M8).
        """
        met, documents = [], []
        for path, document in self.documents(slug):
            documents.append(document)
            self.check_feed(path, document)
            number = int(path.rpartition("/")[2]) if "/archive/" in path else 0
            for entry in self.site.entries(f"{path}.atom"):
                atom_id = str(entry.findtext(f"{ATOM}id"))
                met.append(atom_id)
                if number:
                    assert self.pages.setdefault((slug, atom_id), number) == number
                else:
                    assert (slug, atom_id) not in self.pages
        assert len(met) == len(set(met))
        with self.app.store.read() as tx:
            (row,) = [row for row in tx.categories.rows() if row.slug == slug]
            stored = [
                p.atom_id for page in (None, *range(1, row.pages + 1)) for p in tx.documents.publications(row.id, page)
            ]
        assert sorted(met) == sorted(stored)
        for reader in self.readers[slug]:
            reader.reads(*documents)
            assert set(met) <= set(reader.titles)
            assert set(met) == set(reader.titles) or self.site.clock() - self.read_at >= TOMBSTONE

    def check_feed(self, path: str, document: bytes) -> None:
        """See that the `updated` of a feed does not go back, whatever leaves it (A7)."""
        updated = str(etree.fromstring(document).findtext(f"{ATOM}updated"))
        assert self.feeds_updated.get(path, "") <= updated
        self.feeds_updated[path] = updated

    @invariant()
    def ids_order_and_dates_hold(self) -> None:
        """Ids and places never change; `updated` never goes back, and moves with content, or out of a tombstone."""
        if not hasattr(self, "world"):
            return
        before_standing, self.standing = self.standing, set()
        with self.app.store.read() as tx:
            for row in tx.categories.rows():
                graves = {tombstone.ref for tombstone in tx.documents.tombstones(row.id)}
                for page in (None, *range(1, row.pages + 1)):
                    for p in tx.documents.publications(row.id, page):
                        mine = (row.slug, p.atom_id)
                        assert self.fixed.setdefault(mine, (p.sort_at, p.page_id)) == (p.sort_at, p.page_id)
                        assert p.atom_id not in graves
                        self.standing.add(mine)
                        seen = (p.title, p.content, p.link)
                        before, content = self.updated.get(mine, (p.updated, seen))
                        assert p.updated >= before
                        assert p.updated == before or seen != content or mine not in before_standing
                        if page is None or p.content:  # else its text may have left, which is no news (K3)
                            assert p.updated > before or seen == content or before >= self.site.clock() or self.quietly
                        self.updated[mine] = (p.updated, seen)

    @invariant()
    def stories_stand_where_their_entries_do(self) -> None:
        """A story stands in a category as long as an entry of it is published there, and shows one that is (T9)."""
        if not hasattr(self, "world"):
            return
        with self.app.store.read() as tx:
            told = tx.members([])
            told = tx.members(range(1, told.next_story))
        for number, members in told.members.items():
            story = told.stories[number]
            tellers = [m for m in members if m.state is EntryState.PUBLISHED and story.retracted_at is None]
            self.check_story(story, {teller.id: teller for teller in tellers})

    @invariant()
    def counts_hold(self) -> None:
        """Check that the incremental counts of `status` and metrics equal a full count."""
        if not hasattr(self, "world"):
            return
        counts = "SELECT key, entries, (SELECT count(*) FROM entry WHERE source_id = source.id) FROM source"
        assert [row for row in rows(self.app.store, counts) if row[1] != row[2]] == []
        stories = current_figures(self.app.store, self.app.clock()).stories
        assert rows(self.app.store, "SELECT count(*) FROM story") == [(stories,)]
        standing = (
            "SELECT slug, count(story_id) FROM category LEFT JOIN publication "
            "ON category_id = category.id AND withdrawn_at IS NULL GROUP BY slug"
        )
        status = self.app.store.status(self.app.in_force.roster, self.site.clock())
        assert {one.slug: one.stories for one in status.categories} == dict(map(tuple, rows(self.app.store, standing)))

    def check_story(self, story: KnownStory, tellers: dict[int, KnownEntry]) -> None:
        standing = {p.category for p in story.publications if not p.withdrawn}
        assert standing == {place for teller in tellers.values() for place in teller.categories}
        assert not (standing and story.merged_into)
        for publication in story.publications:
            if not publication.withdrawn:
                shown = tellers[publication.shown]
                assert publication.category in shown.categories
                assert publication.digest == shown.shown_digest


Planet.TestCase.settings = settings(
    max_examples=int(os.environ.get("PLANETS", "6")),
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
test_the_promises_hold = Planet.TestCase
