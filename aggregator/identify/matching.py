"""Finds the story of an entry: by id, text digest, link with agreeing text, or similar text."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from aggregator.clean.text import text_of
from aggregator.clean.titles import bounded_title
from aggregator.identify.budget import Budget
from aggregator.identify.keys import global_id_hash, speaks_for_itself
from aggregator.late import late
from aggregator.model.entry import Entry
from aggregator.model.known import Known, KnownEntry, KnownStory
from aggregator.model.settings import NEAR, Dedupe
from aggregator.urls import Url, is_start_page, match_url

if TYPE_CHECKING:
    from aggregator.identify import similarity
    from aggregator.identify import telling as tellings
else:
    similarity = late("aggregator.identify.similarity")
    tellings = late("aggregator.identify.telling")


class Evidence(StrEnum):
    """Reason why two entries are one story, the strongest first."""

    DIGEST = "same title and text"
    ID = "same id"
    LINK = "same link, agreeing text"
    NEAR = "nearly the same"


STRONGEST = {evidence: rank for rank, evidence in enumerate(Evidence)}
MAX_KEPT = 64  # tokenised texts of stored entries in the cache


@dataclass(frozen=True, slots=True, kw_only=True)
class DedupeSettings:
    """Settings for two entries that may be one story: the strictest of all that apply (`dedupe:` in feeds.yaml)."""

    dedupe: Dedupe
    near: float = NEAR  # the text similarity that is required
    window: timedelta = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A story that an entry may join, with the evidence."""

    story: int
    evidence: Evidence
    other: KnownEntry  # the shown or founding entry of the story (T5)
    agrees: bool  # the texts agree, so that either entry may be shown for the other
    similarity: float = 1.0  # of the texts
    because: str = ""  # the reason, where texts were compared


@dataclass(frozen=True, slots=True)
class Found:
    """Stories that an entry may join, the oldest first."""

    matches: tuple[Match, ...] = ()
    uncompared: frozenset[int] = frozenset()  # ids of entries that count as different: comparing them costs too much


class StoryMatcher:
    """Index of the shown and founding entries of all known stories: by id, text digest and link.

    Made once for a document: searching all stories for each entry grew with the square of both.

    Args:
        known: what the store knows around the document.
        budget: limits the cost of comparing; where it is spent, entries count as different.
    """

    def __init__(self, known: Known, budget: Budget | None = None) -> None:
        self._known, self._budget = known, budget or Budget()
        self._telling_of = lru_cache(MAX_KEPT)(lambda number: telling_of(known.others[number]))
        self._by: dict[tuple[str, str], set[int]] = defaultdict(set)
        self._stories_of: dict[int, set[int]] = defaultdict(set)  # by entry
        for story in known.stories.values():
            for other in self._told(story):
                self._stories_of[other.id].add(story.id)
                for kind, value in (("id", other.id_hash), ("text", other.text_digest), ("link", other.match_link)):
                    if value is not None:
                        self._by[kind, value].add(story.id)

    def matches(
        self,
        entry: Entry,
        source: int,
        *,
        link: str | None,
        seen: datetime,
        near: Collection[int],
        settings_of: Callable[[KnownStory, KnownEntry], DedupeSettings],
        stays: int | None = None,
    ) -> Found:
        """Return the stories that an entry may join, the oldest first.

        Only shown and founding entries count, never another member: no chains (T5). Founding entries are also those of
        stories that an operator merged into this one.

        An entry never joins a story that its source tells already (T2), nor one whose last copy its source withdrew. It
        does join a retracted story, or copies would bring the story back. Where an operator ruled that two entries are
        different, an entry that matches both joins neither by the other (T8).

        Args:
            entry: the new copy.
            source: the id of its source.
            link: `dedupe_link` of the entry, if no other entry of its source has that link.
            seen: when it was first seen.
            near: entries that share a band with it.
            settings_of: returns the dedupe settings for it and an entry of a story.
            stays: the story that it tells, if it is stored already.

        Raises:
            CutShort: the program stops.
        """
        new = _New(entry, link, seen, frozenset(near))
        candidates = self._candidates(new)
        if not candidates:
            return Found()
        with self._budget.counting():
            found = tuple(self._matches(new, candidates, source, stays, settings_of))
        return Found(found, frozenset(new.uncompared))

    def _candidates(self, new: "_New") -> set[int]:
        """Return the ids of stories with an entry that shares the id, the text, the link or a band of a new one."""
        numbers: set[int] = set()
        for kind, value in (("id", new.id_hash), ("text", new.entry.text_digest), ("link", new.link)):
            if value is not None:
                numbers |= self._by.get((kind, value), set())
        for other in new.near:
            numbers |= self._stories_of.get(other, set())
        return numbers

    def _matches(
        self,
        new: "_New",
        candidates: Collection[int],
        source: int,
        stays: int | None,
        settings_of: Callable[[KnownStory, KnownEntry], DedupeSettings],
    ) -> Iterator[Match]:
        for story in (self._known.stories[number] for number in sorted(candidates)):
            if (source in story.sources and story.id != stays) or (
                story.retracted_at is None and all(p.withdrawn for p in story.publications)
            ):
                continue
            evidence = [
                match
                for other in self._told(story)
                if other.source != source  # a stored entry is not compared with itself
                for match in self._evidence(new, story, other, settings_of(story, other))
                if not self._tells_rather_another(new, story, match, settings_of(story, other))
            ]
            if evidence:
                yield min(evidence, key=lambda match: STRONGEST[match.evidence])

    def _told(self, story: KnownStory) -> list[KnownEntry]:
        known = self._known
        numbers = {story.founder, *(publication.shown for publication in story.publications)}
        numbers.update(*(known.same.get(number, ()) for number in tuple(numbers)))
        entries = [known.others[number] for number in sorted(numbers) if number in known.others]
        return [entry for entry in entries if entry.story == story.id]  # an entry that left may be shown still

    def _tells_rather_another(self, new: "_New", story: KnownStory, match: Match, settings: DedupeSettings) -> bool:
        """Return whether an entry matches one that an operator ruled different at least as well (T8)."""
        for number in sorted(self._known.different.get(match.other.id, ())):
            opposed = self._known.others[number]
            for against in self._evidence(new, story, opposed, settings, meet=True):
                if (STRONGEST[against.evidence], -against.similarity) <= (STRONGEST[match.evidence], -match.similarity):
                    return True
        return False

    def _evidence(
        self, new: "_New", story: KnownStory, other: KnownEntry, settings: DedupeSettings, *, meet: bool = False
    ) -> Iterator[Match]:
        """Return the evidence that two entries are one story; `meet`: compare them though they share no band."""
        if settings.dedupe is Dedupe.OFF:
            return
        entry = new.entry
        if entry.text_digest is not None and entry.text_digest == other.text_digest:
            yield Match(story=story.id, evidence=Evidence.DIGEST, other=other, agrees=True)
            return
        same_id = new.id_hash is not None and new.id_hash == other.id_hash
        lone = self._known.bearers.get(new.link or "", {}).get(other.source) == 1
        linked = same_id or (new.link is not None and new.link == other.match_link and lone)
        met = meet or other.id in new.near
        met = met and not other.thinned  # a title whose text was removed is not evidence
        is_near = settings.dedupe is Dedupe.NEAR and met and new.is_close_to(other, settings.window)
        if not (linked or is_near):
            return
        if self._budget.is_spent():
            new.uncompared.add(other.id)
            return
        theirs = self._telling_of(other.id)
        alike = similarity.likeness(new.telling, theirs, linked=linked, near=settings.near)
        if not alike.is_compared:
            new.uncompared.add(other.id)
        if alike.is_same:
            evidence = Evidence.ID if same_id else Evidence.LINK if linked else Evidence.NEAR
            yield _match(story, evidence, other, alike, agrees=True)
        elif same_id and entry.id and speaks_for_itself(entry.id) and similarity.may_be_versions(new.telling, theirs):
            yield _match(story, Evidence.ID, other, alike, agrees=False)


