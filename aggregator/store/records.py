"""Small records of the model as JSON values, and back. The one place that knows both shapes."""

from datetime import datetime, timedelta
from typing import Any

from aggregator.model.entry import NO_HINTS, Enclosure, Hints, Origin, Person, Tag
from aggregator.urls import Url


def people_to_json(people: tuple[Person, ...]) -> list[dict[str, str]] | None:
    """Write authors, without mail addresses: those are not published (I58), so not kept."""
    return [{"name": person.name} | ({"uri": person.uri} if person.uri else {}) for person in people] or None


def people_of(value: Any) -> tuple[Person, ...]:
    """Read them back."""
    return tuple(Person(name=item["name"], uri=item.get("uri")) for item in value or ())


def tags_to_json(tags: tuple[Tag, ...]) -> list[list[str | None]] | None:
    """Write tags as [term, scheme, label]."""
    return [[tag.term, tag.scheme, tag.label] for tag in tags] or None


def tags_of(value: Any) -> tuple[Tag, ...]:
    """Read them back."""
    return tuple(Tag(term=term, scheme=scheme, label=label) for term, scheme, label in value or ())


def enclosures_to_json(enclosures: tuple[Enclosure, ...]) -> list[dict[str, Any]] | None:
    """Write enclosures, only what is known of each."""
    names = ("url", "type", "length", "title", "duration")
    return [
        {name: getattr(item, name) for name in names if getattr(item, name) is not None} for item in enclosures
    ] or None


def enclosures_of(value: Any) -> tuple[Enclosure, ...]:
    """Read them back."""
    return tuple(Enclosure(**item) for item in value or ())


def origin_to_json(origin: Origin | None) -> dict[str, Any] | None:
    """Write an `atom:source`."""
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
    }


def origin_of(value: Any) -> Origin | None:
    """Read it back."""
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
    )


def hints_to_json(hints: Hints) -> dict[str, Any] | None:
    """Write what a document said about pace; what the headers said holds for one answer only."""
    if hints == NO_HINTS:
        return None
    return {
        "ttl": hints.ttl.total_seconds() if hints.ttl else None,
        "syndication": hints.syndication.total_seconds() if hints.syndication else None,
        "hours": sorted(hints.skip_hours),
        "days": sorted(hints.skip_days),
    }


def hints_of(value: Any) -> Hints:
    """Read it back."""
    if value is None:
        return NO_HINTS
    return Hints(
        ttl=timedelta(seconds=value["ttl"]) if value["ttl"] else None,
        syndication=timedelta(seconds=value["syndication"]) if value["syndication"] else None,
        skip_hours=frozenset(value["hours"]),
        skip_days=frozenset(value["days"]),
    )


def _url(value: str | None) -> Url | None:
    return None if value is None else Url(value)
