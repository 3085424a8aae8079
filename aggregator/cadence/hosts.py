"""Pause and spacing of a host key after a response: for all its sources (P30, P31, P37, P61). Pure.

`turn.py` computes when the source itself is due again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from aggregator.model.entry import Hints
from aggregator.model.hosts import Rest, doublings_of
from aggregator.model.settings import SourceKey

FORBIDDEN: Final = 403
TOO_MANY_REQUESTS: Final = 429
UNAVAILABLE: Final = 503

WINDOW: Final = timedelta(minutes=10)  # two sources that are refused within it count as a refusal by the host
REST: Final = timedelta(minutes=10)  # of the whole key after a 429
LONGEST: Final = timedelta(days=1)  # any pause of a whole key
CALM: Final = timedelta(days=1)  # without trouble, after which a doubling is taken back
REMEMBERED: Final = 8  # refused sources; the second is what decides

_NEVER = timedelta(0)


@dataclass(frozen=True, slots=True)
class Trouble:
    """A source that was refused lately, or was told that its request quota is used up."""

    source: str  # its key
    status: int  # 403, 429 or 503, or any with a count that is used up (P37)
    at: datetime
    until: datetime | None = None  # end of its Retry-After


@dataclass(frozen=True, slots=True, kw_only=True)
class HostBackoff:
    """A pause of a host key, and the spacing beyond the configured one."""

    doublings: int = 0  # of the configured spacing
    troubled_at: datetime  # when it last refused a request, or a doubling was taken back
    opens_at: datetime | None = None  # no start before
    troubles: tuple[Trouble, ...] = ()  # of the last ten minutes, or of its pause; each source once, the latest last


def after_answer(
    before: HostBackoff | None, source: str, status: int | None, hints: Hints, now: datetime, *, spacing: timedelta
) -> HostBackoff | None:
    """Return the pause and spacing of a host key after a response from it.

    A 429 to one source pauses all of them and doubles the spacing. A 403 or 503 to one source concerns that source
    alone; to a second source it concerns the host. A Retry-After binds the whole key only if a second source got one
    too, or if the response says that the quota of requests is used up (P37).

    Args:
        before: the backoff so far; None: none.
        source: key of the source that was polled.
        status: of the response; None if there was none.
        hints: of the response.
        now: the time.
        spacing: the configured one of this host key.

    Returns:
        None if there is no backoff; a record equal to `before` if nothing changed.
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
        # A response during a pause belongs to a request from before it: still the same trouble.
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
    """Return what is left of a host backoff at `now`; None once nothing of it holds.

    Times that lie too far ahead come from a clock that was wrong, and are brought back (R21).
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
    """Return the host keys to which no request is sent for a while, by key."""
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
