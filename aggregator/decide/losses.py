"""Fields that most entries of a source had and that no entry has any more. Pure.

An API renamed a field, or a selector matches nothing now. Nobody meant to withdraw the links and texts of published
entries, so these keep them.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from aggregator.late import late
from aggregator.model.entry import Entry
from aggregator.model.observed import Observed
from aggregator.model.settings import Kind, Source

if TYPE_CHECKING:
    from aggregator.identify import keys
    from aggregator.rules import rewriting
else:
    keys = late("aggregator.identify.keys")
    rewriting = late("aggregator.rules.rewriting")

FEWEST: Final = 5  # least number of entries without a field, and with it before
SAMPLE: Final = 100  # entries of the document before that are compared
HOLDING: Final = frozenset({"link", "title"})  # without these a new entry is held back,
PATIENCE: Final = timedelta(hours=48)  # for so long

_SAID: Final[Mapping[str, Callable[[Entry], object]]] = {
    "id": lambda entry: entry.id,
    "link": lambda entry: entry.link,
    "title": lambda entry: entry.title,
    "published": lambda entry: entry.published,
    "author": lambda entry: entry.authors,
    "tag": lambda entry: entry.tags,
    "summary": lambda entry: entry.summary,
    "content": lambda entry: entry.content,
    "date": lambda entry: entry.published or entry.updated,
    "text": lambda entry: entry.summary or entry.content,
}
_OF_FEEDS: Final = ("link", "title", "date", "text")  # a feed may move its text from one place to the other as it likes
_USUAL: Final = {Kind.HTML: ("link", "title", "published")}  # watched although feeds.yaml names no selector
_OF_ARTICLES: Final = frozenset(_SAID) - {"id", "link", "title"}  # what the page behind a link may have added
_PARTS: Final = {  # of the record, by field
    "link": ("link",),
    "title": ("title",),
    "published": ("published",),
    "date": ("published", "updated"),
    "author": ("authors",),
    "tag": ("tags",),
    "summary": ("summary", "text"),
    "content": ("content", "text"),
    "text": ("summary", "content", "text"),
}


def watched_fields(source: Source) -> tuple[str, ...]:
    """Return the fields of a source's entries whose loss would be noticed.

    Of a source with `entry:` those that it maps; else those by which readers find and read an entry. What a detail or
    an article adds to stored entries says nothing of the list, so it is left aside.
    """
    if source.reading.kind is Kind.OPML:
        return ()
    mapped = dict(source.reading.fields)
    names: tuple[str, ...] = _OF_FEEDS
    if source.reading.kind in (Kind.JSON, Kind.HTML):
        usual = _USUAL.get(source.reading.kind, ())
        names = tuple(name for name in _SAID if name in mapped or name in usual)
    added: frozenset[str] = frozenset()
    if source.detail is not None:
        added = _OF_ARTICLES if source.detail.reading.is_article else frozenset(dict(source.detail.reading.fields))
    return tuple(name for name in names if name not in added)


def missing_fields(source: Source, entries: Sequence[Entry], had: Collection[str] = frozenset()) -> tuple[str, ...]:
    """Return the watched fields that no entry of a document has; nothing of a document without entries.

    Args:
        source: of the document.
        entries: of the document.
        had: fields of those of its entries that were not read, since they are stored (`Listing.fields`).
    """
    if not entries:
        return ()
    told = [entry.as_told for entry in entries]
    return tuple(name for name in watched_fields(source) if name not in had and not any(map(_SAID[name], told)))


def forgone_fields(missing: Sequence[str], observed: Observed) -> tuple[str, ...]:
    """Return the missing fields of a document whose absence is not a loss.

    These are the fields that an operator gave up, and after a restore all that the first document lacks: entries were
    restored as published, with titles and dates that this program had made.

    Args:
        missing: of the document (`missing_fields`).
        observed: of the source, before this document.
    """
    known = observed.forgone if observed.restored_until is None else missing
    return tuple(name for name in missing if name in known and name not in observed.lost)


def may_be_lost(missing: Sequence[str], entries: Sequence[Entry], observed: Observed) -> bool:
    """Return whether the entries of the document before have to be looked at."""
    known = {*observed.lost, *forgone_fields(missing, observed)}
    return len(entries) >= FEWEST and any(name not in known for name in missing)


def lost_fields(
    missing: Sequence[str], entries: Sequence[Entry], before: Sequence[Entry], observed: Observed
) -> tuple[str, ...]:
    """Return the fields of a document that are lost.

    A field is lost once a document has none of it though over half of the entries of the one before had it, and five at
    least. It stays lost until an entry has it again, feeds.yaml asks for it no more, or an operator accepts that.

    Args:
        missing: of the document (`missing_fields`).
        entries: of the document.
        before: entries of the document before, as they are stored; not needed unless `may_be_lost`.
        observed: of the source, before this document.
    """

    forgone = forgone_fields(missing, observed)

    def is_lost(name: str) -> bool:
        if name in observed.lost or name in forgone:
            return name in observed.lost
        had = sum(bool(_SAID[name](entry.as_told)) for entry in before)
        return had >= FEWEST and 2 * had > len(before)

    is_enough = may_be_lost(missing, entries, observed)
    return tuple(name for name in missing if (is_enough or name in observed.lost) and is_lost(name))


def kept_fields(entry: Entry, stored: Entry, lost: Sequence[str], source: Source) -> Entry:
    """Return a known entry's present content, with the stored values of the fields that its source has lost."""
    said, before = entry.as_told, stored.as_told
    names = {part for name in lost for part in _PARTS.get(name, ())}
    values = {each.name: getattr(before, each.name) for each in fields(before) if each.name in names}
    kept = replace(said, **{name: value for name, value in values.items() if not getattr(said, name)})
    kept = replace(kept, digest=keys.digest_of(kept))
    return rewriting.rewritten(kept, source.rewrite, source.reading.allow_classes) if source.rewrite else kept


def lost_since(lost: Sequence[str], observed: Observed, asked_at: datetime) -> datetime | None:
    """Return since when fields are lost, or, if that is later, since when new entries are held for it."""
    if not lost:
        return None
    begins = not HOLDING.isdisjoint(lost) and HOLDING.isdisjoint(observed.lost)
    return asked_at if begins else observed.lost_since or asked_at


def is_held_for_loss(lost: Sequence[str], since: datetime | None, asked_at: datetime) -> bool:
    """Return whether new entries are held because they lack a title or link."""
    return since is not None and not HOLDING.isdisjoint(lost) and asked_at - since < PATIENCE
