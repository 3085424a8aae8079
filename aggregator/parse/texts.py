"""Reads text constructs with feedparser: escaped, inline, xhtml or base64, of any version (I17, I50, I53).

feedparser receives texts and nothing else. Dates, ids, links, people and tags are removed before: feedparser would
resolve, merge or guess them, and its regular expressions for them take quadratic time on hostile lengths.

Nearly all texts have no markup elements inside. For these, feedparser receives one placeholder for each shape (element,
attributes, xml:base, xml:lang), and its result applies to all texts of that shape. feedparser's own work, by line and
by reference, would otherwise take two thirds of the time of a poll (measured: 1.8 s before, 0.9 s after). An entry
without any text left for feedparser is not passed at all.
"""

import io
import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Final

from lxml import etree

from aggregator.errors import ParseError
from aggregator.model.entry import RawText
from aggregator.parse.names import Child, attribute, children_of, local_name, remove_element
from aggregator.parse.placeholders import BODY, ENCODED, PLACEHOLDER, Placeholders, is_simple
from aggregator.urls import Url

MAX_TEXT: Final = 1 << 20  # characters of a field (I15)
# The elements of an entry that feedparser receives, and under which name. Of each kind only the best one: feedparser
# reads a second one as something else (a second description as the content).
_CONTENTS = {
    "content": "content",
    "content:encoded": ENCODED,
    "xhtml:body": BODY,
    "body": BODY,
    "fullitem": ENCODED,
}
_TITLES = ("title", "dc:title", "media:title")
_SUMMARIES = ("description", "summary", "dc:description", "abstract")
_FALLBACK_SUMMARIES = ("itunes:summary", "media:description")  # used if there is neither summary nor content
_SUBTITLES = ("subtitle", "tagline", "description", "dc:description", "itunes:subtitle", "itunes:summary")
_RIGHTS = ("rights", "copyright", "dc:rights")
_TYPES = {"text/plain": "text", "text/html": "html", "application/xhtml+xml": "xhtml"}
_KINDS = frozenset({"text", "html", "xhtml", "plain"})  # any other word, such as `markdown`, is not a valid type
# Elements whose end tag feedparser takes for the end of a text or of an item, also inside of a text: it then finds no
# text in the items that follow (`<width>` makes it fail). `<details>` has a `<summary>`, a saved page a `<body>`.
_ENDING: Final = frozenset(
    "title subtitle tagline description abstract summary content encoded body fullitem rights copyright info"
    " browserfriendly item entry channel feed image textinput author contributor source width height".split()
)
_HIDDEN: Final = ".inner"  # added to the names of such elements while feedparser reads
_HIDDEN_TAGS: Final = re.compile(rf"(</?[\w:-]+){re.escape(_HIDDEN)}(?=[\s/>])")
_VOID_ENDS = re.compile(r"</(?:area|base|br|col|embed|hr|img|input|link|meta|source|track|wbr)>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """The text constructs of a feed, or of an entry."""

    title: RawText | None = None
    summary: RawText | None = None  # of a feed: its subtitle
    contents: tuple[RawText, ...] = ()
    rights: RawText | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedTexts:
    """The texts of a document as feedparser read them."""

    version: str  # feedparser's name of the format, such as rss20; empty if it knows none (I1)
    feed: Texts
    entries: tuple[Texts, ...]


def read_texts(
    root: etree._Element, channel: etree._Element, entries: Sequence[etree._Element], *, namespace: str, url: Url
) -> ParsedTexts:
    """Read the texts of a feed and of its entries.

    Args:
        root: the document. Everything but the texts is removed from it.
        channel: the element that describes the feed; in Atom the root.
        entries: in document order.
        namespace: the namespace of the root.
        url: the address that sent the response, passed as content-location (I16).

    Raises:
        ParseError: feedparser failed, or read another number of entries.
    """
    if any(entry.getparent() not in (root, channel) for entry in entries):
        for (
            entry
        ) in entries:  # all into the channel, in order: the texts that feedparser returns are assigned by position
            channel.append(entry)
    kept = {channel, *entries}
    for child in list(root):
        if child not in kept and channel is not root:
            root.remove(child)
    placeholders = Placeholders()
    texts = [each for each in children_of(channel, namespace) if each[1] not in kept]
    _keep_only(channel, _chosen_of_feed(texts), kept, None)
    for position, entry in enumerate(entries):
        entry.tag = "item"
        placeholders.start_entry(entry, position)
        children = children_of(entry, namespace)
        groups = [child for name, child in children if name == "media:group"]
        if groups:  # the only texts of a video entry are in its media:group
            entry.extend([child for group in groups for child in group])
            children = children_of(entry, namespace)
        _keep_only(entry, _chosen_of_entry(children), kept, placeholders)
    seen = [position for position, entry in enumerate(entries) if len(entry)]
    for entry in entries:
        if not len(entry):
            remove_element(entry)
    import feedparser  # late: feedparser takes 50 ms to load, and a run of 304s never needs it

    feedparser.api.PREFERRED_XML_PARSERS.clear()  # it looks for one that nobody has in all folders, once a document
    headers = {"content-location": url, "content-type": "application/xml; charset=utf-8"}
    body = etree.tostring(root, encoding="utf-8", xml_declaration=True)
    try:
        result = feedparser.parse(
            io.BytesIO(body), response_headers=headers, sanitize_html=False, resolve_relative_uris=False
        )
        version = str(result.get("version") or "")
        reader = _Reader(url=url, placeholders=placeholders, untyped=not version.startswith("atom"))
        read = result["entries"]
        if len(read) != len(seen):  # otherwise an entry would get the text of another entry
            raise ParseError(url, f"feedparser read {len(read)} of {len(seen)} entries")
        found: list[dict[str, list[RawText]]] = [{} for _ in entries]
        for position, entry in zip(seen, read, strict=True):
            found[position] = reader.texts(entry, "summary_detail")
        placeholders.restore(found)
        return ParsedTexts(
            version=version,
            feed=_frozen(reader.texts(result["feed"], "subtitle_detail")),
            entries=tuple(_frozen(texts) for texts in found),
        )
    except ParseError:
        raise
    except Exception as error:  # feedparser does not document what it raises
        raise ParseError(url, f"feedparser failed: {type(error).__name__}: {str(error)[:200]}") from error


def _chosen_of_feed(children: Sequence[Child]) -> dict[etree._Element, str]:
    """Choose the elements of a feed that feedparser receives; return element to tag."""
    chosen = (
        (_best(children, _TITLES), "title"),
        (_best(children, _SUBTITLES), "subtitle"),
        (_best(children, _RIGHTS), "rights"),
    )
    return {best[1]: tag for best, tag in chosen if best is not None}


def _chosen_of_entry(children: Sequence[Child]) -> dict[etree._Element, str]:
    """Choose the elements of an entry that feedparser receives; return element to tag."""
    chosen = {child: _CONTENTS[name] for name, child in children if name in _CONTENTS and _is_full(child)}
    summary = _best(children, _SUMMARIES)
    if summary is None and not chosen:
        summary = _best(children, _FALLBACK_SUMMARIES)
    if summary is not None:
        chosen[summary[1]] = "description" if summary[0].endswith("description") else "summary"
        if summary[0] == "media:description":
            chosen[summary[1]] = "summary"
            _type_by_media(summary[1])
    if (title := _best(children, _TITLES)) is not None:
        chosen[title[1]] = "title"
        if title[0] == "media:title":
            _type_by_media(title[1])
    if (rights := _best(children, _RIGHTS)) is not None:
        chosen[rights[1]] = "rights"
    return chosen


def _type_by_media(element: etree._Element) -> None:
    """Set the default type of Media RSS: a text is plain."""
    element.set("type", "html" if attribute(element, "type") == "html" else "text")


def _keep_only(
    parent: etree._Element,
    chosen: Mapping[etree._Element, str],
    kept: Set[etree._Element],
    placeholders: Placeholders | None,
) -> None:
    """Remove an element's children except `kept` and the chosen ones, which get the tag that feedparser knows."""
    for child in list(parent):
        tag = chosen.get(child)
        if tag is not None:
            child.tag = tag
            kind = attribute(child, "type")
            if kind and "/" not in kind and kind.lower() not in _KINDS and len(child) == 0:
                child.set("type", "text")  # feedparser would decode it as base64
            for stray in ("base", "lang"):  # feedparser would read them as xml:base and xml:lang
                if child.get(stray) is not None:
                    del child.attrib[stray]
            for inner in child.iterdescendants(etree.Element):
                if local_name(inner).lower() in _ENDING:
                    inner.tag += _HIDDEN
            if placeholders is not None and is_simple(child) and not placeholders.replace(child, tag):
                parent.remove(child)
        elif child not in kept:
            parent.remove(child)


def _frozen(found: Mapping[str, Sequence[RawText]]) -> Texts:
    return Texts(
        title=next(iter(found.get("title", ())), None),
        summary=next(iter(found.get("summary", ())), None),
        contents=tuple(found.get("contents", ())),
        rights=next(iter(found.get("rights", ())), None),
    )


def _best(children: Sequence[Child], names: Sequence[str]) -> Child | None:
    """Choose the non-empty child whose name comes first in `names`; of several with that name, the longest."""
    best: Child | None = None
    for name, child in children:
        if name not in names or not _is_full(child):
            continue
        if best is None or _rank(name, child, names) < _rank(*best, names):
            best = (name, child)
    return best


def _rank(name: str, child: etree._Element, names: Sequence[str]) -> tuple[int, int]:
    return names.index(name), -len(child.text or "")


def _is_full(element: etree._Element) -> bool:
    return len(element) > 0 or bool((element.text or "").strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """Converts feedparser's dicts into our records."""

    url: Url
    placeholders: Placeholders
    untyped: bool  # the feed is RSS, whose titles have no type

    def texts(self, found: Mapping[str, Any], summary: str) -> dict[str, list[RawText]]:
        """Return the texts of a feed or an entry by field. Placeholders are recorded and not returned."""
        details = (
            ("title", found.get("title_detail")),
            ("summary", found.get(summary)),
            *(("contents", content) for content in found.get("content") or ()),
            ("rights", found.get("rights_detail")),
        )
        read: dict[str, list[RawText]] = {}
        for name, detail in details:
            text = self.text(detail, untyped=self.untyped and name == "title") if detail else None
            if text is None:
                continue
            number = text.value[1:]
            if text.value[:1] == PLACEHOLDER and number.isascii() and number.isdigit():
                self.placeholders.readings[int(number[:9])] = text
            else:
                read.setdefault(name, []).append(text)
        return read

    def text(self, detail: Mapping[str, Any], *, untyped: bool) -> RawText | None:
        """Return one text; None if the text is empty or is neither text nor markup."""
        value = str(detail.get("value") or "")
        kind = _type_of(str(detail.get("type") or "text/plain"))
        if kind is None or not value.strip():
            return None
        if kind == "xhtml":  # feedparser writes <br></br>, which HTML reads as two line breaks
            value = _HIDDEN_TAGS.sub(r"\1", _VOID_ENDS.sub("", value))
        elif untyped or (self.untyped and kind == "text"):
            kind = "unknown"
        base = str(detail.get("base") or "")
        language = detail.get("language")
        return RawText(
            value=value,
            type=kind,
            base=base if base and base != self.url else None,
            language=str(language) if language else None,
        )


def _type_of(declared: str) -> str | None:
    """Return our name for a media type: text, html or xhtml; None if it is neither text nor markup."""
    kind = declared.lower().partition(";")[0].strip()
    if kind in _TYPES:
        return _TYPES[kind]
    if kind.endswith(("+xml", "/xml")):
        return "xhtml"
    return "text" if kind.startswith("text/") else None
