"""Names of published files, from URL paths."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.serve.names import MAX_PATH, name_of


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/", "index.html"),
        ("/index.html", "index.html"),
        ("/latest.html", "latest.html"),
        ("/latest-12.html", "latest-12.html"),
        ("/all.html", "all.html"),
        ("/style.css", "style.css"),
        ("/all.atom", "all.atom"),
        ("/all.rss", "all.rss"),
        ("/all.json", "all.json"),
        ("/category/python.atom", "category/python.atom"),
        ("/category/3d-printing.json", "category/3d-printing.json"),
        ("/category/python.html", "category/python.html"),
        ("/category/python/archive/12.atom", "category/python/archive/12.atom"),
        ("/category/python/archive/12.html", "category/python/archive/12.html"),
        ("/entry/ab/ab0123456789abcd.html", "entry/ab/ab0123456789abcd.html"),
        ("/entry/ab/ab0123456789abcdef.html", "entry/ab/ab0123456789abcdef.html"),
        ("/opml.xml", "opml.xml"),
        ("/sources.opml", "sources.opml"),
        ("/sources.html", "sources.html"),
        ("/status.html", "status.html"),
        ("/status.json", "status.json"),
    ],
)
def test_s51_names_there_are(path: str, name: str) -> None:
    assert name_of(path) == name


@pytest.mark.parametrize(
    "path",
    [
        *("", "index.html", "//index.html", "/index.html/", "/INDEX.html", "/index.html\n", "/index.htm", "/all.htm"),
        *("/all.atom.gz", "/category/", "/category/python", "/category/Python.atom", "/category/-a.atom"),
        *("/category/../all.atom", "/category/python.xml", "/category/a/b.atom", f"/category/{'a' * 65}.atom"),
        *("/category/pythön.atom", "/category/python/archive/0.atom", "/category/python/archive/01.atom"),
        *("/category/python/archive/1.rss", "/category/python/archive/1234567890.atom", "/category/a/archive/١.atom"),
        *("/entry/ab/ac0123456789abcd.html", "/entry/ab/ab0123456789abc.html", f"/entry/ab/{'ab' * 33}.html"),
        *("/opml.xml.gz", "/.git/config", "/style.css.gz"),
    ],
)
def test_s51_names_there_are_not(path: str) -> None:
    assert name_of(path) is None


@given(st.text(st.characters(max_codepoint=0xFF), max_size=40).map("/".__add__))
def test_s51_a_name_holds_nothing_that_leads_elsewhere(path: str) -> None:
    name = name_of(path)
    assert name is None or ("/" + name == path and ".." not in name and "//" not in name) or path == "/"


def test_s51_the_longest_name_has_its_place() -> None:
    name = f"category/{'a' * 64}/archive/999999999.html"
    assert len("/" + name) < MAX_PATH
    assert name_of("/" + name) == name
