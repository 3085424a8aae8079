"""Each kind of page byte for byte, from the specimens with which an operator's theme is tried."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from aggregator.render.theme import plain_style
from aggregator.render.theme_check import specimens
from tests.render.checks import Page
from tests.render.records import SITE

FORMATS = frozenset({"atom", "rss", "json", "html"})
PAGES = dict(specimens(plain_style(), SITE, FORMATS))


@pytest.mark.usefixtures("html_as_it_is")
@pytest.mark.parametrize("name", PAGES)
def test_a_specimen_of_each_page(name: str, golden: Callable[[str, bytes], None]) -> None:
    data = PAGES[name]()
    assert Page(data).faults == []
    golden("specimen-" + re.sub(r"[^a-z0-9.]+", "-", name).removesuffix(".html") + ".html", data)


def test_pages_that_change_reload_and_those_that_are_read_do_not() -> None:
    served = dict(specimens(replace(plain_style(), refresh=timedelta(minutes=5), search=True), SITE, FORMATS))
    assert {name for name, render in served.items() if b'http-equiv="refresh" content="300"' in render()} == {
        "category/specimen.html", "category/empty.html", "index.html", "latest.html", "sources.html", "status.html",
    }  # fmt: skip
    assert all(b'role="search"' in render() for render in served.values())
    assert not any(b'http-equiv="refresh" content="300"' in render() for render in PAGES.values())
