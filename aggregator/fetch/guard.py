"""Decides which addresses a fetch may connect to, before each connection and request (S3, S6).

Public addresses are open to all. A private one is open if two things hold: an entry under `hosts:` with `allow_private`
covers it (the host's name, or the address), and the configured URL of the source itself lies in such an entry (by name,
by the address in it, or by the address it leads to). So a source on the internet can't be redirected inwards.

Addresses are classified by our own table: `ipaddress.is_global` does not answer the question (S4 to S6). It is True for
64:ff9b::7f00:1 (127.0.0.1 by NAT64), 2002:7f00:1:: (by 6to4), fec0::1, 224.0.0.1 and for 192.0.0.192, where one cloud
keeps its metadata.
"""

import ipaddress
from collections.abc import Callable, Iterable, Sequence
from enum import Enum, auto
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from aggregator.model.hosts import rule_for
from aggregator.model.settings import HostRule
from aggregator.urls import Url, host_of

Address = IPv4Address | IPv6Address


class Reach(Enum):
    """Which sources may connect to an address."""

    PUBLIC = auto()  # anybody
    PRIVATE = auto()  # sources that `hosts:` lets in (S4, S6)
    METADATA = auto()  # nobody: what answers there hands out the machine's own credentials (S6)


METADATA = frozenset(
    map(
        ipaddress.ip_address,
        (
            "169.254.169.254",  # most clouds
            "169.254.170.2",  # containers of AWS
            "169.254.170.23",
            "169.254.0.23",  # Tencent
            "169.254.42.42",  # Scaleway
            "100.100.100.200",  # Alibaba
            "192.0.0.192",  # Oracle
            "168.63.129.16",  # Azure; looks public
            "fd00:ec2::254",
            "fd00:ec2::23",
            "fd20:ce::254",  # Google
            "fe80::a9fe:a9fe",
        ),
    )
)

# RFC 6890 and IANA's registry of special addresses as of 2025, without the blocks that are plain unicast.
SPECIAL_IPV4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",
            "100.64.0.0/10",  # carrier-grade NAT
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",  # protocol assignments
            "192.0.2.0/24",  # documentation
            "192.88.99.0/24",  # 6to4 relays, retired
            "192.168.0.0/16",
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, broadcast
        ),
    )
)

UNICAST_IPV6 = IPv6Network("2000::/3")  # all of IPv6 that is given out to the public
SPECIAL_IPV6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocol assignments: Teredo, benchmarks, ORCHID
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4, retired (RFC 7526)
            "3fff::/20",  # documentation
        ),
    )
)

NAT64 = IPv6Network(
    "64:ff9b::/96"
)  # RFC 6052: how a network without IPv4 reaches it; what counts is the address inside
# Forms that hold an IPv4 address in their last 32 bits. Two forms say the same as the address inside, NAT64 and mapped;
# the others lead wherever the local network says, so that they are private whatever is inside.
_LAST_32_BITS = tuple(
    map(
        IPv6Network,
        (
            "64:ff9b::/96",
            "64:ff9b:1::/48",  # NAT64 with a local meaning (RFC 8215)
            "::ffff:0:0/96",  # mapped
            "::ffff:0:0:0/96",  # translated (SIIT)
            "::/96",  # compatible, retired
        ),
    )
)


@lru_cache(maxsize=4096)
def reach_of(address: Address) -> Reach:
    """Return which sources may connect to an address; an address embedded in another form counts too (S5)."""
    inner = embedded(address)
    if address in METADATA or inner in METADATA:
        return Reach.METADATA
    if isinstance(address, IPv4Address):
        return Reach.PRIVATE if any(address in block for block in SPECIAL_IPV4) else Reach.PUBLIC
    if inner is not None and (address.ipv4_mapped or address in NAT64):
        return reach_of(inner)
    if address in UNICAST_IPV6 and not any(address in block for block in SPECIAL_IPV6):
        return Reach.PUBLIC
    return Reach.PRIVATE


def embedded(address: Address) -> IPv4Address | None:
    """Return the IPv4 address inside an IPv6 address: mapped, NAT64, 6to4, Teredo, translated or compatible."""
    if isinstance(address, IPv4Address):
        return None
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if any(address in block for block in _LAST_32_BITS):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def plain(address: Address) -> Address:
    """Return an address in the form in which rules name it: a mapped one as its IPv4 address (RFC 4291)."""
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address


