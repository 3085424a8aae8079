"""Whatever sources do in whatever order, the promises of DESIGN, section 4, hold (invariants 2 to 5; M2, T1, T4)."""

import shutil
import tempfile
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from lxml import etree

from aggregator.model.entry import Entry
from tests.desk import Desk, said
from tests.newsroom import ATOM, Newsroom

KEYS = ("one", "two", "three")
YAML = """
publish: {entries: 10, archive_page: 10, formats: [atom, json]}
defaults: {dedupe: exact, initial: 15}
categories: {x: {}, y: {}}
sources:
  - {key: one, url: 'https://one.example/feed', category: x}
  - {key: two, url: 'https://two.example/feed', category: [x, y]}
  - {key: three, url: 'https://three.example/feed', category: y, priority: 1}
"""
sources = st.sampled_from(KEYS)


class Planet(RuleBasedStateMachine):
    """Three sources over one pool of stories, published now and then."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.room = Newsroom(self.folder)
        self.room.writes(YAML)
        self.stack = ExitStack()
        self.world = self.stack.enter_context(self.room.opened())
        self.desk = Desk(self.world)
        self.feeds: dict[str, list[Entry]] = {key: [] for key in KEYS}
        self.fixed: dict[tuple[str, str], object] = {}  # (category, atom_id): sort_at, page_id
        self.pages: dict[tuple[str, str], int] = {}
        self.updated: dict[tuple[str, str], tuple[object, object]] = {}
        self.made = 0

    def teardown(self) -> None:
        if hasattr(self, "stack"):
            self.stack.close()
            shutil.rmtree(self.folder)

    @rule(key=sources, count=st.integers(1, 25), dated=st.booleans(), age=st.integers(0, 5000))
    def write_articles(self, key: str, count: int, dated: bool, age: int) -> None:
        """A source gets new articles, dated long ago or not at all."""
        for _ in range(count):
            self.made += 1
            date = self.room.clock.now - timedelta(hours=age) if dated else None
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
    def poll(self, key: str) -> None:
        """A source is polled; the same document twice changes nothing the second time (R11)."""
        self.desk.says(key, *self.feeds[key])
        again = self.desk.says(key, *self.feeds[key])
        assert not again.entries.new
        assert not again.entries.revised

    @rule(hours=st.integers(1, 60))
    def wait(self, hours: int) -> None:
        """Time passes."""
        self.room.clock.move(hours=hours)

    @rule()
    def publish(self) -> None:
        """What is dirty is published; doing so again writes nothing; rendering all of it gives the same bytes (A30)."""
        self.world.publish()
        before = self.room.files()
        assert self.world.publish().changed == ()
        self.world.publish(everything=True)
        assert self.room.files() == before
        for slug in ("x", "y"):
            self.walk(slug)

    def walk(self, slug: str) -> None:
        """Walking back from the main feed meets each publication exactly once (M2); a page keeps what it holds (M4)."""
        path, met = f"category/{slug}", []
        while path:
            number = int(path.rpartition("/")[2]) if "/archive/" in path else 0
            for entry in self.room.entries(f"{path}.atom"):
                atom_id = str(entry.findtext(f"{ATOM}id"))
                met.append(atom_id)
                if number:
                    assert self.pages.setdefault((slug, atom_id), number) == number
                else:
                    assert (slug, atom_id) not in self.pages
            path = self.room.previous(path)
        assert len(met) == len(set(met))
        with self.world.store.read() as tx:
            (row,) = [row for row in tx.categories() if row.slug == slug]
            stored = [p.atom_id for page in (None, *range(1, row.pages + 1)) for p in tx.publications(row.id, page)]
        assert sorted(met) == sorted(stored)

    @invariant()
    def ids_order_and_dates_hold(self) -> None:
        """Ids and places never change; `updated` never goes back, and moves only with content."""
        if not hasattr(self, "world"):
            return
        with self.world.store.read() as tx:
            for row in tx.categories():
                for page in (None, *range(1, row.pages + 1)):
                    for p in tx.publications(row.id, page):
                        mine = (row.slug, p.atom_id)
                        assert self.fixed.setdefault(mine, (p.sort_at, p.page_id)) == (p.sort_at, p.page_id)
                        seen = (p.title, p.content, p.link)
                        before, content = self.updated.get(mine, (p.updated, seen))
                        assert p.updated >= before  # type: ignore[operator]
                        assert p.updated == before or seen != content
                        self.updated[mine] = (p.updated, seen)


Planet.TestCase.settings = settings(
    max_examples=12, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
test_the_promises_hold = Planet.TestCase


def test_a_published_document_is_atom(tmp_path: Path) -> None:
    room = Newsroom(tmp_path)
    room.writes(YAML)
    with room.opened() as world:
        Desk(world).says("one", said(1))
        world.publish()
    assert etree.fromstring(room.published("category/x.atom")).tag == f"{ATOM}feed"
