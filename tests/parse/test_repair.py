"""Repair of broken XML (I8, I13, I15)."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from aggregator.parse.repair import MAX_DEPTH, repair
from aggregator.parse.tree import tree_of


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
    assert repair(broken).text == mended
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
    found = repair(text)
    assert (found.cut, found.entry_open) == (cut, entry_open)


def titles(text: str) -> list[str]:
    return [str(each.findtext("title")) for each in tree_of(text).root.iter("item")]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param(
            "<rss><item><title>a</title><d><![CDATA[x</d></item><item><title>b</title><d><![CDATA[y]]></d></item></rss>",
            ["a", "b"],
            id="a-cdata-that-swallows-an-entry",
        ),
        pytest.param(
            "<rss><item><title>a</title><d><![CDATA[</item><item>]]></d></item></rss>",
            ["a"],
            id="a-cdata-that-quotes-a-feed",
        ),
        pytest.param(
            "<rss><item><title>a</title></item></rss><?xml version='1.0'?><rss><item><title>b</title></item></rss>",
            ["a", "b"],
            id="two-documents",
        ),
        pytest.param("<rss><item><title>a</title></item></rss>" * 2, ["a"], id="the-same-twice"),
        pytest.param(
            "<rss><item><title>a</title></item></rss><item><title>b</title></item></rss>",
            ["a", "b"],
            id="a-stray-end-tag",
        ),
        pytest.param("<rss><item><title>a</title></item></rss><item><title>b", ["a"], id="half-an-entry-after-the-end"),
        pytest.param("<rss><item><title>a</title></item></rss><script>x</script>", ["a"], id="a-script-after-the-end"),
    ],
)
def test_i8_no_entry_is_lost(text: str, found: list[str]) -> None:
    assert titles(text) == found


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("<rss>\n<item><title>b", "Premature end of data in tag title line 2, column 15"),
        ("<rss><item>\n<a>\n</b></item></rss>", "Opening and ending tag mismatch: a line 2 and b, line 3, column 5"),
    ],
)
def test_i12_a_line_is_told_once_and_two_are_both_told(text: str, told: str) -> None:
    assert tree_of(text).notices == (f"XML repaired: {told}",)


@pytest.mark.parametrize("piece", ["</rss>", "</rss><rss><item>", "<![CDATA[</item>", "<d><![CDATA[</d></item>", "]]>"])
def test_s25_many_ends_take_time_that_grows_with_the_length(piece: str) -> None:
    start = time.thread_time()
    tree_of("<rss><item>" + piece * 15_000 + "<item><title>b</title></item>")
    assert time.thread_time() - start < 12


def test_s14_an_entry_in_the_depth_is_lifted_out_of_it() -> None:
    assert titles("<rss>" + "<channel>" * 1000 + "<item><title>a</title></item>" + "</channel>" * 1000 + "</rss>") == [
        "a"
    ]


def test_s14_what_is_too_deep_is_flattened() -> None:
    text = "<rss>" + "<a>" * 1000 + "x" + "</a>" * 1000 + "<item>i</item></rss>"
    root = etree.fromstring(repair(text).text)
    assert len(list(root.iter())) == MAX_DEPTH + 1
    assert [e.text for e in root.iter("item")] == ["i"]


@pytest.mark.parametrize(
    "piece", ["<a ", "<a b='", '<a b="', "</a", "<![CDATA[", "<!--", "<a><b></a>", "<item>", "<?x"]
)
def test_s25_takes_time_that_grows_with_the_length(piece: str) -> None:
    start = time.thread_time()
    repair(f"<rss>{piece * 30_000}")
    assert time.thread_time() - start < 12


@given(st.text(alphabet="<>/'\"=ab! []-?&;CDATitem\n", max_size=200))
def test_whatever_is_mended_is_well_formed(soup: str) -> None:
    text = repair("<r>" + soup.replace("&", "&amp;")).text
    etree.fromstring(text.encode(), etree.XMLParser(recover=False, resolve_entities=False))
