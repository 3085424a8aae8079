"""Sameness in its exact form: a globally unique id, a digest, or a link with agreeing text (DESIGN, section 8)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from aggregator.clean import plain_text
from aggregator.dedupe.agreement import Telling, agree
from aggregator.identity import global_id_hash, speaks_for_itself
from aggregator.model.entry import Entry
from aggregator.model.known import Known, KnownEntry
from aggregator.urls import is_start_page, match_url


class Evidence(StrEnum):
    """Why two entries are one story, the strongest first."""

    ID = "same id"
    DIGEST = "same title and text"
    LINK = "same link, agreeing text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A story that an entry may join, and on what evidence."""

    story: int
    evidence: Evidence
    other: KnownEntry  # the shown or founding entry that the evidence holds against (T5)


def matching_stories(entry: Entry, source: int, known: Known, *, link: str | None) -> list[Match]:
    """Give the stories that tell what an entry tells, the oldest first.

    Only shown and founding entries count, never another member: no chains (T5). A story that this source tells already
    is never joined again by it (T2).

    Args:
        entry: the new copy.
        source: the id of its source.
        known: the stories that might be meant, with what is known of them.
        link: the entry's `evident_link`, if it is the only entry of its source that bears it.
    """
    telling = Telling(entry.title, entry.text)
    id_hash = global_id_hash(entry.id) if entry.id else None
    matches = []
    for story in sorted(known.stories.values(), key=lambda story: (story.created_at, story.id)):
        if source in story.sources or all(publication.withdrawn for publication in story.publications):
            continue
        evidence = [
            Match(story=story.id, evidence=found, other=other)
            for number in sorted({story.founder, *(publication.shown for publication in story.publications)})
            if (other := known.others.get(number)) is not None
            for found in _evidence(entry, telling, id_hash, link, other, known.bearers)
        ]
        if evidence:
            matches.append(min(evidence, key=lambda match: list(Evidence).index(match.evidence)))
    return matches


def _evidence(
    entry: Entry,
    telling: Telling,
    id_hash: str | None,
    link: str | None,
    other: KnownEntry,
    bearers: Mapping[str, Mapping[int, int]],
) -> Iterator[Evidence]:
    if entry.text_digest is not None and entry.text_digest == other.text_digest:
        yield Evidence.DIGEST
    same_id = id_hash is not None and id_hash == other.id_hash
    same_link = link is not None and link == other.match_link and bearers.get(link, {}).get(other.source) == 1
    if not (same_id or same_link):
        return
    if same_id and entry.id and speaks_for_itself(entry.id):
        yield Evidence.ID
    elif agree(telling, Telling(other.title, plain_text(other.content or other.summary))):
        yield Evidence.ID if same_id else Evidence.LINK


def evident_link(entry: Entry) -> str | None:
    """Give an entry's link in the form that is compared, if it can be evidence: no site's start page is."""
    return match_url(entry.link) if entry.link and not is_start_page(entry.link) else None
