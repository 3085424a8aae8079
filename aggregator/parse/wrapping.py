"""Finds feeds inside a JSON string, or escaped in a page that a script or browser wrapped around the feed (I8)."""

import json
import re
from html import unescape

_STARTS = re.compile(r"\s*(?:<\?xml\b|<(?:[A-Za-z_][\w.-]{0,40}:)?(?:rss|feed|rdf)\b)", re.IGNORECASE)
# A page that contains nothing but one <pre>; a page that shows an example of a feed has other content too.
_OPENING = re.compile(
    r"(?:\s|<!--[^>]{0,500}-->|<!doctype[^>]{0,200}>|<(?:html|body|head|meta)\b[^>]{0,500}>|</head>"
    r"|<(title|style)\b[^>]{0,200}>[^<]{0,2000}</\1>)*+<pre\b[^>]{0,500}>",
    re.IGNORECASE,
)
_CLOSING = re.compile(r"</pre>(?:\s|</(?:body|html)>|<!--[^>]{0,500}-->)*+\Z", re.IGNORECASE)


def in_json(text: str) -> str | None:
    """Return the feed that a JSON document has as a string, alone or as a value of its object; None without one."""
    if "<" not in text and "\\u003c" not in text.lower():
        return None
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    values = document.values() if isinstance(document, dict) else (document,)
    return next((value for value in values if isinstance(value, str) and _STARTS.match(value)), None)


def in_page(text: str) -> str | None:
    """Return the feed that is escaped in a page that contains nothing else; None if there is none."""
    opening = _OPENING.match(text)
    if opening is None:
        return None
    end = text.rfind("</pre>")
    if end < 0 or not _CLOSING.match(text, end):
        return None
    inside = unescape(text[opening.end() : end])
    return inside if _STARTS.match(inside) else None
