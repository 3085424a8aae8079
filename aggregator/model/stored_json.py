"""Converts small records of the model to JSON values of columns, and back."""

from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

from aggregator.model.entry import NO_HINTS, Enclosure, Entry, Hints, Origin, Person, Tag
from aggregator.model.observed import NOTHING_OBSERVED, Observed, RequestMode
from aggregator.model.supplement import NO_SUPPLEMENT, Contributor, Image, ImageRole, Point, Reference, Supplement
from aggregator.urls import Url

_FIELDS: dict[type[Any], tuple[tuple[str, Any], ...]] = {  # names of the fields of records, with their defaults
    kind: tuple((one.name, one.default) for one in fields(kind))
    for kind in (Supplement, Image, Reference, Contributor, Point)
}


def people_to_json(people: tuple[Person, ...]) -> list[dict[str, str]] | None:
    """Return authors as JSON, without mail addresses: these are not published (I58), and so not stored."""
    return [{"name": person.name} | ({"uri": person.uri} if person.uri else {}) for person in people] or None


def people_of(value: Any) -> tuple[Person, ...]:
    """Return the authors of a JSON value."""
    return tuple(Person(name=item["name"], uri=item.get("uri")) for item in value or ())


def tags_to_json(tags: tuple[Tag, ...]) -> list[list[str | None]] | None:
    """Return tags as JSON: [term, scheme, label]."""
    return [[tag.term, tag.scheme, tag.label] for tag in tags] or None


def tags_of(value: Any) -> tuple[Tag, ...]:
    """Return the tags of a JSON value."""
    return tuple(Tag(term=term, scheme=scheme, label=label) for term, scheme, label in value or ())


def enclosures_to_json(enclosures: tuple[Enclosure, ...]) -> list[dict[str, Any]] | None:
    """Return enclosures as JSON, without empty fields."""
    names = ("url", "type", "length", "title", "duration")
    return [
        {name: getattr(item, name) for name in names if getattr(item, name) is not None} for item in enclosures
    ] or None


def enclosures_of(value: Any) -> tuple[Enclosure, ...]:
    """Return the enclosures of a JSON value."""
    return tuple(Enclosure(**item) for item in value or ())


def supplement_to_json(supplement: Supplement) -> dict[str, Any] | None:
    """Return a supplement as JSON, without empty fields. Published JSON Feeds contain the same form."""
    said = {name: _plain(value) for name, value in _said(supplement)}
    return said or None


def supplement_of(value: Any) -> Supplement:
    """Return the supplement of a JSON value."""
    if value is None:
        return NO_SUPPLEMENT
    kinds: dict[str, Callable[[Any], Any]] = {
        "images": lambda images: tuple(Image(**image | {"role": ImageRole(image["role"])}) for image in images),
        "replies": _references,
        "contributors": lambda people: tuple(Contributor(**person) for person in people),
        "transcripts": _references,
        "chapters": lambda chapters: Reference(**chapters),
        "point": lambda point: Point(**point),
    }
    return Supplement(**{name: kinds[name](part) if name in kinds else part for name, part in value.items()})


def _references(values: Any) -> tuple[Reference, ...]:
    return tuple(Reference(**value) for value in values)


def _said(record: Any) -> Iterator[tuple[str, Any]]:
    """Return the fields of a record that differ from their defaults."""
    return ((name, value) for name, default in _FIELDS[type(record)] if (value := getattr(record, name)) != default)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, Image):
        return {"role": value.role.value} | dict(_said(value))
    return dict(_said(value)) if isinstance(value, Reference | Contributor | Point) else value


def original_to_json(entry: Entry) -> dict[str, Any] | None:
    """Return the original of a rewritten entry as JSON: the fields that `rewrite` changed, and the steps that did."""
    before = entry.original
    if before is None:
        return None
    said: dict[str, Any] = {"by": list(before.by), "text_digest": before.text_digest}
    if before.dropped:
        said["dropped"] = before.dropped
    said |= {
        name: getattr(before, name)
        for name in ("title", "link", "summary", "content")
        if getattr(before, name) != getattr(entry, name)
    }
    if before.authors != entry.authors:
        said["authors"] = people_to_json(before.authors)
    if before.tags != entry.tags:
        said["tags"] = tags_to_json(before.tags)
    return said


