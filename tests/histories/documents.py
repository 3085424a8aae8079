"""Reads the published folder as a subscriber does."""

import html
from datetime import datetime
from pathlib import Path

from lxml import etree

from tests.histories.records import Line, Shown
from tests.sample_site import ATOM

DELETED = "{http://purl.org/atompub/tombstones/1.0}deleted-entry"


def parse(data: bytes) -> etree._Element:
    """Return the root of a feed document."""
    return etree.fromstring(data)


def shown_in(data: bytes) -> Shown:
    """Return what a feed document shows."""
    root = parse(data)
    links = {str(link.get("rel")): str(link.get("href")) for link in root.iterchildren(f"{ATOM}link")}
    before = links.get("prev-archive", "").rpartition("/")[2].removesuffix(".atom")
    return Shown(
        lines=tuple(map(_line, root.iterchildren(f"{ATOM}entry"))),
        tombstones=frozenset(
            (str(gone.get("ref")), datetime.fromisoformat(str(gone.get("when")))) for gone in root.iterchildren(DELETED)
        ),
        before=int(before or 0),
    )


def updated_of(data: bytes) -> datetime:
    """Return a feed's own `updated`."""
    return datetime.fromisoformat(str(parse(data).findtext(f"{ATOM}updated")))


def archive_pages(root: Path, slug: str) -> int:
    """Return how many archive pages of a category are there; they are numbered from 1 without a gap."""
    numbers = sorted(int(path.stem) for path in (root / f"category/{slug}/archive").glob("*.atom"))
    assert numbers == list(range(1, len(numbers) + 1))
    return len(numbers)


def _line(entry: etree._Element) -> Line:
    links = [(str(link.get("rel")), str(link.get("href"))) for link in entry.iterchildren(f"{ATOM}link")]
    content = html.unescape(str(entry.findtext(f"{ATOM}content") or ""))
    return Line(
        atom_id=str(entry.findtext(f"{ATOM}id")),
        updated=datetime.fromisoformat(str(entry.findtext(f"{ATOM}updated"))),
        title=str(entry.findtext(f"{ATOM}title")),
        text=content.removeprefix("<p>").removesuffix("</p>"),
        link=next(href for rel, href in links if rel == "alternate"),
        credits=frozenset(href for rel, href in links if rel == "related"),
    )
