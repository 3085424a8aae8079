"""Claims of jobs of both kinds, and their undoing, within a transaction (R13)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from aggregator.model.job import DetailJob, Job, JobId, SourceJob
from aggregator.model.settings import Source, SourceKey
from aggregator.store.transaction import Transaction


def claim(
    tx: Transaction, ids: Sequence[JobId], now: datetime, settings: Mapping[SourceKey, Source], *, spare: bool
) -> list[Job]:
    """Move due times ahead, and return the jobs that were claimed: sources first, then details.

    Args:
        tx: a writing transaction.
        ids: the jobs to claim.
        now: the time.
        settings: the sources of feeds.yaml; jobs of other sources are left alone.
        spare: leave out sources that ask not to be polled at this hour (P59).
    """
    sources = [one.row for one in ids if one.kind == "source"]
    entries = [one.row for one in ids if one.kind == "entry"]
    return [*tx.claims.claim(sources, now, settings, spare=spare), *tx.details.claim(entries, now, settings)]


def give_back(tx: Transaction, jobs: Iterable[Job]) -> None:
    """Undo claims whose request did not leave, or that we cut ourselves (R54)."""
    jobs = list(jobs)
    tx.claims.give_back([job for job in jobs if isinstance(job, SourceJob)])
    tx.details.give_back([job for job in jobs if isinstance(job, DetailJob)])


def put_off(tx: Transaction, jobs: Sequence[tuple[Job, datetime]]) -> None:
    """Move due times on from when each request left, counters untouched: the network kept it from its host (P87)."""
    tx.claims.put_off([(job, at) for job, at in jobs if isinstance(job, SourceJob)])
    tx.details.put_off([(job, at) for job, at in jobs if isinstance(job, DetailJob)])
