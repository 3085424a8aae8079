"""Minted ids: they are published, and never change."""

from hashlib import sha256

from aggregator.identify.ids import minted_feed_id, minted_id, page_id_of

UUID = "00000000-0000-4000-8000-000000000000"
FIRST = "urn:uuid:84c8feca-37db-5bea-bf9f-1bda3c6867ae"
SECOND = "urn:uuid:87dbc29f-7986-5105-a381-b1e9ebc293e1"


def test_a4_an_entry_gets_the_id_that_it_always_had() -> None:
    assert minted_id(UUID, "news", "k1") == "urn:uuid:5e885815-e73d-5f02-90fb-2bfd67244f61"


def test_a2_a_category_gets_the_id_that_it_always_had_and_a_key_that_is_used_again_another() -> None:
    assert minted_feed_id(UUID, "x", ()) == FIRST
    assert minted_feed_id(UUID, "x", {FIRST}) == SECOND
    assert minted_feed_id(UUID, "x", {FIRST, SECOND}) == "urn:uuid:47194abb-6d6c-516c-bb27-decab3276549"
    assert minted_feed_id(UUID, "x", {SECOND}) == FIRST


def test_a_page_id_is_as_short_as_others_let_it_be() -> None:
    digits = sha256(b"urn:1").hexdigest()
    assert page_id_of("urn:1") == digits[:16]
    assert page_id_of("urn:1", {digits[:16]}) == digits[:17]
    assert page_id_of("urn:1", {digits[:16], digits[:17]}) == digits[:18]
