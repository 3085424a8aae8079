"""Policies of host keys: spacing and parallel requests, the address where each was found, and where redirects lead.

Bounded, and only as recent as the last connection. No lock: it belongs to `Budgets`, which has one.
"""

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aggregator.model.hosts import AT_ADDRESS, parallel_of, ruling, slowed, spacing_of
from aggregator.model.settings import HostRule
from aggregator.urls import is_address

REMEMBERED: Final = 65_536  # keys, and sources that are redirected; the one that was learned first goes first


@dataclass(frozen=True, slots=True)
class Manners:
    """The policy of one host key."""

    spacing: float  # seconds between two starts
    parallel: int
    address: str | None  # where it was found last
    at_address: int  # how many may be in flight there before one of this key starts
    is_named: bool  # a rule for its name holds: the spacing of a network does not


class HostPolicies:
    """Policies of all host keys that were met.

    Args:
        hosts: `hosts:` of the settings.
    """

    def __init__(self, hosts: Sequence[HostRule]) -> None:
        self._hosts = tuple(hosts)
        self._manners: dict[str, Manners] = {}
        self._doublings: dict[str, int] = {}
        self._delays: dict[str, float] = {}  # seconds, that a site asks crawlers for
        self._residents: dict[str, dict[str, Manners]] = {}  # by address
        self._ways: dict[Hashable, frozenset[str]] = {}  # by job
        self._jobs: dict[str, set[Hashable]] = {}  # the same, the other way round

    def of(self, key: str) -> Manners:
        """Return the policy of a key."""
        return self._manners.get(key) or self._judge(key)

    def spacing_at(self, address: str) -> float:
        """Return the spacing in seconds that a network under `hosts:` has for each of its addresses."""
        rule = ruling(address, self._hosts)
        return 0.0 if rule is None or rule.spacing is None else rule.spacing.total_seconds()

    def residents(self, address: str) -> Mapping[str, Manners]:
        """Return the keys that were found at an address, with their policies."""
        return self._residents.get(address, {})

    def ways_of(self, job: Hashable) -> Collection[str]:
        """Return the other keys that the last poll of a job was redirected to."""
        return self._ways.get(job, ())

    def jobs_to(self, keys: Collection[str]) -> set[Hashable]:
        """Return the jobs that are redirected to one of these keys."""
        return {job for key in keys & self._jobs.keys() for job in self._jobs[key]}

    def adopt(self, hosts: Sequence[HostRule]) -> None:
        """Apply another `hosts:`."""
        self._hosts = tuple(hosts)
        for key in list(self._manners):
            self._judge(key)

    def slow_down(self, key: str, doublings: int) -> None:
        """Double the spacing of a key `doublings` times (P61)."""
        self._doublings.pop(key, None)
        if doublings:
            self._doublings[key] = doublings
        self._judge(key)

    def keep_distance(self, key: str, seconds: float) -> None:
        """Apply the Crawl-delay of a site to a key."""
        self._delays.pop(key, None)
        if seconds > 0:
            self._delays[key] = seconds
        self._judge(key)

    def find(self, key: str, address: str) -> None:
        """Record at which address a key was found. A key that is an address is its own."""
        if not is_address(key):
            self._judge(key, address)

    def lead(self, job: Hashable, keys: Collection[str]) -> None:
        """Record where polls of a job are redirected to, in place of what was known."""
        for key in self._ways.pop(job, ()):
            self._jobs[key].discard(job)
            if not self._jobs[key]:
                del self._jobs[key]
        if keys:
            self._ways[job] = frozenset(keys)
            for key in keys:
                self._jobs.setdefault(key, set()).add(job)
        if len(self._ways) > REMEMBERED:
            self.lead(next(iter(self._ways)), ())

    def _judge(self, key: str, address: str | None = None) -> Manners:
        before = self._forget(key)
        address = address or (before.address if before else key if is_address(key) else None)
        rule = ruling(key, self._hosts, address)
        spacing = slowed(spacing_of(key, rule), self._doublings.get(key, 0))
        delay = self._delays.get(key, 0.0) if rule is None or rule.spacing is None else 0.0
        manners = self._manners[key] = Manners(
            spacing=max(spacing.total_seconds(), delay),
            parallel=parallel_of(rule),
            address=address,
            at_address=AT_ADDRESS if rule is None or rule.parallel is None else rule.parallel,
            is_named=rule is not None and rule.network is None,
        )
        if address is not None:
            self._residents.setdefault(address, {})[key] = manners
        if len(self._manners) > REMEMBERED:
            self._forget(next(iter(self._manners)))
        return manners

    def _forget(self, key: str) -> Manners | None:
        manners = self._manners.pop(key, None)
        if manners is not None and manners.address is not None:
            residents = self._residents[manners.address]
            del residents[key]
            if not residents:
                del self._residents[manners.address]
        return manners
