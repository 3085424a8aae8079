"""Details of entries: what a detail or an article adds, and what happens without it. Pure.

A detail is fetched once for an entry and retried if that fails. After a day the entry is published as the list has it.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from aggregator.decide.article import with_article
from aggregator.decide.draft import Draft
from aggregator.decide.limits import Newcomer
from aggregator.decide.new_entries import NewEntries
from aggregator.identify.keys import digest_of, key_form, text_digest_of
from aggregator.identify.matching import dedupe_link
from aggregator.model.changes import CompletedEntry, Completion, EntryChanges
from aggregator.model.detail import PATIENCE
from aggregator.model.entry import Entry, Origin
from aggregator.model.event import Code, Event
from aggregator.model.job import DetailJob, Gathered
from aggregator.model.known import Known
from aggregator.model.observed import NOTHING_OBSERVED
from aggregator.model.poll import Failed
from aggregator.model.settings import Roster
from aggregator.rules.rewriting import rewritten

SOONEST: Final = timedelta(minutes=5)  # between the first failure and the next request,
LATEST: Final = timedelta(hours=4)  # doubled with each, up to this
OWN_FAULTS: Final = frozenset({"not_found", "gone", "not_a_feed", "unreadable", "empty", "too_large", "short"})
# Failures that no later request would change: the article is closed to us, was removed, or is not an article.
SETTLED: Final = frozenset({"forbidden", "auth", "gone", "not_a_feed", "unreadable", "too_large", "refused"})


def retry(poll: Gathered[DetailJob]) -> Completion | None:
    """Return a completion with which an entry waits on, or None if its detail came or its time is over.

    A fault of one detail alone (no such address, nothing in it) delays no other entry. Any other failure is trouble of
    the host: all entries that wait for that host wait together, so that one request finds out whether it is over.
    """
    awaited, answer = poll.job.awaited, poll.answer
    end = awaited.since + PATIENCE
    if poll.feed.entries or answer.asked_at >= end:
        return None
    failed = answer if isinstance(answer, Failed) else None
    if poll.job.reading.is_article and (failed is None or failed.code in SETTLED):
        return None  # the feed has a text of its own, which is enough
    wait = min(SOONEST * (1 << min(poll.job.failures, 12)), LATEST)
    retry_at = min(answer.asked_at + wait, end)
    code = failed.code if failed else "empty"
    error = failed.text if failed else "; ".join(poll.feed.left_out) or "there is no entry in it"
    facts = {"code": code, "error": error, "next": retry_at.isoformat("T", "seconds")}
    event = Event(code=Code.RETRY_DETAIL, source=poll.job.source_id, entry=awaited.id, facts=facts)
    return Completion(
        job=poll.job,
        asked_at=answer.asked_at,
        entries=EntryChanges(events=(event,)),
        retry_at=retry_at,
        all_of_host=failed is not None and failed.code not in OWN_FAULTS,
        code=code,
        error=error,
    )


def complete(
    poll: Gathered[DetailJob], listed: Entry, merged: Entry, known: Known, roster: Roster, origin: Origin
) -> Completion:
    """Publish an entry that waited, with its detail or, after a day, without it.

    Args:
        poll: the request for its detail.
        listed: the entry as it is stored.
        merged: the same with its detail (`merged`).
        known: what the store knows that bears on it.
        roster: the sources and categories.
        origin: the `atom:source` for an entry that carries none.
    """
    job, awaited = poll.job, poll.job.awaited
    draft = Draft(
        source=job.source,
        source_id=job.source_id,
        url=job.url,
        observed=NOTHING_OBSERVED,
        stored_before=True,
        asked_at=poll.answer.asked_at,
        known=known,
        roster=roster,
        origin=origin,
    )
    draft.note(Code.COMPLETE_ENTRY, awaited.id, because=_because(poll))
    draft.completed.append(CompletedEntry(id=awaited.id, entry=merged))
    links = [link] if (link := dedupe_link(merged)) else []
    one = Newcomer(merged, key_form(listed.key), awaited.date, limited=awaited.limited)
    NewEntries(draft, links).complete(one, awaited.id, backfill=awaited.backfill)
    answered = bool(poll.feed.entries)
    return Completion(job=job, asked_at=poll.answer.asked_at, entries=draft.changes(), answered=answered)


def merged(listed: Entry, poll: Gathered[DetailJob]) -> Entry:
    """Return an entry with what its detail says: texts of the detail win, dates only move back (I45)."""
    told = next(iter(poll.feed.entries), None)
    if told is None:
        return listed
    listed = listed.as_told
    entry = with_article(listed, told) if poll.job.reading.is_article else _with_detail(listed, told)
    entry = replace(entry, digest=digest_of(entry), text_digest=text_digest_of(entry))
    source = poll.job.source
    return rewritten(entry, source.rewrite, source.reading.allow_classes) if source.rewrite else entry


def _with_detail(listed: Entry, told: Entry) -> Entry:
    return replace(
        listed,
        title=told.title or listed.title,
        link=told.link or listed.link,
        summary=told.summary or listed.summary,
        content=told.content or listed.content,
        cleaned=(*told.cleaned, *listed.cleaned),
        text=told.text if told.content else listed.text or told.text,
        authors=told.authors or listed.authors,
        tags=told.tags or listed.tags,
        published=_earlier(told.published, listed.published),
        updated=told.updated or listed.updated,
        language=listed.language or told.language,
    )


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((when for when in (one, other) if when is not None), default=None)


def _because(poll: Gathered[DetailJob]) -> str:
    is_article = poll.job.reading.is_article
    if poll.feed.entries:
        return "its article came" if is_article else "its detail came"
    if isinstance(poll.answer, Failed):
        return poll.answer.text
    return "; ".join(poll.feed.left_out)[:500] if is_article else "its detail is empty"