def origin_to_json(origin: Origin | None) -> dict[str, Any] | None:
    """Return an `atom:source` as JSON."""
    if origin is None:
        return None
    return {
        "id": origin.id,
        "title": origin.title,
        "updated": origin.updated.isoformat() if origin.updated else None,
        "self": origin.self_link,
        "link": origin.link,
        "authors": people_to_json(origin.authors),
        "rights": origin.rights,
        "icon": origin.icon,
        "logo": origin.logo,
        "tags": tags_to_json(origin.tags),
    }


def origin_of(value: Any) -> Origin | None:
    """Return the `atom:source` of a JSON value."""
    if value is None:
        return None
    return Origin(
        id=value["id"],
        title=value["title"],
        updated=datetime.fromisoformat(value["updated"]) if value["updated"] else None,
        self_link=_url(value["self"]),
        link=_url(value["link"]),
        authors=people_of(value["authors"]),
        rights=value["rights"],
        icon=_url(value["icon"]),
        logo=_url(value["logo"]),
        tags=tags_of(value["tags"]),
    )


def hints_to_json(hints: Hints) -> dict[str, Any] | None:
    """Return the hints of a document as JSON, without those of headers, which are valid for one answer only."""
    if hints == NO_HINTS:
        return None
    return {
        "ttl": hints.ttl.total_seconds() if hints.ttl else None,
        "syndication": hints.syndication.total_seconds() if hints.syndication else None,
        "hours": sorted(hints.skip_hours),
        "days": sorted(hints.skip_days),
    }


def hints_of(value: Any) -> Hints:
    """Return the hints of a JSON value."""
    if value is None:
        return NO_HINTS
    return Hints(
        ttl=timedelta(seconds=value["ttl"]) if value["ttl"] else None,
        syndication=timedelta(seconds=value["syndication"]) if value["syndication"] else None,
        skip_hours=frozenset(value["hours"]),
        skip_days=frozenset(value["days"]),
    )


def observed_to_json(observed: Observed) -> dict[str, Any] | None:
    """Return observations as JSON, without defaults; times are whole seconds since 1970."""
    if observed == NOTHING_OBSERVED:
        return None
    said = {}
    for name in _OBSERVED:
        value = getattr(observed, name)
        if value != getattr(NOTHING_OBSERVED, name):
            said[name] = round(value.timestamp()) if isinstance(value, datetime) else value
            if isinstance(value, tuple):
                said[name] = list(value)
    return said


def observed_of(value: Any) -> Observed:
    """Return the observations of a JSON value. Names that this version does not know are ignored."""
    if value is None:
        return NOTHING_OBSERVED
    known = {name: value[name] for name in _OBSERVED if name in value}
    for name, reader in _READ.items():
        if name in known:
            known[name] = reader(known[name])
    return Observed(**known)


def arrivals_to_json(arrivals: tuple[datetime, ...]) -> list[int] | None:
    """Return arrival times of entries as JSON: whole seconds since 1970."""
    return [round(when.timestamp()) for when in arrivals] or None


def arrivals_of(value: Any) -> tuple[datetime, ...]:
    """Return the arrival times of a JSON value."""
    return tuple(_instant(seconds) for seconds in value or ())


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


_OBSERVED = tuple(field.name for field in fields(Observed))
_READ: dict[str, Callable[[Any], Any]] = {
    "ask": RequestMode,
    "moved_since": _instant,
    "gone_since": _instant,
    "steady_since": _instant,
    "doubted_at": _instant,
    "suspect_since": _instant,
    "overflowed_at": _instant,
    "flooded_at": _instant,
    "restored_until": _instant,
    "unfiled_at": _instant,
    "lost": tuple,
    "lost_since": _instant,
    "forgone": tuple,
    "addresses": tuple,
}


def _url(value: str | None) -> Url | None:
    return None if value is None else Url(value)
