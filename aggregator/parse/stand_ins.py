"""Stand-ins: what feedparser is shown of texts that have no markup inside, and what it says of their shapes."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from lxml import etree

from aggregator.model.entry import RawText
from aggregator.parse.charset import once_encoded
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
STAND_IN = "\ue000"  # a character for private use, before the number of a shape
_SIMPLE = frozenset({None, "text", "html", "plain", "text/plain", "text/html"})


def is_simple(element: etree._Element) -> bool:
    """Tell whether an element holds a text and nothing intricate."""
    return (
        len(element) == 0 and attribute(element, "type") in _SIMPLE and attribute(element, "mode") in (None, "escaped")
    )


@dataclass(slots=True)
class StandIns:
    """Texts that feedparser doesn't see, and what it says of their shapes."""

    position: int = 0
    scope: tuple[str | None, str | None] = (None, None)
    numbers: dict[tuple[object, ...], int] = field(default_factory=dict)  # of the shapes
    held: list[tuple[int, str, int, str]] = field(default_factory=list)  # (entry, field, shape, text)
    answers: dict[int, RawText] = field(default_factory=dict)

    def enter(self, entry: etree._Element, position: int) -> None:
        """Turn to an entry."""
        self.position, self.scope = position, (base_of(entry), language_of(entry))

    def hold(self, element: etree._Element, tag: str) -> bool:
        """Keep the text of an element; tells whether feedparser has to see a stand-in in its place."""
        shape = (tag, self.scope, *sorted(element.attrib.items()))
        is_first = shape not in self.numbers
        number = self.numbers.setdefault(shape, len(self.numbers))
        self.held.append((self.position, _FIELDS[tag], number, (element.text or "").strip()))
        element.text = f"{STAND_IN}{number}"
        return is_first

    def give_back(self, found: Sequence[dict[str, list[RawText]]]) -> None:
        """Put the texts where they belong, read as feedparser says of their shape."""
        for position, name, number, text in self.held:
            answer = self.answers.get(number)
            if answer is not None and text:
                found[position].setdefault(name, []).append(
                    RawText(value=once_encoded(text), type=answer.type, base=answer.base, language=answer.language)
                )  # not `replace`, which costs four times as much
