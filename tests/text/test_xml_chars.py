"""Fast paths that tell texts without forbidden characters give what removing these characters gives."""

from aggregator.render.fields import line_of
from aggregator.text.iris import is_iri
from aggregator.text.xml_chars import legal


def test_lines_of_printable_texts_are_those_of_all_texts() -> None:
    for text in (f" a{chr(code)} {chr(code)}b " for code in range(0x11000)):
        assert line_of(text) == " ".join(legal(text).split()), ascii(text)


def test_no_iri_holds_a_forbidden_character() -> None:
    iris = (f"urn:x:{chr(code)}" for code in range(0x11000))
    assert [ascii(iri) for iri in iris if is_iri(iri) and legal(iri) != iri] == []
