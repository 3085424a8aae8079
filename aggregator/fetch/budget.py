"""How often a host may be asked, and how much at a time (P61), in memory and for one process.

A budget belongs to a key (`model.hosts.budget_key`): a registrable domain, a platform, an entry of `hosts:`, or an
address. What is remembered of a key goes once nothing is going on there, so that ten thousand hosts cost nothing.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from aggregator.model.hosts import rule_for
from aggregator.model.settings import HostRule

SPACING_SECONDS: Final = 2.0
PARALLEL: Final = 1
# Platforms that want more. Reddit: one a minute for an address, since June 2026.
PLATFORM_SPACING_SECONDS: Final = {"reddit.com": 60.0, "file": 0.0}  # a local file is nobody's server


@dataclass(slots=True)
class _Account:
    """What is going on at one key."""

    spacing: float  # seconds between two starts
    parallel: int
    in_flight: int = 0
    opens_at: float = 0.0  # no start before


class Budgets:
    """The budgets of all hosts. Threads may share it.

    Args:
        hosts: of the settings.
        monotonic: tells the time in seconds, from any beginning.
    """

    def __init__(self, hosts: Sequence[HostRule], monotonic: Callable[[], float]) -> None:
        self._hosts = tuple(hosts)
        self._monotonic = monotonic
        self._accounts: dict[str, _Account] = {}
        self._lock = threading.Lock()

    def room(self, key: str) -> int:
        """Say how many requests may start now.

        Returns:
            0 within the spacing, in a pause, or with all in flight that may be; 1 where there is a spacing to keep
            after it; what is free otherwise.
        """
        with self._lock:
            account = self._accounts.get(key)
            return _room(self._open(key) if account is None else account, self._monotonic())

    def start(self, key: str) -> None:
        """Count a request in flight, whose start is now."""
        with self._lock:
            account = self._account(key)
            account.in_flight += 1
            account.opens_at = max(account.opens_at, self._monotonic() + account.spacing)

    def restart(self, key: str) -> None:
        """Count the spacing from now: a request that was started, and had to wait for a worker, leaves only now."""
        with self._lock:
            if account := self._accounts.get(key):
                account.opens_at = max(account.opens_at, self._monotonic() + account.spacing)

    def finish(self, key: str) -> None:
        """Count a request as over."""
        with self._lock:
            if account := self._accounts.get(key):
                account.in_flight = max(0, account.in_flight - 1)

    def pause(self, key: str, seconds: float) -> None:
        """Start nothing for some time (P30, P37); a pause that is running is only ever made longer."""
        with self._lock:
            account = self._account(key)
            account.opens_at = max(account.opens_at, self._monotonic() + seconds)

    def blocked(self) -> set[str]:
        """Give the keys that have no room."""
        with self._lock:
            now = self._tidy()
            return {key for key, account in self._accounts.items() if not _room(account, now)}

    def next_opening(self) -> float | None:
        """Say in how many seconds the next spacing or pause ends; None if there is none, or all wait for an end."""
        with self._lock:
            now = self._tidy()
            waits = [
                account.opens_at - now
                for account in self._accounts.values()
                if account.opens_at > now and account.in_flight < account.parallel
            ]
            return min(waits, default=None)

    def adopt(self, hosts: Sequence[HostRule]) -> None:
        """Go by other rules from now on; what is in flight, and the spacing after it, count on (R50)."""
        with self._lock:
            self._hosts = tuple(hosts)
            for key, account in self._accounts.items():
                fresh = self._open(key)
                account.spacing, account.parallel = fresh.spacing, fresh.parallel

    def widest(self) -> int:
        """Say how many requests any one key may have in flight, at most."""
        return max((rule.parallel for rule in self._hosts if rule.parallel is not None), default=PARALLEL)

    def _account(self, key: str) -> _Account:
        account = self._accounts.get(key)
        if account is None:
            account = self._accounts[key] = self._open(key)
        return account

    def _open(self, key: str) -> _Account:
        rule = rule_for(key, self._hosts)
        spacing, parallel = PLATFORM_SPACING_SECONDS.get(key, SPACING_SECONDS), PARALLEL
        if rule is not None and rule.spacing is not None:
            spacing = rule.spacing.total_seconds()
        if rule is not None and rule.parallel is not None:
            parallel = rule.parallel
        return _Account(spacing, parallel)

    def _tidy(self) -> float:
        """Forget the keys where nothing is going on; gives the time."""
        now = self._monotonic()
        over = [key for key, account in self._accounts.items() if not account.in_flight and account.opens_at <= now]
        for key in over:
            del self._accounts[key]
        return now


def _room(account: _Account, now: float) -> int:
    if now < account.opens_at:
        return 0
    free = max(0, account.parallel - account.in_flight)
    return min(free, 1) if account.spacing else free
