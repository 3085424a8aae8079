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
7. What sums up, or may wait, is written once for all changes of a transaction, after their rows (`finish`): marks of
   changed stories and generations, so that whatever changed is dirty (invariant 6), rows and days of polled sources.
8. The row of the source (validators, due time) is written after the entries of its poll, in the same transaction: both
   are committed, or neither (R1, P6).
9. Events are written in the order in which they were noted, events of the source first: `why` prints them in that
   order.

This module computes only `joined_at` and the counters of free ids; everything else was decided before.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Connection, bindparam, case, update

from aggregator.model.changes import NOTHING_CHANGED, Changes, Completion, Correction, EntryChanges, NewCategory
from aggregator.model.event import Event
from aggregator.model.story_changes import StoryChanges
from aggregator.store import entry_rows, poll_results, publications, sources, stories
from aggregator.store.categories import insert_category, is_backfill, raise_generations, raise_site
from aggregator.store.details import Details
from aggregator.store.events import write_events
from aggregator.store.history import add_days, keep_body, write_hits
from aggregator.store.minhash_bands import write_bands
from aggregator.store.page_wordings import pin, unpin
from aggregator.store.schema import category, store
from aggregator.store.sequence import joining_times
from aggregator.store.stories import touch

Act = Changes | Completion | Correction


def _later(name: str) -> Any:
    """Return the larger of a counter of `store` and a parameter."""
    counter, free = store.c[name], bindparam(f"free_{name}", type_=BigInteger)
    return case((counter > free, counter), else_=free)


_COUNTERS = update(store).values({name: _later(name) for name in ("next_entry", "next_story")})


def write(connection: Connection, act: Act) -> None:
    """Write the rows of entries, stories and publications of a change; `finish` must follow in the same transaction.

    Raises:
        IntegrityError: the change contradicts the store. Part of it is written by then: the caller rolls back to a
            savepoint of its own.
    """
    match act:
        case Changes():
            _write_entries(connection, act.job.source_id, act.entries, act.asked_at)
            if act.outlines is not None:
                sources.keep_outlines(connection, act.job.source_id, act.outlines)
            if act.read is not None and act.read.body is not None:
                keep_body(connection, act.job.source_id, act.read.body, act.asked_at)
        case Completion():
            _write_wait(connection, act)
            _write_entries(connection, act.job.source_id, act.entries, act.asked_at)
        case Correction():
            _write_entries(connection, act.source, act.entries, act.at)
            if act.accepted is not None:
                poll_results.clear_suspicion(connection, act.accepted)


def finish(connection: Connection, acts: Sequence[Act]) -> None:
    """Write what follows from changes whose rows are written: marks, generations, sources, days and events."""
    changed = [act.entries for act in acts if act.entries is not NOTHING_CHANGED]
    touch(
        connection,
        (number for one in changed for number in _touched_stories(one)),
        (number for one in changed for number in _touched_entries(one)),
    )
    _raise_generations(connection, acts)
    polls = [act for act in acts if isinstance(act, Changes)]
    # Index, `all.*` and the list of sources show the titles of feeds, and the states of sources.
    is_site_dirty = poll_results.write_read(connection, polls) or any(poll.events for poll in polls)
    poll_results.move(connection, polls)
    add_days(connection, polls)
    write_events(connection, [(act.at if isinstance(act, Correction) else act.asked_at, _events(act)) for act in acts])
    if is_site_dirty or any(isinstance(act, Correction) and act.accepted is not None for act in acts):
        raise_site(connection)


def apply(connection: Connection, acts: Sequence[Act]) -> None:
    """Write changes in their order.

    Raises:
        IntegrityError: as `write` does.
    """
    for act in acts:
        write(connection, act)
    finish(connection, acts)


def _write_entries(connection: Connection, source_id: int | None, changes: EntryChanges, now: datetime) -> None:
    """Write rows of entries, stories and publications.

    Args:
        connection: a connection that writes.
        source_id: the source of the entries that are new, got aliases or wait for details; None: there are no such
            entries.
        changes: the changes, with the ids of all new rows.
        now: the time.
    """
    if changes is NOTHING_CHANGED:
        return
    of_stories = changes.stories
    stories.insert_stories(connection, of_stories.new, now)
    _write_categories(connection, changes.categories, now)
    entry_rows.retire_keys(connection, changes.retired)
    pin(connection, of_stories.pins)
    unpin(connection, of_stories.unpinned)
    made = {item.id for item in of_stories.new}
    told = {item.story for some in (changes.new, changes.released) for item in some if item.story is not None}
    joined = dict.fromkeys(made, now) | joining_times(connection, told - made, now)
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


def _write_wait(connection: Connection, completion: Completion) -> None:
    """Write when the detail of an entry is requested again, or delete the row if the entry waits no longer."""
    details = Details(connection)
    if completion.retry_at is not None:
        details.retry(completion)
    else:
        details.finish(completion.job, answered=completion.answered)


def _touched_stories(changes: EntryChanges) -> Iterator[int | None]:
    """Yield the stories that changed, so that their pages, posts and search entries are rendered again."""
    of_stories = changes.stories
    for moved in changes.moved:
        yield from (moved.story, moved.from_story)  # the page of the story that it left credited the entry
    yield from (item.story for some in (changes.new, changes.released) for item in some)
    yield from (item.story for some in (of_stories.publications, of_stories.shown) for item in some)
    for number, _ in (*of_stories.merged, *of_stories.retracted, *of_stories.withdrawn):
        yield number


def _touched_entries(changes: EntryChanges) -> Iterator[int]:
    """Yield the entries whose stories changed."""
    yield from (item.id for item in changes.revised if not item.deferred and not item.unseen)
    yield from (item.id for item in changes.taken_back if not item.again)
    yield from (item.id for some in (changes.relisted, changes.rejudged, changes.placed) for item in some)


def _raise_generations(connection: Connection, acts: Sequence[Act]) -> None:
    """Raise the generations of categories and archive pages that must be rendered again (invariant 6).

    The first entries of a source are no news to followers of a category (I62).
    """
    dirty: dict[bool, dict[int, set[int]]] = {True: defaultdict(set), False: defaultdict(set)}
    for act in acts:
        is_first = isinstance(act, Changes) and not act.job.stored_before
        pages = dirty[is_first or is_backfill(act.entries.stories.publications)]
        for place, page in act.entries.stories.dirty:
            pages[place].update(() if page is None else (page,))
    for backfill, pages in dirty.items():
        raise_generations(connection, pages, backfill=backfill)


def _events(act: Act) -> Sequence[Event]:
    return (*act.events, *act.entries.events) if isinstance(act, Changes) else act.entries.events


def _move_counters(connection: Connection, changes: EntryChanges) -> None:
    """Move the counters of free ids past the ids that were used.

    A counter never moves back: a restore writes source by source, not in the order of ids.
    """
    if changes.new or changes.stories.new:
        entries, made = (max((item.id + 1 for item in rows), default=0) for rows in (changes.new, changes.stories.new))
        connection.execute(_COUNTERS, {"free_next_entry": entries, "free_next_story": made})
