"""Writes the changes of polls, details and corrections: the only code that changes entries, stories and publications.

The order of statements is the same for all kinds of changes:

1. Rows to which other rows refer by id come first: stories, categories.
2. If a key identifies another entry from now on, the key of the earlier entry is retired before the new entry is
   inserted: keys are unique within a source (I35).
3. The texts that closed archive pages keep are pinned before entries are rewritten (M7).
4. `joined_at` is computed before entries are inserted or moved: it depends on the stories that entries belong to
   before the change (`store/sequence.py`).
5. Rejudged entries come before released ones: if edited rules accept an entry, `write_rejudged` writes its text and
   `write_released` its story and categories.
6. Publications are inserted, then shown, then withdrawn: `write_shown` makes a withdrawn publication visible again, so
   a publication that is shown and withdrawn by the same changes must be withdrawn last. `PublicationDraft` drops the
   withdrawal of a publication that the same changes bring back.
7. Generations are raised after the rows are written, in the same transaction: whatever changed is dirty (invariant 6).
8. The row of the source (validators, due time) is written after the entries of its poll: both are committed, or
   neither (R1, P6).
9. Events are written in the order in which they were noted, events of the source first: `why` prints them in that
   order.

This module computes only `joined_at` and the counters of free ids; everything else was decided before.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, case, update

from aggregator.model.changes import NOTHING_CHANGED, Changes, Completion, Correction, EntryChanges, NewCategory
from aggregator.model.story_changes import StoryChanges
from aggregator.store import entry_rows, poll_results, publications, sources, stories
from aggregator.store.categories import insert_category, is_backfill, raise_generations, raise_site
from aggregator.store.details import Details
from aggregator.store.dirty import touch
from aggregator.store.events import write_events
from aggregator.store.history import add_days, keep_body, write_hits
from aggregator.store.minhash_bands import write_bands
from aggregator.store.page_wordings import pin, unpin
from aggregator.store.schema import category, store
from aggregator.store.sequence import joining_times


def apply(connection: Connection, changes: Sequence[Changes | Completion | Correction]) -> None:
    """Write changes in their order; the rows of all polled sources are updated together, in one statement or two.

    Raises:
        IntegrityError: the changes contradict the store. Some of them are written by then: the caller rolls back to a
            savepoint of its own.
    """
    is_site_dirty = False  # index, `all.*` and the list of sources
    for one in changes:
        match one:
            case Changes():
                write_entries(
                    connection, one.job.source_id, one.entries, one.asked_at, is_first=not one.job.stored_before
                )
                is_site_dirty |= _write_read(connection, one) or bool(one.events)
            case Completion():
                _write_wait(connection, one)
                write_entries(connection, one.job.source_id, one.entries, one.asked_at)
            case Correction():
                write_entries(connection, one.source, one.entries, one.at)
                if one.accepted is not None:
                    poll_results.clear_suspicion(connection, one.accepted)
                    is_site_dirty = True
    polls = [one for one in changes if isinstance(one, Changes)]
    poll_results.move(connection, polls)
    add_days(connection, polls)
    for one in changes:
        match one:
            case Changes():
                write_events(connection, (*one.events, *one.entries.events), one.asked_at)
            case Completion():
                write_events(connection, one.entries.events, one.asked_at)
            case Correction():
                write_events(connection, one.entries.events, one.at)
    if is_site_dirty:
        raise_site(connection)


def write_entries(
    connection: Connection, source_id: int | None, changes: EntryChanges, now: datetime, *, is_first: bool = False
) -> None:
    """Write changes of entries, stories and publications, without their events.

    Args:
        connection: a connection that writes.
        source_id: the source of the entries that are new, got aliases or wait for details; None: there are no such
            entries.
        changes: the changes, with the ids of all new rows.
        now: the time.
        is_first: this is the first poll of the source: its entries are no news to followers of a category (I62).
    """
    if changes is NOTHING_CHANGED:
        return
    of_stories = changes.stories
    stories.insert_stories(connection, of_stories.new, now)
    _write_categories(connection, changes.categories, now)
    entry_rows.retire_keys(connection, changes.retired)
    pin(connection, of_stories.pins)
    unpin(connection, of_stories.unpinned)
    told = {item.story for some in (changes.new, changes.released) for item in some if item.story is not None}
    joined = joining_times(connection, told, now)
    if source_id is not None:
        entry_rows.insert_entries(connection, changes.new, source_id, now, joined)
        entry_rows.write_aliases(connection, changes.aliases, source_id)
        write_hits(connection, source_id, changes.hits, now)
    entry_rows.write_revised(connection, changes.revised, now)
    entry_rows.write_completed(connection, changes.completed)
    entry_rows.write_rejudged(connection, changes.rejudged)
    entry_rows.write_released(connection, changes.released, joined)
    entry_rows.place_entries(connection, changes.placed)
    entry_rows.take_back(connection, changes.taken_back)
    entry_rows.relist(connection, changes.relisted)
    entry_rows.move_entries(connection, changes.moved, now)
    write_bands(connection, (*changes.new, *changes.released), of_stories.new)
    if source_id is not None:
        Details(connection).add(source_id, changes.waiting, now)
    _write_stories(connection, of_stories, now)
    _touch(connection, changes)
    _raise_generations(connection, of_stories, is_first=is_first)
    _move_counters(connection, changes)


def _write_stories(connection: Connection, changes: StoryChanges, now: datetime) -> None:
    stories.merge_stories(connection, changes.merged)
    stories.retract_stories(connection, changes.retracted)
    stories.write_rulings(connection, changes.rulings, now)
    publications.insert_publications(connection, changes.publications)
    publications.write_shown(connection, changes.shown)
    publications.withdraw(connection, changes.withdrawn, now, traceless=changes.traceless)


def _write_categories(connection: Connection, made: Sequence[NewCategory], now: datetime) -> None:
    """Insert categories that items name for the first time, and activate known categories that items name again."""
    for item in made:
        values: dict[str, Any] = {"active": True, "source_id": item.source}
        if item.is_new:
            insert_category(connection, item.id, item.key, item.slug, item.feed_id, now, **values)
        else:
            connection.execute(update(category).where(category.c.id == item.id).values(values))


def _write_read(connection: Connection, changes: Changes) -> bool:
    """Store the outlines, body and metadata of a polled document; return whether the list of sources must change."""
    if changes.outlines is not None:
        sources.keep_outlines(connection, changes.job.source_id, changes.outlines)
    if changes.read is not None and changes.read.body is not None:
        keep_body(connection, changes.job.source_id, changes.read.body, changes.asked_at)
    return poll_results.write_read(connection, changes)


def _write_wait(connection: Connection, completion: Completion) -> None:
    """Write when the detail of an entry is requested again, or delete the row if the entry waits no longer."""
    details = Details(connection)
    if completion.retry_at is not None:
        details.retry(completion)
    else:
        details.finish(completion.job, answered=completion.answered)


def _touch(connection: Connection, changes: EntryChanges) -> None:
    """Mark the stories that changed, so that their pages, posts and search entries are rendered again."""
    of_stories = changes.stories
    told = (item.story for some in (changes.new, changes.released, changes.moved) for item in some)
    left = (item.from_story for item in changes.moved)  # the pages of these stories credited the entries
    visible = (item.story for some in (of_stories.publications, of_stories.shown) for item in some)
    ended = (number for some in (of_stories.merged, of_stories.retracted, of_stories.withdrawn) for number, _ in some)
    entries = (
        *(item.id for item in changes.revised if not item.deferred and not item.unseen),
        *(item.id for item in changes.taken_back if not item.again),
        *(item.id for some in (changes.relisted, changes.rejudged, changes.placed) for item in some),
    )
    touch(connection, (*told, *left, *visible, *ended), entries)


def _raise_generations(connection: Connection, changes: StoryChanges, *, is_first: bool) -> None:
    """Raise the generations of categories and archive pages that must be rendered again (invariant 6)."""
    pages: dict[int, set[int]] = defaultdict(set)
    for place, page in changes.dirty:
        pages[place].update(() if page is None else (page,))
    raise_generations(connection, pages, backfill=is_first or is_backfill(changes.publications))


def _move_counters(connection: Connection, changes: EntryChanges) -> None:
    """Move the counters of free ids past the ids that were used.

    A counter never moves back: a restore writes source by source, not in the order of ids.
    """
    values: dict[str, Any] = {}
    for counter, rows in ((store.c.next_entry, changes.new), (store.c.next_story, changes.stories.new)):
        if rows:
            free = max(item.id for item in rows) + 1
            values[counter.name] = case((counter > free, counter), else_=free)
    if values:
        connection.execute(update(store).values(values))
