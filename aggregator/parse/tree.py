"""Parses text into a tree without entities, with declared namespaces, and within limits (I15, S11 to S14)."""

import re
from dataclasses import dataclass, replace

from lxml import etree

from aggregator.parse.doctype import cut_prolog, resolve_entities
from aggregator.parse.names import namespace_for
from aggregator.parse.not_a_feed import is_page, not_page, not_text
from aggregator.parse.repair import MAX_DEPTH, close_cdata, is_entry, repair
from aggregator.urls import Url

_USED = re.compile(r"</?([A-Za-z_][\w.\-]*):|[\s\"']([A-Za-z_][\w.\-]*):[\w.\-]+\s*=")
_DECLARED = re.compile(r"\sxmlns:([A-Za-z_][\w.\-]*)\s*=")
_ENTRY = re.compile(r"<(?:[\w.\-]{1,40}:)?(?:item|entry)[\s>]", re.IGNORECASE)
_ENTRY_END = re.compile(r"</(?:[\w.\-]{1,40}:)?(?:item|entry)\s*>", re.IGNORECASE)
_NEXT_ROOT = re.compile(r"<(?:[\w.\-]{1,40}:)?(?:rss|feed|rdf)\b", re.IGNORECASE)
MAX_ROOTS = 10  # documents one after the other that are read as one document
_ROOT_NAME = re.compile(r"<[A-Za-z_:][\w:.\-]*")
_MAX_ATTRIBUTES = 100  # per element: Python's SAX and lxml take time quadratic in their number
_OVERLOADED = etree.XPath(f"//*[count(@*) > {_MAX_ATTRIBUTES}]")
_TOO_DEEP = etree.XPath("/*" * (MAX_DEPTH + 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A parsed document."""

    root: etree._Element
    cut: bool = False  # the end of the document is missing (I13)
    entry_open: bool = False  # the last entry is incomplete
    notices: tuple[str, ...] = ()


class NoTree(ValueError):
    """The text contains no XML element."""


def read_xml(text: str, url: Url, *, roots: int = MAX_ROOTS) -> Tree:
    """Parse a body that should be XML other than a feed.

    Args:
        text: the body, with its prolog.
        url: the address that sent the response.
        roots: how many documents one after the other are read as one document.

    Returns:
        The tree; its notices include those about the prolog.

    Raises:
        NotAFeed: the body is a web page, or contains no element.
    """
    prolog = cut_prolog(text)
    if is_page(prolog.root):
        raise not_page(text, url)
    try:
        tree = tree_of(resolve_entities(prolog.root, prolog.entities), roots=roots)
    except NoTree as error:
        raise not_text(text, url) from error
    return replace(tree, notices=(*prolog.notices, *tree.notices))


def tree_of(text: str, *, roots: int = MAX_ROOTS) -> Tree:
    """Parse a document.

    Args:
        text: from the start tag of the root on, with entities resolved (I9).
        roots: how many documents one after the other are read as one document.

    Raises:
        NoTree: the text contains no element.
    """
    closed = close_cdata(text)
    if closed is not text and closed != text:
        tree = tree_of(closed, roots=roots)
        return replace(tree, notices=("unclosed CDATA sections that contained entries were closed", *tree.notices))
    try:
        root = _parse_xml(text, recover=False)
        if not _TOO_DEEP(root):
            return Tree(root=root, notices=_remove_excess_attributes(root))
        notice = f"elements nested deeper than {MAX_DEPTH}: the inner ones flattened"
    except etree.XMLSyntaxError as error:
        complete = _with_namespaces(text)
        if complete != text:
            tree = tree_of(complete, roots=roots)  # no endless recursion: all prefixes are declared now
            return replace(tree, notices=("undeclared namespace prefixes", *tree.notices))
        notice = f"XML repaired: {_parser_message(error)}"
    repaired = repair(text)
    try:
        root = _parse_xml(repaired.text, recover=True)
    except etree.XMLSyntaxError as error:
        raise NoTree(str(error)[:200]) from error
    tree = Tree(
        root=root, cut=repaired.cut, entry_open=repaired.entry_open, notices=(notice, *_remove_excess_attributes(root))
    )
    rest = _text_after_root(text, repaired.end) if roots > 1 else ""
    return _append_entries(tree, rest, roots - 1) if rest else tree


def _parser_message(error: etree.XMLSyntaxError) -> str:
    """Return the message of a parser error without the line number if the message repeats that number."""
    what, line = (error.msg or "")[:200], f"line {error.lineno}"
    message, comma, column = what.rpartition(f", {line}, ")
    return f"{message}, {column}" if comma and re.search(rf"\b{line}\b", message) else what


def _text_after_root(text: str, end: int) -> str:
    """Return the text after the end of the root if it contains whole entries, otherwise "".

    That text is another document, or the rest of this one after a stray end tag.
    """
    entry = _ENTRY.search(text, end)
    if entry is None or not _ENTRY_END.search(text, entry.end()):
        return ""
    document = _NEXT_ROOT.search(text, end, entry.start())
    if document is None:
        opening = text.find(">")
        return text[: opening + 1] + text[entry.start() :]
    return "" if text.startswith(text[:end].rstrip(), document.start()) else text[document.start() :]


def _append_entries(tree: Tree, rest: str, roots: int) -> Tree:
    """Append the entries of the text after the root to the tree."""
    try:
        other = tree_of(rest, roots=roots)
    except NoTree:
        return tree
    found = [each for each in other.root.iter() if isinstance(each.tag, str) and is_entry(each.tag)]
    tree.root.extend(found)
    notices = (*tree.notices, f"{len(found)} entries after the end of the document were read as well")
    return Tree(root=tree.root, cut=other.cut, entry_open=other.entry_open, notices=notices)


def _parse_xml(text: str, *, recover: bool) -> etree._Element:
    # huge_tree lifts libxml2's limits on size and depth. Our own limits apply, and no entity gets here.
    parser = etree.XMLParser(
        recover=recover,
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=True,
        remove_comments=True,
        remove_pis=True,
        encoding="utf-8",
    )
    root = etree.fromstring(text.encode("utf-8"), parser)
    if root is None:
        raise NoTree("there is no element in it")
    return root


def _remove_excess_attributes(root: etree._Element) -> tuple[str, ...]:
    """Remove all attributes of elements that have more than `_MAX_ATTRIBUTES`; return a notice if there were any."""
    found = _OVERLOADED(root)
    overloaded = [each for each in found if isinstance(each, etree._Element)] if isinstance(found, list) else []
    for element in overloaded:
        element.attrib.clear()
    return (f"elements of over {_MAX_ATTRIBUTES} attributes lost them",) if overloaded else ()


def _with_namespaces(text: str) -> str:
    """Declare at the root the prefixes that are used but not declared (I22)."""
    used = {element or attribute for element, attribute in _USED.findall(text)}
    missing = sorted(used - set(_DECLARED.findall(text)) - {"xml", "xmlns"})
    if not missing or len(missing) > 100:
        return text
    start = _ROOT_NAME.match(text)
    if start is None:
        return text
    declarations = "".join(f' xmlns:{prefix}="{namespace_for(prefix)}"' for prefix in missing)
    return text[: start.end()] + declarations + text[start.end() :]
