"""Which entry of `hosts:` holds for a host, what budgets count by under it, and how much it allows (P60, P61).

A name rule holds for its hosts together; a network rule for each address by itself, also where a name leads there
(DESIGN 3.1, hosts).
"""

import ipaddress
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from aggregator.model.settings import HostRule
from aggregator.urls import Url, host_key_of, host_of, is_address

SPACING: Final = timedelta(seconds=2)
SLOWEST: Final = timedelta(seconds=60)  # a spacing that was doubled ends here
# Platforms that want more. Reddit: one a minute for an address, since June 2026. A local file is nobody's server.
PLATFORM_SPACING: Final = {"reddit.com": timedelta(seconds=60), "file": timedelta(0)}
PARALLEL: Final = 1  # in flight for a key
AT_ADDRESS: Final = 2  # in flight for an address, whatever keys lead there

PRIVATE_ENDINGS: Final = (".local", ".internal", ".lan", ".localhost", ".home.arpa")

_LOCALHOST = (ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1"))


def rule_for(host: str, rules: Iterable[HostRule]) -> HostRule | None:
    """Find the most specific rule for a host.

    A name rule holds for the name itself and all names below it, the longest wins. A network rule holds for the
    addresses in it, the longest prefix wins. `localhost`, which is loopback by definition (RFC 6761, section 6.3),
    falls under the networks of its addresses unless a name rule holds. For what another name resolves to, ask with
    the address.

    Args:
        host: a name in lower case, or an address in text form.
        rules: of `Settings.hosts`.
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
    """Tell whether a host, a name or an address as it stands in a URL, may be one that the world sees."""
    host = host.strip("[]")
    if is_address(host):
        return ipaddress.ip_address(host).is_global
    return "." in host and not host.endswith(PRIVATE_ENDINGS)


def budget_key(url: Url, rules: Iterable[HostRule]) -> str:
    """Give what budgets and locks count by for a URL (P60, P61).

    Returns:
        The rule's name where a name rule holds: its hosts are counted together. Else the host key: an address in a
        URL is its own, under a network rule too.
    """
    rule = rule_for(host_of(url), rules)
    return rule.name if rule is not None and rule.network is None else host_key_of(url)


def ruling(key: str, rules: Iterable[HostRule], address: str | None = None) -> HostRule | None:
    """Find the rule that holds for a host key.

    Args:
        key: what `budget_key` gives.
        rules: of `Settings.hosts`.
        address: where the key was found last, if that is known: where no name rule holds, a network may.
    """
    rule = rule_for(key, rules)
    return rule_for(address, rules) if rule is None and address is not None else rule


def spacing_of(key: str, rules: Iterable[HostRule], address: str | None = None) -> timedelta:
    """Say how much time lies between two starts of requests to a host key (P61); arguments as of `ruling`."""
    rule = ruling(key, rules, address)
    return PLATFORM_SPACING.get(key, SPACING) if rule is None or rule.spacing is None else rule.spacing


def widest_spacing(rules: Iterable[HostRule]) -> timedelta:
    """Give the longest time that may have to lie between two starts, at whichever host."""
    return max([SLOWEST, *(rule.spacing for rule in rules if rule.spacing is not None)])


def parallel_of(key: str, rules: Iterable[HostRule], address: str | None = None) -> int:
    """Say how many requests to a host key may be in flight at once (P61); arguments as of `ruling`."""
    rule = ruling(key, rules, address)
    return PARALLEL if rule is None or rule.parallel is None else rule.parallel


def slowed(spacing: timedelta, doublings: int) -> timedelta:
    """Give a spacing that was doubled so many times, up to a minute, or to itself if that is more (P61)."""
    return min(spacing * (1 << doublings), max(spacing, SLOWEST))


def doublings_of(spacing: timedelta) -> int:
    """Say how many doublings bring a spacing to a minute: more would only have to be taken back again.

    Returns:
        0 where there is nothing to double: no spacing, or a minute and more.
    """
    count = 0
    while timedelta(0) < spacing * (1 << count) < SLOWEST:
        count += 1
    return count
