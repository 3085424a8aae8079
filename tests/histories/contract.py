"""An independent model of what is published, written from the rules in docs/development/standards.md, without the code.

It takes what happens (polls, edits of feeds.yaml, an operator's acts, the clock) and knows what each document must
show. The number of a rule is beside the line that follows it. The model is meant to be read next to the rules: it is
slow, it keeps everything in lists, and it imports nothing of the program.

What it leaves out, the generator of histories does not do: near-duplicates, details, rules, suspect sources, other ids,
`keep` (K1 to K4), a third copy of what an operator called different, two stories that one copy tells (T6).
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.histories.records import DAY, HOUR, Category, Copy, Line, Publication, Shown, Source, Story, Told

SECOND, MICROSECOND = timedelta(seconds=1), timedelta(microseconds=1)
OPEN = HOUR  # T3
REST = DAY  # M3
TOMBSTONE = 30 * DAY  # M8
FLOOD, FLOOD_SHOWN = 200, 50  # R47
TEMPLATE = 10  # R47


class Contract:
    """The planet as the contract describes it."""

    def __init__(self, *, initial: int, entries: int, archive_page: int) -> None:
        self.initial, self.entries, self.archive_page = initial, entries, archive_page
        self.sources: dict[str, Source] = {}
        self.categories: dict[str, Category] = {}
        self.stories: list[Story] = []
        self.stored = 0  # entries
        self.now = datetime.min.replace(tzinfo=UTC)

    # Polls.

    def poll(
        self,
        key: str,
        document: Sequence[Told],
        deleted: Sequence[tuple[str, datetime]],
        feed_date: datetime | None,
    ) -> None:
        """Take in a document of a source, newest entries on top."""
        source = self.sources[key]
        first = not source.copies
        taken_back = self._take_back(source, document, deleted)
        document = [told for told in document if told.id not in taken_back]
        self._revise(source, document)
        for told in document:
            copy = source.copies.get(told.id)
            if copy is not None and copy.gone is not None and told.updated is not None and told.updated > copy.gone:
                copy.gone = None
                copy.told = replace(copy.told, updated=told.updated)
                if copy.story is not None:
                    self._settle(copy.story, gained={copy})
        dated = list(zip(document, self._own_dates(document, feed_date), strict=True))
        new = [(told, date) for told, date in dated if told.id not in source.copies]
        new.sort(key=lambda pair: pair[1], reverse=True)  # stable: without a date, at its place in the document (M1)
        shown = self.initial if first else len(new)
        as_new = 0 if first else FLOOD_SHOWN if len(new) > FLOOD else len(new)
        joined: set[Story] = set()
        last: datetime | None = None
        for place, (told, date) in enumerate(new):
            copy = self._store(source, told)
            if place >= shown:
                continue
            backfill = place >= as_new
            if place == as_new:
                last = None
            sort_at = min(date, self.now) if backfill else self.now
            last = sort_at if last is None else min(sort_at, last - MICROSECOND)
            self._publish(copy, last, joined, backfill=backfill)

    def matches(self, key: str, told: Told) -> list[Story]:
        """Return the stories that a new entry of a source would join, oldest first (T2, T5)."""
        found = []
        for story in self.stories:
            known = {story.founder} | {publication.shown for publication in story.publications.values()}
            tells = any((c.told.title, c.told.text) == (told.title, told.text) for c in known if c.story is story)
            is_gone = not story.retracted and not any(p.stands for p in story.publications.values())
            if tells and not is_gone and all(copy.source != key for copy in story.copies):
                found.append(story)
        return found

    def _take_back(self, source: Source, document: Sequence[Told], deleted: Sequence[tuple[str, datetime]]) -> set[str]:
        listed = {told.id: told for told in document}
        gone = set()
        for ref, when in deleted:
            copy = source.copies.get(ref)
            told = listed.get(ref) or (
                copy.told if copy else None
            )  # an entry may be listed for less long than its tombstone
            if told is not None and told.updated is not None and told.updated >= when:  # I26
                continue
            gone.add(ref)
            if copy is not None and copy.gone is None:
                copy.gone = when
                if copy.story is not None:
                    self._settle(copy.story)
        return gone

    def _revise(self, source: Source, document: Sequence[Told]) -> None:
        changed = [
            (copy, told)
            for told in document
            if (copy := source.copies.get(told.id)) is not None
            and copy.told.digest != told.digest
            and (copy.gone is None or (told.updated is not None and told.updated > copy.gone))
        ]
        template = len(changed) >= TEMPLATE and 2 * len(changed) > len(document)  # R47
        for copy, told in changed:
            copy.told = replace(told, published=copy.told.published or told.published)  # I45
            for publication in self._standing(copy.story):
                if publication.shown is not copy:
                    continue
                if not template:
                    publication.updated = self._moved(publication, told.updated)
                if not template or publication.page is None:  # pages take no notice of it (M7)
                    publication.text = copy.told

    def _own_dates(self, document: Sequence[Told], feed_date: datetime | None) -> list[datetime]:
        """Return the own dates that order a document; who has none takes that of the nearest dated one above (M1)."""
        above = self.now if feed_date is None else min(feed_date, self.now)
        dates = []
        for told in document:
            own = told.published or told.updated
            if own is not None:
                above = self.now if own > self.now + DAY else min(own, self.now)  # I42
            dates.append(above)
        return dates

    def _store(self, source: Source, told: Told) -> Copy:
        self.stored += 1
        copy = Copy(number=self.stored, source=source.key, told=told, first_seen=self.now, places=set())
        source.copies[told.id] = copy
        return copy

    def _publish(self, copy: Copy, sort_at: datetime, joined: set[Story], *, backfill: bool) -> None:
        copy.places = set(self.sources[copy.source].categories)
        matches = [story for story in self.matches(copy.source, copy.told) if story not in joined]
        if matches:
            story = matches[0]  # the oldest (T5)
            joined.add(story)
            story.copies.append(copy)
            copy.story = story
            if not story.retracted:
                self._join(story, copy, sort_at, backfill=backfill)
            return
        story = Story(number=len(self.stories) + 1, atom_id=copy.told.id, founder=copy, copies=[copy])  # T1, A4
        self.stories.append(story)
        copy.story = story
        for category in sorted(copy.places):
            self._enter(story, category, copy, sort_at, backfill=backfill)

    def _join(self, story: Story, copy: Copy, sort_at: datetime, *, backfill: bool) -> None:
        before = list(story.publications.values())
        for category in sorted(copy.places - set(story.publications)):  # N3
            self._enter(story, category, copy, sort_at, backfill=backfill)
        for publication in before:
            if not publication.stands:
                if publication.category in copy.places:
                    self._return(publication, copy)
            elif publication.category in copy.places and self._is_open(publication):
                self._show(publication, self._best([publication.shown, copy]))

    # What an operator does.

    def retract(self, story: Story) -> None:
        """Retract a story."""
        story.retracted = True
        self._settle(story)

    def bring_back(self, story: Story) -> None:
        """Undo `retract`."""
        story.retracted = False
        self._settle(story)

    def merge(self, kept: Story, merged: Story) -> None:
        """Merge two stories into one (T7)."""
        theirs = list(merged.copies)
        merged.copies, merged.merged_into = [], kept
        self._settle(merged)
        for copy in theirs:
            copy.story, copy.came_from = kept, copy.came_from or merged
        kept.copies = sorted([*kept.copies, *theirs], key=lambda copy: copy.number)
        self._settle(kept, gained=set(theirs))

    def can_unmerge(self, story: Story) -> bool:
        """Return whether anything can leave a story."""
        return bool(self._leaving(story))

    def unmerge(self, story: Story) -> None:
        """Take a story apart, but for the founding entry (T8)."""
        groups = self._leaving(story)
        leaving = [copy for group in groups for copy in group]
        story.copies = [copy for copy in story.copies if copy not in leaving]
        self._settle(story)
        sort_at = self.now
        for group in groups:
            revived = group[0].came_from
            if revived is None:
                (copy,) = group
                revived = Story(number=len(self.stories) + 1, atom_id=copy.told.id, founder=copy, copies=[])
                self.stories.append(revived)
            revived.merged_into, revived.copies = None, group
            for copy in group:
                copy.story, copy.came_from = revived, None
            self._settle(revived, sort_at=sort_at)
            sort_at -= MICROSECOND

    def _leaving(self, story: Story) -> list[list[Copy]]:
        groups: dict[object, list[Copy]] = {}
        for copy in story.copies:
            if copy is not story.founder and (copy.came_from is not None or copy.gone is None):
                groups.setdefault(copy.came_from or copy, []).append(copy)
        return sorted(groups.values(), key=lambda group: group[0].own_date or group[0].first_seen, reverse=True)

    # Edits of feeds.yaml.

    def move(self, key: str, categories: Iterable[str]) -> None:
        """Move a source to other categories (N1, N2)."""
        source = self.sources[key]
        before, source.categories = source.categories, list(categories)
        for category in source.categories:
            if category not in before and source.copies:
                self._fill(source, category)

    def rank(self, key: str, priority: int) -> None:
        """Change a source's priority: shown copies are chosen as if all had come today (T3), not on pages (M7)."""
        source = self.sources[key]
        if source.priority == priority:
            return
        source.priority = priority
        for story in self.stories:
            told = any(copy.source == key and copy.gone is None for copy in story.copies)
            for publication in self._standing(story):
                copies = self._tellers(story, publication.category)
                if told and len(story.copies) > 1 and copies and publication.page is None:
                    self._show(publication, self._best(copies))

    def _fill(self, source: Source, category: str) -> None:
        """Add the newest entries of a source that enters a category (N2), as a backfill (M1, M4)."""
        told = [copy for copy in source.copies.values() if copy.story is not None]
        told.sort(key=lambda copy: copy.number)
        told.sort(key=lambda copy: copy.own_date or copy.first_seen, reverse=True)
        taken: list[Copy] = []
        unseen: list[Copy] = []
        for copy in told:
            assert copy.story is not None
            if len(taken) == self.initial:
                break
            if any(copy.story is other.story for other in taken):
                continue  # after a `merge`: the newest stands for its story
            (unseen if copy.gone is not None or copy.story.retracted else taken).append(copy)
        for copy in unseen:
            copy.places.add(category)  # should it come back, it stands there too
        last: datetime | None = None
        for copy in taken:
            assert copy.story is not None
            copy.places.add(category)
            if category in copy.story.publications:
                continue
            sort_at = min(copy.own_date or copy.first_seen, self.now)
            last = sort_at if last is None else min(sort_at, last - MICROSECOND)
            elsewhere = [p.updated for p in self._publications() if p.shown is copy]
            self._enter(copy.story, category, copy, last, backfill=True)
            if elsewhere:  # one atom:id, one `updated`: all.* shows it once (invariant 3)
                copy.story.publications[category].updated = max(elsewhere)
        for copy in sorted(taken, key=lambda copy: copy.number):
            assert copy.story is not None
            if len(copy.story.copies) > 1 or not copy.story.publications[category].stands:
                self._settle(copy.story, gained={copy})

    # Where a story is published, and what it shows there.

    def _settle(self, story: Story, *, gained: Iterable[Copy] = (), sort_at: datetime | None = None) -> None:
        """Bring the publications of a story in line with its copies (T9)."""
        there = dict(story.publications)
        for publication in there.values():
            copies = self._tellers(story, publication.category)
            if not copies:
                if publication.stands:
                    self._withdraw(publication)
            elif not publication.stands:
                self._return(publication, publication.shown if publication.shown in copies else self._best(copies))
            elif publication.shown not in copies:
                self._show(publication, self._best(copies))
            elif self._is_open(publication):
                challengers = [copy for copy in copies if copy in set(gained) and copy is not publication.shown]
                self._show(publication, self._best([publication.shown, *challengers]))
        wanted = {place for copy in story.copies for place in copy.places if self.categories[place].active}
        for category in sorted(wanted - set(there)):
            copies = self._tellers(story, category)
            if copies:
                self._enter(story, category, self._best(copies), sort_at or self.now, backfill=False)

    def _tellers(self, story: Story, category: str) -> list[Copy]:
        if story.retracted:
            return []
        return [copy for copy in story.copies if copy.gone is None and category in copy.places]

    def _best(self, copies: Sequence[Copy]) -> Copy:
        """Choose by T2, the copies in the order in which they came; none of them has an `atom:source`."""
        shown, *others = copies
        for other in others:
            ours, theirs = self._merit(other), self._merit(shown)
            longer = _host(other.told.link) == _host(shown.told.link) and _length(other) >= 1.5 * max(1, _length(shown))
            if ours > theirs or (ours == theirs and longer):
                shown = other
        return shown

    def _merit(self, copy: Copy) -> tuple[int, bool]:
        source = self.sources[copy.source]
        return (source.priority if source.active else 0, _host(copy.told.link) == f"{source.key}.example")

    def _is_open(self, publication: Publication) -> bool:
        return publication.page is None and self.now - publication.entered_at < OPEN

    def _enter(self, story: Story, category: str, shown: Copy, sort_at: datetime, *, backfill: bool) -> None:
        made = Publication(
            story=story,
            category=category,
            entered_at=self.now,
            sort_at=sort_at,
            backfill=backfill,
            shown=shown,
            text=shown.told,
            updated=shown.first_updated,
        )
        story.publications[category] = made

    def _show(self, publication: Publication, shown: Copy) -> None:
        if shown is publication.shown:
            return
        if shown.told.digest != publication.text.digest:
            publication.updated = self._moved(publication, shown.told.updated)
        publication.shown, publication.text = shown, shown.told

    def _moved(self, publication: Publication, own: datetime | None) -> datetime:
        """Return the `updated` of content that has changed (T4); it moves, whatever the clock says (invariant 3)."""
        later = publication.updated.replace(microsecond=0) + SECOND
        if own is not None and later <= own <= self.now:
            return own
        return max(later, self.now)

    def _withdraw(self, publication: Publication) -> None:
        publication.withdrawn_at, publication.ended = self.now, False
        publication.gone_at = max(self.now, publication.updated.replace(microsecond=0) + SECOND)  # the newer one wins

    def _return(self, publication: Publication, shown: Copy) -> None:
        """Put a publication back where it was, newer than its tombstone (T8)."""
        assert publication.gone_at is not None
        publication.updated = max(self.now, publication.gone_at.replace(microsecond=0) + SECOND)
        publication.withdrawn_at = publication.gone_at = None
        publication.shown, publication.text = shown, shown.told

    def _standing(self, story: Story | None) -> list[Publication]:
        return [] if story is None else [p for p in story.publications.values() if p.stands]

    # Publishing.

    def tidy(self) -> None:
        """End the tombstones that have stood for their time (M8)."""
        for publication in self._publications():
            if publication.withdrawn_at is not None and not publication.ended:
                publication.ended = publication.withdrawn_at < self.now - TOMBSTONE

    def publish(self) -> None:
        """File what is too much for main documents, in categories that have changed (M3, M4)."""
        for category in self.categories.values():
            if category.active and (category.edited or category.published != self._documents(category)):
                self.file(category)
                category.edited, category.published = False, self._documents(category)

    def document(self, slug: str, page: int | None) -> Shown:
        """Return what a document of a category shows."""
        some = [p for p in self._publications() if p.category == slug]
        lines = tuple(_line(p) for p in self._in_order(p for p in some if p.stands and p.page == page))
        graves = [p for p in some if p.gone_at is not None and not p.ended and page is None]
        before = self.categories[slug].pages if page is None else page - 1  # M6
        return Shown(
            lines=lines,
            tombstones=frozenset((p.story.atom_id, p.gone_at) for p in graves if p.gone_at is not None),
            before=before,
        )

    def everything(self) -> list[str]:
        """Return the ids of `all.*`, in order: each story once, by its first publication."""
        first: dict[Story, Publication] = {}
        for publication in self._publications():
            if publication.stands and self.categories[publication.category].active:
                before = first.get(publication.story)
                if before is None or publication.sort_at < before.sort_at:
                    first[publication.story] = publication
        return [p.story.atom_id for p in self._in_order(first.values())][: self.entries]

    def file(self, category: Category) -> None:
        """Move publications from the main document of a category to new archive pages (M3, M4)."""
        main = self._in_order(
            p for p in self._publications() if p.category == category.slug and p.stands and p.page is None
        )
        size = self.archive_page
        backfill = [p for p in main[self.entries :] if p.backfill]
        while backfill:  # oldest first; the last page may be short (M4)
            self._close(category, backfill[-size:])
            del backfill[-size:]
        main = [p for p in main if p.page is None]
        while len(main) >= self.entries + size:  # M3
            last = main[-size:]
            if any(self.now - p.entered_at < REST for p in last) and len(main) < 4 * self.entries:
                break
            self._close(category, last)
            del main[-size:]
        for publication in self._publications():
            if publication.category == category.slug:
                publication.backfill = False

    def _documents(self, category: Category) -> tuple[Shown, ...]:
        return tuple(self.document(category.slug, page) for page in (None, *range(1, category.pages + 1)))

    def _close(self, category: Category, publications: Sequence[Publication]) -> None:
        category.pages += 1
        for publication in publications:
            publication.page = category.pages
            publication.credited = set(publication.story.copies)

    def _publications(self) -> list[Publication]:
        return [publication for story in self.stories for publication in story.publications.values()]

    def _in_order(self, publications: Iterable[Publication]) -> list[Publication]:
        """Put publications into the order of documents (M1)."""
        by_id = sorted(publications, key=lambda p: p.story.atom_id)
        return sorted(by_id, key=lambda p: p.sort_at, reverse=True)


def _line(publication: Publication) -> Line:
    story, told = publication.story, publication.text
    copies = [copy for copy in story.copies if copy.gone is None and copy is not publication.shown]
    if publication.page is not None:
        copies = [copy for copy in copies if copy in publication.credited]
    return Line(
        atom_id=story.atom_id,
        updated=publication.updated.replace(microsecond=0),
        title=told.title,
        text=told.text,
        link=told.link,
        credits=frozenset(copy.told.link for copy in copies),
    )


def _host(link: str) -> str:
    return link.split("/")[2]


def _length(copy: Copy) -> int:
    return len(copy.told.text)
