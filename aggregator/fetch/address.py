"""Classifies IP addresses by our own table: `ipaddress.is_global` does not answer the question (S4 to S6).

`is_global` is True for 64:ff9b::7f00:1 (127.0.0.1 by NAT64), 2002:7f00:1:: (by 6to4), fec0::1, 224.0.0.1 and for
192.0.0.192, where one cloud keeps its metadata.
"""

import ipaddress
from enum import Enum, auto
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

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
