"""Placeholders for texts without inner markup: feedparser reads each kind of text once, instead of every text."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from lxml import etree

from aggregator.model.entry import RawText
from aggregator.parse.charset import fix_double_encoding
from aggregator.parse.names import attribute, base_of, language_of

ENCODED = "{http://purl.org/rss/1.0/modules/content/}encoded"
BODY = "{http://www.w3.org/1999/xhtml}body"
_FIELDS = {
    "title": "title",
    "description": "summary",
    "summary": "summary",
    "rights": "rights",
    "content": "contents",
    ENCODED: "contents",
    BODY: "contents",
}
PLACEHOLDER = "\ue000"  # a private-use character, followed by the number of a shape
_SIMPLE = frozenset({None, "text", "html", "plain", "text/plain", "text/html"})


def is_simple(element: etree._Element) -> bool:
    """Return True if an element holds only text, and its type has no special encoding."""
    return (
        len(element) == 0 and attribute(element, "type") in _SIMPLE and attribute(element, "mode") in (None, "escaped")
    )


@dataclass(slots=True)
class Placeholders:
    """The texts that placeholders replace, and how feedparser reads a text of each shape.

    A shape is an element name with its attributes, xml:base and xml:lang. All texts of one shape are read alike.
    """

    position: int = 0
    scope: tuple[str | None, str | None] = (None, None)
    numbers: dict[tuple[object, ...], int] = field(default_factory=dict)  # shape to its number
    replaced: list[tuple[int, str, int, str]] = field(default_factory=list)  # (entry, field, shape, text)
    readings: dict[int, RawText] = field(default_factory=dict)

    def start_entry(self, entry: etree._Element, position: int) -> None:
        """Set the entry to which the following calls of `replace` belong."""
        self.position, self.scope = position, (base_of(entry), language_of(entry))

    def replace(self, element: etree._Element, tag: str) -> bool:
        """Record the text of an element and put a placeholder in its place.

        Returns:
            True for the first element of a shape, which feedparser must see; the caller may remove the others.
        """
        shape = (tag, self.scope, *sorted(element.attrib.items()))
        is_first = shape not in self.numbers
        number = self.numbers.setdefault(shape, len(self.numbers))
        self.replaced.append((self.position, _FIELDS[tag], number, (element.text or "").strip()))
        element.text = f"{PLACEHOLDER}{number}"
        return is_first

    def restore(self, found: Sequence[dict[str, list[RawText]]]) -> None:
        """Add the recorded texts to their entries, with the type, base and language that feedparser read."""
        for position, name, number, text in self.replaced:
            reading = self.readings.get(number)
            if reading is not None and text:
                found[position].setdefault(name, []).append(
                    RawText(
                        value=fix_double_encoding(text), type=reading.type, base=reading.base, language=reading.language
                    )
                )  # not dataclasses.replace, which takes four times as long
