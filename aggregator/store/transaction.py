"""Unit of work on the store: one object for each kind of record, and the operations that span several kinds.

An object such as `tx.sources` is created when it is first used. Its methods run statements and return records; none of
them begins or commits a transaction.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from logging import getLogger
from typing import TYPE_CHECKING

from sqlalchemy import Connection, RowMapping
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from aggregator.identify.budget import Budget
from aggregator.late import late
from aggregator.model.correction import StoryMembers
from aggregator.model.entry import Entry, Feed
from aggregator.model.job import DetailJob, Job, JobId, SourceJob
from aggregator.model.known import Known, KnownCategory
from aggregator.model.settings import CategoryKey, Roster, Source, SourceKey
from aggregator.store import categories, sources, stories
from aggregator.store.alarms import Alarms
from aggregator.store.apply import Act, finish, write
from aggregator.store.categories import Categories
from aggregator.store.claims import Claims
from aggregator.store.corrections import Corrections
from aggregator.store.details import Details
from aggregator.store.events import Events, write_events
from aggregator.store.history import Bodies, History
from aggregator.store.hosts import Hosts
from aggregator.store.hub_pings import HubPings
from aggregator.store.minhash_bands import Bands
from aggregator.store.output_list import Files
from aggregator.store.post_list import Posts
from aggregator.store.publications import Publications
from aggregator.store.queries import known_categories
from aggregator.store.retention import Retention
from aggregator.store.river import River
from aggregator.store.schedule import DueItem, Schedule
from aggregator.store.sources import Placed, Sources
from aggregator.store.store_row import StoreRow
from aggregator.store.stories import Stories
from aggregator.store.story_pages import Pages
from aggregator.urls import Url

if TYPE_CHECKING:
    from aggregator.store import (
        channels,
        documents,
        known,
        restoring,
        search,
        source_categories,
        status,
        stored_entries,
        taking_in,
        why,
    )
else:
    channels = late("aggregator.store.channels")
    documents = late("aggregator.store.documents")
    known = late("aggregator.store.known")
    restoring = late("aggregator.store.restoring")
    search = late("aggregator.store.search")
    source_categories = late("aggregator.store.source_categories")
    status = late("aggregator.store.status")
    stored_entries = late("aggregator.store.stored_entries")
    taking_in = late("aggregator.store.taking_in")
    why = late("aggregator.store.why")

log = getLogger(__name__)


@dataclass(slots=True)
class Savepoint:
    """A part of a transaction that is rolled back by itself."""

    is_kept: bool = False  # True once the block has ended and all its statements were written
    why: str = ""  # what the database said of values that it can't store


@dataclass(eq=False)
class Transaction:
    """One unit of work: created by `Store.begin` and `Store.read`, ended by their `with` block."""

    _connection: Connection
    _categories: dict[CategoryKey, KnownCategory] | None = None  # of the store, until a change makes some
    _seen: Mapping[int, RowMapping] = field(default_factory=dict)  # entries of items that were not read, by id

    alarms = cached_property(lambda tx: Alarms(tx._connection))
    bands = cached_property(lambda tx: Bands(tx._connection))
    bodies = cached_property(lambda tx: Bodies(tx._connection))
    categories = cached_property(lambda tx: Categories(tx._connection))
    channels = cached_property(lambda tx: channels.Channels(tx._connection))
    claims = cached_property(lambda tx: Claims(tx._connection))
    corrections = cached_property(lambda tx: Corrections(tx._connection))
    details = cached_property(lambda tx: Details(tx._connection))
    documents = cached_property(lambda tx: documents.Documents(tx._connection))
    events = cached_property(lambda tx: Events(tx._connection))
    files = cached_property(lambda tx: Files(tx._connection))
    finding = cached_property(lambda tx: why.Finding(tx._connection))
    history = cached_property(lambda tx: History(tx._connection))
    hosts = cached_property(lambda tx: Hosts(tx._connection))
    hub_pings = cached_property(lambda tx: HubPings(tx._connection))
    posts = cached_property(lambda tx: Posts(tx._connection))
    publications = cached_property(lambda tx: Publications(tx._connection))
    river = cached_property(lambda tx: River(tx._connection))
    restoring = cached_property(lambda tx: restoring.Restoring(tx._connection))
    retention = cached_property(lambda tx: Retention(tx._connection))
    schedule = cached_property(lambda tx: Schedule(tx._connection))
    search = cached_property(lambda tx: search.Searching(tx._connection))
    source_categories = cached_property(lambda tx: source_categories.SourceCategories(tx._connection))
    sources = cached_property(lambda tx: Sources(tx._connection))
    status = cached_property(lambda tx: status.StatusQueries(tx._connection))
    store_row = cached_property(lambda tx: StoreRow(tx._connection))
    stored_entries = cached_property(lambda tx: stored_entries.StoredEntries(tx._connection))
    stories = cached_property(lambda tx: Stories(tx._connection))
    story_pages = cached_property(lambda tx: Pages(tx._connection))
    taking_in = cached_property(lambda tx: taking_in.TakingIn(tx._connection))
    trail = cached_property(lambda tx: why.Trail(tx._connection))

    # feeds.yaml.

    def sync(
        self,
        placed: Iterable[Placed],
        roster: Roster,
        now: datetime,
        host_key_of: Callable[[Url], str],
    ) -> None:
        """Write the sources and categories of feeds.yaml. No row is deleted; new categories are filled at once (N2).

        A category that items named stays active while feeds.yaml has a source whose items may name categories.
        """
        listed = tuple(placed)
        events = sources.sync_sources(self._connection, listed, now, host_key_of)
        sources.ask_refused(self._connection, roster.opened, now)
        roster = roster.with_made(self.categories.made(roster))
        categories.sync_categories(self._connection, list(roster.categories.values()), now)
        if sources.have_moved(self._connection, listed, roster):
            events += self.source_categories.place([one.source for one in listed], roster, now)
        write_events(self._connection, [(now, events)])

    # Changes.

    def apply(self, *acts: Act) -> None:
        """Write changes in the order that `store/apply.py` explains."""
        for act in acts:
            self.write(act)
        self.finish(*acts)

    def write(self, act: Act) -> None:
        """Write the rows of a change; `finish` must follow in this transaction."""
        if act.entries.categories:
            self._categories = None
        write(self._connection, act)

    def finish(self, *acts: Act) -> None:
        """Write what follows from changes whose rows are written."""
        finish(self._connection, acts)

    @contextmanager
    def savepoint(self, log_name: str, **facts: object) -> Iterator[Savepoint]:
        """Roll back the block if its values can't be stored, and log the error; the rest of the transaction is kept.

        Args:
            log_name: name of the log record.
            facts: extra fields of the log record.
        """
        savepoint = Savepoint()
        try:
            with self._connection.begin_nested():
                yield savepoint
            savepoint.is_kept = True
        except (DBAPIError, OverflowError, UnicodeEncodeError) as error:
            if not _is_of_values(error):
                raise
            log.exception(log_name, extra=facts)
            savepoint.why = str(error.orig if isinstance(error, DBAPIError) else error).partition("\n")[0]

    # Polls.

    def read_seen(self, feeds: Sequence[Feed]) -> None:
        """Look up the entries of the items that were not read (`Listing.seen`), for `with_seen` and `known`."""
        if feeds:
            self._seen = known.seen_entries(self._connection, feeds)

    def with_seen(self, due: Job, feed: Feed) -> Feed | None:
        """Return a document with the entries that were not read; None if the store has others by now."""
        return known.with_seen(due, feed, self._seen)

    def known(
        self, due: Job, feed: Feed, now: datetime, *, also: Sequence[Entry] = (), budget: Budget | None = None
    ) -> Known:
        """Return the records needed to decide on a document, and on stored entries that are to be published now."""
        if self._categories is None:
            self._categories = known_categories(self._connection)
        return known.known(
            self._connection, due, feed, now, categories=self._categories, seen=self._seen, also=also, budget=budget
        )

    # Claims of jobs of both kinds, and their undoing (R13).

    def claim(
        self, items: Sequence[DueItem], now: datetime, settings: Mapping[SourceKey, Source], *, spare: bool
    ) -> list[Job]:
        """Move due times ahead, and return the jobs that were claimed: sources first, then details.

        Args:
            items: the chosen jobs; those that somebody else has claimed since are left out.
            now: the time.
            settings: the sources of feeds.yaml; jobs of other sources are left alone.
            spare: leave out sources that ask not to be polled at this hour (P59).
        """
        chosen = [item for item in items if item.id.kind == "source"]
        entries = [item for item in items if item.id.kind == "entry"]
        return [*self.claims.claim(chosen, now, settings, spare=spare), *self.details.claim(entries, now, settings)]

    def held(self, jobs: Iterable[Job]) -> set[JobId]:
        """Return the jobs whose claim still holds: their polls may be settled."""
        of_sources, of_entries = _by_kind(jobs)
        held_entries = self.details.held(of_entries) if of_entries else set()
        return {JobId("source", row) for row in self.claims.held(of_sources)} | {
            JobId("entry", row) for row in held_entries
        }

    def give_back(self, jobs: Iterable[Job]) -> None:
        """Undo claims whose request did not leave, or that we cut ourselves (R54)."""
        of_sources, of_entries = _by_kind(jobs)
        self.claims.give_back(of_sources)
        self.details.give_back(of_entries)

    def put_off(self, jobs: Sequence[tuple[Job, datetime]]) -> None:
        """Move due times on from when each request left, not the counters: the network kept it from its host (P87)."""
        self.claims.put_off([(job, at) for job, at in jobs if isinstance(job, SourceJob)])
        self.details.put_off([(job, at) for job, at in jobs if isinstance(job, DetailJob)])

    # An operator's corrections.

    def members(self, numbers: Collection[int]) -> StoryMembers:
        """Return stories with their entries and the other records needed to correct them."""
        return stories.members(self._connection, numbers)


def _is_of_values(error: Exception) -> bool:
    """Return whether an error is due to the values of a statement; if not, the next statement would fail too."""
    if not isinstance(error, DBAPIError):
        return True
    is_too_large = str(getattr(error.orig, "sqlstate", "")).startswith("54")  # "program limit exceeded"
    return is_too_large or isinstance(error, IntegrityError | DataError)


def _by_kind(jobs: Iterable[Job]) -> tuple[list[SourceJob], list[DetailJob]]:
    jobs = tuple(jobs)
    of_sources = [job for job in jobs if isinstance(job, SourceJob)]
    return of_sources, [job for job in jobs if isinstance(job, DetailJob)]
