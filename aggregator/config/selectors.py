"""Checks selectors of pages, in CSS or XPath (S64)."""

from functools import lru_cache

from aggregator.config.findings import Unfit
from aggregator.model.selector import selector_of


def css(text: str) -> str:
    """Check a CSS selector and return it unchanged.

    Raises:
        Unfit: the parser rejects it.
    """
    if not _is_css(text):
        raise Unfit("is not a CSS selector; write one such as .share-buttons, or div.ad > a")
    return text


@lru_cache(maxsize=4096)
def _is_css(text: str) -> bool:
    from selectolax.lexbor import LexborHTMLParser, SelectolaxError  # late: few configurations have selectors

    try:
        LexborHTMLParser("").css(text)
    except SelectolaxError:
        return False
    return True


def selector(text: str) -> str:
    """Check a selector and return it unchanged: CSS, perhaps with `@attribute`, or XPath with a leading //.

    Raises:
        Unfit: the text is neither.
    """
    said = selector_of(text)
    if said.is_xpath:
        if not _is_xpath(said.path):
            raise Unfit("is not an XPath; write one such as //article, or CSS such as article.teaser")
    elif said.path:
        css(said.path)
    return text


@lru_cache(maxsize=4096)
def _is_xpath(text: str) -> bool:
    from lxml import etree  # late: few configurations have selectors

    try:
        etree.XPath(text)
    except etree.XPathSyntaxError:
        return False
    return True
