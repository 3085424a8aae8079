"""Sameness in its exact form: a globally unique id, a digest, or a link with agreeing text (DESIGN, section 8)."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from aggregator.clean import plain_text
from aggregator.dedupe.agreement import Telling, agree, are_kin
from aggregator.identity import global_id_hash, speaks_for_itself
from aggregator.model.entry import Entry
from aggregator.model.known import Known, KnownEntry, KnownStory
from aggregator.urls import is_start_page, match_url


class Evidence(StrEnum):
    """Why two entries are one story, the strongest first."""

    DIGEST = "same title and text"
    ID = "same id"
    LINK = "same link, agreeing text"


STRONGEST = {evidence: rank for rank, evidence in enumerate(Evidence)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A story that an entry may join, and on what evidence."""

    story: int
    evidence: Evidence
    other: KnownEntry  # the shown or founding entry that the evidence holds against (T5)
    agrees: bool  # the texts say the same, so that either may be shown for the other


class Tellers:
    """The shown and founding entries of all known stories, by what they may be recognised by.

    Made once for a document: looking through all stories for each entry grew with the square of both.
    """

    def __init__(self, known: Known) -> None:
        self._known = known
        self._by: dict[tuple[str, str], set[int]] = defaultdict(set)
        for story in known.stories.values():
            for other in self._told(story):
                for kind, value in (("id", other.id_hash), ("text", other.text_digest), ("link", other.match_link)):
                    if value is not None:
                        self._by[kind, value].add(story.id)

    def matches(self, entry: Entry, source: int, *, link: str | None) -> list[Match]:
        """Give the stories that tell what an entry tells, the oldest first.

        Only shown and founding entries count, never another member: no chains (T5). A story that this source tells
        already is never joined again by it (T2).

        Args:
            entry: the new copy.
            source: the id of its source.
            link: the entry's `evident_link`, if it is the only entry of its source that bears it.
        """
        telling = Telling(entry.title, entry.text)
        id_hash = global_id_hash(entry.id) if entry.id else None
        numbers: set[int] = set()
        for kind, value in (("id", id_hash), ("text", entry.text_digest), ("link", link)):
            if value is not None:
                numbers |= self._by.get((kind, value), set())
        found = []
        stories = [self._known.stories[number] for number in numbers]
        for story in sorted(stories, key=lambda story: (story.created_at, story.id)):
            if source in story.sources or all(publication.withdrawn for publication in story.publications):
                continue
            evidence = [
                Match(story=story.id, evidence=why, other=other, agrees=agrees)
                for other in self._told(story)
                for why, agrees in self._evidence(entry, telling, id_hash, link, other)
            ]
            if evidence:
                found.append(min(evidence, key=lambda match: STRONGEST[match.evidence]))
        return found

    def _told(self, story: KnownStory) -> list[KnownEntry]:
        numbers = sorted({story.founder, *(publication.shown for publication in story.publications)})
        return [self._known.others[number] for number in numbers if number in self._known.others]

    def _evidence(
        self, entry: Entry, telling: Telling, id_hash: str | None, link: str | None, other: KnownEntry
    ) -> Iterator[tuple[Evidence, bool]]:
        if entry.text_digest is not None and entry.text_digest == other.text_digest:
            yield Evidence.DIGEST, True
        same_id = id_hash is not None and id_hash == other.id_hash
        lone = self._known.bearers.get(link or "", {}).get(other.source) == 1
        same_link = link is not None and link == other.match_link and lone
        if not (same_id or same_link):
            return
        theirs = Telling(other.title, plain_text(other.content or other.summary))
        if agree(telling, theirs):
            yield (Evidence.ID if same_id else Evidence.LINK), True
        elif same_id and entry.id and speaks_for_itself(entry.id) and are_kin(telling, theirs):
            yield Evidence.ID, False


def evident_link(entry: Entry) -> str | None:
    """Give an entry's link in the form that is compared, if it can be evidence: no site's start page is."""
    return match_url(entry.link) if entry.link and not is_start_page(entry.link) else None
