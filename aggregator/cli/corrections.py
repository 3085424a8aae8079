"""Shared code of `merge`, `unmerge`, `retract`, `accept` and `publish --rules` (R27).

A correction is stored as a request first. This process carries it out if it gets the lock of the store; otherwise the
process that holds the lock does. There is one path for both, and a crash loses no request.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any

from aggregator.app import App, open_app
from aggregator.cli.names import matches, no_suspect, nothing_called, unclear
from aggregator.cli.open import last_good_settings, read_store
from aggregator.cli.terminal import json_text
from aggregator.clock import utc_now
from aggregator.config import load_config
from aggregator.errors import AggregatorError, ConfigError, LockHeld, PublishError
from aggregator.model.correction import Act, Outcome
from aggregator.model.settings import Settings
from aggregator.poll.corrections import run_pending_requests
from aggregator.publish.destination import open_destination
from aggregator.restore.lost_state import refuse_lost
from aggregator.store.database import Store, open_store
from aggregator.store.private_redactor import redactor_of_private
from aggregator.store.transaction import Transaction
from aggregator.store.why import FoundEntry

DONE, WRONG, NO_WORK = 0, 2, 3  # exit codes
PATIENCE = 10.0  # seconds that a command waits for the process that holds the store
LOOK = 0.2  # seconds between two looks for the outcome
KNOCK = 1.0  # seconds between two looks whether the store has become free

Arguments = dict[str, Any]


class Unclear(AggregatorError):
    """An argument names nothing, or more than one thing. The message lists candidates."""


@dataclass(frozen=True, slots=True)
class Meant:
    """The story that an argument names."""

    story: int
    founder: int | None = None  # of the story that was named, where that one is merged into this


def correct(
    options: argparse.Namespace, environ: Mapping[str, str], act: Act, arguments_of: Callable[[Transaction], Arguments]
) -> int:
    """Carry out a correction and report its outcome.

    Args:
        options: options of the command line.
        environ: where `${NAME}` in feeds.yaml is looked up.
        act: the kind of correction.
        arguments_of: returns the arguments of the request, looked up in the store.
    """
    try:
        outcome, published, unpublished = _have_done(options, environ, act, arguments_of)
    except Unclear as error:
        print(f"aggregator: {error}", file=sys.stderr)
        return WRONG
    if options.json:
        record = {"version": 1, "done": outcome.done, "said": outcome.said, **outcome.facts, "published": published}
        print(json_text(record))
    elif outcome.done:
        print(outcome.said)
    if not outcome.done:
        print(f"aggregator: {outcome.said}", file=sys.stderr)
        return WRONG
    if unpublished:
        print(f"aggregator: {unpublished}", file=sys.stderr)
        return NO_WORK
    return DONE


def _have_done(
    options: argparse.Namespace, environ: Mapping[str, str], act: Act, arguments_of: Callable[[Transaction], Arguments]
) -> tuple[Outcome, Sequence[str] | None, str]:
    """Return the outcome, the changed files (None if another process writes them), and an error or an empty text."""
    broken = None
    try:
        settings = load_config(options.config, environ)
    except ConfigError as error:  # a running service goes on with the last good one, and so do we beside it
        settings, _ = last_good_settings(options.config, environ, error)
        broken = error
    for warning in settings.warnings if not options.quiet else ():
        print(warning, file=sys.stderr)
    arguments = _looked_up(settings, arguments_of)
    number: int | None = None
    end = monotonic() + PATIENCE
    while True:
        try:
            with _held(settings, options.command, broken) as app:
                if number is None:
                    number = _file(app.store, act, arguments)
                return _do(app, number)
        except LockHeld as held:
            with _beside(settings) as store:
                if number is None:
                    number = _file(store, act, arguments)
                outcome = _await(store, settings, number, min(end, monotonic() + KNOCK))
            if outcome is not None:
                return outcome, None, ""
            if monotonic() >= end:
                raise Postponed(held.by) from held


class Postponed(LockHeld):
    """The process that holds the store has not carried out a request yet."""

    def __str__(self) -> str:
        return (
            f"not done yet: {self.by} holds the store and carries the request out before it publishes or when it ends; "
            "the request is kept, and `aggregator why` shows when it was done"
        )


@contextmanager
def _held(settings: Settings, command: str, broken: ConfigError | None) -> Iterator[App]:
    """Open the app if no other process holds the lock of the store. Then feeds.yaml must have no errors."""
    if broken is not None:
        open_store(settings.store, now=utc_now(), command=command).close()
        raise broken
    app = open_app(settings, command=command, clock=utc_now)
    try:
        yield app
    finally:
        app.close()


@contextmanager
def _beside(settings: Settings) -> Iterator[Store]:
    store = open_store(settings.store, now=utc_now(), writes=False)
    try:
        yield store
    finally:
        store.close()


def _looked_up(settings: Settings, arguments_of: Callable[[Transaction], Arguments]) -> Arguments:
    """Look up the arguments of a request before anything changes, so that a refused request puts no edit in force.

    Creates no store: an empty store would know nothing that could be corrected.

    Raises:
        Unclear: an argument names nothing, or more than one thing.
        StoreError: there is no store, or it can't be read.
        StateLost: the state is lost.
    """
    store = read_store(settings)
    try:
        with store.read() as tx:
            if tx.store_row.is_new():
                refuse_lost(open_destination(settings.publish.to), settings)
            try:
                return arguments_of(tx)
            except Unclear as error:
                raise Unclear(redactor_of_private(tx, settings.sources).text(str(error))) from error
    finally:
        store.close()


def _file(store: Store, act: Act, arguments: Arguments) -> int:
    with store.begin() as tx:
        return tx.corrections.file(act, arguments, utc_now())


def _do(app: App, number: int) -> tuple[Outcome, Sequence[str], str]:
    """Carry out all waiting requests, and publish what they changed."""
    run_pending_requests(app.store, app.in_force.roster, app.clock)
    with app.store.read() as tx:
        outcome = _shown(tx, tx.corrections.outcome(number), app.in_force.settings)
    assert outcome is not None, "every request that waits is taken"
    try:
        published = app.publisher.publish()
    except PublishError as error:
        return outcome, (), str(error)
    failed = "could not be written: " + ", ".join(published.failed) if published.failed else ""
    return outcome, published.changed, failed


def _await(store: Store, settings: Settings, number: int, end: float) -> Outcome | None:
    while True:
        with store.read() as tx:
            outcome = _shown(tx, tx.corrections.outcome(number), settings)
        if outcome is not None or monotonic() >= end:
            return outcome
        time.sleep(LOOK)


def _shown(tx: Transaction, outcome: Outcome | None, settings: Settings) -> Outcome | None:
    """Return an outcome without addresses of private sources, which may be part of ids (S44)."""
    if outcome is None:
        return None
    redactor = redactor_of_private(tx, settings.sources)
    return replace(outcome, said=redactor.text(outcome.said), facts=redactor.record(dict(outcome.facts)))


def meant(tx: Transaction, thing: str) -> Meant:
    """Return the one story that an argument names.

    Raises:
        Unclear: there is none, or several.
    """
    number = tx.finding.story(thing)
    if number is not None:
        story = tx.members([number]).stories[number]
        if story.merged_into is None:
            return Meant(number)
        founder = tx.finding.entry(story.founder)
        assert founder is not None, "entries stay"
        assert founder.story is not None, "a merge moves them to a story"
        return Meant(founder.story, founder.id)
    found = tx.finding.entries(thing)
    if not found:
        raise Unclear(nothing_called(thing))
    told = {entry.story for entry in found if entry.story is not None}
    if len(told) > 1:
        lines = "".join(f"\n  {_line(entry)}" for entry in found)
        raise Unclear(f"{thing} fits several entries; write the number of one:{lines}")
    if not told:
        entry = found[0]
        raise Unclear(f"{_line(entry)} is {entry.state}: it is in no category (aggregator why {entry.id})")
    return Meant(told.pop())


def entry_of_story(tx: Transaction, thing: str, story: int) -> int:
    """Return the id of the one entry of a story that an argument names.

    Raises:
        Unclear: there is none, or several.
    """
    found = tx.finding.entries(thing)
    mine = [entry for entry in found if entry.story == story]
    if len(mine) == 1:
        return mine[0].id
    if not mine:
        lines = "".join(f"\n  {_line(entry)}" for entry in tx.finding.entries_of(story))
        raise Unclear(f"no entry of that story is called {thing}; its entries are:{lines}")
    lines = "".join(f"\n  {_line(entry)}" for entry in mine)
    raise Unclear(f"{thing} fits several entries; write the number of one:{lines}")


def _line(entry: FoundEntry) -> str:
    return f"{entry.id}  {entry.source}: {entry.title or '(untitled)'}"


def source_to_accept(options: argparse.Namespace, environ: Mapping[str, str]) -> Callable[[Transaction], Arguments]:
    """Return the function that finds the source named to `accept`, by key, URL or title.

    It looks in the store first: a suspect source may have left feeds.yaml, or feeds.yaml may be broken. Titles need
    feeds.yaml.
    """
    try:
        settings = load_config(options.config, environ)
    except ConfigError:
        settings = None

    def arguments(tx: Transaction) -> Arguments:
        rows = tx.sources.rows()
        for row in rows:
            if options.key in (row.key, row.url):
                return {"source": row.key}
        keys = matches(options.key, settings.sources, tx.sources.titles) if settings else []
        if settings is not None and len(keys) > 1:
            raise Unclear(unclear(options.key, keys, settings, options.config))
        if keys:
            return {"source": keys[0]}
        raise Unclear(no_suspect(options.key, [row.key for row in rows], options.config))

    return arguments
