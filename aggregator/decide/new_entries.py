"""Decides on entries that are seen for the first time: rules, story, categories, order."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import count

from aggregator.decide.draft import Draft
from aggregator.decide.limits import Newcomer, Passed, RuleVerdict, dedupe_settings, still_limited, within_limits
from aggregator.decide.order import MICROSECOND, sort_times
from aggregator.identify.budget import Budget
from aggregator.identify.ids import minted_id, page_id_of
from aggregator.identify.keys import global_id_hash
from aggregator.identify.matching import DedupeSettings, Found, Match, StoryMatcher, dedupe_link
from aggregator.model.alarm import FLOOD, FLOOD_SHOWN
from aggregator.model.changes import NewEntry, ReleasedEntry, WaitingEntry
from aggregator.model.detail import asked_of, url_of
from aggregator.model.entry import Entry
from aggregator.model.event import Code
from aggregator.model.hosts import budget_key
from aggregator.model.known import EntryState, KnownEntry, KnownStory
from aggregator.model.settings import CategoryKey, Dedupe
from aggregator.model.story_changes import NewStory
from aggregator.rules.judgement import judge
from aggregator.text.iris import is_identifier
from aggregator.urls import host_key_of


class NewEntries:
    """Decides on the new entries of one document.

    Args:
        draft: what is known, and where decisions go.
        links: those that its new entries bear.
        budget: what comparing them with others may cost.
    """

    def __init__(self, draft: Draft, links: Iterable[str], budget: Budget | None = None) -> None:
        self._draft = draft
        self._joined: set[int] = set()  # stories that an entry of this document joined
        self._bearers = Counter(links)
        self._matcher = StoryMatcher(draft.known, budget)
        self._taken_ids = {*draft.known.taken, *(made.atom_id for made in draft.stories)}
        self._taken_pages = {*draft.known.taken_pages, *(made.page_id for made in draft.stories)}
        self._stored: set[int] = set()  # those that are stored already

    def add(self, fresh: Sequence[Newcomer], *, hold: str = "") -> None:
        """Store new entries, newest first, and publish those that may be.

        Args:
            fresh: those that were not published yet.
            hold: why none is shown yet: `suspect`, their source may be another feed (R44), or what they lack.
        """
        first = not self._draft.stored_before
        passed: list[Passed] = []
        numbers = count(self._draft.known.next_entry)
        for one in fresh:
            number = next(numbers) if one.id is None else one.id
            places = self._places(one)
            if one.id is not None:
                self._stored.add(number)
                why: dict[str, object] = {"because": one.because} if one.because else {}
                self._draft.note(Code.RELEASE_ENTRY, number, None, **why)
            if not places.keys:
                self._draft.note(Code.REJECT_ENTRY, number, rule=places.judgement.reason)
                self._store(number, one.entry, one.form, EntryState.REJECTED)
            elif hold:
                because: dict[str, object] = {} if hold == "suspect" else {"because": hold}
                self._draft.note(Code.HOLD_ENTRY, number, None, **because)
                self._store(number, one.entry, one.form, EntryState.HELD)
            elif self._came_before(one):
                self._draft.note(Code.KEEP_KNOWN, number)
                self._store(number, one.entry, one.form, EntryState.KNOWN)
            else:
                passed.append((number, one, places))
        shown = self._draft.source.initial if first else len(passed)
        for number, one, _ in passed[shown:]:
            self._draft.note(Code.KEEP_KNOWN, number)
            self._store(number, one.entry, one.form, EntryState.KNOWN)
        as_new = 0 if first else FLOOD_SHOWN if len(passed) > FLOOD else len(passed)
        passed, known = within_limits(self._draft, passed[:shown])
        for number, one, places in known:
            self._store(number, one.entry, one.form, EntryState.KNOWN, limited=places.limited)
        for part, backfill in ((passed[:as_new], False), (passed[as_new:], True)):
            times = sort_times([one.date for _, one, _ in part], backfill=backfill, asked_at=self._draft.asked_at)
            for (number, one, places), sort_at in zip(part, times, strict=True):
                if self._awaits(number, one.entry, sort_at, backfill=backfill):
                    self._store(number, one.entry, one.form, EntryState.WAITING, limited=places.limited)
                    continue
                self._note_rules(number, places)
                self._publish(number, one.entry, one.form, places, sort_at, backfill=backfill)

    def complete(self, one: Newcomer, number: int, *, backfill: bool) -> None:
        """Publish an entry that waited for its detail, if the rules let its present content pass.

        Args:
            one: as it is now.
            number: id of its row.
            backfill: it came by one, and takes its own date (M1).
        """
        self._stored.add(number)
        places = self._places(one)
        if not places.keys:
            self._draft.note(Code.REJECT_ENTRY, number, rule=places.judgement.reason or "limit")
            self._store(number, one.entry, one.form, EntryState.REJECTED, limited=places.limited)
            return
        [sort_at] = sort_times([one.date], backfill=backfill, asked_at=self._draft.asked_at)
        self._note_rules(number, places)
        self._publish(number, one.entry, one.form, places, sort_at, backfill=backfill)

    def _awaits(self, number: int, entry: Entry, sort_at: datetime, *, backfill: bool) -> bool:
        """Make an entry wait for its detail; return False if its source has none or the request lacks a value."""
        draft = self._draft
        detail = draft.source.detail
        asked = asked_of(detail, entry) if detail is not None else ()
        url = url_of(detail, dict(asked)) if detail is not None else None
        if url is None:
            return False
        draft.note(Code.AWAIT_DETAIL, number)
        draft.waiting.append(
            WaitingEntry(
                id=number,
                asked=asked,
                host_key=budget_key(url, draft.roster.hosts),
                date=sort_at,
                backfill=backfill,
                due_at=draft.asked_at - len(draft.waiting) * MICROSECOND,
            )
        )
        return True

    def _came_before(self, one: Newcomer) -> bool:
        """Return whether an entry was known before the store was lost, but was not published then, or was withdrawn."""
        until = self._draft.observed.restored_until
        if until is None:
            return False
        known, entry = self._draft.known, one.entry
        ids = {entry.id, minted_id(known.store_uuid, self._draft.source.key, entry.key)}
        own = entry.published or entry.updated
        return not known.buried.isdisjoint(ids) or (own is not None and own <= until)

    def _places(self, one: Newcomer) -> RuleVerdict:
        """Apply all rules to an entry, and count those that matched."""
        source, known = self._draft.source, self._draft.known.categories
        seen = one.first_seen or self._draft.asked_at
        own = self._draft.filing.keys_of(one.entry, source)
        judgement = judge(one.entry, source, self._draft.roster.categories, seen=seen, own=own)
        self._draft.hits.update(dict.fromkeys(judgement.hits, 1))
        keys = tuple(key for key in judgement.places if source.reading.filing or key in known)
        places = RuleVerdict(judgement, keys, tuple(known[key].id for key, _ in judgement.kept_out if key in known))
        return still_limited(self._draft, places, one.limited)

    def _note_rules(self, number: int, places: RuleVerdict) -> None:
        """Note the categories that rules added to a published entry, or kept it out of."""
        known, judgement = self._draft.known.categories, places.judgement
        routed = [(key, rule) for key, rule in judgement.routed if key in places.keys]
        for code, where in ((Code.KEEP_OUT, judgement.kept_out), (Code.ROUTE_ENTRY, routed)):
            for key, rule in where:
                if key in known:
                    self._draft.note(code, number, category=known[key].id, rule=rule)

    def _ids(self, number: int, keys: Sequence[CategoryKey]) -> tuple[int, ...]:
        """Return the ids of the categories in which an entry is published now; new categories are made."""
        found = (self._draft.filing.place(key, number, self._draft.source) for key in keys)
        ids = tuple(dict.fromkeys(place for place in found if place is not None))
        self._draft.publications.categories |= set(ids)
        return ids

    def _store(
        self,
        number: int,
        entry: Entry,
        form: str,
        state: EntryState,
        story: int | None = None,
        places: tuple[int, ...] = (),
        refused: tuple[int, ...] = (),
        limited: tuple[int, ...] = (),
        bands: tuple[int, ...] = (),
    ) -> None:
        if number in self._stored:
            self._draft.released.append(
                ReleasedEntry(
                    id=number,
                    form=form,
                    state=state,
                    story=story,
                    categories=places,
                    refused=refused,
                    limited=limited,
                    bands=bands,
                )
            )
            return
        origin = self._draft.credit(entry)
        self._draft.new.append(
            NewEntry(
                id=number,
                entry=entry,
                form=form,
                state=state,
                story=story,
                categories=places,
                refused=refused,
                limited=limited,
                origin=origin,
                bands=bands,
            )
        )

    def _publish(
        self, number: int, entry: Entry, form: str, where: RuleVerdict, sort_at: datetime, *, backfill: bool
    ) -> None:
        places = self._ids(number, where.keys)
        found = self._matches(entry, form)
        uncompared: dict[str, object] = {"uncompared": sorted(found.uncompared)} if found.uncompared else {}
        matches = [match for match in found.matches if match.story not in self._joined]
        bands: tuple[int, ...] = ()
        if matches:
            story = matches[0].story
            self._join(self._as_known(number, entry, form, places), sort_at, matches, uncompared, backfill=backfill)
        else:
            story = self._found(number, entry)
            bands = self._draft.known.bands.get(form, ())
            shown = self._as_known(number, entry, form, places)
            for place in places:
                self._draft.publications.enter(story, place, shown, sort_at, backfill=backfill)
            facts = {"categories": list(places), "backfill": backfill, **uncompared}
            self._draft.note(Code.MAKE_STORY, number, story, **facts)
        self._store(number, entry, form, EntryState.PUBLISHED, story, places, where.refused, where.limited, bands)

    def _found(self, number: int, entry: Entry) -> int:
        """Make the story that an entry founds, with ids for ever (T1, A4, A5); return its id."""
        story = self._draft.known.next_story + len(self._draft.stories)
        atom_id = entry.id or ""
        keeps = not self._draft.source.private and is_identifier(atom_id)
        if not keeps or atom_id in self._taken_ids:
            if keeps:
                self._draft.note(Code.MINT_ID, number, story, taken=atom_id)
            atom_id = minted_id(self._draft.known.store_uuid, self._draft.source.key, entry.key)
        if atom_id in self._taken_ids:  # its key named another entry before (I35)
            key = f"{entry.key}\0{number}"
            atom_id = minted_id(self._draft.known.store_uuid, self._draft.source.key, key)
        page_id = page_id_of(atom_id, self._taken_pages)
        self._taken_ids.add(atom_id)
        self._taken_pages.add(page_id)
        self._draft.stories.append(NewStory(id=story, atom_id=atom_id, page_id=page_id, founder=number))
        return story

    def _as_known(self, number: int, item: Entry, form: str, places: tuple[int, ...]) -> KnownEntry:
        """Return a new entry as the next poll will know it; one that was held counts from its release (M1)."""
        draft = self._draft
        return KnownEntry(
            id=number,
            source=draft.source_id,
            source_key=draft.source.key,
            source_host=host_key_of(draft.url),
            key=item.key,
            form=form,
            own_id=item.id,
            digest=item.told_digest,
            shown_digest=item.digest,
            id_hash=global_id_hash(item.id) if item.id else None,
            text_digest=item.text_digest,
            match_link=dedupe_link(item),
            title=item.title,
            link=item.link,
            summary=item.summary,
            content=item.content,
            published=item.published,
            updated=item.updated,
            first_seen=self._draft.asked_at,
            undated=0,
            state=EntryState.PUBLISHED,
            story=None,
            taken_back_at=None,
            merged_from=None,
            categories=places,
            credited=item.origin is not None,
            private=draft.source.private,
        )

    # Copies of a story that is there.

    def _matches(self, entry: Entry, form: str) -> Found:
        """Return the stories that an entry may join, the oldest first."""
        draft, known = self._draft, self._draft.known
        if draft.source.dedupe is Dedupe.OFF:
            return Found()
        link = dedupe_link(entry)
        if link and self._bearers[link] + known.bearers.get(link, {}).get(draft.source_id, 0) != 1:
            link = None  # three posts with one shop page as link
        return self._matcher.matches(
            entry,
            draft.source_id,
            link=link,
            seen=self._draft.asked_at,
            near=known.near.get(form, frozenset()),
            settings_of=self._terms,
        )

    def _terms(self, story: KnownStory, other: KnownEntry) -> DedupeSettings:
        draft = self._draft
        return dedupe_settings(draft.source, other.source_key, story, draft.known, draft.roster)

    def _join(
        self,
        copy: KnownEntry,
        sort_at: datetime,
        matches: Sequence[Match],
        uncompared: Mapping[str, object],
        *,
        backfill: bool,
    ) -> None:
        """Add a copy to the oldest story it matches (T5), and show it where it is the better copy (T2, T3)."""
        match, *others = matches
        story = self._draft.known.stories[match.story]
        self._joined.add(story.id)
        self._draft.note(
            Code.JOIN_STORY,
            copy.id,
            story.id,
            evidence=match.evidence,
            similarity=match.similarity,
            because=match.because,
            with_entry=match.other.id,
            others=[other.story for other in others],
            **uncompared,
        )
        for other in others:
            self._note_merge(story, self._draft.known.stories[other.story], agrees=match.agrees and other.agrees)
        if story.retracted_at is not None:
            return  # known, and seen by nobody: a copy brings nothing back that an operator took away
        self._draft.publications.join(
            story, copy, self._draft.known.others, agrees=match.agrees, sort_at=sort_at, backfill=backfill
        )

    def _note_merge(self, story: KnownStory, other: KnownStory, *, agrees: bool) -> None:
        """Note that two stories that one entry matches can be merged, if nobody has seen the one that ends (T6)."""
        retracted = story.retracted_at is not None or other.retracted_at is not None
        if not agrees or retracted or story.sources & other.sources:
            return
        if self._is_unseen(other):
            self._draft.merge_candidates.append((story.id, other.id))
        elif self._is_unseen(story):
            self._draft.merge_candidates.append((other.id, story.id))

    def _is_unseen(self, story: KnownStory) -> bool:
        """Return whether all publications of a story are newer than the last files that may show them."""
        known = self._draft.known
        offered = {category.id: category.offered_at for category in known.categories.values()}
        for publication in story.publications:
            seen = [when for when in (offered.get(publication.category), known.offered_at) if when is not None]
            late = all(publication.entered_at > when for when in seen)
            if publication.withdrawn or publication.page is not None or not late:
                return False
        return True
