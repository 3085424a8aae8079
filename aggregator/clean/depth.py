"""How deep HTML is nested, before nh3 pays for it (S14): the time it takes grows with the square of the depth.

Most texts are small enough not to matter. Of the others, those that are nested as a template would write them are
measured exactly; those that aren't go through libxml2, which closes what is open, and are measured then.
"""

import html as entities
import re
from typing import Final

import lxml.html
from lxml import etree

from aggregator.clean.text import DROPPED, html_of, without_tags

MAX_DEPTH: Final = 200  # elements within each other
_FEW = 200  # start tags that need no look
_MANY = 2000  # above, only what is known to be nested well goes to nh3 as it is
_MAX_REFERENCES = 60_000  # ampersands: each costs nh3 a little of all before
_MAX_REOPENED = 50_000  # formatting elements that a parser opens again in a block after another
_VOID = frozenset("area base br col embed hr img input link meta param source track wbr".split())
_FORMATTING = frozenset("b big code em font i nobr s small strike strong tt u".split())
_BLOCK = frozenset(
    "address article aside blockquote div dl h1 h2 h3 h4 h5 h6 li ol p pre section table td th ul".split()
)
_RAW = DROPPED | {"plaintext", "xmp", "frameset", "noembed", "noframes"}
_STRICT = re.compile(
    r"<(/?)([a-zA-Z][a-zA-Z0-9]*)(?:\s++[^\s\"'<>/=]++(?:\s*+=\s*+(?:\"[^\"<>]*\"|'[^'<>]*'))?)*\s*(/?)>"
)
_CANONICAL = re.compile(r"<(/?)([a-z][a-z0-9]*)")
_FORMATTING_TAG = re.compile(rf"<({'|'.join(sorted(_FORMATTING))})\s[^<>]*>", re.IGNORECASE)
_NUMERIC = re.compile(r"&#(?:([0-9]{3,7})|[xX]([0-9a-fA-F]{2,6}));")


def bounded(html: str) -> str:
    """Give HTML that nh3 reads in little time: itself, mostly; flattened to text if it is nested too deep."""
    if html.count("&") > _MAX_REFERENCES:
        html = _NUMERIC.sub(_character, html)
        if html.count("&") > _MAX_REFERENCES:
            return _flat(html).replace("&amp;", " ")
    tags = html.count("<")
    if tags <= _FEW or _is_well_nested(html, tags):
        return html
    if tags <= _MANY:
        # The same formatting element is opened again three times at most, if no attribute tells it from others.
        return _FORMATTING_TAG.sub(r"<\1>", html)
    closed = _closed(html)
    return closed if closed is not None and _is_well_nested(closed, closed.count("<")) else _flat(html)


def is_deep(canonical: str) -> bool:
    """Tell whether HTML that nh3 wrote is nested beyond the limit."""
    if canonical.count("<") <= MAX_DEPTH:
        return False
    depth = 0
    for end, name in _CANONICAL.findall(canonical):
        if name not in _VOID:
            depth += -1 if end else 1
            if depth > MAX_DEPTH:
                return True
    return False


def _is_well_nested(html: str, tags: int) -> bool:
    """Tell whether every `<` is a plain tag, every end tag meets its start tag, and nothing is nested too deep."""
    open_tags: list[str] = []
    seen = formatting = reopened = 0
    for tag in _STRICT.finditer(html):
        seen += 1
        name = tag[2].lower()
        if name in _RAW:
            return False
        if name in _VOID:
            continue
        if tag[1]:
            if not open_tags or open_tags.pop() != name:
                return False
            formatting -= name in _FORMATTING
        elif not tag[3]:
            open_tags.append(name)
            formatting += name in _FORMATTING
            reopened += formatting if name in _BLOCK else 0
            if len(open_tags) > MAX_DEPTH or reopened > _MAX_REOPENED:
                return False
    return seen == tags and not open_tags


def _flat(html: str) -> str:
    return html_of(entities.unescape(without_tags(html)))


def _closed(html: str) -> str | None:
    """Let libxml2 close what is open; None if there is more of it than it reads."""
    parser = lxml.html.HTMLParser(recover=True, huge_tree=True, remove_comments=True, remove_pis=True, no_network=True)
    try:
        body = lxml.html.document_fromstring(f"<html><body>{html}</body></html>", parser=parser).find("body")
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return None
    if body is None:
        return None
    etree.strip_elements(body, *_RAW, with_tail=False)
    written = str(etree.tostring(body, method="html", encoding="unicode"))
    return written.partition(">")[2].removesuffix("</body>")


def _character(reference: re.Match[str]) -> str:
    code = int(reference[1]) if reference[1] else int(reference[2], 16)
    return chr(code) if 0x7F < code < 0xD800 or 0xE000 <= code < 0x110000 else reference[0]
