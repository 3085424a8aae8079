"""Decides a poll that brought a document, and the release of held entries. Pure."""

from dataclasses import replace
from datetime import datetime

from aggregator.cadence import later_arrivals
from aggregator.decide.draft import draft_of
from aggregator.decide.entries import decide_entries, released
from aggregator.decide.new_entries import NewEntries
from aggregator.decide.order import believed
from aggregator.decide.source_health import Findings
from aggregator.decide.source_state import source_update, update_events
from aggregator.decide.suspect import doubt_of, identity_of
from aggregator.identify.budget import Budget
from aggregator.identify.ids import minted_id
from aggregator.identify.matching import dedupe_link
from aggregator.model.changes import NOTHING_CHANGED, Changes, EntryChanges, Read
from aggregator.model.entry import NO_NEWS, Feed, Origin
from aggregator.model.event import Code, Event
from aggregator.model.job import Gathered, SourceJob
from aggregator.model.known import Known
from aggregator.model.observed import Observed
from aggregator.model.outline import Outline
from aggregator.model.poll import Fetched
from aggregator.model.settings import Kind, Roster, Source
from aggregator.model.window import pack
from aggregator.text.iris import is_identifier


def decide_document(poll: Gathered[SourceJob], known: Known, roster: Roster, budget: Budget | None = None) -> Changes:
    """Return the changes of a poll that brought a document; see `decide`."""
    due, answer = poll.job, poll.answer
    feed = poll.feed
    origin = origin_of(due.source, feed, known.store_uuid)
    entries, findings = decide_entries(due, feed, answer.asked_at, known, roster, origin, budget)
    arrivals = _arrivals(due, feed, entries, answer.asked_at)
    findings = replace(findings, is_same_feed=_is_same_feed(due, feed, known))
    move = source_update(poll, roster, arrivals, findings)
    outlines: tuple[Outline, ...] | None = None
    doubt: tuple[str, ...] = ()
    doubts: tuple[Event, ...] = ()
    if due.source.reading.kind is Kind.OPML:
        because = doubt_of(due.source, feed, known.outlines)
        move = replace(move, observed=replace(move.observed, list_doubt=because))
        if because is None:
            outlines = feed.outlines if feed.outlines != known.outlines else None
        else:  # without validators, the next poll fetches the list in full
            move, doubt = replace(move, validators=None, body_digest=None), (because,)
            if due.observed.list_doubt is None:
                doubts = (Event(code=Code.DOUBT_LIST, source=due.source_id, facts={"because": because}),)
    window, whole = _window(feed, findings, move.observed)
    left_out = tuple(Event(code=Code.LEAVE_OUT, source=due.source_id, facts={"entry": name}) for name in feed.left_out)
    return Changes(
        job=due,
        asked_at=answer.asked_at,
        update=move,
        read=Read(
            origin=origin,
            format=feed.format,
            encoding=feed.encoding,
            notices=doubt + feed.notices + feed.left_out,
            hints=feed.hints,
            arrivals=arrivals,
            newest=max(_dates(feed, answer.asked_at), default=None),
            identity=identity_of(feed) if feed.entries or known.identity is None else known.identity,
            listed=findings.listed,
            window=window,
            whole=whole,
            body=answer.packed if isinstance(answer, Fetched) and entries != NOTHING_CHANGED else None,
        ),
        entries=entries,
        outlines=outlines,
        events=update_events(due, move) + doubts + left_out,
    )


def _arrivals(due: SourceJob, feed: Feed, entries: EntryChanges, asked_at: datetime) -> tuple[datetime, ...]:
    """Return the arrival times with those of new entries: their own dates at a first poll, else its time (P62)."""
    if due.stored_before:
        return later_arrivals(due.arrivals, [asked_at] if entries.new else [])
    return later_arrivals((), [min(when, asked_at) for when in _dates(feed, asked_at)])


def _dates(feed: Feed, asked_at: datetime) -> list[datetime]:
    """Return the dates of entries that have one, as far as they are believed (I42)."""
    own = (believed(entry.published or entry.updated, asked_at) for entry in feed.entries)
    return [when for when in own if when is not None]


def _window(feed: Feed, findings: Findings, observed: Observed) -> tuple[bytes | None, str]:
    """Return the items that the next reading may leave out, and why a document is read whole, empty if it is not.

    None may be left out of a source whose ids, dates or fields are in doubt, and of one that broke off: its next
    document is compared as a whole with the one before.
    """
    listing = feed.listing
    if not listing.context:
        return None, listing.whole
    doubts = observed.by_link, observed.by_text, observed.rekeyed_times, observed.redated_times, observed.suspect_since
    if any((*doubts, observed.lost, observed.broken_walks, observed.cut_digest)):
        return None, "doubted"
    return pack(listing.context, findings.window), listing.whole


def _is_same_feed(due: SourceJob, feed: Feed, known: Known) -> bool:
    """Return whether a document evidently belongs to the stored feed, wherever it came from (P40)."""
    if not due.stored_before:
        return True
    before = known.identity.id if known.identity else None
    return bool(known.entries or known.matched) or (feed.id is not None and feed.id == before)


def release(due: SourceJob, at: datetime, known: Known, roster: Roster, *, by: str) -> EntryChanges:
    """Publish the held entries of a source, because it is what it claims to be (R44).

    Args:
        due: the source; its state is up to the caller.
        at: the time of the release, which they are published with (M1).
        known: what the store knows of what is held.
        roster: the sources and categories as feeds.yaml has them.
        by: who says so, for the trail: `time`, or `operator`.
    """
    draft = draft_of(due, at, known, roster, origin_of(due.source, NO_NEWS, known.store_uuid))
    draft.note(Code.CLEAR_SOURCE, by=by)
    news = released(draft, {}, all_of_them=True)
    news.sort(key=lambda one: one.date, reverse=True)
    links = [link for one in news if (link := dedupe_link(one.entry))]
    NewEntries(draft, links).add(news)
    return draft.changes()


def origin_of(source: Source, feed: Feed, store_uuid: str) -> Origin:
    """Return the `atom:source` that credits a source in each of its entries (A9, A10).

    The settings on the day of publication decide which parts are shown, see `render/visibility.py` (S44).
    """
    address = source.safe_url if source.path is None else None
    return Origin(
        id=feed.id if feed.id and is_identifier(feed.id) else address or minted_id(store_uuid, source.key, ""),
        title=source.title or feed.title,
        updated=feed.updated,
        self_link=address,
        link=feed.link,
        authors=feed.authors,
        rights=feed.rights,
        icon=feed.icon,
        logo=feed.logo,
        tags=feed.tags,
    )
