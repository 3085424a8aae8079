"""Elements written as text are what lxml writes of a tree (decision 0173)."""

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from aggregator.render.elements import element, parent
from aggregator.text.xml_chars import legal

NAMES = st.sampled_from(["title", "link", "x-1"])
TEXTS = (st.text(max_size=20) | st.sampled_from(["a\tb\r\nc", "\"'<>&", "&amp;&#13;", "]]>", "\x7f\x85\u2028"])).map(
    legal
)
ATTRIBUTES = st.dictionaries(NAMES, TEXTS, max_size=3)


@settings(deadline=None)
@given(name=NAMES, text=st.none() | TEXTS, attributes=ATTRIBUTES)
def test_an_element_is_written_as_lxml_writes_it(name: str, text: str | None, attributes: dict[str, str]) -> None:
    tree = etree.Element(name, attributes)
    tree.text = text
    expected = b"  " + etree.tostring(tree, encoding="UTF-8", xml_declaration=False) + b"\n"
    assert element("  ", name, text, attributes).encode() == expected


@settings(deadline=None)
@given(attributes=ATTRIBUTES, children=st.lists(st.tuples(NAMES, st.none() | TEXTS, ATTRIBUTES), max_size=3))
def test_children_are_indented_as_lxml_indents_them(
    attributes: dict[str, str], children: list[tuple[str, str | None, dict[str, str]]]
) -> None:
    tree = etree.Element("entry", attributes)
    for name, text, own in children:
        etree.SubElement(tree, name, own).text = text
    etree.indent(tree, space="  ", level=1)
    lines = [element("    ", *child) for child in children]
    expected = b"  " + etree.tostring(tree, encoding="UTF-8", xml_declaration=False) + b"\n"
    assert parent("  ", "entry", lines, attributes).encode() == expected
