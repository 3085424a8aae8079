"""Makes the excerpt of a story: the beginning of its text as plain text, cut where a reader would pause. Pure.

Lengths are in columns, of which a wide character, such as a Chinese one, takes two.
"""

import re
import unicodedata
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from aggregator.clean.text import plain_text
from aggregator.render.cache import LruCache
from aggregator.render.html_fragments import shorten

EXCERPT: Final = 240  # columns
SHORT: Final = 1500  # columns of a text that a list shows in full: about 250 words, or 750 Chinese characters
FEW_PICTURES: Final = 3  # that a short text has at most
_ENOUGH: Final = 8 * SHORT  # characters of HTML that hold more than a short text, as a rule

_SENTENCE = re.compile(r"[.!?…]+[\"'”’»)\]]*(?=\s)|[。！？…]+[”’」』）]*|[؟۔।]+(?=\s)")
_LEADING = re.compile(r"[\W_]+")  # between a title that the text repeats and the text
_LETTERS = re.compile(r"\w")
_NO_PROSE = re.compile(r"<(pre|table|figure|video|audio)\b.*?</\1>", re.DOTALL)
_OPENING: Final = "([{«“‘„\"'「『（《〈"


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Beginning of a text."""

    text: str  # plain; empty if the text has no word that the title does not have
    is_short: bool  # the whole text is short enough for a list


_known: LruCache[Excerpt] = LruCache(1024 * 1024, each_bytes=512)


def excerpt_of(html: str, title: str = "") -> Excerpt:
    """Return the beginning of a text.

    Args:
        html: safe HTML.
        title: of the story; where the text begins with it, the excerpt begins after it.
    """
    key = (blake2b(html.encode("utf-8", "surrogatepass"), digest_size=16).digest(), title)
    found = _known.get(key)
    if found is None:
        text, is_short = _beginning(html)
        found = Excerpt(cut(without_title(text, title), EXCERPT), is_short)
        _known.keep(key, found, len(title) + len(found.text))
    return found


def cut(text: str, columns: int) -> str:
    """Cut a text at the end of a sentence, else at a word, else before a character, with an ellipsis.

    Args:
        text: one line.
        columns: most that may be left.
    """
    end = _end_of(text, columns - 1)
    if end >= len(text):
        return text
    sentences = [found.end() for found in _SENTENCE.finditer(text[: end + 1]) if found.end() <= end]
    if sentences and sentences[-1] * 2 >= end:
        return text[: sentences[-1]]
    blank = text.rfind(" ", 0, end + 1)
    if blank * 3 >= end * 2:
        return f"{text[:blank].rstrip(' ,;:–—-')}…"
    return shorten(text, end + 1)


def without_title(text: str, title: str) -> str:
    """Return a text without its beginning if that is the title, whatever stands between the words."""
    said = [character.casefold() for character in _LETTERS.findall(title.removesuffix("…"))]
    if not said:
        return text
    letters = _LETTERS.finditer(text)
    last = 0
    for wanted in said:
        found = next(letters, None)
        if found is None or found[0].casefold() != wanted:
            return text
        last = found.end()
    if last < len(text) and _LETTERS.match(text, last) and not _is_wide(text[last]) and not title.endswith("…"):
        return text  # the title ends within a word of the text
    rest = _LEADING.match(text, last)
    start = rest.end() if rest else last
    while start > last and text[start - 1] in _OPENING:
        start -= 1
    return text[start:]


def _beginning(html: str) -> tuple[str, bool]:
    """Return as much of a text as an excerpt needs, or all of it, and whether all of it is short."""
    if len(html) > _ENOUGH:
        text = _plain(html[: html.rfind("<", 0, _ENOUGH)])
        if _end_of(text, SHORT) < len(text):
            return text, False
    text = _plain(html)
    return text, _end_of(text, SHORT) >= len(text) and len(html) <= 4 * _ENOUGH and html.count("<img") <= FEW_PICTURES


def _plain(html: str) -> str:
    return " ".join((plain_text(_NO_PROSE.sub(" ", html)) or plain_text(html)).split())


def _end_of(text: str, columns: int) -> int:
    """Return how many characters fit into some columns."""
    if len(text) * 2 <= columns:
        return len(text)
    if text[: columns + 1].isascii():
        return min(len(text), columns)
    for place, character in enumerate(text):
        columns -= 2 if _is_wide(character) else 1
        if columns < 0:
            return place
    return len(text)


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"
