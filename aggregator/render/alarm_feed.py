"""Renders the Atom feed of alarms (`alarms.feed`): an entry for each alarm, updated when the alarm is over."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID, uuid5

from lxml import etree

from aggregator.clock import rfc3339
from aggregator.model.alarm import Alarm
from aggregator.model.settings import Site, SourceKey
from aggregator.render import mark
from aggregator.render.alarm_words import headline_of, id_of, lines_of
from aggregator.text.xml_chars import legal

LISTED: Final = 50  # alarms in the feed
ATOM: Final = "http://www.w3.org/2005/Atom"


def render_alarm_feed(
    alarms: Sequence[Alarm],
    names: Mapping[SourceKey, str],
    site: Site,
    *,
    store: str,
    created_at: datetime,
    path: str,
    redact: Callable[[str], str],
) -> bytes:
    """Render the feed.

    Args:
        alarms: those whose beginning or end is newest, the newest first.
        names: names of sources, by key.
        site: title, language and public address.
        store: id of the store.
        created_at: when the store was created: `updated` of a feed without entries.
        path: of the feed.
        redact: strikes secrets and private addresses out of a text.
    """
    feed = etree.Element(f"{{{ATOM}}}feed", nsmap=cast(Any, {None: ATOM}))
    feed.set("{http://www.w3.org/XML/1998/namespace}lang", "en")
    title = f"Alarms of {' '.join(legal(site.title).split())}"
    _add(feed, "title", title)
    _add(feed, "id", uuid5(UUID(store), "alarms").urn)
    updated = max(map(_changed_at, alarms), default=created_at)
    _add(feed, "updated", rfc3339(updated) or "")
    _add(feed, "generator", mark.NAME).set("uri", mark.HOME)
    _add(_add(feed, "author"), "name", mark.NAME)
    _add(feed, "link").attrib.update({"rel": "self", "href": f"{site.base_url}{path}"})
    _add(feed, "link").attrib.update({"rel": "alternate", "href": str(site.base_url)})
    for alarm in alarms:
        entry = _add(feed, "entry")
        _add(entry, "title", redact(headline_of(alarm, names)))
        _add(entry, "id", id_of(alarm, store))
        _add(entry, "published", rfc3339(alarm.since) or "")
        _add(entry, "updated", rfc3339(_changed_at(alarm)) or "")
        _add(entry, "category").set("term", alarm.code.value)
        _add(entry, "content", redact("\n".join(lines_of(alarm)))).set("type", "text")
    etree.indent(feed)
    return etree.tostring(feed, encoding="utf-8", xml_declaration=True) + b"\n"


def _changed_at(alarm: Alarm) -> datetime:
    return alarm.ended_at or alarm.since


def _add(parent: etree._Element, name: str, text: str = "") -> etree._Element:
    child = etree.SubElement(parent, f"{{{ATOM}}}{name}")
    if text:
        child.text = legal(text)
    return child
