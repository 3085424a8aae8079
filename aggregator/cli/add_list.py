"""Reads a local OPML file for `add FILE`: its cleaned feeds, and what was left out."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aggregator.clean.outlines import clean_outlines
from aggregator.cli.terminal import counted
from aggregator.config.addresses import MAX_ADDRESS
from aggregator.config.source_text import NewSource, literal
from aggregator.errors import AggregatorError, ParseError
from aggregator.model.outline import Outline
from aggregator.model.settings import Settings, Source
from aggregator.model.template import has_fields
from aggregator.parse.charset import decode
from aggregator.parse.opml import MAX_BYTES, MAX_READ, outlines_of
from aggregator.urls import file_url, match_url


class NotAList(AggregatorError):
    """The file is not an OPML list of feeds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedFeeds:
    """The feeds of an OPML file, and what was left out of it."""

    outlines: Sequence[Outline] = ()  # each address once, in any spelling, with the categories of all its places
    left_out: Sequence[str] = ()  # outlines that can't be polled, and why
    notices: Sequence[str] = ()  # what was odd about the file


def listed_feeds(path: Path) -> ListedFeeds:
    """Read an OPML file.

    Raises:
        NotAList: the file is not OPML, or too broken to read.
        OSError: the file can't be read.
    """
    with path.open("rb") as file:
        body = file.read(MAX_BYTES + 1)
    decoded = decode(body, content_type=None, override=None)
    try:
        raw = outlines_of(decoded.text, file_url(path.absolute()), limit=MAX_READ)
    except ParseError as error:  # NotAFeed is one
        raise NotAList(str(error)) from error
    left_out: list[str] = []
    found: dict[str, Outline] = {}
    for outline in clean_outlines(raw, left_out, attributes=True):
        if len(outline.url) > MAX_ADDRESS:
            left_out.append(f"outline {outline.title[:80]!r}: an address of {len(outline.url):,} characters")
            continue
        first = found.setdefault(match_url(outline.url), outline)
        if first is not outline:
            both = tuple(dict.fromkeys((*first.categories, *outline.categories)))
            found[match_url(outline.url)] = Outline(url=first.url, title=first.title, categories=both)
    return ListedFeeds(outlines=tuple(found.values()), left_out=left_out, notices=(*decoded.notices, *raw.notices))


def source_of(outline: Outline, categories: Sequence[str]) -> NewSource:
    """Return a feed of a list as a source for feeds.yaml.

    Args:
        outline: the feed.
        categories: `--category` of the command line; replaces the groups around the feed. Empty: use the groups.
    """
    groups = [name for name in outline.categories if not has_fields(name)]  # {x} would be a field of an item
    return NewSource(url=literal(outline.url), title=outline.title or None, categories=categories or groups)


def row_of(source: Source, settings: Settings) -> dict[str, Any]:
    """Return the row of an added source for `--json`. The feed was not fetched, so nothing is known of it."""
    return {
        "key": source.key,
        "url": source.safe_url,
        "line": source.line,
        "categories": list(source.categories),
        "title": source.title,
        "format": None,
        "entries": None,
        "others": [],
        "advice": [],
        "warnings": [said for said in settings.warnings if f":{source.line}:" in said],
    }


@dataclass(frozen=True, slots=True)
class ListAdded:
    """An OPML file whose feeds were added."""

    file: str
    rows: list[dict[str, Any]]  # of the sources that were added
    known: Sequence[str]  # addresses that are sources already
    left_out: Sequence[str]
    notices: Sequence[str]

    def record(self) -> dict[str, Any]:
        """Return what `--json` reports of the file."""
        said = {"file": self.file, "added": len(self.rows), "known": list(self.known)}
        return said | {"left_out": list(self.left_out), "notices": list(self.notices)}

    def in_words(self) -> str:
        """Return the report in lines."""
        number = len(self.rows)
        lines = [f"added {counted(number, 'feed')} of {self.file}"]
        if number:
            first, last = self.rows[0]["line"], self.rows[-1]["line"]
            where = f"line {first}" if number == 1 else f"lines {first} to {last}"
            lines[0] += (
                f", {where} of feeds.yaml; none was fetched yet: `aggregator check --live` fetches each of them once"
            )
            places = Counter(name for row in self.rows for name in row["categories"])
            lines += [f"  in {name}: {counted(many, 'feed')}" for name, many in places.items()]
        if self.known:
            if len(self.known) == 1:
                lines.append("  1 is already a source and stays as it is")
            else:
                lines.append(f"  {len(self.known):,} are already sources and stay as they are")
        lines += [f"  ! left out: {why}" for why in self.left_out]
        lines += [f"  · {notice}" for notice in self.notices]
        return "\n".join(lines)
