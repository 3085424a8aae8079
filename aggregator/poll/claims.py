"""Claims of jobs of both kinds, and their undoing, within a transaction (R13)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from aggregator.model.job import DetailJob, Job, JobId, SourceJob
from aggregator.model.settings import Source, SourceKey
from aggregator.store.schedule import DueItem
from aggregator.store.transaction import Transaction


def claim(
    tx: Transaction, items: Sequence[DueItem], now: datetime, settings: Mapping[SourceKey, Source], *, spare: bool
) -> list[Job]:
    """Move due times ahead, and return the jobs that were claimed: sources first, then details.

    Args:
        tx: a writing transaction.
        items: the chosen jobs; those that somebody else has claimed since are left out.
        now: the time.
        settings: the sources of feeds.yaml; jobs of other sources are left alone.
        spare: leave out sources that ask not to be polled at this hour (P59).
    """
    sources = [item for item in items if item.id.kind == "source"]
    entries = [item for item in items if item.id.kind == "entry"]
    return [*tx.claims.claim(sources, now, settings, spare=spare), *tx.details.claim(entries, now, settings)]


def held(tx: Transaction, jobs: Iterable[Job]) -> set[JobId]:
    """Return the jobs whose claim still holds: their polls may be settled."""
    jobs = list(jobs)
    sources = tx.claims.held([job for job in jobs if isinstance(job, SourceJob)])
    entries = [job for job in jobs if isinstance(job, DetailJob)]
    held_entries = tx.details.held(entries) if entries else set()
    return {JobId("source", row) for row in sources} | {JobId("entry", row) for row in held_entries}


def give_back(tx: Transaction, jobs: Iterable[Job]) -> None:
    """Undo claims whose request did not leave, or that we cut ourselves (R54)."""
    jobs = list(jobs)
    tx.claims.give_back([job for job in jobs if isinstance(job, SourceJob)])
    tx.details.give_back([job for job in jobs if isinstance(job, DetailJob)])


def put_off(tx: Transaction, jobs: Sequence[tuple[Job, datetime]]) -> None:
    """Move due times on from when each request left, counters untouched: the network kept it from its host (P87)."""
    tx.claims.put_off([(job, at) for job, at in jobs if isinstance(job, SourceJob)])
    tx.details.put_off([(job, at) for job, at in jobs if isinstance(job, DetailJob)])
