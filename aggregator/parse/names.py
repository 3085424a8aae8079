"""Names of elements and attributes, independent of the prefix, namespace and case that a publisher uses (I22)."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final
from urllib.parse import urljoin

from lxml import etree

ATOM: Final = "http://www.w3.org/2005/Atom"
_BASE: Final = "{http://www.w3.org/XML/1998/namespace}base"
_LANGUAGE: Final = "{http://www.w3.org/XML/1998/namespace}lang"

Child = tuple[str, etree._Element]  # an element with the name that `name_of` returns

# Namespaces whose elements have no prefix in our names: all versions of RSS and Atom share title, link and so on.
_CORE = (
    "",
    "http://www.w3.org/2005/atom",
    "http://purl.org/atom/ns#",
    "http://purl.org/rss/1.0/",
    "http://my.netscape.com/rdf/simple/0.9/",
    "http://channel.netscape.com/rdf/simple/0.9/",
    "http://blogs.law.harvard.edu/tech/rss",
    "http://cyber.law.harvard.edu/rss/rss.html",
    "http://purl.org/net/rss1.1#",
)
# Prefix to namespaces; the first one is the namespace that feedparser knows.
_PREFIXES = {
    "content": ("http://purl.org/rss/1.0/modules/content/",),
    "dc": ("http://purl.org/dc/elements/1.1/", "http://purl.org/dc/elements/1.0/"),
    "dcterms": ("http://purl.org/dc/terms/",),
    "media": (
        "http://search.yahoo.com/mrss/",
        "http://search.yahoo.com/mrss",
        "https://search.yahoo.com/mrss/",
        "http://www.rssboard.org/media-rss",
    ),
    "itunes": ("http://www.itunes.com/dtds/podcast-1.0.dtd", "https://www.itunes.com/dtds/podcast-1.0.dtd"),
    "sy": ("http://purl.org/rss/1.0/modules/syndication/",),
    "feedburner": ("http://rssnamespace.org/feedburner/ext/1.0",),
    "at": ("http://purl.org/atompub/tombstones/1.0",),
    "fh": ("http://purl.org/syndication/history/1.0",),
    "xhtml": ("http://www.w3.org/1999/xhtml",),
    "rdf": ("http://www.w3.org/1999/02/22-rdf-syntax-ns#",),
    "podcast": (
        "https://podcastindex.org/namespace/1.0",
        "https://github.com/podcastindex-org/podcast-namespace/blob/main/docs/1.0.md",
    ),
    "georss": ("http://www.georss.org/georss", "http://www.georss.org/georss/10"),
    "gml": ("http://www.opengis.net/gml",),
    "geo": ("http://www.w3.org/2003/01/geo/wgs84_pos#",),
    "wfw": ("http://wellformedweb.org/commentapi/",),
    "xml": ("http://www.w3.org/XML/1998/namespace",),
    "rss": ("http://backend.userland.com/rss2",),
    "atom": (ATOM,),
    "a10": (ATOM,),
    "rss1": ("http://purl.org/rss/1.0/",),
}
_PREFIX_OF = {
    **{
        uri: prefix
        for prefix, uris in _PREFIXES.items()
        for uri in uris
        if prefix not in ("rss", "atom", "a10", "rss1")
    },
    **dict.fromkeys(_CORE, ""),
}
# In an unknown namespace, or in none, these names have only one possible meaning.
_UNAMBIGUOUS = {"encoded": "content:encoded", "creator": "dc:creator", "origlink": "feedburner:origlink"}


def local_name(element: etree._Element) -> str:
    """Return the name of an element without its namespace, whether or not that namespace is a valid URI."""
    return str(element.tag).rpartition("}")[2]


def namespace_for(prefix: str) -> str:
    """Return the namespace to declare for an undeclared prefix; for an unknown prefix, a namespace of our own."""
    uris = _PREFIXES.get(prefix.lower())
    return uris[0] if uris else f"urn:x-undeclared:{prefix}"


def name_of(element: etree._Element, namespace: str = "") -> str:
    """Return the name of an element: `title`, `dc:creator`, `media:content`; lower case, with the usual prefix.

    Args:
        element: any node of the tree; the name of comments and processing instructions is "".
        namespace: the namespace of the root, lower case. Its elements have no prefix, even if the namespace is unknown.

    Returns:
        `?:name` for an element in a namespace that this program does not read.
    """
    tag = element.tag
    return _name(tag, namespace) if isinstance(tag, str) else ""


@lru_cache(maxsize=4096)
def _name(tag: str, namespace: str) -> str:
    uri, _, local = tag[1:].rpartition("}") if tag[0] == "{" else ("", "", tag)
    uri, local = uri.lower(), local.lower()
    prefix = _PREFIX_OF.get(uri)
    if prefix is None:
        if uri == namespace or "backend.userland.com/rss" in uri:
            prefix = ""
        else:
            return _UNAMBIGUOUS.get(local, f"?:{local}")
    return f"{prefix}:{local}" if prefix else _UNAMBIGUOUS.get(local, local)


def children_of(parent: etree._Element, namespace: str) -> list[Child]:
    """Return the children of an element with their names."""
    return [(name_of(child, namespace), child) for child in parent]


def remove_element(element: etree._Element) -> None:
    """Remove an element from its parent, if it has one."""
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def root_namespace(root: etree._Element) -> str:
    """Return the namespace of the root element, lower case; "" for RDF, since no feed element is in that namespace."""
    tag = str(root.tag)
    uri = tag[1:].partition("}")[0].lower() if tag[0] == "{" else ""
    return "" if _PREFIX_OF.get(uri) == "rdf" else uri


def attribute(element: etree._Element, name: str) -> str | None:
    """Return an attribute by its local name, in any case, stripped; None if the attribute is missing or blank."""
    if (exact := element.get(name)) is not None:
        return str(exact).strip() or None
    for key in element.attrib:
        if str(key).rpartition("}")[2].lower() == name:
            return str(element.get(key)).strip() or None
    return None


def text_of(element: etree._Element) -> str:
    """Return all text inside an element, stripped of surrounding blanks."""
    if len(element) == 0:
        return (element.text or "").strip()
    return "".join(str(text) for text in element.itertext(with_tail=False)).strip()


def base_of(element: etree._Element) -> str | None:
    """Return the xml:base in scope, outer bases resolved as far as the document goes (I54); None if there is none."""
    found = list(_in_scope(element, _BASE))
    return joined(reversed(found)) if found else None


def joined(bases: Iterable[str]) -> str | None:
    """Resolve bases one after the other, outermost first."""
    result = ""
    for base in bases:
        try:
            result = urljoin(result, base.strip())
        except ValueError:
            continue
    return result or None


def language_of(element: etree._Element) -> str | None:
    """Return the xml:lang in scope (I60)."""
    language = next(_in_scope(element, _LANGUAGE), None)
    return language.strip() or None if language else None


def _in_scope(element: etree._Element, name: str) -> Iterator[str]:
    """Yield the values of an attribute that apply to an element, its own value first."""
    each: etree._Element | None = element
    while each is not None:
        if value := each.get(name):
            yield str(value)
        each = each.getparent()
