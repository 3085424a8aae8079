"""Broken XML, mended (I8, I13, I15)."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from aggregator.parse.repair import MAX_DEPTH, mend


@pytest.mark.parametrize(
    ("broken", "mended"),
    [
        ("<r><item><t>a</t><item><t>b</t></item></r>", "<r><item><t>a</t></item><item><t>b</t></item></r>"),
        ("<r><item><title>a<link>l</link></item></r>", "<r><item><title>a</title><link>l</link></item></r>"),
        ("<r><guid isPermaLink=false>1</guid></r>", '<r><guid isPermaLink="false">1</guid></r>'),
        ("<r><a x='1' x='2' y>t</a></r>", '<r><a x="1" y="">t</a></r>'),
        ("<r><t>3 < 4 and ]]> too</t></r>", "<r><t>3 &lt; 4 and ]]&gt; too</t></r>"),
        ("<r><t>a</T></r>", "<r><t>a</t></r>"),
        ("<r><d>a<br>b<b>c</d></r>", "<r><d>a<br/>b<b>c</b></d></r>"),
        ("<r><t>a</x></t></r><script>", "<r><t>a</t></r>"),
        ("<r><link href=http://x/ /></r>", '<r><link href="http://x/"/></r>'),
        ('<r><a t="1 &amp; 2">x</a></r>', '<r><a t="1 &amp; 2">x</a></r>'),
        ("<r><a:b:c>x</a:b:c></r>", "<r><_a_b_c>x</_a_b_c></r>"),
    ],
)
def test_i12_mends(broken: str, mended: str) -> None:
    assert mend(broken).text == mended
    etree.fromstring(mended)


@pytest.mark.parametrize(
    ("text", "cut", "entry_open"),
    [
        pytest.param("<rss><item>a</item><item><title>b", True, True, id="in-a-title"),
        pytest.param("<rss><item>a</item><item><d><![CDATA[b", True, True, id="in-cdata"),
        pytest.param("<rss><item>a</item><item><a href='x", True, True, id="in-a-tag"),
        pytest.param("<rss><item>a</item><it", True, False, id="between-entries"),
        pytest.param("<rss><item>a</item>", False, False, id="only-the-root-is-open"),
        pytest.param("<rss><item>a</item></ch", False, False, id="in-an-end-tag"),
        pytest.param("<rss><channel><title>a</title>", True, False, id="before-any-entry"),
        pytest.param("<rss><item>a</item></rss><item>", False, False, id="whatever-follows"),
    ],
)
def test_i13_tells_whether_the_end_is_missing(text: str, cut: bool, entry_open: bool) -> None:
    found = mend(text)
    assert (found.cut, found.entry_open) == (cut, entry_open)


def test_s14_what_is_too_deep_is_flattened() -> None:
    text = "<rss>" + "<a>" * 1000 + "x" + "</a>" * 1000 + "<item>i</item></rss>"
    root = etree.fromstring(mend(text).text)
    assert len(list(root.iter())) == MAX_DEPTH + 1
    assert [e.text for e in root.iter("item")] == ["i"]


@pytest.mark.parametrize(
    "piece", ["<a ", "<a b='", '<a b="', "</a", "<![CDATA[", "<!--", "<a><b></a>", "<item>", "<?x"]
)
def test_s25_takes_time_that_grows_with_the_length(piece: str) -> None:
    start = time.process_time()
    mend(f"<rss>{piece * 30_000}")
    assert time.process_time() - start < 3


@given(st.text(alphabet="<>/'\"=ab! []-?&;CDATitem\n", max_size=200))
def test_whatever_is_mended_is_well_formed(soup: str) -> None:
    text = mend("<r>" + soup.replace("&", "&amp;")).text
    etree.fromstring(text.encode(), etree.XMLParser(recover=False, resolve_entities=False))
