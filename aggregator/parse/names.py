"""What an element is called, whatever prefix, namespace or case its publisher gave it (I22)."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final
from urllib.parse import urljoin

from lxml import etree

ATOM: Final = "http://www.w3.org/2005/Atom"
_BASE: Final = "{http://www.w3.org/XML/1998/namespace}base"
_LANGUAGE: Final = "{http://www.w3.org/XML/1998/namespace}lang"

Child = tuple[str, etree._Element]  # an element and what `name_of` calls it

# Namespaces whose elements have no prefix in our names: RSS of all kinds and Atom share title, link and the like.
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
# Prefix: the namespace first that feedparser knows.
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
# In a namespace that nobody knows, or in none, these names can mean one thing only.
_UNAMBIGUOUS = {"encoded": "content:encoded", "creator": "dc:creator", "origlink": "feedburner:origlink"}


def local_name(element: etree._Element) -> str:
    """Give the name of an element without its namespace, whatever a publisher takes for one."""
    return str(element.tag).rpartition("}")[2]


def namespace_for(prefix: str) -> str:
    """Give the namespace that a prefix is used for when its declaration is missing; one of our own for unknown ones."""
    uris = _PREFIXES.get(prefix.lower())
    return uris[0] if uris else f"urn:x-undeclared:{prefix}"


def name_of(element: etree._Element, home: str = "") -> str:
    """Name an element: `title`, `dc:creator`, `media:content`; lower case, the prefix that its namespace commonly has.

    Args:
        element: any node of the tree; comments and processing instructions have the name "".
        home: the root's own namespace, lower case: its elements have no prefix, even if nobody knows it.

    Returns:
        `?:name` for an element of a namespace that we don't read.
    """
    tag = element.tag
    return _name(tag, home) if isinstance(tag, str) else ""


@lru_cache(maxsize=4096)
def _name(tag: str, home: str) -> str:
    uri, _, local = tag[1:].rpartition("}") if tag[0] == "{" else ("", "", tag)
    uri, local = uri.lower(), local.lower()
    prefix = _PREFIX_OF.get(uri)
    if prefix is None:
        if uri == home or "backend.userland.com/rss" in uri:
            prefix = ""
        else:
            return _UNAMBIGUOUS.get(local, f"?:{local}")
    return f"{prefix}:{local}" if prefix else _UNAMBIGUOUS.get(local, local)


def children_of(parent: etree._Element, home: str) -> list[Child]:
    """Give the children of an element with their names."""
    return [(name_of(child, home), child) for child in parent]


def home_of(root: etree._Element) -> str:
    """Give the namespace of the root element, in lower case; of RDF none, since nothing of the feed is in that."""
    tag = str(root.tag)
    uri = tag[1:].partition("}")[0].lower() if tag[0] == "{" else ""
    return "" if _PREFIX_OF.get(uri) == "rdf" else uri


def attribute(element: etree._Element, name: str) -> str | None:
    """Give an attribute by its local name, whatever its case, stripped; None if it is missing or blank."""
    if (exact := element.get(name)) is not None:
        return str(exact).strip() or None
    for key in element.attrib:
        if str(key).rpartition("}")[2].lower() == name:
            return str(element.get(key)).strip() or None
    return None


def text_of(element: etree._Element) -> str:
    """Give all text inside an element, stripped of surrounding blanks."""
    if len(element) == 0:
        return (element.text or "").strip()
    return "".join(str(text) for text in element.itertext(with_tail=False)).strip()


def base_of(element: etree._Element) -> str | None:
    """Give the xml:base in scope, outer ones resolved, as far as the document goes (I54); None if there is none."""
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
    """Give the xml:lang in scope (I60)."""
    language = next(_in_scope(element, _LANGUAGE), None)
    return language.strip() or None if language else None


def _in_scope(element: etree._Element, name: str) -> Iterator[str]:
    """Give the values of an attribute that hold for an element, its own first."""
    each: etree._Element | None = element
    while each is not None:
        if value := each.get(name):
            yield str(value)
        each = each.getparent()
