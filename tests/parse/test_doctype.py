"""The prolog of documents (I8 to I10)."""

import time

import pytest

from aggregator.parse.doctype import cut_prolog, resolve_entities


def test_i8_blanks_and_stray_text_before_the_document_are_skipped() -> None:
    assert cut_prolog(' \n x <?xml version="1.0"?><!-- <rss> --><rss/>').root == "<rss/>"
    assert cut_prolog("Warning: <b>x</b> <?xml version='1.0'?>\n<rss/>").root == "<rss/>"


def test_i14_a_web_page_stays_a_web_page() -> None:
    page = '<!DOCTYPE html>\n<html><body>&lt;rss version="2.0"&gt;</body></html>'
    assert cut_prolog(page).root.startswith("<html>")


def test_a_feed_inside_a_web_page_is_found() -> None:
    inside = '<feed xmlns="http://www.w3.org/2005/Atom"></feed></body></html>'
    assert cut_prolog("<html><body>" + inside).root == inside


def test_i10_harmless_declarations_join_the_table_and_others_do_not() -> None:
    found = cut_prolog(
        """<!DOCTYPE rss [
        <!ENTITY quay "North Quay"> <!ENTITY dash '&#8212;'> <!ENTITY bomb "&quay;&quay;">
        <!ENTITY % param "x"> <!ENTITY file SYSTEM "file:///etc/passwd"> <!ENTITY lt "&#38;#60;">
        <!ENTITY long \""""
        + "x" * 101
        + """"> <!-- ]> -->
        ]><rss/>"""
    )
    assert found.root == "<rss/>"
    assert found.entities == {"quay": "North Quay", "dash": "—"}
    assert found.notices == ("4 entity declarations of the DOCTYPE ignored",)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a &nbsp;&eacute; b", "a \u00a0é b"),
        ("&amp;&lt;&gt;&quot;&apos;", "&amp;&lt;&gt;&quot;&apos;"),
        ("R&D & more &unknown; &copy=1", "R&amp;D &amp; more &amp;unknown; &amp;copy=1"),
        ("&quay;", "North &amp; &lt;Quay"),
        ("&#146; &#x93; &#8; &#xD83D;&#xDE00; &#55357;&#56832; &#x41;", "’ “  😀 😀 &#x41;"),
        ("<![CDATA[&nbsp; & &x;]]>&nbsp;<!-- &nbsp; -->", "<![CDATA[&nbsp; & &x;]]>\u00a0<!-- &nbsp; -->"),
        ("&LT; &nvlt;", "&lt; &lt;\u20d2"),
        ("&#99999999; &#xFFFFFF;", " "),
    ],
)
def test_i9_references_that_xml_refuses(text: str, expected: str) -> None:
    assert resolve_entities(text, {"quay": "North & <Quay"}) == expected


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("<!--" * 50_000, id="comments"),
        pytest.param("<!DOCTYPE a [>" * 20_000, id="doctypes"),
        pytest.param('<!DOCTYPE a "' + "<!ENTITY a '" * 20_000, id="quotes"),
        pytest.param("<!DOCTYPE a [" + "<!ENTITY a S" * 20_000, id="declarations"),
        pytest.param("\n" * 200_000 + "<rss/>", id="blanks"),
        pytest.param("<" * 200_000, id="less-than"),
    ],
)
def test_s25_takes_time_that_grows_with_the_length(text: str) -> None:
    start = time.process_time()
    cut_prolog(text)
    resolve_entities(text + "&" * 100_000, {})
    assert time.process_time() - start < 2
