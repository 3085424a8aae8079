"""Recognises known entries under new ids, and known ids that now name other entries (I35). Pure.

An id is believed to identify its entry unless the rest of the document contradicts it: a site that changes its host or
software gives new ids to everything, some sites give new ids at every request, and some number places in a list, so
that each article gets the id of the one before it.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from aggregator.identify.budget import Budget
from aggregator.identify.matching import dedupe_link, telling, telling_of
from aggregator.late import late
from aggregator.model.entry import Enclosure, Entry
from aggregator.model.known import KnownEntry, MatchedEntry, Trace

if TYPE_CHECKING:
    from aggregator.identify import similarity
else:
    similarity = late("aggregator.identify.similarity")

FEWEST = 3  # unknown ids, and over half of the document: then the whole document may have got new ids (I35),
SHARE = 0.9  # and did, if this share of the entries is recognised
DATE_MOVED = "same title and text, without an id and a link, under another date"

_Item = TypeVar("_Item")
_WORDS = re.compile(r"[^\W\d_]{2,}(?:[-_+.][^\W\d_]{2,})+")  # joined, as in slugs


@dataclass(frozen=True, slots=True)
class Pair:
    """An entry of a document and the stored entry that it is, under another id."""

    known: int  # the stored entry
    because: str  # for `why`


def pairs_of(
    document: Sequence[tuple[str, Entry]], unknown: Collection[str], traces: Sequence[Trace]
) -> dict[str, Pair]:
    """Find the entries under unknown ids that are stored already.

    One entry is enough evidence where title, own date and either address or text are unchanged; and for entries without
    id and address, whose key is made of title and date, if only the date changed. Weaker evidence (link alone, digest
    alone, title and date, or date and file) counts only if nearly the whole document got new ids.

    Args:
        document: every entry that it lists, with the key hash.
        unknown: key hashes that no stored entry has, or only one that is evidently another article.
        traces: of the source's stored entries that this document does not list under their own ids.

    Returns:
        By key hash of the unknown id, one to one.
    """
    fresh = [(form, entry) for form, entry in document if form in unknown]
    if not fresh or not traces:
        return {}
    moved = not {_host(dedupe_link(entry)) for _, entry in fresh} & {_host(trace.link) for trace in traces}
    found = _matched(fresh, traces, _RENAMED, _matched(fresh, traces, _TWIN[moved], {}))
    found = _matched(fresh, traces, _REDATED, found)
    if may_be_rekeyed(len(fresh), len(document)):
        wholesale = dict(found)
        for evidence in (_LINK[moved], *_ALONE):
            wholesale = _matched(fresh, traces, evidence, wholesale)
        if len(wholesale) >= SHARE * len(fresh):
            return wholesale
    return found


def may_be_rekeyed(unknown: int, listed: int) -> bool:
    """Return whether so many ids are unknown that the whole document may have got new ids (I35)."""
    return unknown >= FEWEST and 2 * unknown > listed


def is_rekeyed(pairs: Mapping[str, object], document: Sequence[object]) -> bool:
    """Return whether most ids of a document have changed. If so twice in a row, ids no longer count (I35)."""
    return bool(pairs) and 2 * len(pairs) > len(document)


def is_date_moved(pairs: Mapping[str, Pair | MatchedEntry]) -> bool:
    """Return whether an entry without id and link has another date. If so twice in a row, dates no longer count."""
    return any(pair.because == DATE_MOVED for pair in pairs.values())


def is_another(before: KnownEntry, entry: Entry, budget: Budget) -> bool:
    """Return whether a known id now names another article.

    True only if address, title, date and most of the text all differ. Otherwise the entry is a revision, also if the
    comparison would cost too much.

    Raises:
        CutShort: the program stops.
    """
    link = dedupe_link(entry)
    if link is None or before.match_link is None or link == before.match_link:
        return False
    if entry.published is not None and entry.published == before.published:
        return False
    if not entry.title or not before.title:
        return False
    if budget.is_spent():
        return False
    with budget.counting():
        return similarity.may_be_versions(telling(entry), telling_of(before)) is False


@dataclass(frozen=True, slots=True)
class _Evidence:
    """A value that a new and a stored entry may share; None where one lacks it."""

    because: str
    of_entry: Callable[[Entry], object | None]
    of_trace: Callable[[Trace], object | None]


def _matched(
    fresh: Sequence[tuple[str, Entry]], traces: Sequence[Trace], evidence: _Evidence, found: Mapping[str, Pair]
) -> dict[str, Pair]:
    """Add the pairs that share a value of one kind of evidence, where each side has that value once."""
    taken = {pair.known for pair in found.values()}
    ours = _lone([(evidence.of_entry(entry), form) for form, entry in fresh if form not in found])
    theirs = _lone([(evidence.of_trace(trace), trace.id) for trace in traces if trace.id not in taken])
    more = {form: Pair(theirs[mark], evidence.because) for mark, form in ours.items() if mark in theirs}
    return {**found, **more}


def _lone(marked: Sequence[tuple[object | None, _Item]]) -> dict[object, _Item]:
    counts = Counter(mark for mark, _ in marked)
    return {mark: item for mark, item in marked if mark is not None and counts[mark] == 1}


def _host(link: str | None) -> str | None:
    return None if link is None else link.partition("/")[0]


def _path(link: str | None) -> str | None:
    """Return the part of a compared link after its host; None for a start page."""
    return None if link is None else link.partition("/")[2] or None


def _whole(link: str | None) -> str | None:
    return link


def _twin_of(item: Entry | Trace, place: str | None, text: str | None) -> object | None:
    """Return title, place and date; without a date also the text: some sites reuse one title and link each day."""
    if place is None or not (item.title or item.published):
        return None
    return item.title, place, item.published or text


def _file_of(published: datetime | None, enclosures: Sequence[Enclosure]) -> object | None:
    """Return date, type, bytes and seconds of a single file: an episode that got another title, id and name."""
    if published is None or len(enclosures) != 1 or not enclosures[0].length:
        return None
    return published, enclosures[0].type, enclosures[0].length, enclosures[0].duration


def _twin(because: str, place: Callable[[str | None], str | None], text: str) -> _Evidence:
    return _Evidence(
        because,
        lambda entry: _twin_of(entry, place(dedupe_link(entry)), getattr(entry, text)),
        lambda trace: _twin_of(trace, place(trace.link), getattr(trace, text)),
    )


def _slug_of(item: Entry | Trace, link: str | None) -> object | None:
    """Return a path that names its content; a path such as /3 only with the title, for every site has such paths."""
    path = _path(link)
    if path is None or _WORDS.search(path):
        return path
    return (path, item.title) if item.title else None


_TWIN = {
    False: _twin("same title, address and date", _whole, "digest"),
    True: _twin("same title, path and date, on another host", _path, "text_digest"),  # a digest has the link in it
}
_RENAMED = _Evidence(  # its address was edited, and is its id as well
    "same title, date and text, at another address",
    lambda entry: (entry.published, entry.text_digest) if entry.published and entry.text_digest else None,
    lambda trace: (trace.published, trace.text_digest) if trace.published and trace.text_digest else None,
)
_REDATED = _Evidence(
    DATE_MOVED,
    lambda entry: (
        entry.told_digest if not entry.id and dedupe_link(entry) is None and (entry.title or entry.text) else None
    ),
    lambda trace: trace.digest if trace.link is None and not trace.has_id else None,
)
_LINK = {
    False: _Evidence("same address", dedupe_link, lambda trace: trace.link),
    True: _Evidence(
        "same path on another host",
        lambda entry: _slug_of(entry, dedupe_link(entry)),
        lambda trace: _slug_of(trace, trace.link),
    ),
}
_ALONE = (
    _Evidence("same content", lambda entry: entry.told_digest, lambda trace: trace.digest),
    _Evidence("same title and text", lambda entry: entry.text_digest, lambda trace: trace.text_digest),
    _Evidence(
        "same title and date",
        lambda entry: (entry.title, entry.published) if entry.title and entry.published else None,
        lambda trace: (trace.title, trace.published) if trace.title and trace.published else None,
    ),
    _Evidence(
        "same date and file, of as many bytes",
        lambda entry: _file_of(entry.published, entry.enclosures),
        lambda trace: _file_of(trace.published, trace.enclosures),
    ),
)
