"""Requests of operators, carried out by the process that holds the store, each in one transaction with its effect
(R27).

A command stores a request and waits; if no other process holds the store, the command carries it out itself. After a
crash in between, the next holder finds the request. A request is marked as done in the transaction that did it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from logging import getLogger
from typing import Any

from aggregator.clock import Clock
from aggregator.decide.corrections import forget, merge, merge_unseen, restore, retract, unmerge
from aggregator.decide.document import origin_of, release
from aggregator.decide.draft import draft_of
from aggregator.decide.rules_again import Reapplied, carry_out, has_rules, reapply
from aggregator.errors import CorrectionRefused, StoreError
from aggregator.model.changes import Correction, EntryChanges
from aggregator.model.correction import Act, Outcome, Request, StoryMembers
from aggregator.model.entry import NO_NEWS
from aggregator.model.event import Code, Event
from aggregator.model.job import SourceJob
from aggregator.model.naming import name_of_source
from aggregator.model.settings import CategoryKey, Roster, Source, SourceKey
from aggregator.model.tokens import PrivateRedactor
from aggregator.store.database import Store
from aggregator.store.private_redactor import redactor_of_private
from aggregator.store.transaction import Transaction

log = getLogger(__name__)


def run_pending_requests(store: Store, roster: Roster, clock: Clock) -> int:
    """Carry out pending requests, oldest first; return how many there were.

    A request that can't be carried out is refused with the reason; an invalid one harms no other.

    Raises:
        StoreError: our side failed; requests that were not carried out still wait.
    """
    with store.read() as tx:
        waiting = tx.corrections.pending()
        redactor = redactor_of_private(tx, roster.sources.values()) if waiting else PrivateRedactor(())
    for request in waiting:
        try:
            with store.begin() as tx:
                outcome = _carry_out(tx, request, roster, clock())
        except CorrectionRefused as refusal:
            outcome = Outcome(done=False, said=str(refusal))
        except StoreError:
            raise
        except Exception as error:  # a bug of ours, or a request that another version of the program wrote
            log.exception("crash_request", extra={"request": request.id, "command": request.command})
            outcome = Outcome(done=False, said=f"a fault of ours, please report it: {type(error).__name__}: {error}")
        if not outcome.done:
            with store.begin() as tx:
                tx.corrections.finish(request, outcome, clock())
        facts: dict[str, object] = {"request": request.id, "command": request.command, "done": outcome.done}
        facts["said"] = redactor.text(outcome.said)
        log.info("take_request", extra=facts)
    return len(waiting)


def merge_unseen_stories(
    tx: Transaction, candidates: Sequence[tuple[int, int]], roster: Roster, now: datetime
) -> list[Correction]:
    """Merge stories that turned out to be one before any subscriber has seen both, in the same transaction (T6).

    Returns:
        The corrections whose rows are written; the caller finishes them (`Transaction.finish`).
    """
    merged_now = []
    for kept, merged in candidates:
        changes = merge_unseen(tx.members({kept, merged}), kept, merged, now=now, roster=roster)
        if changes is not None:
            with tx.savepoint("store_correction") as savepoint:
                tx.write(correction := Correction(at=now, entries=changes))
            merged_now += [correction] if savepoint.is_kept else []
    return merged_now


def _carry_out(tx: Transaction, request: Request, roster: Roster, now: datetime) -> Outcome:
    """Carry out a request and store its outcome, in one transaction."""
    act = _ACTS.get(request.command)
    if act is None:
        raise CorrectionRefused(f"this version of the program knows no request {request.command!r}")
    effect = act(tx, request.arguments, roster, now)
    outcome = Outcome(done=True, said=effect.said, facts=effect.facts)
    if tx.corrections.finish(request, outcome, now):
        effect.write(request)
    return outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class _Effect:
    """The effect of a request, decided and not yet written."""

    said: str
    facts: dict[str, Any]
    write: Callable[[Request], None]


def _correction(tx: Transaction, said: str, changes: EntryChanges, known: StoryMembers, now: datetime) -> _Effect:
    def write(request: Request) -> None:
        signed = replace(changes, events=tuple(_signed(event, request) for event in changes.events))
        with tx.savepoint("store_correction") as savepoint:
            tx.apply(Correction(at=now, entries=signed))
        if not savepoint.is_kept:
            raise RuntimeError("the store refused the changes that it makes")

    return _Effect(said=said, facts=_facts(changes, known), write=write)


def _signed(event: Event, request: Request) -> Event:
    return replace(event, facts=event.facts | {"request": request.id})


def _merge(tx: Transaction, arguments: Mapping[str, Any], roster: Roster, now: datetime) -> _Effect:
    kept, merged = _number(arguments, "story"), _number(arguments, "other")
    known = tx.members({kept, merged})
    changes = merge(known, kept, merged, now=now, roster=roster)
    said = f"merged {known.stories[merged].atom_id} into {known.stories[kept].atom_id}"
    return _correction(tx, said, changes, known, now)


def _unmerge(tx: Transaction, arguments: Mapping[str, Any], roster: Roster, now: datetime) -> _Effect:
    number = _number(arguments, "story")
    entry = None if arguments.get("entry") is None else _number(arguments, "entry")
    known = tx.members({number})
    changes = unmerge(known, number, entry, now=now, roster=roster)
    ids = _ids(changes, known)
    parted = ", ".join(f"entry {moved.id} tells {ids[moved.story]} now" for moved in changes.moved)
    return _correction(tx, f"took {ids[number]} apart: {parted}", changes, known, now)


def _retract(tx: Transaction, arguments: Mapping[str, Any], roster: Roster, now: datetime) -> _Effect:
    number = _number(arguments, "story")
    known = tx.members({number})
    if arguments.get("undo"):
        changes = restore(known, number, now=now, roster=roster)
        atom_id = known.stories[number].atom_id
        said = f"{atom_id} stands again where it stood"
        if not changes.stories.shown and not changes.stories.publications:
            said = f"{atom_id} is retracted no more, but none of its entries is published now: it stands nowhere"
        return _correction(tx, said, changes, known, now)
    changes = retract(known, number, now=now, roster=roster)
    return _correction(tx, f"retracted {known.stories[number].atom_id}", changes, known, now)


def _forget(tx: Transaction, arguments: Mapping[str, Any], roster: Roster, now: datetime) -> _Effect:
    """Withdraw a story, and remove from the store what can be read of it."""
    number = _number(arguments, "story")
    known = tx.members({number})
    changes = forget(known, number, now=now, roster=roster)
    withdrawn = _correction(tx, f"forgot {known.stories[number].atom_id}", changes, known, now)
    entries = [entry.id for entry in known.members[number]]

    def write(request: Request) -> None:
        withdrawn.write(request)
        tx.retention.forget(number, entries)

    return replace(withdrawn, write=write, facts=withdrawn.facts | {"entries": entries})


def _accept(tx: Transaction, arguments: Mapping[str, Any], roster: Roster, now: datetime) -> _Effect:
    """Publish the entries held back of a source that is suspect (R44) or lost fields: the operator accepts it."""
    source = roster.sources.get(SourceKey(str(arguments.get("source"))))
    job = tx.claims.look_up(source) if source is not None else None
    if job is None:
        raise CorrectionRefused(f"{arguments.get('source')} is no source of feeds.yaml any more")
    if job.observed.suspect_since is None and not job.observed.lost:
        raise CorrectionRefused(f"{job.source.key} is not suspect, so nothing of it is held back")
    released = release(job, now, tx.known(job, NO_NEWS, now), roster, by="operator")

    def write(request: Request) -> None:
        events = (_signed(event, request) if event.code is Code.CLEAR_SOURCE else event for event in released.events)
        accepted = replace(released, events=tuple(events))
        tx.apply(Correction(at=now, entries=accepted, source=job.source_id, accepted=job))
        tx.finish(*merge_unseen_stories(tx, released.merge_candidates, roster, now))

    count = len(released.released)
    name = name_of_source(job.source, tx.sources.titles().get(job.source.key))
    said = f"{name} ({job.source.key}) is accepted: {count} {_entries(count)} held back until now"
    return _Effect(said=said, facts={"source": job.source.key, "released": count}, write=write)


def _rules(tx: Transaction, arguments: Mapping[str, Any], roster: Roster, now: datetime) -> _Effect:
    """Judge stored entries by the rules of feeds.yaml, source by source."""
    counts = {"published": 0, "withdrawn": 0, "moved": 0, "rewritten": 0}
    works: list[tuple[SourceJob, Mapping[CategoryKey, int], list[Reapplied]]] = []
    for source in _ruled(tx, roster):
        job = tx.claims.look_up(source)
        if job is None:
            continue
        numbers = {key: one.id for key, one in tx.known(job, NO_NEWS, now).categories.items()}
        changes = [
            change
            for part in tx.stored_entries.filed(job.source_id)
            for stored in part
            if (change := reapply(stored, source, roster, numbers)) is not None
        ]
        if changes:
            counts["published"] += sum(change.passes for change in changes)
            counts["withdrawn"] += sum(change.is_dropped for change in changes)
            counts["moved"] += sum(c.is_moved for c in changes)
            counts["rewritten"] += sum(change.is_rewritten for change in changes)
            works.append((job, numbers, changes))

    def write(request: Request) -> None:
        for job, numbers, changes in works:
            passing = [change.entry for change in changes if change.is_new]
            known = tx.known(job, NO_NEWS, now, also=passing)
            origin = origin_of(job.source, NO_NEWS, known.store_uuid)
            draft = draft_of(job, now, known, roster, origin)
            stories = {story for change in changes if (story := change.stored.known.story) is not None}
            carry_out(draft, changes, tx.members(stories), numbers)
            decided = draft.changes()
            tx.apply(Correction(at=now, entries=decided, source=job.source_id))
            tx.finish(*merge_unseen_stories(tx, decided.merge_candidates, roster, now))

    said = "; ".join(f"{count} {_entries(count)} {word}" for word, count in counts.items() if count)
    return _Effect(said=f"rules re-applied: {said or 'nothing changes'}", facts=counts, write=write)


def _ruled(tx: Transaction, roster: Roster) -> list[Source]:
    """Return the sources that have rules now, or had some when entries were stored."""
    had = set(tx.stored_entries.ruled_sources())
    return [source for key, source in roster.sources.items() if key in had or has_rules(source, roster)]


def _entries(count: int) -> str:
    return "entry" if count == 1 else "entries"


_ACTS: dict[str, Callable[[Transaction, Mapping[str, Any], Roster, datetime], _Effect]] = {
    Act.MERGE: _merge,
    Act.UNMERGE: _unmerge,
    Act.RETRACT: _retract,
    Act.FORGET: _forget,
    Act.ACCEPT: _accept,
    Act.RULES: _rules,
}


def _number(arguments: Mapping[str, Any], name: str) -> int:
    value = arguments.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise CorrectionRefused(f"the request names no {name}")
    return value


def _facts(changes: EntryChanges, known: StoryMembers) -> dict[str, Any]:
    """Return what changed, for `--json`."""
    ids = _ids(changes, known)
    touched = sorted({*known.members, *(moved.story for moved in changes.moved)})
    return {
        "stories": [{"story": number, "id": ids[number]} for number in touched],
        "moved": [{"entry": moved.id, "story": moved.story} for moved in changes.moved],
        "withdrawn": len(changes.stories.withdrawn),
    }


def _ids(changes: EntryChanges, known: StoryMembers) -> dict[int, str]:
    """Return the atom:id of each story that is involved, by its number."""
    ids = {number: story.atom_id for number, story in known.stories.items()}
    return ids | {story.id: story.atom_id for story in changes.stories.new}
