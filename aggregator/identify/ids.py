"""Ids that this program mints: of entries without a usable id, of categories and of story pages. They never change."""

from collections.abc import Container
from hashlib import sha256
from uuid import UUID, uuid5

PAGE_ID = 16  # hex digits, more on collision


def minted_id(store_uuid: str, source: str, key: str) -> str:
    """Return the atom:id of an entry that has no usable id of its own (A4)."""
    return uuid5(UUID(store_uuid), f"{source}\0{key}").urn


def minted_feed_id(store_uuid: str, key: str, taken: Container[str]) -> str:
    """Return the feed id of a category (A2).

    A key that is used again after its category was renamed gets another id.
    """
    uuid = UUID(store_uuid)
    number, feed_id = 1, uuid5(uuid, f"category\0{key}").urn
    while feed_id in taken:
        number += 1
        feed_id = uuid5(uuid, f"category\0{key}\0{number}").urn
    return feed_id


def page_id_of(atom_id: str, taken: Container[str] = frozenset()) -> str:
    """Return the id of a story page: 16 hex digits of SHA-256 of the atom:id, longer on collision."""
    digits = sha256(atom_id.encode()).hexdigest()
    length = PAGE_ID
    while digits[:length] in taken:
        length += 1
    return digits[:length]
