"""Converts titles, authors and tags to plain text (I50 to I52, I58, I59, S39).

Markup is removed, and text that only looks like markup is kept; names of authors and tags are read as titles are.
"""

import html
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

from aggregator.clean.links import resolve
from aggregator.clean.text import BLOCKS, is_visible, line_of, plain_text
from aggregator.model.entry import Person, RawText, Tag
from aggregator.text.xml_chars import legal
from aggregator.urls import MAX_URL, Url

EXCERPT_LENGTH: Final = 80  # characters of the text that replace a missing title (I51)
MAX_TITLE: Final = 2000  # characters (I15)
_UNTITLED_TEXTS = {
    "ar": "(بلا عنوان)",
    "cs": "(bez názvu)",
    "da": "(uden titel)",
    "de": "(ohne Titel)",
    "es": "(sin título)",
    "fi": "(ei otsikkoa)",
    "fr": "(sans titre)",
    "he": "(ללא כותרת)",
    "it": "(senza titolo)",
    "ja": "(無題)",
    "ko": "(제목 없음)",
    "nl": "(zonder titel)",
    "pl": "(bez tytułu)",
    "pt": "(sem título)",
    "ru": "(без названия)",
    "sv": "(utan titel)",
    "tr": "(başlıksız)",
    "uk": "(без назви)",
    "zh": "(无标题)",
    "zh-hant": "(無標題)",
    "zh-hk": "(無標題)",
    "zh-tw": "(無標題)",
}
# Tags that publishers use as markup in titles. Other tags, such as <vector> or <script>, are the subject of the title.
_INLINE = frozenset(
    "a abbr acronym b bdi bdo big br cite code del dfn em font h1 h2 h3 h4 h5 h6 i img ins kbd mark nobr p q rb rp rt "
    "rtc ruby s samp small span strike strong sub sup time tt u var wbr div center".split()
)
_ALONE = frozenset({"br", "img", "wbr"})  # elements without an end tag
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*)((?:\s[^<>]*)?)/?>")
_REFERENCE = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_ALT = re.compile(r"\balt\s*=\s*(?:\"([^\"<>]*)\"|'([^'<>]*)')", re.IGNORECASE)
_JOINING = frozenset("\u200d\ufe0e\ufe0f")


def title_of(raw: RawText | None) -> str:
    """Return a title as one line of plain text; "" if there is no title or the title is invisible.

    Only pairs of known tags count as markup, so a title loses no text: `std::vector<int>` and `the <b> element` stay.
    """
    title = "" if raw is None else _line_of(raw)
    return title if is_visible(title) else ""


def _line_of(raw: RawText) -> str:
    if raw.type == "text":
        return line_of(raw.value)
    if raw.type == "xhtml":
        return plain_text(raw.value) or line_of(_without_known_tags(raw.value))
    declared = raw.type == "html"
    once = _without_known_tags(raw.value, declared=declared) if declared or _is_markup(raw.value) else raw.value
    return line_of(_unescape_twice(once))


def display_title(title: str, text: str, language: str) -> str:
    """Return the title to show: the title, otherwise the beginning of the text, otherwise "(untitled)" (I51).

    Args:
        title: plain text, may be empty.
        text: the plain text of the content.
        language: of the output, BCP 47.
    """
    if title:
        return title
    if is_visible(text):
        return _shortened(text)
    tag = language.lower()
    return _UNTITLED_TEXTS.get(tag) or _UNTITLED_TEXTS.get(tag.partition("-")[0]) or "(untitled)"


def bounded_title(title: str) -> str:
    """Return a title of at most `MAX_TITLE` characters: a longer title is cut, with an ellipsis (I15)."""
    return _shortened(title, MAX_TITLE - 1) if len(title) > MAX_TITLE else title


def _shortened(text: str, length: int = EXCERPT_LENGTH) -> str:
    """Return the first characters of a text with an ellipsis; combined characters are not cut (A65)."""
    if len(text) <= length:
        return text
    end = length
    while end > length // 2 and (
        unicodedata.category(text[end]).startswith("M")
        or text[end] in _JOINING
        or text[end - 1] == "\u200d"
        or 0x1F3FB <= ord(text[end]) <= 0x1F3FF
    ):
        end -= 1
    return text[:end].rstrip() + "…"