PRIVATE = (
    "its address is private or reserved; if it is your own machine, allow it under hosts: {HOST: {allow_private: true}}"
    ", with its name or address for HOST"
)
STRANGER = (
    "its address is private, and only a source whose own URL lies under an entry of hosts: with allow_private may be "
    "sent there"
)
FORBIDDEN = "a cloud's metadata address is never fetched, whatever hosts: allows"
LOCAL_NAME = (
    "its name belongs to a local network and this machine can't resolve it; if it is your own, allow the name under "
    "hosts: with allow_private"
)
# Names that are never public (RFC 6761, 6762, 8375; ICANN's .internal). A name without a dot is local, too.
LOCAL_SUFFIXES = (".localhost", ".local", ".internal", ".intranet", ".lan", ".corp", ".home", ".home.arpa", ".private")
METADATA_NAMES = frozenset(
    {"metadata", "metadata.goog", "metadata.google.internal", "instance-data", "instance-data.ec2.internal"}
)


class Guard:
    """The entries of `hosts:` with `allow_private`; shared by all fetches.

    Args:
        rules: of `Settings.hosts`.
        lookup: returns the addresses of a name; none if it has none.
    """

    def __init__(self, rules: Sequence[HostRule], lookup: Callable[[str], Iterable[Address]]) -> None:
        self.lookup = lookup
        self._opens_any = any(rule.allow_private for rule in rules)
        self._rule = lru_cache(maxsize=4096)(lambda host: rule_for(host, rules))

    def permit(self, configured: Url) -> "Permit":
        """Return what the source with this configured URL may reach."""
        return Permit(self, host_of(configured))

    def opens(self, host: str | Address) -> bool:
        """Return whether a host, as it is written in a URL, or an address lies in an entry."""
        rule = self._rule(host if isinstance(host, str) else str(plain(host)))
        return rule is not None and rule.allow_private

    def covers(self, host: str, address: Address) -> bool:
        """Return whether an entry opens a private address that a host leads to: one for the name, or for the address.

        That 127.0.0.0/8 stands for `localhost` as well opens no other address to it.
        """
        if not self._opens_any:
            return False
        rule = self._rule(host)
        by_name = rule is not None and rule.allow_private and rule.network is None
        return by_name or self.opens(address)


class Permit:
    """Addresses that one fetch may reach. It belongs to one source: sources differ in what they may reach."""

    def __init__(self, guard: Guard, configured_host: str) -> None:
        self._guard = guard
        self._configured_host = configured_host
        self._first: tuple[str, Address] | None = None  # where the first hop went

    def refusal(self, host: str, address: Address, *, first: bool) -> str | None:
        """Return why an address may not be connected to.

        Args:
            host: the name or address in the URL.
            address: where the name leads, and what would be connected to.
            first: this is the first hop of the poll, no redirect.

        Returns:
            The rule, for the operator; None if the address is allowed.
        """
        if first:
            self._first = (host, address)  # of several, the last one asked for is the one that was taken
        reach = reach_of(address)
        if reach is Reach.PUBLIC:
            return None
        if reach is Reach.METADATA:
            return FORBIDDEN
        if not self._guard.covers(host, address):
            return PRIVATE
        return None if self._is_inside() else STRANGER

    def refusal_of_name(self, host: str) -> str | None:
        """Return why a proxy may not be told to connect to a name that this machine can't resolve (S9).

        Only the form of the name is known here. Which addresses public names lead to is for the proxy to filter.

        Args:
            host: the name in the URL, without a dot at its end.

        Returns:
            The rule, for the operator; None if the name is allowed.
        """
        host = host.lower()
        if host in METADATA_NAMES:
            return FORBIDDEN
        if "." in host and not host.endswith(LOCAL_SUFFIXES):
            return None
        if not self._guard.opens(host):
            return LOCAL_NAME
        return None if self._is_inside() else STRANGER

    def _is_inside(self) -> bool:
        """Return whether the configured URL lies in an entry."""
        if self._guard.opens(self._configured_host):
            return True
        if self._first is not None and self._first[0] == self._configured_host:
            return self._guard.opens(self._first[1])
        return any(map(self._guard.opens, self._guard.lookup(self._configured_host)))  # an adopted URL, elsewhere (P40)
