"""What a host key is owed after an answer: a pause for all its sources, and a wider spacing (P30, P31, P37, P61).

Pure. When the source itself is due again is `turn`'s to say.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from aggregator.model.entry import Hints
from aggregator.model.hosts import doublings_of
from aggregator.model.rest import Rest
from aggregator.model.settings import SourceKey

FORBIDDEN: Final = 403
TOO_MANY_REQUESTS: Final = 429
UNAVAILABLE: Final = 503

WINDOW: Final = timedelta(minutes=10)  # two sources that are refused within it tell of their host
REST: Final = timedelta(minutes=10)  # of the whole key after a 429
LONGEST: Final = timedelta(days=1)  # any pause of a whole key
CALM: Final = timedelta(days=1)  # without trouble, after which a doubling is taken back
REMEMBERED: Final = 8  # refused sources; the second is what decides

_NEVER = timedelta(0)


@dataclass(frozen=True, slots=True)
class Trouble:
    """One source that was refused lately, or told that the count for us is used up."""

    source: str  # its key
    status: int  # 403, 429 or 503, or any with a count that is used up (P37)
    at: datetime
    until: datetime | None = None  # when it may be asked again, if the answer said so


@dataclass(frozen=True, slots=True, kw_only=True)
class HostBackoff:
    """What a host key is owed beyond the ordinary."""

    doublings: int = 0  # of its spacing
    troubled_at: datetime  # when it last asked for peace, or a doubling was taken back
    opens_at: datetime | None = None  # no start before
    troubles: tuple[Trouble, ...] = ()  # of the last ten minutes, or of its rest; each source once, the latest last


def after_answer(
    before: HostBackoff | None, source: str, status: int | None, hints: Hints, now: datetime, *, spacing: timedelta
) -> HostBackoff | None:
    """Say what a host key is owed after an answer that came from it.

    A 429 to one source is a rest for all of them, and a reason to double the spacing; a 403 or 503 to one source is
    that source's matter, to a second one it is the host's. How long an answer wants to be left alone binds the whole
    key only if a second source is told so too, or the answer says that the count for us is used up (P37).

    Args:
        before: what it was owed so far; None: nothing.
        source: key of the source that was asked.
        status: of the answer; None if there was none.
        hints: of the answer.
        now: the time.
        spacing: the ordinary one of this host key.

    Returns:
        None if it is owed nothing; a record equal to `before` if nothing changed.
    """
    owed = expired(before, now) or HostBackoff(troubled_at=now)
    kept = tuple(trouble for trouble in owed.troubles if trouble.source != source)
    others = tuple(trouble for trouble in kept if _is_recent(trouble, now))
    pause = hints.exhausted or _NEVER
    if status in (TOO_MANY_REQUESTS, UNAVAILABLE):
        busy = [trouble for trouble in others if trouble.status in (TOO_MANY_REQUESTS, UNAVAILABLE)]
        if busy or hints.exhausted:
            wishes = [trouble.until - now for trouble in busy if trouble.until]
            pause = max(pause, hints.retry_after or _NEVER, *wishes)
        if status == TOO_MANY_REQUESTS:
            pause = max(pause, REST)
    if status == TOO_MANY_REQUESTS or (status in (FORBIDDEN, UNAVAILABLE) and _refuses(others)):
        # What comes during a pause was asked before it: still the same trouble.
        more = owed.doublings + (owed.opens_at is None)
        owed = replace(owed, doublings=min(more, doublings_of(spacing)), troubled_at=now)
    if status in (FORBIDDEN, TOO_MANY_REQUESTS, UNAVAILABLE) or (status is not None and hints.exhausted):
        until = now + min(hints.retry_after, LONGEST) if hints.retry_after else None
        troubles = (*kept, Trouble(source, status, now, until))
        owed = replace(owed, troubles=troubles[-REMEMBERED:])
    if pause:
        opens_at = now + min(pause, LONGEST)
        owed = replace(owed, opens_at=max(opens_at, owed.opens_at or opens_at))
    return expired(owed, now)


def expired(owed: HostBackoff | None, now: datetime) -> HostBackoff | None:
    """Give what is left of a restraint as time goes by; None once nothing of it holds.

    Times that lie ahead of all reason come from a clock that was wrong, and are brought back (R21).
    """
    if owed is None:
        return None
    troubled_at = min(owed.troubled_at, now)
    taken_back = min((now - troubled_at) // CALM, owed.doublings)
    opens_at = min(owed.opens_at, now + LONGEST) if owed.opens_at is not None and owed.opens_at > now else None
    left = HostBackoff(
        doublings=owed.doublings - taken_back,
        troubled_at=troubled_at + taken_back * CALM,
        opens_at=opens_at,
        troubles=tuple(trouble for trouble in owed.troubles if opens_at is not None or _is_recent(trouble, now)),
    )
    return left if left.doublings or left.opens_at or left.troubles else None


def rests_of(restraints: Mapping[str, HostBackoff], now: datetime) -> dict[str, Rest]:
    """Return the host keys to which no request leaves for a while, by key."""
    found: dict[str, Rest] = {}
    for key, restraint in restraints.items():
        if restraint.opens_at is not None and restraint.opens_at > now:
            last = next((each for each in reversed(restraint.troubles) if each.status != FORBIDDEN), None)
            source, status = (SourceKey(last.source), last.status) if last is not None else (None, None)
            found[key] = Rest(host=key, until=restraint.opens_at, source=source, status=status)
    return found


def _is_recent(trouble: Trouble, now: datetime) -> bool:
    return abs(now - trouble.at) < WINDOW


def _refuses(troubles: tuple[Trouble, ...]) -> bool:
    return any(trouble.status in (FORBIDDEN, UNAVAILABLE) for trouble in troubles)