def _is_markup(value: str) -> bool:
    """Return True if a title of unknown type has known tags or references (I50)."""
    return bool(_REFERENCE.search(value)) or bool(_tags_in(value))


def _tags_in(value: str, *, declared: bool = False) -> frozenset[str]:
    """Return the known tags that a title uses as markup: with end tags, or any if the title is declared as HTML."""
    if "<" not in value:
        return frozenset()
    started: set[str] = set()
    ended: set[str] = set()
    for tag in _TAG.finditer(value):
        (ended if tag[1] else started).add(tag[2].lower())
    if declared:
        return frozenset((started | ended) & _INLINE)
    return frozenset(((started & ended) | (started & _ALONE)) & _INLINE)


def _without_known_tags(value: str, *, declared: bool = False) -> str:
    """Return the text of a title in HTML: without known tags, with references resolved, otherwise unchanged."""
    known = _tags_in(value, declared=declared)

    def replaced(tag: re.Match[str]) -> str:
        name = tag[2].lower()
        if name not in known:
            return tag[0]
        if name == "img" and (alt := _ALT.search(tag[3])):
            return alt[1] or alt[2] or ""
        return " " if name in BLOCKS else ""

    return _resolved(_TAG.sub(replaced, value))


def _resolved(value: str) -> str:
    # Only references that end with a semicolon: `?a=1&copy=2` in a title contains none.
    return _REFERENCE.sub(lambda reference: html.unescape(reference[0]), value)


def _unescape_twice(text: str) -> str:
    """Undo a second escaping once, unless this would create tags from text that is not markup (I52)."""
    if _tags_in(text):
        return _without_known_tags(text)  # journals: &amp;lt;i&amp;gt;E. coli&amp;lt;/i&amp;gt;
    if not _REFERENCE.search(text):
        return text
    again = _REFERENCE.sub(lambda found: char if (char := html.unescape(found[0])).strip() else found[0], text)
    if again.count("<") == text.count("<"):
        return again
    stripped = _without_known_tags(again)
    return stripped if "<" not in stripped else text


MAX_TAGS: Final = 50
MAX_NAME: Final = 500  # characters of a person's name or a tag (I15)
_MAIL = re.compile(r"[^\s@<>]{1,64}@[A-Za-z0-9.-]{1,255}")


def name_of(text: str) -> str:
    """Return a name or a label as plain text; markup and references are read as in a title without a type."""
    return title_of(RawText(value=text, type="unknown"))[:MAX_NAME].strip()


def people_of(people: Iterable[Person], bases: Sequence[Url | None]) -> tuple[Person, ...]:
    """Clean authors. Authors with only a mail address are left out: the address is not a name, and is not published."""
    cleaned: list[Person] = []
    for person in people:
        name = name_of(person.name)
        if _MAIL.fullmatch(name):
            name = ""
        uri = resolve(person.uri, bases) if person.uri else None
        email = legal(person.email).strip() if person.email else None
        known = any(other.name == name and other.uri in (uri, None) for other in cleaned)
        if (name or uri) and not known:
            cleaned.append(Person(name=name, uri=uri, email=email if email and _MAIL.fullmatch(email) else None))
    return tuple(cleaned)


def tags_of(tags: Iterable[Tag]) -> tuple[Tag, ...]:
    """Clean tags: trimmed, each once in any case, at most 50 (I59)."""
    cleaned: dict[tuple[str, str | None], Tag] = {}
    for tag in tags:
        term = name_of(tag.term)
        scheme = line_of(tag.scheme or "") or None
        if scheme is not None and len(scheme) > MAX_URL:
            scheme = None
        if term and len(cleaned) < MAX_TAGS:
            label = name_of(tag.label) if tag.label else ""
            cleaned.setdefault((term.casefold(), scheme), Tag(term=term, scheme=scheme, label=label or None))
    return tuple(cleaned.values())
