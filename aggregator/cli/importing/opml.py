"""Reads OPML for `import`: exports of feed readers, with what FreshRSS writes besides."""

import html
import re

from aggregator.cli.importing.planet import Imported
from aggregator.parse.opml import WholeOutline, every_outline
from aggregator.urls import Url

_FRESHRSS = "{https://freshrss.org/opml}"
_SCRAPED = re.compile(r"\+(xpath|dotnotation)", re.IGNORECASE)  # types of FreshRSS that are not feeds
_ESCAPED = re.compile(r"&(amp|lt|gt|quot|#\d+|#x[0-9a-f]+);", re.IGNORECASE)
_NOT_TAKEN = {  # attribute of FreshRSS -> what to write instead
    "cssFullContent": "full_text: true",
    "filtersActionRead": "exclude: docs/rules.md",
    "CURLOPT_COOKIE": 'headers: {Cookie: "${COOKIE}"}',
    "CURLOPT_USERAGENT": "headers: {User-Agent: …}",
    "CURLOPT_PROXY": "proxy: at the top level",
}


def looks_like_opml(text: str) -> bool:
    """Report whether a text is XML, perhaps escaped as a whole."""
    begin = text.lstrip()[:200].lower()
    return begin.startswith("<") or begin.startswith(("&lt;?xml", "&lt;opml"))


def read_opml(text: str, url: Url) -> Imported:
    """Read an OPML file.

    Args:
        text: the document.
        url: its address, for messages.

    Raises:
        ParseError: it is not OPML, or too large.
    """
    if text.lstrip().startswith("&lt;"):
        text = html.unescape(text)
    imported, notices = Imported(form="OPML"), list[str]()
    for outline in every_outline(text, url, notices):
        _take(imported, outline)
    for notice in notices:
        imported.remark(0, notice)
    return imported


def _take(imported: Imported, outline: WholeOutline) -> None:
    line, title, groups = outline.line, _unescaped(outline.title), tuple(map(_unescaped, outline.groups))
    href, page, kind = (outline.attributes.get(name, "") for name in ("xmlurl", "htmlurl", "type"))
    named = f'"{title or href or "(untitled)"}"'
    if not href:
        if listed := outline.attributes.get(f"{_FRESHRSS}opmlurl"):
            imported.add(line, listed, None, [(*groups, title) if title else groups], kind="opml")
        elif outline.is_leaf and (kind or page):
            advice = f"; its page is {page}: `aggregator add {page}` finds the feed" if page else ""
            imported.remark(line, f"{named} has no xmlUrl{advice}", is_lost=True)
        return
    if _SCRAPED.search(kind):
        what = f"{named} is no feed but read with XPath or JSON paths; write it by hand: docs/html.md, docs/newsroom.md"
        imported.remark(line, what, is_lost=True)
        return
    tags = outline.attributes.get("category", "")
    inside = [groups]
    if not groups and tags:
        inside = [tuple(filter(None, (part.strip() for part in tag.split("/")))) for tag in tags.split(",")]
    is_muted = outline.attributes.get(f"{_FRESHRSS}ttl", "").startswith("-")
    imported.add(line, _unescaped(href), title, inside, paused=is_muted)
    for name, instead in _NOT_TAKEN.items():
        if outline.attributes.get(f"{_FRESHRSS}{name.lower()}"):
            imported.remark(line, f"{named}: {name} is not taken over; its place is {instead}")


def _unescaped(text: str) -> str:
    """Return a text without the second level of XML escapes that some exporters write."""
    return html.unescape(text) if _ESCAPED.search(text) else text
