"""The window of a source: the items of its last document by their bytes, so that the next reading leaves them out.

It is stored as bytes: 24 of the context, then 26 for each item. A document of which no window can be made has none.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import blake2b
from struct import Struct
from typing import Final

from aggregator.model.record import record

CONTEXT: Final = 24  # bytes: 12 of what is known before reading, 12 of what reading finds out
FIELDS: Final = ("link", "title", "date", "text")  # fields of an item, a bit each: absent in all items, one may be lost
FORM: Final = 8  # bytes of the hash of a key
_MARK: Final = 8
_STATE: Final = 4
_RECORD: Final = Struct(f">{_MARK}s{FORM}s{_STATE}sIB?")
_MAX_ENTRY: Final = 2**32


@record(kw_only=False)
class Item:
    """An item of a document that is stored as it stands there."""

    mark: bytes  # `mark_of` its bytes
    form: bytes  # the first bytes of the hash of its key (I32)
    state: bytes  # `state_of` its entry, which the store must still have
    entry: int  # id of the stored entry
    fields: int  # which of `FIELDS` it has
    by_link: bool  # its link is its key, not its id (I34)

    @property
    def fits(self) -> bool:
        """True if a window can hold the item."""
        return self.entry < _MAX_ENTRY


@record
class Listing:
    """The items of a document by their bytes, and how the document was read."""

    context: bytes = b""  # everything outside of an item that its reading depends on; empty: no window can be made
    marks: tuple[bytes, ...] = ()  # of the items, by position
    seen: tuple[tuple[int, Item], ...] = ()  # (position, item) of those that were not read, since they are stored
    whole: str = ""  # why the document was read whole, or will be; empty: it was not

    @property
    def fields(self) -> frozenset[str]:
        """The fields that at least one item has of those that were not read."""
        bits = 0
        for _, item in self.seen:
            bits |= item.fields
        return frozenset(name for place, name in enumerate(FIELDS) if bits >> place & 1)


NO_LISTING = Listing()


def short_hash(data: bytes, size: int) -> bytes:
    """Return the first bytes of a hash. A publisher who makes two alike only hides an edit of its own."""
    return blake2b(data, digest_size=size).digest()


def mark_of(data: bytes) -> bytes:
    """Return what an item is recognised by at the next reading, from its bytes."""
    return short_hash(data, _MARK)


def form_of(key_hash: str) -> bytes:
    """Return the part of the hash of a key that a window has."""
    return bytes.fromhex(key_hash[: 2 * FORM])


def state_of(digest: str, published: datetime | None, updated: datetime | None) -> bytes:
    """Return the hash of what an entry says and of its dates: the store must have both as the document has them."""
    return short_hash(f"{digest} {published} {updated}".encode(), _STATE)


def pack(context: bytes, items: Iterable[Item]) -> bytes:
    """Return a window as it is stored."""
    records = (_RECORD.pack(item.mark, item.form, item.state, item.entry, item.fields, item.by_link) for item in items)
    return context + b"".join(records)


def records_of(window: bytes) -> Mapping[bytes, bytes]:
    """Return the records of a stored window by mark; none if its form is that of another version."""
    if len(window) < CONTEXT or (len(window) - CONTEXT) % _RECORD.size:
        return {}
    places = range(CONTEXT, len(window), _RECORD.size)
    return {window[at : at + _MARK]: window[at : at + _RECORD.size] for at in places}


def item_of(record: bytes) -> Item:
    """Return the item of a record of a window."""
    return Item(*_RECORD.unpack(record))
