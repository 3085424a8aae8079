"""Makes the Link header of a feed with a hub from the feed's own text, so that both agree (A85; WebSub, section 4)."""

import re
from html import unescape
from typing import Final

HEAD_BYTES: Final = 64 * 1024  # bytes at the start of a feed that are searched

_MARKS = (b'" rel="hub"', b'"hubs":[')
# The forms that our renderers write. No title or description can match: `<` and line ends are escaped there.
_ENTRY = re.compile(rb'<(?:entry|item)[ >]|^"items":', re.MULTILINE)
_XML = re.compile(rb'<(?:atom:)?link href="([^"]*)" rel="(hub|self)"')
_JSON = re.compile(rb'^"(feed_url|hubs)":(?:\[\{"type":"WebSub","url":)?"([^"]*)"', re.MULTILINE)
_ADDRESS = re.compile(r"https?://[!-;=?-\[\]-~]+")  # may be put between `<` and `>` in a header (S42)


def link_of(body: bytes) -> str | None:
    """Return the value of the Link header; None if the feed names no hub."""
    head = body[:HEAD_BYTES]
    if not any(mark in head for mark in _MARKS):  # the regular expressions take twenty times longer
        return None
    if (entry := _ENTRY.search(head)) is not None:
        head = head[: entry.start()]
    found = {rel: unescape(href.decode("latin-1")) for href, rel in _XML.findall(head)}
    for name, text in _JSON.findall(head):
        found[b"hub" if name == b"hubs" else b"self"] = text.decode("latin-1").replace("\\u0026", "&")
    hub, own = found.get(b"hub", ""), found.get(b"self", "")
    if not (_ADDRESS.fullmatch(hub) and _ADDRESS.fullmatch(own)):
        return None
    return f'<{hub}>; rel="hub", <{own}>; rel="self"'
