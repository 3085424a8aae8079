"""A random history of a planet: what happens is done to the program and told to the model, then both are compared.

A history is a function of its seed. Steps whose outcome the contract leaves open are not taken: see `History.copy`.
"""

import json
import random
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from aggregator.model.entry import Entry
from aggregator.poll.maintenance import Maintenance
from tests.fake_source import FakeSource, said
from tests.histories.contract import Contract
from tests.histories.documents import archive_pages, shown_in, updated_of
from tests.histories.records import DAY, HOUR, Category, Copy, Shown, Source, Story, Told
from tests.rows import rows
from tests.sample_site import START, SampleSite
from tests.twin import ask

FIRST, LATER = ("one", "two", "three"), ("four", "five")
SLUGS = ("x", "y", "z")
INITIAL = 15


@dataclass(slots=True)
class Feed:
    """Current document of a source."""

    told: list[Told] = field(default_factory=list)  # newest on top
    deleted: dict[str, datetime] = field(default_factory=dict)  # its tombstones
    drawer: list[Told] = field(default_factory=list)  # what it took back


@dataclass(slots=True)
class Config:
    """Settings of feeds.yaml besides the sources."""

    base_url: str = "https://planet.example/"
    entries: int = 10
    archive_page: int = 10
    keys: dict[str, str] = field(default_factory=lambda: {slug: slug for slug in SLUGS})  # by slug
    was: dict[str, list[str]] = field(default_factory=lambda: {slug: [] for slug in SLUGS})
    titles: dict[str, str] = field(default_factory=lambda: {slug: f"About {slug}" for slug in SLUGS})


