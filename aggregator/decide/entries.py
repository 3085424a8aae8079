"""What becomes of each entry of a document: new, revised, same, rejected; which story it tells, and where that stands.

One document, one pass, in the order in which its news will be published (M1), so that what is decided for one entry is
known when the next one is looked at.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from uuid import UUID, uuid5

from aggregator.clean import plain_text
from aggregator.decide.copies import MAX_UNDATED, OPEN, Copy, is_better, moved_updated
from aggregator.decide.order import believed, newest_first, own_dates, sort_times
from aggregator.dedupe.exact import Match, Tellers, evident_link
from aggregator.identity import digest_of, is_iri, key_form
from aggregator.model.changes import (
    EntryChanges,
    NewEntry,
    NewPublication,
    NewStory,
    RevisedEntry,
    ShownChange,
)
from aggregator.model.entry import Entry, Feed, Origin
from aggregator.model.event import Code, Event
from aggregator.model.known import EntryState, Known, KnownEntry, KnownPublication, KnownStory
from aggregator.model.poll import Due
from aggregator.model.settings import Category, Dedupe, Roster
from aggregator.rules import refusal

FLOOD = 200  # more new entries than this in one poll are a flood (R47)
FLOOD_SHOWN = 50
TEMPLATE_MIN = 10  # that many entries, and over half of a document, changed at once: a template did (R47)
PAGE_ID = 16  # hex digits, more on collision


def decide_entries(
    due: Due, feed: Feed, asked_at: datetime, known: Known, roster: Roster, origin: Origin
) -> EntryChanges:
    """Say what becomes of the entries of a document that was read.

    Args:
        due: the source and its settings.
        feed: cleaned and identified.
        asked_at: when the poll's request left.
        known: what the store knows that bears on these entries.
        roster: the sources and categories as feeds.yaml has them.
        origin: the `atom:source` for entries that carry none.
    """
    work = _Work(due=due, asked_at=asked_at, known=known, roster=roster, origin=origin)
    forms = [key_form(entry.key) for entry in feed.entries]
    listed = [
        (known.entries[form], entry) for form, entry in zip(forms, feed.entries, strict=True) if form in known.entries
    ]
    revised = [(before, entry) for before, entry in listed if before.digest != entry.digest]
    for before, entry in listed:
        if before.digest == entry.digest and is_redated(before, entry):
            work.redate(before, entry)
    template = len(revised) >= TEMPLATE_MIN and 2 * len(revised) > len(feed.entries)
    for before, entry in revised:
        work.revise(before, entry, template=template)
    fallback = believed(feed.updated, asked_at) or asked_at
    dates = own_dates(feed.entries, fallback=fallback, asked_at=asked_at)
    fresh = [place for place in newest_first(dates) if forms[place] not in known.entries]
    work.bearers.update(link for place in fresh if (link := evident_link(feed.entries[place])))
    work.add([(feed.entries[place], forms[place], dates[place]) for place in fresh])
    return work.changes()


@dataclass(kw_only=True)
class _Work:
    """The changes of one document, as they gather."""

    due: Due
    asked_at: datetime
    known: Known
    roster: Roster
    origin: Origin
    new: list[NewEntry] = field(default_factory=list)
    revised: list[RevisedEntry] = field(default_factory=list)
    stories: list[NewStory] = field(default_factory=list)
    publications: list[NewPublication] = field(default_factory=list)
    shown: list[ShownChange] = field(default_factory=list)
    dirty: set[tuple[int, int | None]] = field(default_factory=set)
    events: list[Event] = field(default_factory=list)
    joined: set[int] = field(default_factory=set)  # stories that an entry of this document joined
    bearers: Counter[str] = field(default_factory=Counter)  # links of the new entries of this document
    tellers: Tellers = field(init=False)

    def __post_init__(self) -> None:
        self.tellers = Tellers(self.known)

    def changes(self) -> EntryChanges:
        return EntryChanges(
            new=tuple(self.new),
            revised=tuple(self.revised),
            stories=tuple(self.stories),
            publications=tuple(self.publications),
            shown=tuple(self.shown),
            dirty=frozenset(self.dirty),
            events=tuple(self.events),
        )

    def note(self, code: Code, entry: int | None = None, story: int | None = None, **facts: object) -> None:
        self.events.append(Event(code=code, source=self.due.id, entry=entry, story=story, facts=facts))

    # New entries.

    def add(self, fresh: Sequence[tuple[Entry, str, datetime]]) -> None:
        """Store new entries, newest first, and publish those that may be."""
        first = not self.due.stored_before
        passed: list[tuple[int, Entry, str, datetime, tuple[int, ...]]] = []
        for number, (entry, form, date) in enumerate(fresh, self.known.next_entry):
            places, reason = self._places(entry)
            if places:
                passed.append((number, entry, form, date, places))
            else:
                self.note(Code.REJECT_ENTRY, number, rule=reason)
                self._store(number, entry, form, EntryState.REJECTED)
        shown = self.due.source.initial if first else len(passed)
        for number, entry, form, _, _ in passed[shown:]:
            self.note(Code.KEEP_KNOWN, number)
            self._store(number, entry, form, EntryState.KNOWN)
        as_new = 0 if first else FLOOD_SHOWN if len(passed) > FLOOD else len(passed)
        for part, backfill in ((passed[:as_new], False), (passed[as_new:shown], True)):
            times = sort_times([date for *_, date, _ in part], backfill=backfill, asked_at=self.asked_at)
            for (number, entry, form, _, places), sort_at in zip(part, times, strict=True):
                self._publish(number, entry, form, places, sort_at, backfill=backfill)

    def _places(self, entry: Entry) -> tuple[tuple[int, ...], str | None]:
        """Give the categories that take an entry, after the rules of its source and then theirs; or why none does."""
        source = self.due.source
        reason = refusal(entry, source.include, source.exclude)
        if reason:
            return (), reason
        places = []
        for key in source.categories:
            category = self.roster.categories.get(key)
            refused = refusal(entry, category.include, category.exclude) if category else None
            if refused:
                reason = f"{key}: {refused}"
            elif key in self.known.categories:
                places.append(self.known.categories[key].id)
        return tuple(places), reason

    def _store(
        self,
        number: int,
        entry: Entry,
        form: str,
        state: EntryState,
        story: int | None = None,
        places: tuple[int, ...] = (),
    ) -> None:
        origin = self._credit(entry)
        self.new.append(
            NewEntry(id=number, entry=entry, form=form, state=state, story=story, categories=places, origin=origin)
        )

    def _credit(self, entry: Entry) -> Origin:
        """Give the `atom:source` of an entry: the one it carries is kept (A9), and has an id in any case."""
        carried = entry.origin
        if carried is None or is_iri(carried.id):
            return carried or self.origin
        return replace(carried, id=carried.self_link or carried.link or self.origin.id)

    def _publish(
        self, number: int, entry: Entry, form: str, places: tuple[int, ...], sort_at: datetime, *, backfill: bool
    ) -> None:
        matches = self._matches(entry)
        if matches:
            story = matches[0].story
            self._join(number, entry, places, sort_at, matches, backfill=backfill)
        else:
            story = self._found(number, entry)
            for place in places:
                self._enter(story, place, number, entry, sort_at, backfill=backfill)
            self.note(Code.MAKE_STORY, number, story, categories=list(places), backfill=backfill)
        self._store(number, entry, form, EntryState.PUBLISHED, story, places)

    def _found(self, number: int, entry: Entry) -> int:
        """Make the story that an entry founds, with ids for ever (T1, A4, A5)."""
        story = self.known.next_story + len(self.stories)
        mine = {made.atom_id for made in self.stories}
        atom_id = entry.id or ""
        keeps = not self.due.source.private and is_iri(atom_id)
        if not keeps or atom_id in self.known.taken or atom_id in mine:
            if keeps:
                self.note(Code.MINT_ID, number, story, taken=atom_id)
            atom_id = minted_id(self.known.store_uuid, self.due.source.key, entry.key)
        page_id = page_id_of(atom_id, self.known.taken_pages | {made.page_id for made in self.stories})
        self.stories.append(NewStory(id=story, atom_id=atom_id, page_id=page_id, founder=number))
        return story

    def _enter(self, story: int, place: int, number: int, entry: Entry, sort_at: datetime, *, backfill: bool) -> None:
        updated = believed(entry.updated or entry.published, self.asked_at) or self.asked_at
        self.publications.append(
            NewPublication(
                story=story,
                category=place,
                entered_at=self.asked_at,
                sort_at=sort_at,
                backfill=backfill,
                shown=number,
                digest=entry.digest,
                updated=updated,
            )
        )
        self.dirty.add((place, None))

    # Copies of a story that is there.

    def _matches(self, entry: Entry) -> list[Match]:
        """Give the stories that an entry may join, the oldest first."""
        if self.due.source.dedupe is Dedupe.OFF:
            return []
        link = evident_link(entry)
        if link and self.bearers[link] + self.known.bearers.get(link, {}).get(self.due.id, 0) != 1:
            link = None  # three posts with one shop page as link
        found = self.tellers.matches(entry, self.due.id, link=link)
        return [
            match
            for match in found
            if match.story not in self.joined and self._may_share(self.known.stories[match.story], match.other)
        ]

    def _may_share(self, story: KnownStory, other: KnownEntry) -> bool:
        """Tell whether the strictest of all settings that bear on a pair lets it share a story (DESIGN 3.1, dedupe)."""
        theirs = self.roster.sources.get(other.source_key)
        names = {category.id: key for key, category in self.known.categories.items()}
        keys = {names[publication.category] for publication in story.publications if publication.category in names}
        keys.update(self.due.source.categories)
        settings: Iterator[Category] = (self.roster.categories[key] for key in keys if key in self.roster.categories)
        wishes = [category.dedupe for category in settings if category.dedupe is not None]
        return Dedupe.OFF not in (*wishes, theirs.dedupe if theirs else Dedupe.EXACT)

    def _join(
        self,
        number: int,
        entry: Entry,
        places: tuple[int, ...],
        sort_at: datetime,
        matches: Sequence[Match],
        *,
        backfill: bool,
    ) -> None:
        """Let a copy join the oldest story it matches (T5), and show it where it is the better one (T2, T3)."""
        match, *others = matches
        story = self.known.stories[match.story]
        self.joined.add(story.id)
        self.note(
            Code.JOIN_STORY,
            number,
            story.id,
            evidence=match.evidence,
            with_entry=match.other.id,
            others=[other.story for other in others],
        )
        standing = {publication.category: publication for publication in story.publications}
        for place in places:
            if place not in standing:
                self._enter(story.id, place, number, entry, sort_at, backfill=backfill)
                self.note(Code.PUBLISH_STORY, number, story.id, category=place)
        for publication in story.publications:
            if publication.withdrawn or publication.page is not None:
                continue  # a full page takes no notice of later copies (M7)
            self.dirty.add((publication.category, None))  # the credits change
            if match.agrees and publication.category in places and self._wins(entry, publication):
                self._switch(publication, number, entry)

    def _wins(self, entry: Entry, publication: KnownPublication) -> bool:
        if self.asked_at >= publication.entered_at + OPEN:
            return False
        shown = self.known.others.get(publication.shown)
        if shown is None:
            return False
        theirs = self.roster.sources.get(shown.source_key)
        return is_better(
            Copy(
                priority=self.due.source.priority,
                link=entry.link,
                source_host=self.due.host_key,
                credited=entry.origin is not None,
                length=len(entry.text),
            ),
            Copy(
                priority=theirs.priority if theirs else 0,
                link=shown.link,
                source_host=shown.source_host,
                credited=shown.credited,
                length=len(plain_text(shown.content or shown.summary)),
            ),
        )

    def _switch(self, publication: KnownPublication, number: int, entry: Entry) -> None:
        same = publication.digest == entry.digest
        updated = publication.updated if same else moved_updated(publication.updated, entry.updated, self.asked_at)
        self.shown.append(
            ShownChange(
                story=publication.story,
                category=publication.category,
                shown=number,
                digest=entry.digest,
                updated=updated,
            )
        )
        self.note(Code.SWITCH_COPY, number, publication.story, category=publication.category)

    # Revisions.

    def revise(self, before: KnownEntry, entry: Entry, *, template: bool) -> None:
        """Store a new digest of a known entry, and let it be seen where that entry is shown (T4)."""
        source_digest = entry.digest
        if (before.content or before.summary) and not (entry.content or entry.summary):  # I61
            kept = replace(entry, content=before.content, summary=before.summary)
            entry = replace(kept, digest=digest_of(kept))
            self.note(Code.KEEP_CONTENT, before.id, before.story)
        dated = entry.updated is not None and (before.updated is None or entry.updated > before.updated)
        undated = before.undated + (not dated and not template)
        held = not dated and not template and undated > MAX_UNDATED
        published = before.published  # it never moves, unless earlier (I45), or out of a future that was not believed
        if entry.published and (published is None or entry.published < published):
            published = entry.published
        origin = self._credit(entry)
        self.revised.append(
            RevisedEntry(
                id=before.id,
                entry=entry,
                digest=source_digest,
                published=published,
                undated=undated,
                held=held,
                origin=origin,
            )
        )
        self.note(Code.HOLD_REVISION if held else Code.REVISE_ENTRY, before.id, before.story)
        story = self.known.stories.get(before.story) if before.story is not None else None
        if story is None or held:
            return
        for publication in story.publications:
            if publication.withdrawn:
                continue
            if publication.shown != before.id:
                self.dirty.add((publication.category, publication.page))  # its credit may read otherwise
            elif publication.digest != entry.digest:
                self._reshow(publication, before, entry, template=template)

    def redate(self, before: KnownEntry, entry: Entry) -> None:
        """Take an earlier date though nothing else has changed (I42): it is shown, and moves no `updated` (T4)."""
        shown = replace(entry, content=before.content or entry.content, summary=before.summary or entry.summary)
        self.revised.append(
            RevisedEntry(
                id=before.id,
                entry=shown,
                digest=entry.digest,
                published=entry.published,
                undated=before.undated,
                origin=self._credit(entry),
            )
        )
        self.note(Code.REVISE_ENTRY, before.id, before.story, fields=["published"])
        story = self.known.stories.get(before.story) if before.story is not None else None
        for publication in story.publications if story else ():
            if publication.shown == before.id and not publication.withdrawn:
                self.dirty.add((publication.category, publication.page))

    def _reshow(self, publication: KnownPublication, before: KnownEntry, entry: Entry, *, template: bool) -> None:
        updated = moved_updated(publication.updated, entry.updated, self.asked_at)
        self.shown.append(
            ShownChange(
                story=publication.story,
                category=publication.category,
                shown=before.id,
                digest=entry.digest,
                updated=publication.updated if template else updated,
            )
        )
        self.dirty.add((publication.category, publication.page))


def is_redated(before: KnownEntry, entry: Entry) -> bool:
    """Tell whether a source has moved an entry's date earlier, or out of a future that was not believed (I42, I45)."""
    return entry.published is not None and before.published is not None and entry.published < before.published


def minted_id(store_uuid: str, source: str, key: str) -> str:
    """Make an atom:id for an entry that has none of its own that could serve (A4)."""
    return uuid5(UUID(store_uuid), f"{source}\0{key}").urn


def page_id_of(atom_id: str, taken: frozenset[str] = frozenset()) -> str:
    """Give the id of a story's page: 16 hex digits of SHA-256 of its atom:id, longer on collision (DESIGN 3.3)."""
    digits = sha256(atom_id.encode()).hexdigest()
    length = PAGE_ID
    while digits[:length] in taken:
        length += 1
    return digits[:length]
