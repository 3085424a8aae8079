"""Limits the nesting depth of HTML before nh3 reads it, since nh3 takes time quadratic in the depth (S14).

Most texts are short enough to skip the check. Longer texts that are properly nested are measured exactly. The others
are parsed by libxml2, which adds missing end tags, and are measured then.
"""

import html as entities
import re
from typing import Final

import lxml.html
from lxml import etree

from aggregator.clean.text import DROPPED, html_of, without_tags

MAX_DEPTH: Final = 200  # nested elements
_UNCHECKED_TAGS = 200  # a text with at most this many tags is not checked
_MAX_UNKNOWN_TAGS = 2000  # a text with more tags reaches nh3 only if it is known to be properly nested
_MAX_REFERENCES = 60_000  # ampersands: nh3's time for each grows with the text before it
_MAX_REOPENED = 50_000  # formatting elements that a parser opens again in the following block
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


def limit_depth(html: str) -> str:
    """Return HTML that nh3 reads in little time: usually unchanged; reduced to text if the nesting is too deep."""
    if html.count("&") > _MAX_REFERENCES:
        html = _NUMERIC.sub(_character, html)
        if html.count("&") > _MAX_REFERENCES:
            return _flatten(html).replace("&amp;", " ")
    tags = html.count("<")
    if tags <= _UNCHECKED_TAGS or _is_well_nested(html, tags):
        return html
    if tags <= _MAX_UNKNOWN_TAGS:
        # Without attributes, a parser opens the same formatting element again three times at most.
        return _FORMATTING_TAG.sub(r"<\1>", html)
    closed = _close_tags(html)
    return closed if closed is not None and _is_well_nested(closed, closed.count("<")) else _flatten(html)


def is_deep(canonical: str) -> bool:
    """Return True if HTML that nh3 wrote is nested deeper than the limit."""
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
    """Return True if every `<` is a plain tag, each end tag matches its start tag, and no element is too deep."""
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


def _flatten(html: str) -> str:
    return html_of(entities.unescape(without_tags(html)))


def _close_tags(html: str) -> str | None:
    """Return the HTML as libxml2 writes it, with all end tags; None if the text exceeds what libxml2 reads."""
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