class History:
    """A planet that goes through a random history.

    Args:
        folder: an empty one.
        seed: decides all that happens.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self.chance = random.Random(seed)
        self.site, self.config = SampleSite(folder), Config()
        self.model = Contract(initial=INITIAL, entries=10, archive_page=10)
        self.model.categories = {slug: Category(slug=slug) for slug in SLUGS}
        self.feeds = {key: Feed() for key in (*FIRST, *LATER)}
        for key, places in (("one", ["x"]), ("two", ["x", "y"]), ("three", ["y", "z"])):
            self.model.sources[key] = Source(key=key, categories=places, priority=self.chance.choice([0, 0, 1]))
        self.made = 0
        self.contested: set[Story] = set()  # an operator has spoken of them: what joins them is not for this test
        self.reshaped = True  # settings that shape documents have changed since they were published
        self.pages: dict[str, tuple[bytes, Shown]] = {}  # archive pages as they were published last
        self.feed_dates: dict[str, datetime] = {}  # `updated` of each feed document
        self.log: list[str] = []
        self.stack = ExitStack()

    def run(self, steps: int) -> None:
        """Take random steps; `log` lists the steps taken so far."""
        try:
            self.open()
            for key in FIRST:
                self.write(key)
            for _ in range(steps):
                self.step()
            self.publish()
            self.force()
        finally:
            self.stack.close()

    def step(self) -> None:
        """Take one random step, and perhaps publish."""
        self.pass_time(minutes=self.chance.randint(1, 90))
        act, *_ = self.chance.choices(*zip(*self.acts(), strict=True))
        act()
        if self.chance.random() < 0.6:
            self.publish()
        if self.chance.random() < 0.3:
            self.force()

    def acts(self) -> Sequence[tuple[Callable[[], None], float]]:
        """Return what may happen, and how often."""
        return [
            (self.write, 10),
            (self.edit, 6),
            (self.change_template, 3),
            (self.copy, 8),
            (self.take_back, 3),
            (self.list_again, 2),
            (self.flood, 0.3),
            (self.add_source, 1),
            (self.move_source, 2),
            (self.remove_source, 0.7),
            (self.rank_source, 1),
            (self.rename_category, 1),
            (self.retitle_category, 1),
            (self.remove_category, 0.5),
            (self.resize, 1),
            (self.move_site, 0.5),
            (self.retract, 2),
            (self.merge, 1.5),
            (self.unmerge, 1.5),
            (self.let_days_pass, 4),
            (self.set_clock_back, 2),
            (self.die_publishing, 1),
        ]

    # Sources.

    def active(self) -> list[str]:
        """Return the sources that feeds.yaml names."""
        return [key for key, source in self.model.sources.items() if source.active]

    def write(self, key: str | None = None, count: int | None = None) -> None:
        """A source gets new articles, dated well, wrongly or not at all, and is polled."""
        key = key or self.chance.choice(self.active())
        for _ in range(count or self.chance.choice([1, 1, 2, 3, 5, 12, 25])):
            self.made += 1
            told = Told(
                id=f"tag:{key}.example,2026:{self.made}",
                title=f"Title {self.made}",
                text=self.wording(),
                link=f"https://{self.chance.choice([key, 'elsewhere'])}.example/{self.made}",
                published=self.some_date(),
                updated=self.some_date() if self.chance.random() < 0.3 else None,
            )
            self.feeds[key].told.insert(0, told)
        self.poll(key)

    def flood(self) -> None:
        """A source says more than two hundred new things at once (R47)."""
        self.write(count=self.chance.randint(201, 215))

    def edit(self) -> None:
        """A source edits a few of its articles."""
        key = self.chance.choice(self.active())
        feed = self.feeds[key]
        for place in self.chance.sample(range(len(feed.told)), min(len(feed.told), self.chance.randint(1, 3))):
            feed.told[place] = self.edited(feed.told[place])
        self.poll(key)

    def change_template(self) -> None:
        """A source edits all that it lists at once (R47)."""
        key = self.chance.choice(self.active())
        feed = self.feeds[key]
        feed.told = [replace(told, text=self.wording()) for told in feed.told]
        self.poll(key)

    def copy(self) -> None:
        """A source tells what another has told; not where an operator has spoken, or two stories would match."""
        key, other = self.chance.choice(self.active()), self.chance.choice(list(self.model.sources))
        copies = [copy for copy in self.model.sources[other].copies.values() if copy.story is not None]
        for old in self.chance.sample(copies, min(len(copies), self.chance.randint(1, 3))):
            self.made += 1
            host = self.chance.choice([key, "elsewhere"])
            told = replace(
                old.told,
                id=f"tag:{key}.example,2026:{self.made}",
                link=f"https://{host}.example/{self.made}",
                published=self.some_date(),
                updated=None,
            )
            pending = {(one.title, one.text) for feed in self.feeds.values() for one in feed.told if self.is_news(one)}
            if (told.title, told.text) not in pending and self.is_clear(key, told, old):
                self.feeds[key].told.insert(0, told)
        self.poll(key)

    def is_news(self, told: Told) -> bool:
        """Return whether no source has said this yet."""
        return all(told.id not in source.copies for source in self.model.sources.values())

    def is_clear(self, key: str, told: Told, old: Copy) -> bool:
        """Return whether the contract alone says what becomes of a copy."""
        matches = self.model.matches(key, told)
        return len(matches) < 2 and old.story not in self.contested and self.contested.isdisjoint(matches)

    def take_back(self) -> None:
        """A source takes an article back that is not newer than its tombstone (I26)."""
        key = self.chance.choice(self.active())
        feed = self.feeds[key]
        now = self.site.clock()
        older = [told for told in feed.told if told.updated is None or told.updated < now]
        if older:
            told = self.chance.choice(older)
            feed.deleted[told.id] = now
            feed.told.remove(told)
            feed.drawer.append(told)
            self.poll(key)

    def list_again(self) -> None:
        """A source lists again what it took back, with a later date; its tombstone may stay for a while (I26)."""
        key = self.chance.choice(self.active())
        feed = self.feeds[key]
        now = self.site.clock()
        believed = [told for told in feed.drawer if feed.deleted[told.id] + HOUR <= now + DAY]  # the date to come (I42)
        if believed:
            told = self.chance.choice(believed)
            feed.drawer.remove(told)
            when = max(now, feed.deleted[told.id] + HOUR)
            feed.told.insert(0, replace(told, updated=when))
            if self.chance.random() < 0.5:
                del feed.deleted[told.id]
            self.poll(key)

    def poll(self, key: str) -> None:
        """A source is polled; it lists no more than so many articles."""
        feed = self.feeds[key]
        if len(feed.told) <= 100:
            feed.told = feed.told[:50]
        date = self.some_date() if self.chance.random() < 0.2 else None
        fake_source = FakeSource(self.app)
        facts = {"id": f"tag:{key}.example,2026:feed", "updated": date, "deleted": tuple(feed.deleted.items())}
        fake_source.says(key, *map(entry_of, feed.told), **facts)
        self.model.now = self.site.clock()
        self.model.poll(key, feed.told, list(feed.deleted.items()), date)
        self.note(f"poll {key}")
        feed.told = feed.told[:50]

    def wording(self) -> str:
        """Return a text that nobody has used yet."""
        self.made += 1
        said = f"This is what text {self.made} says at some length, so that it can be told from all others."
        return f"{said} It goes on and on about {self.made} for a good while longer." if self.made % 3 == 0 else said

    def edited(self, told: Told) -> Told:
        """Return another wording of an article, dated or not."""
        self.made += 1
        title = f"Title {self.made}" if self.chance.random() < 0.3 else told.title
        updated = self.some_date() if self.chance.random() < 0.6 else told.updated
        if any(told.id in feed.deleted for feed in self.feeds.values()):
            updated = told.updated  # it is newer than its tombstone, and stays so
        return replace(told, title=title, text=self.wording(), updated=updated)

    def some_date(self) -> datetime | None:
        """Return a date of the past, of today, of a future that is near or far, or none."""
        now = self.site.clock().replace(microsecond=0)
        ages = [None, 0, 0.02, 1, 5, 30, 200, 3000, -5, -20, -30, -900]
        age = self.chance.choices(ages, weights=[4, 2, 2, 3, 3, 3, 2, 1, 1, 1, 1, 1])[0]
        return None if age is None else now - timedelta(hours=age, seconds=self.chance.randint(0, 59))

    # feeds.yaml.

    def open(self) -> None:
        """Start the program with feeds.yaml as it is to be."""
        self.stack.close()
        self.site.writes(self.yaml())
        self.app = self.stack.enter_context(self.site.opened())
        self.model.now = self.site.clock()

    def yaml(self) -> str:
        """Return feeds.yaml."""
        config = self.config
        categories = {
            config.keys[slug]: {"title": config.titles[slug], "slug": slug, "was": config.was[slug]}
            for slug, category in self.model.categories.items()
            if category.active
        }
        sources = [
            {
                "key": key,
                "url": f"https://{key}.example/feed",
                "category": [config.keys[slug] for slug in source.categories],
                "priority": source.priority,
            }
            for key, source in self.model.sources.items()
            if source.active
        ]
        publish = {"entries": config.entries, "archive_page": config.archive_page, "formats": ["atom", "json"]}
        parts = {
            "site": {"base_url": config.base_url},
            "publish": publish,
            "defaults": {"dedupe": "exact", "initial": INITIAL},
            "categories": categories,
            "sources": sources,
        }
        return "".join(f"{name}: {json.dumps(value)}\n" for name, value in parts.items())

    def add_source(self) -> None:
        """A source is added that has a past, some of which others have told too (M4, M9)."""
        key = next((key for key in LATER if key not in self.model.sources), None)
        if key is None:
            return
        places = self.chance.choice([["x"], ["y"], ["x", "y"]])
        self.model.sources[key] = Source(key=key, categories=places, priority=self.chance.choice([0, 1]))
        self.open()
        self.note(f"add {key} to {places}")
        self.write(key, self.chance.choice([5, 14, 30]))

    def move_source(self) -> None:
        """A source moves between categories (N1, N2)."""
        key = self.chance.choice(self.active())
        open_ones = [slug for slug, category in self.model.categories.items() if category.active]
        places = self.chance.sample(open_ones, self.chance.randint(1, 2))
        if places == ["z"]:
            places = ["x", "z"]  # so that z can be removed and no source is left without a category
        self.model.now = self.site.clock()
        self.model.move(key, places)
        self.open()
        self.note(f"move {key} to {places}")

    def remove_source(self) -> None:
        """A source leaves feeds.yaml (A43), or comes back."""
        source = self.model.sources["three"]
        source.active = not source.active
        if source.active and not self.model.categories["z"].active:
            source.categories = [slug for slug in source.categories if slug != "z"]
        self.open()
        self.note(f"{'add' if source.active else 'remove'} three")

    def rank_source(self) -> None:
        """A source gets another priority (T3)."""
        key = self.chance.choice(self.active())
        self.model.now = self.site.clock()
        self.model.rank(key, self.chance.randint(-1, 1))
        self.open()
        self.note(f"rank {key} {self.model.sources[key].priority}")

    def rename_category(self) -> None:
        """A category gets another key (A45)."""
        slug = self.chance.choice([s for s in SLUGS if self.model.categories[s].active])
        self.made += 1
        self.config.was[slug].append(self.config.keys[slug])
        self.config.keys[slug] = f"{slug}{self.made}"
        self.reshape(slug)
        self.note(f"rename {slug}")

    def retitle_category(self) -> None:
        """A category gets another title (M7)."""
        slug = self.chance.choice([s for s in SLUGS if self.model.categories[s].active])
        self.made += 1
        self.config.titles[slug] = f"About {slug}, {self.made}"
        self.reshape(slug)
        self.note(f"retitle {slug}")

    def remove_category(self) -> None:
        """A category leaves feeds.yaml, or comes back as it was (N5)."""
        category = self.model.categories["z"]
        if category.active:
            self.publish()
            for source in self.model.sources.values():
                if source.active:
                    source.categories = [slug for slug in source.categories if slug != "z"]
        category.active = not category.active
        self.reshape("z")
        self.note(f"{'bring back' if category.active else 'remove'} z")

    def resize(self) -> None:
        """The operator wants longer or shorter documents."""
        self.config.entries = self.model.entries = {10: 12, 12: 20, 20: 10}[self.config.entries]
        self.config.archive_page = self.model.archive_page = self.chance.choice([10, 13])
        self.reshape(*SLUGS)
        self.note(f"resize {self.config.entries}, {self.config.archive_page}")

    def move_site(self) -> None:
        """The site gets another address (M7)."""
        self.made += 1
        self.config.base_url = f"https://planet{self.made}.example/"
        self.reshape(*SLUGS)
        self.note("move site")

    def reshape(self, *slugs: str) -> None:
        """Put an edit in force that may change each document of some categories."""
        self.reshaped = True
        for slug in slugs:
            self.model.categories[slug].edited = True
        self.open()

    # The operator.

    def retract(self) -> None:
        """The operator takes a story back, or the taking back."""
        undo = self.chance.random() < 0.5
        stories = [s for s in self.model.stories if s.retracted == undo and s.merged_into is None]
        if stories:
            story = self.chance.choice(stories)
            self.ask("retract", story=self.number(story), undo=undo)
            (self.model.bring_back if undo else self.model.retract)(story)
            self.note(f"retract {story.atom_id}{' --undo' * undo}")

    def merge(self) -> None:
        """The operator says that two stories are one, sensible or not (T7)."""
        stories = [s for s in self.model.stories if not s.retracted and s.merged_into is None]
        if len(stories) > 1:
            kept, merged = self.chance.sample(stories, 2)
            self.ask("merge", story=self.number(kept), other=self.number(merged))
            self.model.merge(kept, merged)
            self.contested |= {kept, merged}
            self.note(f"merge {kept.atom_id} {merged.atom_id}")

    def unmerge(self) -> None:
        """The operator takes a story apart (T8)."""
        stories = [s for s in self.model.stories if s.merged_into is None and self.model.can_unmerge(s)]
        if stories:
            story = self.chance.choice(stories)
            self.ask("unmerge", story=self.number(story), entry=None)
            before = set(self.model.stories) - self.contested
            self.contested |= {story, *(copy.story for copy in story.copies if copy.story)}
            leaving = list(story.copies)
            self.model.unmerge(story)
            self.contested |= (set(self.model.stories) - before) | {copy.story for copy in leaving if copy.story}
            self.note(f"unmerge {story.atom_id}")

    def ask(self, command: str, **arguments: object) -> None:
        """Have a correction carried out."""
        self.model.now = self.site.clock()
        ask(self.app, command, **arguments)

    def number(self, story: Story) -> int:
        """Return the number by which commands know a story."""
        [(number,)] = rows(self.site.folder, "SELECT id FROM story WHERE atom_id = :atom_id", atom_id=story.atom_id)
        return int(number)

    # Time, and what is published.

    def pass_time(self, **by: float) -> None:
        """Move the clock."""
        self.site.clock.move(**by)
        self.model.now = self.site.clock()

    def let_days_pass(self) -> None:
        """Nothing happens for some days, or for so long that tombstones end (M8)."""
        days = self.chance.choice([1, 1, 2, 5, 31])
        self.pass_time(days=days)
        self.note(f"{days} days pass")

    def set_clock_back(self) -> None:
        """Somebody sets the machine's clock back."""
        hours = self.chance.choice([1, 3, 12, 30])
        self.pass_time(hours=-hours)
        self.note(f"clock set back by {hours} hours")

    def die_publishing(self) -> None:
        """The program is killed while it publishes, and started again."""
        self.tidy()
        self.stack.close()
        self.site.dies_publishing(self.chance.randint(0, 12))
        self.open()
        self.note("killed while publishing")
        self.publish()

    def tidy(self) -> None:
        """Run the maintenance that depends on time, in the program and in the model."""
        Maintenance(self.app.store, self.app.clock).end_tombstones()
        self.model.now = self.site.clock()
        self.model.tidy()

    def publish(self) -> None:
        """Publish what has changed, and compare all of it with the model."""
        self.tidy()
        self.app.publisher.publish()
        self.model.publish()
        self.note("publish")
        self.compare()

    def force(self) -> None:
        """Publish everything twice: the second time no byte changes, and after `publish` none the first time."""
        self.publish()
        before = self.site.files()
        self.note("publish --all")
        for hours in (0, 1):
            self.site.clock.move(hours=hours)
            self.app.publisher.publish(everything=True)
            after = self.site.files()
            assert sorted(after) == sorted(before)
            changed = [path for path in before if after[path] != before[path]]
            assert changed == [], f"publish --all changed {changed}"
        self.compare()

    def compare(self) -> None:
        """Compare the published folder with the model."""
        for slug, category in self.model.categories.items():
            if category.active:
                self.compare_category(slug)
        self.reshaped = False
        everything = shown_in(self.site.published("all.atom"))
        assert [line.atom_id for line in everything.lines] == self.model.everything()
        # Not compared: `updated` of each, which goes back when another publication of a story becomes its first.
        self.compare_feed_dates()

    def compare_category(self, slug: str) -> None:
        """Compare the documents of a category with the model."""
        root, path = self.site.folder / "public", f"category/{slug}"
        category = self.model.categories[slug]
        if archive_pages(root, slug) > category.pages:  # other reasons to render and file are not in the contract
            self.model.file(category)
        pages = archive_pages(root, slug)
        assert pages == category.pages, f"{path}: {pages} archive pages, not {category.pages}"
        main = self.site.published(f"{path}.atom")
        agree(shown_in(main), self.model.document(slug, None), path)
        items = [item["id"] for item in json.loads(self.site.published(f"{path}.json"))["items"]]
        assert items == [line.atom_id for line in shown_in(main).lines]
        for page in range(1, category.pages + 1):
            name = f"{path}/archive/{page}"
            data, expected = self.site.published(f"{name}.atom"), self.model.document(slug, page)
            agree(shown_in(data), expected, name)
            before = self.pages.get(name)
            if before is not None and before[0] != data:  # M7
                assert self.reshaped or before[1] != expected, f"{name}.atom changed, and nothing of it did"
            self.pages[name] = (data, expected)

    def compare_feed_dates(self) -> None:
        """See that no feed's own `updated` goes back."""
        root = self.site.folder / "public"
        for path in (root / "all.atom", *(root / "category").rglob("*.atom")):
            name, updated = str(path.relative_to(root)), updated_of(path.read_bytes())
            assert updated >= self.feed_dates.get(name, updated), f"{name}: its `updated` went back"
            self.feed_dates[name] = updated

    def note(self, what: str) -> None:
        """Remember what was done, for whoever looks for a fault."""
        self.log.append(f"{self.site.clock() - START}: {what}")


def entry_of(told: Told) -> Entry:
    """Return an entry as it is cleaned and read."""
    return said(
        0,
        own_id=told.id,
        title=told.title,
        text=f"<p>{told.text}</p>",
        link=told.link,
        published=told.published,
        updated=told.updated,
    )


def agree(found: Shown, expected: Shown, path: str) -> None:
    """Compare a document with what the model says of it, the coarsest first."""
    ids, wanted = [line.atom_id for line in found.lines], [line.atom_id for line in expected.lines]
    assert sorted(ids) == sorted(wanted), f"{path}: too many {set(ids) - set(wanted)}, too few {set(wanted) - set(ids)}"
    assert ids == wanted, f"{path}: another order: {ids}, not {wanted}"
    for line, one in zip(found.lines, expected.lines, strict=True):
        assert line == one, f"{path}: {line}, not {one}"
    assert found.tombstones == expected.tombstones, f"{path}: tombstones {found.tombstones}, not {expected.tombstones}"
    assert found.before == expected.before, f"{path}: leads to another page"