class _New:
    """An entry whose story is being looked for."""

    def __init__(self, entry: Entry, link: str | None, seen: datetime, near: frozenset[int]) -> None:
        self.entry, self.link, self.near, self._seen = entry, link, near, seen
        self.id_hash = global_id_hash(entry.id) if entry.id else None
        self.uncompared: set[int] = set()  # entries with which comparing costs too much

    @cached_property
    def telling(self) -> "tellings.Telling":
        """Its parts that are compared; most entries have nobody to be compared with."""
        return telling(self.entry)

    def is_close_to(self, other: KnownEntry, window: timedelta) -> bool:
        """Return whether two entries lie in one window: by when they were first seen, or by their own dates."""
        if abs(self._seen - other.first_seen) <= window:
            return True
        own, theirs = self.entry.published or self.entry.updated, other.published or other.updated
        return own is not None and theirs is not None and abs(own - theirs) <= window


def telling(entry: Entry) -> "tellings.Telling":
    """Return the parts of an entry that are compared with others."""
    return tellings.Telling(bounded_title(entry.title), entry.text, entry.published)


def telling_of(known: KnownEntry) -> "tellings.Telling":
    """Return the compared parts of a stored entry; its title is cut, since older stores have longer ones."""
    text = text_of(known.content or known.summary)  # as a new one's: what is stored went through the sanitiser
    return tellings.Telling(bounded_title(known.title), text, known.published)


def _match(
    story: KnownStory, evidence: Evidence, other: KnownEntry, alike: "similarity.Likeness", *, agrees: bool
) -> Match:
    return Match(
        story=story.id,
        evidence=evidence,
        other=other,
        agrees=agrees,
        similarity=round(alike.similarity, 3),
        because=alike.because,
    )


def dedupe_link(entry: Entry) -> str | None:
    """Return the link of an entry in comparable form; None for a start page, which is not evidence."""
    return _compared(entry.link) if entry.link else None


@lru_cache(4096)  # look-ups, decisions and rows ask eight times for each new entry: a quarter of storing a first poll
def _compared(link: Url) -> str | None:
    return None if is_start_page(link) else match_url(link)
