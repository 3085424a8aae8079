"""Which entry of `hosts:` holds for a host, and what budgets count by under it (DESIGN 3.1, hosts)."""

import ipaddress
from collections.abc import Iterable

from aggregator.model.settings import HostRule
from aggregator.urls import Url, host_key_of, host_of, is_address

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


def budget_key(url: Url, rules: Iterable[HostRule]) -> str:
    """Give what budgets and locks count by for a URL (P60, P61).

    Returns:
        The rule's name where a name rule holds: its hosts are counted together. Else the host key: an address in a
        URL is its own, under a network rule too.
    """
    rule = rule_for(host_of(url), rules)
    return rule.name if rule is not None and rule.network is None else host_key_of(url)
