"""A poll as a sentence: fetch, parse, clean, identify, decide, store. Publishing follows when something is dirty.

`gather` runs in any number of workers and touches no store; `settle` is the only writer. Scheduler, one-shot `poll` and
the jobs of a fleet are callers of these two and hold no rule of their own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from logging import INFO, WARNING, getLogger
from traceback import format_exception

from aggregator.clean import clean
from aggregator.clock import Clock
from aggregator.decide import decide, is_quiet
from aggregator.errors import SourceError
from aggregator.identity import identify
from aggregator.model.changes import Changes
from aggregator.model.entry import NO_NEWS
from aggregator.model.known import NOTHING_KNOWN
from aggregator.model.poll import Answer, Cut, Due, Exchange, Failed, Fetched, Gathered
from aggregator.model.redactor import Redactor
from aggregator.model.settings import Roster
from aggregator.parse import parse
from aggregator.store.database import Store

log = getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The outside world: network, store, time; and what feeds.yaml says of it now."""

    fetch: Callable[[Due], Answer]
    store: Store
    roster: Callable[[], Roster]
    redactor: Callable[[], Redactor]
    clock: Clock


def gather(due: Due, ports: Ports) -> Gathered:
    """Ask one source for its news. Touches no store; never raises, or one source could stop the others (R40).

    What it echoes of our secrets is struck out before anything reads it, and out of what an error says (S44).
    """
    redactor = ports.redactor()
    answer: Answer | None = None
    feed = NO_NEWS
    try:
        answer = ports.fetch(due)
        if isinstance(answer, Fetched) and not answer.same_body:
            told = _without_secrets(answer, redactor.narrowed(due.source))
            feed = identify(clean(parse(told, due.source.reading), due.source.reading))
    except SourceError as error:  # their side; the hints of an answer that can't be read still count
        answer = Failed.of(error, _exchange(answer, ports))
    except Exception as error:
        hidden = _hidden_trace(error, redactor)
        log.exception(
            "crash_poll",
            extra={"source": due.source.key, "traceback": hidden},
            exc_info=None if hidden else error,
        )
        answer = Failed.of(error, _exchange(answer, ports))
    if isinstance(answer, Failed):
        answer = replace(answer, text=redactor.text(answer.text))
    return Gathered(due, answer, feed)


def settle(polls: Sequence[Gathered], ports: Ports) -> list[Changes]:
    """Decide and store a group of polls in one transaction.

    Quiet polls (304, same body, failed) are one statement for all; a poll with entries has a savepoint of its own,
    after the quiet ones, one after the other, so that the second copy of a story meets the first. Polls that we cut
    ourselves are given back.

    Raises:
        StoreError: our side failed; nothing of the group was written.
    """
    roster = ports.roster()
    cut = [poll.due for poll in polls if isinstance(poll.answer, Cut)]
    asked = [poll for poll in polls if not isinstance(poll.answer, Cut)]
    changes = [decide(poll, NOTHING_KNOWN, roster) for poll in asked if is_quiet(poll)]
    with ports.store.begin() as tx:
        tx.give_back(cut)
        tx.move(changes)
        for poll in asked:
            if is_quiet(poll):
                continue
            change = decide(poll, tx.known(poll.due, poll.feed), roster)
            if not tx.try_write(change):  # one that can't be stored falls alone
                change = decide(_unstored(poll), NOTHING_KNOWN, roster)
                tx.move([change])
            changes.append(change)
    for change in changes:
        log_poll(change)
    return changes


def log_poll(change: Changes) -> None:
    """Say how a poll went: a source that begins to fail is a warning once, then a matter of course (R49)."""
    move, entries = change.move, change.entries
    worse = move.failures == 1 or (move.failures > 0 and move.code != change.due.code)
    level = WARNING if worse else INFO
    if not log.isEnabledFor(level):
        return
    facts: dict[str, object] = {
        "source": change.due.source.key,
        "outcome": move.outcome.value,
        "new": entries.fresh,
        "revised": len(entries.revised),
        "next": move.due_at.isoformat(timespec="seconds"),
    }
    if move.error:
        facts |= {"code": move.code, "error": move.error, "failures": move.failures}
    log.log(level, "poll_source", extra=facts)


def _without_secrets(answer: Fetched, redactor: Redactor) -> Fetched:
    """Give an answer as it may be read: its address too, since what a document leaves unsaid is resolved against it.

    The digest stays that of the bytes that came: it is compared with that of the next ones (P4).
    """
    return replace(answer, body=redactor.body(answer.body), url=redactor.url(answer.url))


def _hidden_trace(error: Exception, redactor: Redactor) -> str | None:
    """Give the traceback of a fault of ours without secrets, if it quotes any; None if it can be logged as it is."""
    trace = "".join(format_exception(error))
    safe = redactor.text(trace)
    return None if safe == trace else safe


def _exchange(answer: Answer | None, ports: Ports) -> Exchange:
    return Exchange(asked_at=ports.clock()) if answer is None else answer


def _unstored(poll: Gathered) -> Gathered:
    """Make a failure of ours of a poll whose entries the store refused."""
    failed = Failed.of(RuntimeError("the store refused the entries"), poll.answer)
    return replace(poll, answer=failed, feed=NO_NEWS)
