"""The ids that we make ourselves, for ever: of entries that have none of their own, and of pages."""

from collections.abc import Container
from hashlib import sha256
from uuid import UUID, uuid5

PAGE_ID = 16  # hex digits, more on collision


def minted_id(store_uuid: str, source: str, key: str) -> str:
    """Make an atom:id for an entry that has none of its own that could serve (A4)."""
    return uuid5(UUID(store_uuid), f"{source}\0{key}").urn


def minted_feed_id(store_uuid: str, key: str, taken: Container[str]) -> str:
    """Make the feed id of a category (A2). A key that is used again once its category was renamed gets another one."""
    uuid = UUID(store_uuid)
    number, feed_id = 1, uuid5(uuid, f"category\0{key}").urn
    while feed_id in taken:
        number += 1
        feed_id = uuid5(uuid, f"category\0{key}\0{number}").urn
    return feed_id


def page_id_of(atom_id: str, taken: Container[str] = frozenset()) -> str:
    """Give the id of a story's page: 16 hex digits of SHA-256 of its atom:id, longer on collision (DESIGN 3.3)."""
    digits = sha256(atom_id.encode()).hexdigest()
    length = PAGE_ID
    while digits[:length] in taken:
        length += 1
    return digits[:length]
