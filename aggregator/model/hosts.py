"""Finds the rule of `hosts:` for a host, and the budget that it allows (P60, P61).

The budget of a name rule counts for all its hosts together. The budget of a network rule counts for each address
separately, also for host names that resolve to the address.
"""

import ipaddress
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from aggregator.clock import rfc3339
from aggregator.model.record import record
from aggregator.model.settings import HostRule, SourceKey
from aggregator.urls import Url, host_key_of, host_of, is_address

SPACING: Final = timedelta(seconds=2)
SLOWEST: Final = timedelta(seconds=60)  # doubling of a spacing stops here
# Platforms that need another spacing. Reddit: one request a minute for an address, since June 2026. Local files: none.
PLATFORM_SPACING: Final = {"reddit.com": timedelta(seconds=60), "file": timedelta(0)}
PARALLEL: Final = 1  # parallel requests for a host key
AT_ADDRESS: Final = 2  # parallel requests at an IP address, for all host keys together

PRIVATE_ENDINGS: Final = (".local", ".internal", ".lan", ".localhost", ".home.arpa")

_LOCALHOST = (ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1"))


def rule_for(host: str, rules: Iterable[HostRule]) -> HostRule | None:
    """Return the most specific rule for a host; None if no rule applies.

    A name rule applies to the name and all its subdomains; the longest name wins. A network rule applies to the
    addresses in the network; the longest prefix wins. Network rules also apply to `localhost`, which is loopback by
    definition (RFC 6761, section 6.3), unless a name rule applies. For any other name the caller must resolve the name
    and pass the address.

    Args:
        host: host name in lower case, or IP address.
        rules: `Settings.hosts`.
    """
    host = host.strip("[]")
    if is_address(host):
        return _network_rule((ipaddress.ip_address(host),), rules)
    best = None
    for rule in rules:
        holds = rule.network is None and (host == rule.name or host.endswith("." + rule.name))
        if holds and (best is None or len(rule.name) > len(best.name)):
            best = rule
    if best is None and (host == "localhost" or host.endswith(".localhost")):
        return _network_rule(_LOCALHOST, rules)
    return best


def _network_rule(
    addresses: tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, ...], rules: Iterable[HostRule]
) -> HostRule | None:
    holding = [rule for rule in rules if rule.network is not None and any(a in rule.network for a in addresses)]
    return max(holding, key=lambda rule: rule.network.prefixlen if rule.network else 0, default=None)


def is_public(host: str) -> bool:
    """Report whether a host of a URL (name or address) may be reachable from the internet."""
    host = host.strip("[]")
    if is_address(host):
        return ipaddress.ip_address(host).is_global
    return "." in host and not host.endswith(PRIVATE_ENDINGS)


def budget_key(url: Url, rules: Iterable[HostRule]) -> str:
    """Return the key by which budgets and locks count requests to a URL (P60, P61).

    Returns:
        The name of the rule if a name rule applies, so that its hosts are counted together. Otherwise the host key; an
        address in a URL is its own key, also under a network rule.
    """
    rule = rule_for(host_of(url), rules)
    return rule.name if rule is not None and rule.network is None else host_key_of(url)


def ruling(key: str, rules: Iterable[HostRule], address: str | None = None) -> HostRule | None:
    """Return the rule for a host key; None if no rule applies.

    Args:
        key: what `budget_key` gives.
        rules: of `Settings.hosts`.
        address: last known IP address of the host; a network rule may apply to it if no name rule applies.
    """
    rule = rule_for(key, rules)
    return rule_for(address, rules) if rule is None and address is not None else rule


def spacing_of(key: str, rule: HostRule | None) -> timedelta:
    """Return the least time between the starts of two requests to a host key under its rule (P61)."""
    return PLATFORM_SPACING.get(key, SPACING) if rule is None or rule.spacing is None else rule.spacing


def widest_spacing(rules: Iterable[HostRule]) -> timedelta:
    """Return the longest spacing that any host may need."""
    return max([SLOWEST, *(rule.spacing for rule in rules if rule.spacing is not None)])


def parallel_of(rule: HostRule | None) -> int:
    """Return the number of parallel requests that a host key allows under its rule (P61)."""
    return PARALLEL if rule is None or rule.parallel is None else rule.parallel


def slowed(spacing: timedelta, doublings: int) -> timedelta:
    """Return a spacing after some doublings: at most a minute, or the spacing itself if it is longer (P61)."""
    return min(spacing * (1 << doublings), max(spacing, SLOWEST))


def doublings_of(spacing: timedelta) -> int:
    """Return how many doublings bring a spacing to a minute; 0 if the spacing is zero, or a minute or more.

    More doublings would have no effect, and would have to be undone one by one later.
    """
    count = 0
    while timedelta(0) < spacing * (1 << count) < SLOWEST:
        count += 1
    return count


@record
class Rest:
    """A host that gets no requests until a time, for any of its sources (P30, P31, P37)."""

    host: str  # host key
    until: datetime
    source: SourceKey | None  # source of the answer that demanded it last; None if no longer known
    status: int | None  # HTTP status of that answer


def rest_record(rest: Rest | None) -> dict[str, object] | None:
    """Return the rest of a host as `--json` reports it."""
    if rest is None:
        return None
    return {"host": rest.host, "until": rfc3339(rest.until), "source": rest.source, "status": rest.status}
