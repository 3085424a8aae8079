"""Hypothesis strategies of documents that resemble feeds, made from pieces so that failures can be reduced."""

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.fuzz.cases import Case
from tests.fuzz.mutations import ATTRIBUTES, CODECS, DATES, ENCODINGS, ENTITIES, NAMES, VECTORS

_ROOTS = ("rss version='2.0'", "feed xmlns='http://www.w3.org/2005/Atom'", "rdf:RDF", "feed", "x")
_TEXTS = st.one_of(
    st.sampled_from((*ENTITIES, *VECTORS, *DATES, "words of a text", "新闻 正文", "http://e.example/a?b=c&d")),
    st.text(max_size=20),
)


def _element(inner: SearchStrategy[str]) -> SearchStrategy[str]:
    return st.builds(
        lambda name, attributes, content, form: form.format(name, " ".join(("", *attributes)), content),
        st.sampled_from(NAMES),
        st.lists(st.sampled_from(ATTRIBUTES), max_size=2),
        inner,
        st.sampled_from(("<{0}{1}>{2}</{0}>", "<{0}{1}>{2}", "<{0}{1}/>{2}", "<{0}{1}><![CDATA[{2}]]></{0}>")),
    )


_PARTS: SearchStrategy[str] = st.recursive(_TEXTS, lambda inner: _element(st.lists(inner, max_size=3).map("".join)))
_ITEMS = st.lists(_PARTS, max_size=4).map(lambda parts: f"<item>{''.join(parts)}</item>")


@st.composite
def documents(draw: st.DrawFn) -> Case:
    """Generate a document like RSS or Atom in some encoding, declared as that encoding or another one."""
    root = draw(st.sampled_from(_ROOTS))
    items = "".join(draw(st.lists(_ITEMS, max_size=3)))
    if "feed" in root:
        items = items.replace("<item>", "<entry>").replace("</item>", "</entry>")
    text = f"<{root}><channel><title>T</title>{items}</channel></{root.partition(' ')[0]}>"
    declared = draw(st.none() | st.sampled_from(ENCODINGS))
    head = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    body = (head + text).encode(draw(st.sampled_from(CODECS)), errors="replace")
    return Case(body=body, content_type=draw(st.none() | st.just("text/xml; charset=windows-1252")))


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
)
_MEMBERS = (
    "id url external_url title content_html content_text summary image date_published date_modified authors author "
    "tags language attachments"
).split()


def json_feeds() -> SearchStrategy[object]:
    """Generate a document like JSON Feed, in which any value may have a wrong type."""
    items = st.lists(st.dictionaries(st.sampled_from(_MEMBERS), _VALUES, max_size=6), max_size=3)
    version = st.just("https://jsonfeed.org/version/1.1")
    return st.fixed_dictionaries(
        {"version": version | _VALUES, "items": items | _VALUES},
        optional={"title": _VALUES, "home_page_url": _VALUES, "authors": _VALUES, "icon": _VALUES, "language": _VALUES},
    )
