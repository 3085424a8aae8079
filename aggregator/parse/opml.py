"""Reads OPML 1 and 2 into a `RawFeed` with a list of feeds and no entries (`kind: opml`; opml.org/spec2.opml)."""

from typing import Final

from lxml import etree

from aggregator.errors import NotAFeed, ParseError
from aggregator.model.entry import RawFeed, RawText
from aggregator.model.outline import RawOutline
from aggregator.parse.names import attribute, local_name, text_of
from aggregator.parse.not_a_feed import not_xml
from aggregator.parse.tree import read_xml
from aggregator.urls import Url

MAX_BYTES: Final = 5 * 2**20  # of a list, decompressed (S16)
MAX_READ: Final = 10_000  # outlines that are read (S16)
MAX_OUTLINES: Final = 500  # feeds per list
MAX_DEPTH: Final = 20  # nested outlines (S16)
_MAX_TEXT: Final = 1000  # characters of a title


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
    if len(text) > MAX_BYTES:
        raise ParseError(url, f"a list of over {MAX_BYTES // 2**20} MiB")
    tree = read_xml(text, url, roots=1)
    root = local_name(tree.root)
    if root in ("rss", "feed", "rdf"):
        advice = "write kind: file" if url.startswith("file:") else "remove kind: opml"
        raise NotAFeed(url, f"a feed, not a list of feeds; {advice}")
    if root != "opml":
        raise not_xml(text, url, root, f"XML with the root <{root[:80]}> is not an OPML list")
    notices = list(tree.notices)
    found = _walk(tree.root, notices, limit)
    if tree.cut:
        notices.append("the document is cut off")
    return RawFeed(
        format="opml",
        title=RawText(value=title[:_MAX_TEXT], type="text") if (title := _title(tree.root)) else None,
        outlines=tuple(found),
        url=url,
        notices=tuple(notices),
        cut=tree.cut,
    )


def _title(root: etree._Element) -> str:
    heads = (each for each in root if isinstance(each.tag, str) and local_name(each) == "head")
    titles = (each for head in heads for each in head if isinstance(each.tag, str) and local_name(each) == "title")
    return next(map(text_of, titles), "")


def _walk(root: etree._Element, notices: list[str], limit: int) -> list[RawOutline]:
    found: list[RawOutline] = []
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
            href = attribute(element, "xmlurl")
            title = (attribute(element, "title") or attribute(element, "text") or "")[:_MAX_TEXT]
            if href is not None:
                if len(found) == limit:
                    notices.append(f"over {limit} feeds, of which the first {limit} were read")
                    break
                category = (attribute(element, "category") or "")[:_MAX_TEXT]
                found.append(RawOutline(href=href, title=title or None, category=category or None, groups=groups))
            elif title:
                groups = (*groups, title)
        if depth == MAX_DEPTH:
            notices.append(f"outlines nested deeper than {MAX_DEPTH}: the inner ones are left out")
            continue
        children = [each for each in element if isinstance(each.tag, str) and local_name(each) == "outline"]
        waiting.extend((each, groups, depth + 1) for each in reversed(children))
    return found
