"""Which addresses are whose (S4 to S6)."""

import ipaddress

import pytest

from aggregator.fetch.guard import METADATA, Reach, embedded, reach_of


@pytest.mark.parametrize(
    "text",
    """127.0.0.1 127.255.255.254 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 169.254.1.1 100.64.0.1 100.127.255.255
    0.0.0.0 0.0.0.1 224.0.0.1 239.255.255.255 255.255.255.255 192.0.0.1 192.0.2.1 192.88.99.1 198.18.0.1 198.19.255.255
    198.51.100.1 203.0.113.1 240.0.0.1
    ::1 :: fe80::1 fc00::1 fdff::1 ff02::1 ff0e::1 fec0::1 2001:db8::1 3fff::1 2001::1 2001:2::1 2001:10::1 100::1
    ::ffff:127.0.0.1 ::ffff:10.0.0.1 64:ff9b::7f00:1 64:ff9b::a00:1 64:ff9b:1::808:808 2002:7f00:1:: 2002:808:808::
    2001:0:4136:e378:8000:63bf:3fff:fdd2 ::127.0.0.1 ::808:808 ::ffff:0:127.0.0.1 ::ffff:0:808:808
    4000::1 5f00::1""".split(),
)
def test_s4_private(text: str) -> None:
    assert reach_of(ipaddress.ip_address(text)) is Reach.PRIVATE


@pytest.mark.parametrize(
    "text",
    """8.8.8.8 1.1.1.1 93.184.216.34 100.63.255.255 100.128.0.0 172.32.0.1 223.255.255.255 192.0.1.1
    2606:4700:4700::1111 2001:4860:4860::8888 2a00:1450::1 2001:200::1 ::ffff:8.8.8.8 64:ff9b::808:808""".split(),
)
def test_s5_public(text: str) -> None:
    assert reach_of(ipaddress.ip_address(text)) is Reach.PUBLIC


@pytest.mark.parametrize(
    "text",
    [
        *sorted(map(str, METADATA)),
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a9fe:a9fe",
        "2002:a9fe:a9fe::",
        "::a9fe:a9fe",
        "::ffff:0:a9fe:a9fe",
        "64:ff9b::c000:c0",
    ],
)
def test_s6_metadata_in_any_form(text: str) -> None:
    assert reach_of(ipaddress.ip_address(text)) is Reach.METADATA


@pytest.mark.parametrize(
    ("outer", "inner"),
    [
        ("::ffff:1.2.3.4", "1.2.3.4"),
        ("64:ff9b::102:304", "1.2.3.4"),
        ("64:ff9b:1::102:304", "1.2.3.4"),
        ("2002:102:304::1", "1.2.3.4"),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", "192.0.2.45"),
        ("::1.2.3.4", "1.2.3.4"),
        ("::ffff:0:102:304", "1.2.3.4"),
        ("2606:4700::1", None),
        ("1.2.3.4", None),
    ],
)
def test_s5_the_address_inside(outer: str, inner: str | None) -> None:
    found = embedded(ipaddress.ip_address(outer))
    assert (None if found is None else str(found)) == inner


def test_s5_is_global_is_not_the_test() -> None:
    """If this fails, Python has learned; the table stays, since the oldest Python we run on has not."""
    fooled = [text for text in ("64:ff9b::7f00:1", "fec0::1", "224.0.0.1") if ipaddress.ip_address(text).is_global]
    assert fooled
