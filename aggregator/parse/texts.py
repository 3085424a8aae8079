"""Text constructs through feedparser: escaped, inline, xhtml or base64, of any version (I17, I50, I53).

feedparser is shown texts and nothing else. Dates, ids, links, people and tags are taken out of its sight before: it
would resolve, fold or guess them, and its expressions for them take the square of a hostile length.

Of a text without markup inside, which is nearly all, it is asked how such a text is to be read: a stand-in of each
shape (element, attributes, xml:base, xml:lang) goes through it, and its answer holds for all of that shape. Line by
line and reference by reference it would spend two thirds of a poll on the texts themselves (measured: 1.8 to 0.9 s).
An entry of which nothing is left to ask is not shown at all.
"""

import io
import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Final

from lxml import etree

from aggregator.errors import ParseError
from aggregator.model.entry import RawText
from aggregator.parse.names import Child, attribute, children_of
from aggregator.parse.stand_ins import BODY, ENCODED, STAND_IN, StandIns, is_simple
from aggregator.urls import Url

MAX_TEXT: Final = 1 << 20  # characters of a field (I15)
# What is shown of an entry, and under which name. Of one kind only one, the best, since feedparser takes a second for
# something else (a second description for the content).
_CONTENTS = {
    "content": "content",
    "content:encoded": ENCODED,
    "xhtml:body": BODY,
    "body": BODY,
    "fullitem": ENCODED,
}
_TITLES = ("title", "dc:title", "media:title")
_SUMMARIES = ("description", "summary", "dc:description", "abstract")
_SPARE_SUMMARIES = ("itunes:summary", "media:description")  # where there is neither summary nor content
_SUBTITLES = ("subtitle", "tagline", "description", "dc:description", "itunes:subtitle", "itunes:summary")
_RIGHTS = ("rights", "copyright", "dc:rights")
_TYPES = {"text/plain": "text", "text/html": "html", "application/xhtml+xml": "xhtml"}
_KINDS = frozenset({"text", "html", "xhtml", "plain"})  # any other word is no type, such as `markdown`
_VOID_ENDS = re.compile(r"</(?:area|base|br|col|embed|hr|img|input|link|meta|source|track|wbr)>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """The text constructs of a feed, or of an entry."""

    title: RawText | None = None
    summary: RawText | None = None  # of a feed: its subtitle
    contents: tuple[RawText, ...] = ()
    rights: RawText | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What feedparser made of a document."""

    version: str  # its own word for the format, such as rss20; empty if it knows none (I1)
    feed: Texts
    entries: tuple[Texts, ...]


def read_texts(
    root: etree._Element, channel: etree._Element, entries: Sequence[etree._Element], *, home: str, url: Url
) -> Shown:
    """Read the texts of a feed and its entries.

    Args:
        root: the document. It is used up: all but the texts is removed from it.
        channel: the element that holds what is said of the feed; in Atom the root.
        entries: in the order of the document.
        home: the root's namespace.
        url: the address that answered, as content-location (I16).

    Raises:
        ParseError: feedparser broke down, or took some entries for something else.
    """
    if any(entry.getparent() not in (root, channel) for entry in entries):
        for entry in entries:  # wherever they stood, in their order: by it their texts are found again
            channel.append(entry)
    kept = {channel, *entries}
    for child in list(root):
        if child not in kept and channel is not root:
            root.remove(child)
    stand_ins = StandIns()
    texts = [each for each in children_of(channel, home) if each[1] not in kept]
    _show(channel, _chosen_of_feed(texts), kept, None)
    for position, entry in enumerate(entries):
        entry.tag = "item"
        stand_ins.enter(entry, position)
        children = children_of(entry, home)
        groups = [child for name, child in children if name == "media:group"]
        if groups:  # videos have their only text in one
            entry.extend([child for group in groups for child in group])
            children = children_of(entry, home)
        _show(entry, _chosen_of_entry(children), kept, stand_ins)
    seen = [position for position, entry in enumerate(entries) if len(entry)]
    for entry in entries:
        if not len(entry):
            _remove(entry)
    import feedparser  # late: a run of 304s never needs it, and it takes 50 ms to load

    headers = {"content-location": url, "content-type": "application/xml; charset=utf-8"}
    body = etree.tostring(root, encoding="utf-8", xml_declaration=True)
    try:
        result = feedparser.parse(
            io.BytesIO(body), response_headers=headers, sanitize_html=False, resolve_relative_uris=False
        )
        version = str(result.get("version") or "")
        reader = _Reader(url=url, stand_ins=stand_ins, untyped=not version.startswith("atom"))
        read = result["entries"]
        if len(read) != len(seen):  # or one entry would get the text of another
            raise ParseError(url, f"{len(seen)} entries, of which feedparser read {len(read)}")
        found: list[dict[str, list[RawText]]] = [{} for _ in entries]
        for position, entry in zip(seen, read, strict=True):
            found[position] = reader.texts(entry, "summary_detail")
        stand_ins.give_back(found)
        return Shown(
            version=version,
            feed=_frozen(reader.texts(result["feed"], "subtitle_detail")),
            entries=tuple(_frozen(texts) for texts in found),
        )
    except ParseError:
        raise
    except Exception as error:  # feedparser promises nothing about what it raises
        raise ParseError(url, f"feedparser gave up: {type(error).__name__}: {str(error)[:200]}") from error


def _remove(element: etree._Element) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def _chosen_of_feed(children: Sequence[Child]) -> dict[etree._Element, str]:
    """Choose what is shown of a feed, and under which names."""
    chosen = (
        (_best(children, _TITLES), "title"),
        (_best(children, _SUBTITLES), "subtitle"),
        (_best(children, _RIGHTS), "rights"),
    )
    return {best[1]: tag for best, tag in chosen if best is not None}


def _chosen_of_entry(children: Sequence[Child]) -> dict[etree._Element, str]:
    """Choose what is shown of an entry, and under which names."""
    chosen = {child: _CONTENTS[name] for name, child in children if name in _CONTENTS and _is_full(child)}
    summary = _best(children, _SUMMARIES)
    if summary is None and not chosen:
        summary = _best(children, _SPARE_SUMMARIES)
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
    """Say what Media RSS leaves unsaid: a text is plain."""
    element.set("type", "html" if attribute(element, "type") == "html" else "text")


def _show(
    parent: etree._Element,
    chosen: Mapping[etree._Element, str],
    kept: Set[etree._Element],
    stand_ins: StandIns | None,
) -> None:
    """Leave of an element's children the chosen ones, named as feedparser knows them, and `kept`."""
    for child in list(parent):
        tag = chosen.get(child)
        if tag is not None:
            child.tag = tag
            kind = attribute(child, "type")
            if kind and "/" not in kind and kind.lower() not in _KINDS and len(child) == 0:
                child.set("type", "text")  # feedparser would take it for base64
            for stray in ("base", "lang"):  # feedparser would take them for xml:base and xml:lang
                if child.get(stray) is not None:
                    del child.attrib[stray]
            if stand_ins is not None and is_simple(child) and not stand_ins.hold(child, tag):
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
    """Choose the first name that has a text; of several so named, the longest."""
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
    """Makes our records of feedparser's dicts."""

    url: Url
    stand_ins: StandIns
    untyped: bool  # of RSS, whose titles have no type

    def texts(self, found: Mapping[str, Any], summary: str) -> dict[str, list[RawText]]:
        """Read the texts of a feed, or of an entry; the stand-ins among them are answers, and no texts."""
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
            if text.value[:1] == STAND_IN and number.isascii() and number.isdigit():
                self.stand_ins.answers[int(number[:9])] = text
            else:
                read.setdefault(name, []).append(text)
        return read

    def text(self, detail: Mapping[str, Any], *, untyped: bool) -> RawText | None:
        """Read one; None for an empty one, and for what is neither text nor markup."""
        value = str(detail.get("value") or "")
        kind = _type_of(str(detail.get("type") or "text/plain"))
        if kind is None or not value.strip():
            return None
        if kind == "xhtml":  # feedparser writes <br></br>, which HTML reads as two
            value = _VOID_ENDS.sub("", value)
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
    """Give our word for a type; None for what is neither text nor markup."""
    kind = declared.lower().partition(";")[0].strip()
    if kind in _TYPES:
        return _TYPES[kind]
    if kind.endswith(("+xml", "/xml")):
        return "xhtml"
    return "text" if kind.startswith("text/") else None
