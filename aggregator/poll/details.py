"""Settles details, within the transaction of their group, and ends the wait of entries without one.

Each has a savepoint of its own, after the polls of sources: details meet what lists of the same group brought.
"""

from dataclasses import replace

from aggregator.clock import Clock
from aggregator.decide.detail import complete, merged, retry
from aggregator.decide.document import origin_of
from aggregator.in_force import InForce
from aggregator.model.changes import Completion
from aggregator.model.entry import NO_NEWS, Entry
from aggregator.model.job import DetailJob, Gathered
from aggregator.model.poll import Failed
from aggregator.model.settings import Roster
from aggregator.poll.corrections import merge_unseen_stories
from aggregator.store.database import Store
from aggregator.store.transaction import Transaction

GROUP = 100  # entries in one transaction


def settle_detail(tx: Transaction, poll: Gathered[DetailJob], roster: Roster) -> Completion:
    """Decide and store what came of a request for a detail.

    An entry that no longer waits, since it was completed or withdrawn meanwhile, is left as it is: nothing is published
    twice.
    """
    listed = tx.details.entry(poll.job.awaited.id)
    if listed is None:
        done = Completion(job=poll.job, asked_at=poll.answer.asked_at)
        tx.apply(done)
        return done
    done = retry(poll) or _completed(tx, poll, listed, roster)
    if not _write(tx, done):  # the entry waits on, and is tried again as after a crash
        return Completion(job=poll.job, asked_at=poll.answer.asked_at, code="internal", error="the store refused it")
    tx.finish(*merge_unseen_stories(tx, done.entries.merge_candidates, roster, done.asked_at))
    return done


def end_waits(store: Store, in_force: InForce, clock: Clock) -> int:
    """Publish entries without their detail, if no detail will come any more; return how many.

    These are the entries of a source that has no details any more or is paused, and any that waited for a day.
    """
    with store.read() as tx:
        lapsed = tx.details.lapsed(clock(), in_force.roster.sources)
    for start in range(0, len(lapsed), GROUP):
        with store.begin() as tx:
            for job in lapsed[start : start + GROUP]:
                failed = Failed(asked_at=clock(), code="timeout", text="its detail was not fetched within a day")
                listed = tx.details.entry(job.awaited.id)
                if listed is not None:
                    done = _completed(tx, Gathered(job, failed), listed, in_force.roster)
                    _write(tx, done)
                    merged_now = merge_unseen_stories(tx, done.entries.merge_candidates, in_force.roster, done.asked_at)
                    tx.finish(*merged_now)
    if lapsed:
        in_force.complete()  # items may have named categories
    return len(lapsed)


def _write(tx: Transaction, done: Completion) -> bool:
    """Write a completion; return whether the store took it."""
    with tx.savepoint("store_detail", source=done.job.source.key) as savepoint:
        tx.apply(done)
    return savepoint.is_kept


def _completed(tx: Transaction, poll: Gathered[DetailJob], listed: Entry, roster: Roster) -> Completion:
    entry = merged(listed, poll)
    known = tx.known(poll.job, replace(NO_NEWS, entries=(entry,)), poll.answer.asked_at)
    origin = origin_of(poll.job.source, NO_NEWS, known.store_uuid)
    return complete(poll, listed, entry, known, roster, origin)
