"""Files that go with an entry (I56)."""

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
    """Clean enclosures: http and https only, several of one URL as one.

    Args:
        links: as the document gives them.
        bases: what relative ones count from, after their own xml:base.
        url: the address that answered.
    """
    found: dict[Url, Enclosure] = {}
    for link in links:
        address = resolve(link.href, (base_of(link.base, url), *bases))
        if address is None:
            continue
        one = Enclosure(
            url=address,
            type=media_type_of(link.type),
            length=_length_of(link.length),
            title=name_of(link.title) or None if link.title else None,
            duration=_duration_of(link.duration),
        )
        found[address] = _merged(found[address], one) if address in found else one
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
    """Read a media type, without its parameters; None for what is none."""
    kind = (text or "").partition(";")[0].strip().lower()
    return kind if _MEDIA_TYPE.fullmatch(kind) else None


def _length_of(text: str | None) -> int | None:
    """Read bytes; what is no number, or too long for one, counts as not said."""
    digits = (text or "").strip().removesuffix(".0")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 15 else None


def _duration_of(text: str | None) -> int | None:
    """Read seconds, or [hours:]minutes:seconds (I57)."""
    text = (text or "").strip()
    if match := _SECONDS.fullmatch(text):
        return int(match[1])
    if match := _CLOCK.fullmatch(text):
        return int(match[1] or 0) * 3600 + int(match[2]) * 60 + int(match[3])
    return None
