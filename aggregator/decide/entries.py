"""What becomes of each entry of a document: new, revised, same, rejected; which story it tells, and where that stands.

One document, one pass, in the order in which its news will be published (M1), so that what is decided for one entry is
known when the next one is looked at.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime

from aggregator.decide.changed_ids import DATE_MOVED, is_date_moved, is_rekeyed
from aggregator.decide.draft import Draft, Findings, draft_of
from aggregator.decide.limits import Newcomer
from aggregator.decide.losses import HOLDING, forgone_fields, is_held_for_loss, lost_since, missing_fields
from aggregator.decide.new_entries import FLOOD, Fresh
from aggregator.decide.order import believed, newest_first, own_dates
from aggregator.decide.revisions import Revisions, is_redated
from aggregator.decide.source_health import is_walked_again
from aggregator.decide.suspect import identity_of, is_itself, suspect_since
from aggregator.decide.withdrawals import Withdrawals, relisted_at, without
from aggregator.identify.budget import Budget
from aggregator.identify.keys import key_form
from aggregator.identify.matching import dedupe_link
from aggregator.model.changes import Alias, EntryChanges, ReleasedEntry
from aggregator.model.entry import Entry, Feed, KeyRule, Origin
from aggregator.model.event import Code
from aggregator.model.job import SourceJob
from aggregator.model.known import EntryState, Identity, Known, KnownEntry
from aggregator.model.settings import Roster

TEMPLATE_MIN = 10  # that many entries, and over half of a document, changed at once: a template did (R47)


def decide_entries(
    due: SourceJob,
    feed: Feed,
    asked_at: datetime,
    known: Known,
    roster: Roster,
    origin: Origin,
    budget: Budget | None = None,
) -> tuple[EntryChanges, Findings]:
    """Say what becomes of the entries of a document that was read, and what it showed of its source.

    Args:
        due: the source and its settings.
        feed: cleaned and identified.
        asked_at: when the poll's request left.
        known: what the store knows that bears on these entries.
        roster: the sources and categories as feeds.yaml has them.
        origin: the `atom:source` for entries that carry none.
        budget: what comparing them with those of other sources may cost; a new one if None.

    Raises:
        CutShort: the program stops.
    """
    work = draft_of(due, asked_at, known, roster, origin)
    withdrawals = Withdrawals(work)
    entries = without(feed.entries, withdrawals.take_back(feed))
    document = [(key_form(entry.key), entry) for entry in entries]
    _rename(work, document)
    listed = _listed(known, document, work.taken_back, asked_at)
    as_kept = _revise(work, list(listed.values()), len(document))
    for number, (before, entry) in listed.items():
        if (updated := relisted_at(before, entry, asked_at)) is not None:
            withdrawals.relist(as_kept.get(number, before), updated)
    since = suspect_since(due, feed, known, asked_at)
    _note_suspicion(work, feed, since)
    lacks = _note_losses(work)
    fallback = believed(feed.updated, asked_at) or asked_at
    dates = own_dates(entries, fallback=fallback, asked_at=asked_at)
    placed = [(*document[place], dates[place]) for place in newest_first(dates)]
    news = [Newcomer(entry, form, date) for form, entry, date in placed if _stored(known, form) is None]
    flooded = len(news) > FLOOD and due.stored_before
    if flooded:
        work.note(Code.FLOOD, new=len(news))
    overflowed = bool(news) and len(news) == len(document) and due.stored_before and since is None
    if overflowed:
        work.note(Code.OVERFLOW, new=len(news))
    if since is None and not lacks and known.held:
        is_proven = bool(known.lost) if due.observed.suspect_since is None else not is_itself(known)
        news += released(work, {before.id: entry for before, entry in listed.values()}, all_of_them=is_proven)
        news.sort(key=lambda one: one.date, reverse=True)
    links = [link for one in news if (link := dedupe_link(one.entry))]
    Fresh(work, links, budget).add(news, hold="suspect" if since is not None else lacks)
    is_as_before = since is not None or not document or is_walked_again(due, feed)
    return work.changes(), Findings(
        rekeyed=is_rekeyed({form: one for form, one in known.partners.items() if one.because != DATE_MOVED}, document),
        redated=is_date_moved(known.partners),
        overflowed=overflowed,
        flooded=flooded,
        unfiled=work.filing.is_short,
        suspect_since=since,
        lost=known.lost if document else None,
        forgone=forgone_fields(missing_fields(due.source, entries), due.observed),
        listed=None if is_as_before else tuple(_numbers(work, document)),
    )


def _stored(known: Known, form: str) -> KnownEntry | None:
    """Give the stored entry that a form names, under its key or any other id."""
    partner = known.partners.get(form)
    return known.entries.get(form) or (partner.entry if partner else None)


def _rename(work: Draft, document: Sequence[tuple[str, Entry]]) -> None:
    """Give known entries the other ids under which they came, and ids that name another article now to that (I35)."""
    for form, entry in document:
        other, partner = work.known.reused.get(form), work.known.partners.get(form)
        if other is not None:
            work.note(Code.REUSE_ID, other.id, other.story, key=entry.key, title=entry.title)
            if other.form == form:
                work.retired.append(other.id)
        if partner is not None:
            known = partner.entry
            work.note(Code.REKEY_ENTRY, known.id, known.story, key=entry.key, because=partner.because)
            work.aliases.append(Alias(form, entry.key, known.id))


def _listed(
    known: Known, document: Sequence[tuple[str, Entry]], taken_back: Collection[int], asked_at: datetime
) -> dict[int, tuple[KnownEntry, Entry]]:
    """Give the known entries of a document by their ids; of one that stands there under two, what its own key says."""
    found: dict[int, tuple[KnownEntry, Entry]] = {}
    for form, entry in document:
        before = _stored(known, form)
        if before is None or before.id in taken_back:
            continue  # nobody sees it, whatever is said under another id
        if before.state is EntryState.WITHDRAWN and relisted_at(before, entry, asked_at) is None:
            continue
        if before.id not in found or before.form == form:
            found[before.id] = before, entry
    return found


def _revise(work: Draft, listed: Sequence[tuple[KnownEntry, Entry]], size: int) -> dict[int, KnownEntry]:
    """Store what known entries say otherwise now; give those, as they are kept to be shown, by their ids."""
    revisions = Revisions(work)
    revised = [(before, entry) for before, entry in listed if before.digest != entry.told_digest]
    for before, entry in listed:
        if before.digest == entry.told_digest and is_redated(before, entry):
            revisions.redate(before, entry)
    template = len(revised) >= TEMPLATE_MIN and 2 * len(revised) > size
    if template or (revised and work.observed.reread):
        work.note(Code.TEMPLATE, revised=len(revised))
    renamed = {partner.entry.id for partner in work.known.partners.values()}  # its dates stay as they are (I35)
    known_again = renamed if not work.observed.reread else {before.id for before, _ in revised}
    return {
        before.id: revisions.revise(before, entry, template=template or before.id in known_again)
        for before, entry in revised
    }


def _note_suspicion(work: Draft, feed: Feed, since: datetime | None) -> None:
    before, known = work.observed.suspect_since, work.known
    if since is not None and since != before:
        then, now = known.identity or Identity(), identity_of(feed)
        work.note(Code.SUSPECT_SOURCE, before=asdict(then), after=asdict(now))
    elif since is None and before is not None:
        work.note(Code.CLEAR_SOURCE, by="itself" if is_itself(known) else "time")


def _note_losses(work: Draft) -> str:
    """Note in the trail which fields are lost; return why new entries are held for it, empty if they are not."""
    observed, lost = work.observed, work.known.lost
    if lost != observed.lost:
        work.note(Code.LOSE_FIELDS, fields=list(lost))
    if is_held_for_loss(lost, lost_since(lost, observed, work.asked_at), work.asked_at):
        return f"no entry of its source has a {' or '.join(name for name in lost if name in HOLDING)} any more"
    return ""


def released(work: Draft, listed: Mapping[int, Entry], *, all_of_them: bool) -> list[Newcomer]:
    """Give what was held of a source that is believed again, to be published now; the rest is dropped (R44).

    Args:
        work: what is known, and where decisions go.
        listed: the entries of the document at hand, by the ids of those that are known.
        all_of_them: the source is what it claims to be; else it is the one from before, and what came in between is its
            own only as far as it lists that too.
    """
    news = []
    for held in work.known.held:
        if held.id in work.taken_back:
            continue
        entry = listed.get(held.id, held.entry)
        is_own = not work.observed.suspect_since and held.entry.key_rule is KeyRule.ID  # it lacked a field, no id
        if all_of_them or is_own or held.id in listed:
            date = believed(entry.published or entry.updated, work.asked_at) or work.asked_at
            news.append(Newcomer(entry, held.form, date, held.id))
        else:
            work.note(Code.DROP_ENTRY, held.id)
            work.released.append(ReleasedEntry(id=held.id, form=held.form, state=EntryState.KNOWN))
    return news


def _numbers(work: Draft, document: Sequence[tuple[str, Entry]]) -> Iterator[int]:
    """Give the ids of the entries that a document lists."""
    new = {item.form: item.id for item in work.new}
    for form, _ in document:
        before = _stored(work.known, form)
        if before is not None:
            yield before.id
        elif form in new:
            yield new[form]
