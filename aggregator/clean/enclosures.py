"""Cleans the files of an entry (I56)."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from aggregator.clean.links import base_of, resolve
from aggregator.clean.people import name_of
from aggregator.model.entry import Enclosure, RawLink
from aggregator.urls import Url

_MEDIA_TYPE = re.compile(r"[a-z0-9][\w.+-]{0,60}/[\w.+-]{1,60}")
_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,3}):(\d{1,2})(?:\.\d+)?")
_SECONDS = re.compile(r"(\d{1,7})(?:\.\d+)?")


def enclosures_of(links: Iterable[RawLink], bases: Sequence[Url | None], url: Url) -> tuple[Enclosure, ...]:
    """Clean enclosures: http and https only; enclosures with the same URL are merged.

    Args:
        links: as the document has them.
        bases: base URLs for relative links; a link's own xml:base is used first.
        url: the address that sent the response.
    """
    found: dict[Url, Enclosure] = {}
    for link in links:
        address = resolve(link.href, (base_of(link.base, url), *bases))
        if address is None:
            continue
        enclosure = Enclosure(
            url=address,
            type=media_type_of(link.type),
            length=_length_of(link.length),
            title=name_of(link.title) or None if link.title else None,
            duration=_duration_of(link.duration),
        )
        found[address] = _merged(found[address], enclosure) if address in found else enclosure
    return tuple(found.values())


def _merged(first: Enclosure, second: Enclosure) -> Enclosure:
    return replace(
        first,
        type=first.type or second.type,
        length=first.length if first.length is not None else second.length,
        title=first.title or second.title,
        duration=first.duration if first.duration is not None else second.duration,
    )


def media_type_of(text: str | None) -> str | None:
    """Return a media type without parameters; None if the text is not a media type."""
    kind = (text or "").partition(";")[0].strip().lower()
    return kind if _MEDIA_TYPE.fullmatch(kind) else None


def _length_of(text: str | None) -> int | None:
    """Read a number of bytes; None for a text that is not a number or has more than 15 digits."""
    digits = (text or "").strip().removesuffix(".0")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 15 else None


def _duration_of(text: str | None) -> int | None:
    """Read seconds or [hours:]minutes:seconds (I57)."""
    text = (text or "").strip()
    if match := _SECONDS.fullmatch(text):
        return int(match[1])
    if match := _CLOCK.fullmatch(text):
        return int(match[1] or 0) * 3600 + int(match[2]) * 60 + int(match[3])
    return None
