"""Tests that documents are read back as they were rendered, so that a restored site shows them again."""

from aggregator.render.atom import render_atom
from aggregator.render.jsonfeed import render_json
from aggregator.restore.read_site import read_document
from tests.render.records import RICH, SITE, STORE, a_document


def test_a9_a_source_is_read_back_whole() -> None:
    document = a_document(RICH)
    atom, feed = render_atom(document, SITE, html=True), render_json(document, SITE, STORE, html=True)
    (found,) = read_document(atom, feed, path=document.path, base_url=str(SITE.base_url)).entries
    assert found.origin == RICH.origin
    assert (found.entry.title, found.entry.tags) == (RICH.title, RICH.tags)
