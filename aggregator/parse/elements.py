"""Finds elements of a page by CSS or XPath within limits (S64).

lexbor evaluates CSS, libxml2 XPath. Work that takes time quadratic in the number of elements is done in a process that
can be killed, in which pages are read (S15), or is not done on long pages.
"""

from collections.abc import Iterator
from functools import cached_property
from time import monotonic
from typing import Any, Final

import lxml.html
from lxml import etree
from selectolax.lexbor import LexborHTMLParser, LexborNode

from aggregator.errors import Overran
from aggregator.model.selector import Selector
from aggregator.urls import Url

SECONDS: Final = 10.0  # for all selectors of one page
MAX_FOUND: Final = 1000  # elements per selector in one item
MAX_MARKUP: Final = 40 * 2**20  # characters of all items together; a nested item counts once for each level
_HEADINGS = {f"h{rank}": rank for rank in range(1, 7)}
_WRAPPERS = {  # an HTML parser drops these tags unless the elements around them are present
    "tr": ("<table><tbody>", "</tbody></table>"),
    "td": ("<table><tbody><tr>", "</tr></tbody></table>"),
    "th": ("<table><tbody><tr>", "</tr></tbody></table>"),
    "tbody": ("<table>", "</table>"),
    "option": ("<select>", "</select>"),
}


class Page:
    """A web page.

    Args:
        text: the page.
        url: the address that sent the response.
    """

    def __init__(self, text: str, url: Url) -> None:
        self._text, self._url = text, url
        self._end = monotonic() + SECONDS
        self.notices: list[str] = []

    @cached_property
    def _lexbor(self) -> LexborHTMLParser:
        return LexborHTMLParser(self._text)

    def first(self, selector: str) -> str | None:
        """Return the first text or attribute that a built-in CSS selector finds anywhere on the page."""
        path, _, attribute = selector.partition("@")
        node = self._lexbor.css_first(path)
        value = None if node is None else node.attributes.get(attribute) if attribute else node.text()
        return " ".join((value or "").split()) or None

    def items(self, selector: Selector) -> Iterator["Element"]:
        """Yield the items. A heading means its section: the heading and everything up to the next heading of its rank.

        Raises:
            Overran: the selectors took too long.
        """
        spent = 0
        for tag, html in self._by_xpath(selector) if selector.is_xpath else self._by_css(selector):
            spent += len(html)
            if spent > MAX_MARKUP:
                self.notices.append("items are nested in each other: only the first were read")
                return
            if monotonic() > self._end:
                raise Overran(self._url, f"its selectors took over {SECONDS:g} s; write simpler ones")
            yield Element(tag, html)

    def _by_css(self, selector: Selector) -> Iterator[tuple[str, str]]:
        for node in self._lexbor.css(selector.path):
            tag = node.tag or ""
            yield (tag, _section(node, _HEADINGS[tag])) if tag in _HEADINGS else (tag, node.html or "")

    def _by_xpath(self, selector: Selector) -> Iterator[tuple[str, str]]:
        parser = lxml.html.HTMLParser(recover=True, huge_tree=True, no_network=True, remove_comments=True)
        try:
            root = lxml.html.document_fromstring(self._text, parser=parser)
        except (etree.ParserError, etree.XMLSyntaxError, ValueError):
            return
        for found in _evaluated(selector.path, root):
            if isinstance(found, etree._Element) and isinstance(found.tag, str):
                yield found.tag, etree.tostring(found, encoding="unicode", method="html", with_tail=False)


def _section(heading: LexborNode, rank: int) -> str:
    parts = [heading.html or ""]
    after = heading.next
    while after is not None and _HEADINGS.get(after.tag or "", 7) > rank:
        parts.append(after.html or "")
        after = after.next
    return f"<section>{''.join(parts)}</section>"


class Element:
    """One item of a page, parsed separately."""

    def __init__(self, tag: str, html: str) -> None:
        before, after = _WRAPPERS.get(tag, ("", ""))
        self._html = f"<!doctype html><body>{before}{html}{after}</body>"
        self._tag = tag

    @cached_property
    def _lexbor(self) -> LexborNode | None:
        body = LexborHTMLParser(self._html).body
        return None if body is None else self._parent_of_item(body)

    def _parent_of_item(self, body: LexborNode) -> LexborNode:
        """Return the element whose first child is the item."""
        inside = body.css_first(self._tag) if self._tag in _WRAPPERS else None
        return inside.parent if inside is not None and inside.parent is not None else body

    @cached_property
    def _tree(self) -> Any:
        return lxml.html.document_fromstring(self._html)

    def texts(self, selector: Selector) -> list[str]:
        """Return the non-empty texts, or attribute values, that a selector finds, with blanks collapsed."""
        if selector.is_xpath:
            found = (_text_of(each) for each in _evaluated(f".{selector.path}", self._tree)[:MAX_FOUND])
        else:
            found = (self._value(node, selector.attribute) for node in self._nodes(selector))
        return [text for each in found if (text := " ".join(each.split()))]

    def markup(self, selector: Selector) -> list[str]:
        """Return the HTML of the elements that a selector finds."""
        if selector.is_xpath:
            found = _evaluated(f".{selector.path}", self._tree)[:MAX_FOUND]
            return [
                etree.tostring(each, encoding="unicode", method="html", with_tail=False)
                if isinstance(each, etree._Element)
                else str(each)
                for each in found
            ]
        return [node.html or "" for node in self._nodes(selector)]

    def _nodes(self, selector: Selector) -> list[LexborNode]:
        body = self._lexbor
        if body is None:
            return []
        if not selector.path:
            first = body.child
            while first is not None and not first.is_element_node:
                first = first.next
            return [] if first is None else [first]
        return [node for node in body.css(selector.path)[:MAX_FOUND] if node.tag not in ("html", "body")]

    @staticmethod
    def _value(node: LexborNode, attribute: str | None) -> str:
        if attribute is not None:
            return node.attributes.get(attribute) or ""
        return node.text(separator=" ") if node.tag in ("ul", "ol", "dl", "table", "tr") else node.text()


def _evaluated(path: str, tree: Any) -> list[Any]:
    found = etree.XPath(path)(tree)
    return found if isinstance(found, list) else [found]


def _text_of(found: Any) -> str:
    return "".join(map(str, found.itertext())) if isinstance(found, etree._Element) else str(found)
