"""One source does not fill a list alone while others have something to tell; feeds leave nothing out (A23)."""

import pytest

from aggregator.store.documents import fair_share
from tests.fake_source import FakeSource, said
from tests.render.checks import Page, parsed
from tests.sample_site import SampleSite

TWO = """sources:
  - {url: 'https://a.example/feed', key: a, title: Paper A}
  - {url: 'https://b.example/feed', key: b, title: Paper B}
"""


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        pytest.param("", "", id="nothing"),
        pytest.param("aaaaaaa", "01234", id="alone"),
        pytest.param("aaaaabb", "0156 2", id="two-of-each-then-the-newest"),
        pytest.param("aaaaaab", "016 23", id="others-have-too-little"),
        pytest.param("aabbc", "01234", id="fair-as-it-comes"),
        pytest.param("ababab", "0123 4", id="taking-turns"),
    ],
)
def test_a23_a_share_of_five(told: str, expected: str) -> None:
    stories = list(enumerate(map(ord, told)))
    assert fair_share(stories, 5) == [int(digit) for digit in expected if digit != " "]


@pytest.mark.parametrize(("fair", "own"), [(True, 3), (False, 5)])
def test_a23_on_the_start_page_and_nowhere_else(sample_site: SampleSite, fair: bool, own: int) -> None:
    sample_site.writes(
        f"site: {{front: categories}}\npublish: {{formats: [atom, html], fair: {str(fair).lower()}}}\n{TWO}"
    )
    with sample_site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says("b", said("b1"), said("b2"))
        sample_site.clock.move(hours=1)
        fake_source.says("a", *(said(f"a{n}") for n in range(9)))
        app.publisher.publish()
    public = sample_site.folder / "public"
    index = Page((public / "index.html").read_bytes())
    assert index.text.count("Paper A") == own
    assert index.text.count("Paper B") == 5 - own
    assert len(parsed((public / "all.atom").read_bytes()).findall("{*}entry")) == 11
    assert len(Page((public / "category" / "general.html").read_bytes()).all("article")) == 11
