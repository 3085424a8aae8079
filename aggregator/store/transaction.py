"""The verbs of a transaction. None begins or commits; each runs statements and gives records (STYLE, section 9).

Tables that one part of the program uses have an object of their own, made when it is first used: `tx.posts.keep(…)`.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from logging import getLogger
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from aggregator.decide.detail import retry_event
from aggregator.identify.budget import Budget
from aggregator.model.alarm import Alarm
from aggregator.model.changes import NOTHING_CHANGED, Changes, Completion, EntryChanges, RejudgedEntry
from aggregator.model.correction import StoryChanges, StoryMembers
from aggregator.model.entry import Entry, Feed
from aggregator.model.history import SourceHistory
from aggregator.model.known import Known
from aggregator.model.outline import Outline
from aggregator.model.poll import Due, Exchange
from aggregator.model.restored import Restored
from aggregator.model.robots import Robots
from aggregator.model.settings import Category, CategoryKey, Roster, Source, SourceKey
from aggregator.model.source_row import Limits, SourceRow
from aggregator.model.status import Figures, Lag, Outage, RuleHits, Status
from aggregator.store import (
    alarms,
    categories,
    claims,
    dirty,
    entries,
    history,
    hosts,
    known,
    minhash_bands,
    network,
    page_wordings,
    poll_results,
    publications,
    restoring,
    retention,
    source_categories,
    sources,
    status,
    stories,
)
from aggregator.store.categories import Categories
from aggregator.store.details import Details
from aggregator.store.documents import Documents
from aggregator.store.events import trim_events, write_events
from aggregator.store.history import StoredBody
from aggregator.store.hosts import Hosts
from aggregator.store.hub_pings import HubPings
from aggregator.store.output_list import Files
from aggregator.store.post_list import Posts
from aggregator.store.publications import Placement
from aggregator.store.requests import Requests
from aggregator.store.retention import Thinned
from aggregator.store.running import Running
from aggregator.store.schedule import Schedule
from aggregator.store.schema import store
from aggregator.store.search import Searching
from aggregator.store.sources import Placed
from aggregator.store.stored_entries import Rejudged
from aggregator.store.story_pages import Pages
from aggregator.store.taking_in import TakenIn, take_in
from aggregator.store.why import Finding, Trail
from aggregator.urls import Url

log = getLogger(__name__)


class Transaction:
    """One unit of work. `Store.begin` and `Store.read` make it; it ends with their `with`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @cached_property
    def pages(self) -> Pages:
        """Pages of stories."""
        return Pages(self._connection)

    @cached_property
    def files(self) -> Files:
        """List of written files."""
        return Files(self._connection)

    @cached_property
    def outbox(self) -> HubPings:
        """Pings owed to the hub."""
        return HubPings(self._connection)

    @cached_property
    def search(self) -> Searching:
        """Input of the search index."""
        return Searching(self._connection)

    @cached_property
    def trail(self) -> Trail:
        """Records for `why`."""
        return Trail(self._connection)

    @cached_property
    def posts(self) -> Posts:
        """List of written posts."""
        return Posts(self._connection)

    @cached_property
    def documents(self) -> Documents:
        """Everything that a document shows."""
        return Documents(self._connection)

    @cached_property
    def finding(self) -> Finding:
        """Stories and entries by any of their names."""
        return Finding(self._connection)

    @cached_property
    def requests(self) -> Requests:
        """Corrections that wait."""
        return Requests(self._connection)

    @cached_property
    def rejudged(self) -> Rejudged:
        """Stored entries for `preview --dedupe`."""
        return Rejudged(self._connection)

    @cached_property
    def turns(self) -> Schedule:
        """Due sources."""
        return Schedule(self._connection)

    @cached_property
    def running(self) -> Running:
        """Whether `serve` or `poll` runs."""
        return Running(self._connection)

    @cached_property
    def details(self) -> Details:
        """Entries that wait for a detail."""
        return Details(self._connection)

    @cached_property
    def hosts(self) -> Hosts:
        """Pauses and spacing of hosts."""
        return Hosts(self._connection)

    @cached_property
    def categories(self) -> Categories:
        """Categories and their generations."""
        return Categories(self._connection)

    # The store itself.

    def make_store(self, now: datetime) -> None:
        """Give a new store its random id, from which all minted ids come (A2, A4)."""
        counters = {"next_entry": 1, "next_story": 1, "dirty": 1, "rendered": 0, "gone_stale": True, "adopts": False}
        self._connection.execute(store.insert().values(id=1, uuid=str(uuid4()), created_at=now, **counters))

    def uuid(self) -> UUID:
        """Give the store's id."""
        return UUID(self._connection.execute(select(store.c.uuid)).scalar_one())

    # feeds.yaml.

    def sync(
        self,
        placed: Iterable[Placed],
        roster: Roster,
        now: datetime,
        host_key_of: Callable[[Url], str],
    ) -> None:
        """Bring sources and categories in line with feeds.yaml; nothing is forgotten, no category begins empty (N2).

        A category that items named stays as long as a source is there whose items may name some.
        """
        listed = tuple(placed)
        events = sources.sync_sources(self._connection, listed, now, host_key_of)
        sources.ask_refused(self._connection, roster.opened, now)
        roster = roster.with_made(self.made_categories(roster))
        categories.sync_categories(self._connection, list(roster.categories.values()), now)
        events += source_categories.place_sources(self._connection, [one.source for one in listed], roster, now)
        write_events(self._connection, events, now)

    def made_categories(self, roster: Roster) -> dict[SourceKey, tuple[CategoryKey, ...]]:
        """Give the categories that items have named, by source, as far as its items may still name some."""
        made = categories.made_categories(self._connection)
        sources = roster.sources
        return {key: keys for key, keys in made.items() if key in sources and sources[key].reading.filing}

    def lists(self) -> Mapping[SourceKey, Sequence[Outline]]:
        """Give the last good copy of each list of sources."""
        return sources.lists(self._connection)

    # Polls.

    def complete(self, completion: Completion, *, answered: bool) -> bool:
        """Write what came of a request for a detail; False if it can't be stored, and then nothing of it was."""
        try:
            with self._connection.begin_nested():
                if completion.retry_at is not None:
                    self.details.retry(completion)
                    write_events(self._connection, [retry_event(completion)], completion.asked_at)
                    return True
                self.details.finish(completion.due, answered=answered)
                if completion.entries != NOTHING_CHANGED:
                    entries.write(self._connection, completion.due.id, completion.entries, completion.asked_at)
                    write_events(self._connection, completion.entries.events, completion.asked_at)
        except IntegrityError:
            log.exception("store_detail", extra={"source": completion.due.source.key})
            return False
        return True

    def claim(
        self, ids: Sequence[int], now: datetime, settings: Mapping[SourceKey, Source], *, spare: bool = False
    ) -> list[Due]:
        """Move due times ahead, and give all that the polls need (R13); `spare` those that ask for it now (P59).

        Below zero, an id is that of an entry that waits for its detail.
        """
        dues = claims.claim(self._connection, [number for number in ids if number > 0], now, settings, spare=spare)
        waiting = [-number for number in ids if number < 0]
        return dues + self.details.claim(waiting, now, settings)

    def twins(self, dues: Sequence[Due], settings: Mapping[SourceKey, Source]) -> Mapping[int, Sequence[Due]]:
        """Give the other sources at the addresses that were asked (P66)."""
        return claims.twins(self._connection, dues, settings)

    def share_addresses(self) -> bool:
        """Tell whether any two sources are at one address."""
        return sources.share_addresses(self._connection)

    def look_up(self, settings: Source) -> Due | None:
        """Give what a poll would be given, without claiming it."""
        return claims.look_up(self._connection, settings)

    def give_back(self, dues: Sequence[Due]) -> None:
        """Undo claims whose request did not leave, or was cut by ourselves (R54)."""
        claims.give_back(self._connection, [due for due in dues if due.awaits is None])
        self.details.give_back([due for due in dues if due.awaits is not None])

    def find_crashed(self, now: datetime) -> Collection[int]:
        """Give the sources that have perhaps ended this program, time and again; certain ones become suspect (R13)."""
        found, events = claims.find_crashed(self._connection)
        write_events(self._connection, events, now)
        if events:
            categories.raise_site(self._connection)
        return found

    def put_off(self, dues: Sequence[tuple[Due, datetime]]) -> None:
        """Move the due times of claims on by an interval, counters untouched (P87)."""
        network.put_off(self._connection, [(due, when) for due, when in dues if due.awaits is None])
        self.details.put_off([(due, when) for due, when in dues if due.awaits is not None])

    def robots(self) -> list[Robots]:
        """Give what is known of sites' robots.txt."""
        return hosts.known_robots(self._connection)

    def keep_robots(self, learnt: Sequence[Robots]) -> None:
        """Keep what sites said in theirs."""
        hosts.keep_robots(self._connection, learnt)

    def known(
        self, due: Due, feed: Feed, now: datetime, *, also: Sequence[Entry] = (), budget: Budget | None = None
    ) -> Known:
        """Look up all that bears on a document, and on stored entries that are to be published now."""
        return known.known(self._connection, due, feed, now, also=also, budget=budget)

    def would_fill(self, was: Source, settings: Source, category: Category, now: datetime) -> tuple[int, int]:
        """Say what a source would bring into a category that it enters (N2), and how much into the main document."""
        return source_categories.would_fill(self._connection, was, settings, category, now)

    def refile(self, source_id: int, changes: EntryChanges, filed: Sequence[RejudgedEntry], now: datetime) -> None:
        """Write what edited rules make of a source's stored entries."""
        page_wordings.pin(self._connection, changes.pins)  # before the entries read otherwise
        entries.write_refiled(self._connection, filed)
        entries.write(self._connection, source_id, changes, now)
        write_events(self._connection, changes.events, now)

    def rule_hits(self) -> list[RuleHits]:
        """Give how often each rule had a say."""
        return history.rule_hits(self._connection)

    def move(self, changes: Sequence[Changes]) -> None:
        """Write the quiet polls of a group: one statement for all, and what their sources' states became."""
        poll_results.move(self._connection, changes)
        history.add_days(self._connection, changes)
        for change in changes:
            write_events(self._connection, change.events, change.asked_at)
        if any(change.events for change in changes):
            categories.raise_site(self._connection)

    def try_write(self, changes: Changes) -> bool:
        """Write a poll with entries in a savepoint of its own, entries and validators together (R1, P6).

        Returns:
            False if it could not be stored; then nothing of it was, and the others of its group stand.
        """
        try:
            with self._connection.begin_nested():
                if changes.entries != NOTHING_CHANGED:
                    is_first = not changes.due.stored_before
                    entries.write(
                        self._connection, changes.due.id, changes.entries, changes.asked_at, is_first=is_first
                    )
                    self.details.add(changes.due.id, changes.entries.waiting, changes.asked_at)
                if changes.outlines is not None:
                    sources.keep_outlines(self._connection, changes.due.id, changes.outlines)
                if changes.read is not None and changes.read.body is not None:
                    history.keep_body(self._connection, changes.due.id, changes.read.body, changes.asked_at)
                if poll_results.write_read(self._connection, changes):
                    categories.raise_site(self._connection)
                self.move([changes])
                write_events(self._connection, changes.entries.events, changes.asked_at)
        except IntegrityError:
            log.exception("store_entries", extra={"source": changes.due.source.key})
            return False
        return True

    def bodies(self, key: SourceKey) -> list[StoredBody]:
        """Give the bodies that are kept of a source, the oldest first."""
        return history.bodies_of(self._connection, key)

    def trim_bodies(self, now: datetime) -> int:
        """Drop all but the newest bodies of each source, and what it no longer keeps; give how many were dropped."""
        return history.trim_bodies(self._connection, now)

    # What leaves in time.

    def is_thinning_due(self, now: datetime) -> bool:
        """Tell whether it is time to look for texts that leave the store (K2 to K4)."""
        return retention.is_thinning_due(self._connection, now)

    def thin(self, now: datetime) -> Thinned:
        """Take the next few of them out."""
        return retention.thin(self._connection, now)

    def trim_events(self, now: datetime) -> int:
        """Drop the oldest events that neither last nor are young, a bounded number; give how many were dropped."""
        return trim_events(self._connection, now)

    def is_trimming_bands(self) -> bool:
        """Tell whether bands of texts that are gone are looked for."""
        return minhash_bands.is_trimming(self._connection)

    def trim_bands(self) -> int:
        """Look at the next few, and drop what is found; give how many were dropped."""
        return minhash_bands.trim_bands(self._connection)

    def would_thin(self, key: SourceKey, keep: timedelta, now: datetime) -> int:
        """Count the entries of a source whose texts would leave, by and by, if it kept them so long."""
        return retention.would_thin(self._connection, key, keep, now)

    def accept(self, due: Due, released: EntryChanges, now: datetime) -> None:
        """Believe that a source is what it claims to be, and publish what was held of it (R44)."""
        entries.write(self._connection, due.id, released, now)
        self.details.add(due.id, released.waiting, now)
        write_events(self._connection, released.events, now)
        poll_results.clear_suspicion(self._connection, due)
        categories.raise_site(self._connection)

    # An operator's corrections.

    def told(self, numbers: Collection[int]) -> StoryMembers:
        """Look up stories and all that bears on a correction of them."""
        return stories.told(self._connection, numbers)

    def correct(self, changes: StoryChanges, now: datetime) -> bool:
        """Write what becomes of stories; False if it can't be stored, and then nothing of it was."""
        try:
            with self._connection.begin_nested():
                stories.write(self._connection, changes, now)
        except IntegrityError:
            log.exception("store_correction")
            return False
        return True

    def end_tombstones(self, *, before: datetime, now: datetime) -> int:
        """Take tombstones out of main documents that have stood there long enough (M8); give how many."""
        return stories.end_tombstones(self._connection, before=before, now=now)

    # Outputs.

    def add_details(self, asked: Sequence[tuple[Due, Exchange]]) -> None:
        """Count requests for details and articles, by day and host (P93)."""
        history.add_details(self._connection, asked)

    def sources(self) -> list[SourceRow]:
        """Give the sources of feeds.yaml as lists show them."""
        return sources.source_rows(self._connection)

    def limits(self) -> dict[SourceKey, Limits]:
        """Give what may not be shown of some sources, those that left feeds.yaml among them."""
        return sources.limits(self._connection)

    def touched_since(self, generation: int, *, after: tuple[int, int], limit: int) -> list[tuple[int, int]]:
        """Give (generation, number) of stories that have changed after a generation, page by page."""
        return dirty.touched_since(self._connection, generation, after=after, limit=limit)

    def placements(self, stories: Sequence[int]) -> list[Placement]:
        """Give where some stories stand, or stood."""
        return publications.placements(self._connection, stories)

    # A lost store.

    def is_filled(self) -> bool:
        """Tell whether there are entries."""
        return restoring.is_filled(self._connection)

    def is_new(self) -> bool:
        """Return whether nothing was ever stored or published from this store."""
        return self.files.folder() is None and not self.is_filled()

    def lay_ground(self, restored: Restored, now: datetime) -> None:
        """Give a store without entries the id and the categories that a lost one had."""
        restoring.lay_ground(self._connection, restored, now)

    def fill(self, restored: Restored, now: datetime, *, detailed: Mapping[SourceKey, int]) -> None:
        """Write what a lost store held, as far as it was published; `detailed`: `initial` of sources with details."""
        restoring.fill(self._connection, restored, now, detailed)

    def take_in(self, restored: Restored, now: datetime) -> TakenIn:
        """Add to a store that was restored from a backup what the outputs of a later time tell."""
        return take_in(self._connection, restored, now)

    # How things stand.

    def note_network(self, outage: Outage) -> None:
        """Note since when the network has been down, if it is (P87); the status page says so."""
        if network.note_network(self._connection, outage):
            categories.raise_site(self._connection)

    def outage(self) -> Outage:
        """Give since when the network has been down, as it was noted last."""
        return network.outage(self._connection)

    def lag(self, now: datetime) -> Lag:
        """Measure how late sources are (R19)."""
        return network.lag(self._connection, now)

    def status(self, roster: Roster, now: datetime, **how: Any) -> Status:
        """Count how sources and categories stand; see `health.status_of`."""
        return status.status_of(self._connection, roster, now, **how)

    def history(self, key: SourceKey, now: datetime, *, days: int) -> SourceHistory:
        """Give the last polls of a source that is in the store, and the sums of its last days."""
        return history.history_of(self._connection, key, history.day_of(now) - days + 1)

    def figures(self, now: datetime) -> Figures:
        """Count what metrics show."""
        return status.figures_of(self._connection, now)

    def titles(self) -> dict[SourceKey, str]:
        """Return the titles that feeds gave themselves, of sources in feeds.yaml; none of those without one."""
        return sources.titles(self._connection)

    def note_alarms(self, now: datetime) -> tuple[Alarm, ...]:
        """Log what has become wrong with sources, and what is over, once each (R46); return what has become wrong."""
        return alarms.note_alarms(self._connection, now)

    def keep_config(self, text: str, path: str, now: datetime) -> None:
        """Keep the feeds.yaml that is in force from now on."""
        status.keep_config(self._connection, text, path, now)

    def note_config_error(self, error: str | None) -> None:
        """Say why a later edit is not in force."""
        status.note_config_error(self._connection, error)

    def note_output_error(self, error: str | None) -> bool:
        """Say which outputs could not be brought up to date, and why; None once they could. Tell whether it is news."""
        return status.note_output_error(self._connection, error)

    def last_good_config(self) -> str | None:
        """Give the feeds.yaml that was last in force."""
        return status.last_good_config(self._connection)
