"""Decides on each entry of a document: new, revised, unchanged or rejected; its story and publications.

One pass over the document in the order in which new entries are published (M1), so that each decision sees the ones
before it.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime

from aggregator.decide.changed_ids import DATE_MOVED, is_date_moved, is_rekeyed
from aggregator.decide.draft import Draft, draft_of
from aggregator.decide.limits import Newcomer
from aggregator.decide.losses import HOLDING, forgone_fields, is_held_for_loss, lost_since, missing_fields
from aggregator.decide.new_entries import NewEntries
from aggregator.decide.order import believed, newest_first, own_dates
from aggregator.decide.revisions import Revisions, is_redated
from aggregator.decide.source_health import Findings, is_walked_again
from aggregator.decide.suspect import identity_of, is_itself, suspect_since
from aggregator.decide.withdrawals import Withdrawals, relisted_at, without
from aggregator.identify.budget import Budget
from aggregator.identify.keys import key_form
from aggregator.identify.matching import dedupe_link
from aggregator.model.alarm import FLOOD
from aggregator.model.changes import Alias, EntryChanges, ReleasedEntry
from aggregator.model.entry import Entry, Feed, KeyRule, Origin
from aggregator.model.event import Code
from aggregator.model.job import SourceJob
from aggregator.model.known import EntryState, Identity, Known, KnownEntry, ListedEntry
from aggregator.model.settings import Kind, Roster
from aggregator.model.window import Item, form_of, state_of

TEMPLATE_MIN = 10  # so many entries, and over half of a document, changed at once: its template did (R47)

_MOVING = (EntryState.HELD, EntryState.WITHDRAWN, EntryState.WAITING)  # what an unchanged item means depends on time


def decide_entries(
    due: SourceJob,
    feed: Feed,
    asked_at: datetime,
    known: Known,
    roster: Roster,
    origin: Origin,
    budget: Budget | None = None,
) -> tuple[EntryChanges, Findings]:
    """Decide on the entries of a document, and return what it showed of its source.

    Args:
        due: the source and its settings.
        feed: cleaned and identified.
        asked_at: when the request was sent.
        known: what the store knows around these entries.
        roster: the sources and categories as feeds.yaml has them.
        origin: the `atom:source` of entries without their own.
        budget: limits the cost of comparing entries with those of other sources; a new one if None.

    Raises:
        CutShort: the program stops.
    """
    draft = draft_of(due, asked_at, known, roster, origin)
    withdrawals = Withdrawals(draft)
    entries = without(feed.entries, withdrawals.take_back(feed))
    document = [(key_form(entry.key), entry) for entry in entries]
    _rename(draft, document)
    listed = _listed(known, document, draft.taken_back, asked_at)
    as_kept = _revise(draft, list(listed.values()), len(document))
    for number, (before, entry) in listed.items():
        if (updated := relisted_at(before, entry, asked_at)) is not None:
            withdrawals.relist(as_kept.get(number) or known.changing[number], updated)
    since = suspect_since(due, feed, known, asked_at)
    _note_suspicion(draft, feed, since)
    lacks = _note_losses(draft)
    fallback = believed(feed.updated, asked_at) or asked_at
    dates = own_dates(entries, fallback=fallback, asked_at=asked_at)
    placed = [(*document[place], dates[place]) for place in newest_first(dates)]
    news = [Newcomer(entry, form, date) for form, entry, date in placed if _stored(known, form) is None]
    flooded = len(news) > FLOOD and due.stored_before
    if flooded:
        draft.note(Code.FLOOD, new=len(news))
    tells_all = due.source.reading.kind is not Kind.COMMAND  # a program is told what it need not tell again
    overflowed = bool(news) and len(news) == len(document) and due.stored_before and since is None and tells_all
    if overflowed:
        draft.note(Code.OVERFLOW, new=len(news))
    if since is None and not lacks and known.held:
        is_proven = bool(known.lost) if due.observed.suspect_since is None else not is_itself(known)
        news += released(draft, {before.id: entry for before, entry in listed.values()}, all_of_them=is_proven)
        news.sort(key=lambda one: one.date, reverse=True)
    links = [link for one in news if (link := dedupe_link(one.entry))]
    NewEntries(draft, links, budget).add(news, hold="suspect" if since is not None else lacks)
    is_as_before = since is not None or not document or is_walked_again(due, feed)
    return draft.changes(), Findings(
        rekeyed=is_rekeyed({form: one for form, one in known.matched.items() if one.because != DATE_MOVED}, document),
        redated=is_date_moved(known.matched),
        overflowed=overflowed,
        flooded=flooded,
        unfiled=draft.filing.is_short,
        suspect_since=since,
        lost=known.lost if document else None,
        forgone=forgone_fields(missing_fields(due.source, entries, feed.listing.fields), due.observed),
        window=tuple(_window(draft, feed, document)),
        listed=None if is_as_before else tuple(_numbers(draft, document)),
    )


def _stored(known: Known, form: str) -> ListedEntry | None:
    """Return the stored entry with a key hash, under its own key or another id."""
    partner = known.matched.get(form)
    return known.entries.get(form) or (partner.entry if partner else None)


def _rename(draft: Draft, document: Sequence[tuple[str, Entry]]) -> None:
    """Note other ids of known entries, and ids that name another entry now (I35)."""
    for form, entry in document:
        other, partner = draft.known.reused.get(form), draft.known.matched.get(form)
        if other is not None:
            draft.note(Code.REUSE_ID, other.id, other.story, key=entry.key, title=entry.title)
            if other.form == form:
                draft.retired.append(other.id)
        if partner is not None:
            known = partner.entry
            draft.note(Code.REKEY_ENTRY, known.id, known.story, key=entry.key, because=partner.because)
            draft.aliases.append(Alias(form, entry.key, known.id))


def _listed(
    known: Known, document: Sequence[tuple[str, Entry]], taken_back: Collection[int], asked_at: datetime
) -> dict[int, tuple[ListedEntry, Entry]]:
    """Return the known entries of a document by id; of one listed under two ids, the content under its key."""
    found: dict[int, tuple[ListedEntry, Entry]] = {}
    for form, entry in document:
        before = _stored(known, form)
        if before is None or before.id in taken_back:
            continue  # withdrawn, whatever another id says
        if before.state is EntryState.WITHDRAWN and relisted_at(before, entry, asked_at) is None:
            continue
        if before.id not in found or before.form == form:
            found[before.id] = before, entry
    return found


def _revise(draft: Draft, listed: Sequence[tuple[ListedEntry, Entry]], size: int) -> dict[int, KnownEntry]:
    """Store the revisions of known entries; return the entries as they are shown from now on, by id."""
    revisions, changing = Revisions(draft), draft.known.changing
    revised = [(changing[before.id], entry) for before, entry in listed if before.digest != entry.told_digest]
    for before, entry in listed:
        if before.digest == entry.told_digest and is_redated(before, entry):
            revisions.redate(changing[before.id], entry)
    template = len(revised) >= TEMPLATE_MIN and 2 * len(revised) > size
    if template or (revised and draft.observed.reread):
        draft.note(Code.TEMPLATE, revised=len(revised))
    renamed = {partner.entry.id for partner in draft.known.matched.values()}  # their dates stay (I35)
    known_again = renamed if not draft.observed.reread else {before.id for before, _ in revised}
    return {
        before.id: revisions.revise(before, entry, template=template or before.id in known_again)
        for before, entry in revised
    }


def _note_suspicion(draft: Draft, feed: Feed, since: datetime | None) -> None:
    before, known = draft.observed.suspect_since, draft.known
    if since is not None and since != before:
        then, now = known.identity or Identity(), identity_of(feed)
        draft.note(Code.SUSPECT_SOURCE, before=asdict(then), after=asdict(now))
    elif since is None and before is not None:
        draft.note(Code.CLEAR_SOURCE, by="itself" if is_itself(known) else "time")


def _note_losses(draft: Draft) -> str:
    """Note in an event which fields are lost; return why new entries are held for it, empty if they are not."""
    observed, lost = draft.observed, draft.known.lost
    if lost != observed.lost:
        draft.note(Code.LOSE_FIELDS, fields=list(lost))
    if is_held_for_loss(lost, lost_since(lost, observed, draft.asked_at), draft.asked_at):
        return f"no entry of its source has a {' or '.join(name for name in lost if name in HOLDING)} any more"
    return ""


def released(draft: Draft, listed: Mapping[int, Entry], *, all_of_them: bool) -> list[Newcomer]:
    """Return the held entries of a source that is believed again, to be published now; the others are dropped (R44).

    Args:
        draft: what is known, and where decisions go.
        listed: the entries of the document at hand, by the ids of those that are known.
        all_of_them: the source is what it claims to be; else it is the one from before, and what came in between is its
            own only as far as it lists that too.
    """
    news = []
    for held in draft.known.held:
        if held.id in draft.taken_back:
            continue
        entry = listed.get(held.id, held.entry)
        is_own = not draft.observed.suspect_since and held.entry.key_rule is KeyRule.ID  # it lacked a field, no id
        if all_of_them or is_own or held.id in listed:
            date = believed(entry.published or entry.updated, draft.asked_at) or draft.asked_at
            news.append(Newcomer(entry, held.form, date, held.id))
        else:
            draft.note(Code.DROP_ENTRY, held.id)
            draft.released.append(ReleasedEntry(id=held.id, form=held.form, state=EntryState.KNOWN))
    return news


def _window(draft: Draft, feed: Feed, document: Sequence[tuple[str, Entry]]) -> Iterator[Item]:
    """Yield the items of a document whose entries the store has as they stand there, once the changes are written.

    A later document that lists them with the same bytes changes nothing about them.
    """
    listing = feed.listing
    if not listing.context:
        return
    seen = dict(listing.seen)
    new = {item.form: item for item in draft.new if item.state not in _MOVING}
    for form, entry in document:
        before, added, item = draft.known.entries.get(form), new.get(form), seen.get(entry.position)
        number = 0
        if added is not None:
            number = added.id
        elif before is not None and before.form == form and _is_as_stored(before, entry):
            number = before.id
        if number and item is None:
            item = Item(
                mark=listing.marks[entry.position],
                form=form_of(form),
                state=state_of(entry.told_digest, entry.published, entry.updated),
                entry=number,
                fields=_fields(entry.as_told),
                by_link=entry.key_rule is KeyRule.LINK,
            )
        if number and item is not None and item.fits:
            yield item


def _is_as_stored(before: ListedEntry, entry: Entry) -> bool:
    has_same_dates = (before.published, before.updated) == (entry.published, entry.updated)
    return has_same_dates and before.state not in _MOVING and before.digest == entry.told_digest


def _fields(entry: Entry) -> int:
    """Return which of `FIELDS` an entry has, a bit each."""
    has = (entry.link, entry.title, entry.published or entry.updated, entry.summary or entry.content)
    return sum(bool(value) << place for place, value in enumerate(has))


def _numbers(draft: Draft, document: Sequence[tuple[str, Entry]]) -> Iterator[int]:
    """Yield the ids of the entries that a document lists."""
    new = {item.form: item.id for item in draft.new}
    for form, _ in document:
        before = _stored(draft.known, form)
        if before is not None:
            yield before.id
        elif form in new:
            yield new[form]
