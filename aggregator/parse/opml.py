"""Reads OPML 1 and 2 into a `RawFeed` with a list of feeds and no entries (`kind: opml`; opml.org/spec2.opml)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from lxml import etree

from aggregator.errors import NotAFeed, ParseError
from aggregator.model.entry import RawFeed, RawText
from aggregator.model.outline import RawOutline
from aggregator.parse.names import attribute, local_name, text_of
from aggregator.parse.not_a_feed import not_xml
from aggregator.parse.tree import Tree, read_xml
from aggregator.urls import Url

MAX_BYTES: Final = 5 * 2**20  # of a list, decompressed (S16)
MAX_READ: Final = 10_000  # outlines that are read (S16)
MAX_OUTLINES: Final = 500  # feeds per list
MAX_DEPTH: Final = 20  # nested outlines (S16)
_MAX_TEXT: Final = 1000  # characters of a title
_ROOT = re.compile(r"<(?:[\w.-]+:)?opml\b", re.IGNORECASE)


def outlines_of(text: str, url: Url, *, limit: int = MAX_OUTLINES) -> RawFeed:
    """Read a list of feeds. An outline without an address is a group: its title names a category for the feeds inside.

    Args:
        text: the document.
        url: the address that sent the response.
        limit: the largest number of feeds to read.

    Raises:
        NotAFeed: the document is not OPML.
        ParseError: the document is larger than 5 MiB.
    """
    tree = _read_list(text, url)
    notices = list(tree.notices)
    found = _feeds_of(tree.root, notices, limit)
    if tree.cut:
        notices.append("the document is cut off")
    return RawFeed(
        format="opml",
        title=RawText(value=title[:_MAX_TEXT], type="text") if (title := _title_of(tree.root)) else None,
        outlines=tuple(found),
        url=url,
        notices=tuple(notices),
        cut=tree.cut,
    )


def _read_list(text: str, url: Url) -> Tree:
    """Parse a list of feeds.

    Args:
        text: the document.
        url: the address that sent the response.

    Raises:
        NotAFeed: the document is not OPML.
        ParseError: the document is larger than 5 MiB.
    """
    if len(text) > MAX_BYTES:
        raise ParseError(url, f"a list of over {MAX_BYTES // 2**20} MiB")
    tree = read_xml(text, url, roots=1)
    root = local_name(tree.root)
    if root in ("rss", "feed", "rdf"):
        advice = "write kind: file" if url.startswith("file:") else "remove kind: opml"
        raise NotAFeed(url, f"a feed, not a list of feeds; {advice}")
    if root != "opml":
        raise not_xml(text, url, root, f"XML with the root <{root[:80]}> is not an OPML list")
    return tree


def _title_of(root: etree._Element) -> str:
    """Return the title of a list; empty if it has none."""
    heads = (each for each in root if isinstance(each.tag, str) and local_name(each) == "head")
    titles = (each for head in heads for each in head if isinstance(each.tag, str) and local_name(each) == "title")
    return next(map(text_of, titles), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeOutline:
    """An outline with all that is written in it, for `import`."""

    line: int  # in the document
    title: str  # empty if there is none
    attributes: Mapping[str, str]  # names in small letters, with the namespace in braces
    groups: tuple[str, ...]  # titles of the groups around it, the outermost first
    is_leaf: bool  # nothing is inside


def every_outline(text: str, url: Url, notices: list[str]) -> Iterator[WholeOutline]:
    """Yield every outline of a list in its order, those without an address as well.

    Args:
        text: the document.
        url: its address.
        notices: what is odd about the document is appended.

    Raises:
        NotAFeed: the document is not OPML.
        ParseError: the document is larger than 5 MiB.
    """
    tree = _read_list(text, url)
    notices += tree.notices
    root = _ROOT.search(text)
    before = text.count("\n", 0, root.start()) if root else 0  # the parser counts lines from the root on
    for element, groups in _walk(tree.root, notices):
        yield WholeOutline(
            line=before + int(str(element.sourceline or 1)),
            title=_name_of(element) or "",
            attributes={str(name).lower(): str(value).strip() for name, value in element.attrib.items()},
            groups=groups,
            is_leaf=len(element) == 0,
        )
    if tree.cut:
        notices.append("the document is cut off")


def _feeds_of(root: etree._Element, notices: list[str], limit: int) -> list[RawOutline]:
    found: list[RawOutline] = []
    for element, groups in _walk(root, notices):
        href = attribute(element, "xmlurl")
        if href is None:
            continue
        if len(found) == limit:
            notices.append(f"over {limit} feeds, of which the first {limit} were read")
            break
        category = (attribute(element, "category") or "")[:_MAX_TEXT]
        found.append(RawOutline(href=href, title=_name_of(element), category=category or None, groups=groups))
    return found


def _name_of(element: etree._Element) -> str | None:
    """Return the title of an outline; None if it has none."""
    return (attribute(element, "title") or attribute(element, "text") or "")[:_MAX_TEXT] or None


def _walk(root: etree._Element, notices: list[str]) -> Iterator[tuple[etree._Element, tuple[str, ...]]]:
    """Yield the outlines of a list in its order, each with the titles of the groups around it, the outermost first.

    Args:
        root: of the document.
        notices: what is left out for its number or depth is appended.
    """
    seen = 0
    bodies = [each for each in root if isinstance(each.tag, str) and local_name(each) == "body"]
    waiting: list[tuple[etree._Element, tuple[str, ...], int]] = [(each, (), 0) for each in reversed(bodies)]
    while waiting:
        element, groups, depth = waiting.pop()
        if local_name(element) == "outline":
            seen += 1
            if seen > MAX_READ:
                notices.append(f"over {MAX_READ} outlines, of which the first were read")
                break
            yield element, groups
            if attribute(element, "xmlurl") is None and (title := _name_of(element)):
                groups = (*groups, title)
        if depth == MAX_DEPTH:
            notices.append(f"outlines nested deeper than {MAX_DEPTH}: the inner ones are left out")
            continue
        children = [each for each in element if isinstance(each.tag, str) and local_name(each) == "outline"]
        waiting.extend((each, groups, depth + 1) for each in reversed(children))
