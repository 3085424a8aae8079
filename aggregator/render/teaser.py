"""Makes the teaser of a story: the beginning of its text, cut where a reader would pause, and its picture. Pure.

Lengths are in columns, of which a wide character, such as a Chinese one, takes two. A picture is chosen from what is
stored, for lists, for the head of a text without one, and for previews of links; nothing is fetched. Icons, faces,
smileys and badges represent no story.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import blake2b
from html import unescape
from typing import Final

from aggregator.clean.text import text_of
from aggregator.model.story import Publication
from aggregator.model.supplement import ImageRole
from aggregator.model.tokens import STRUCK
from aggregator.render import fields
from aggregator.render.cache import LruCache
from aggregator.render.html_fragments import shorten

EXCERPT: Final = 240  # columns
SHORT: Final = 1500  # columns of a text that a list shows in full: about 250 words, or 750 Chinese characters
FEW_PICTURES: Final = 3  # that a short text has at most
MIN_SIDE: Final = 100  # pixels of the shorter side of a picture in a text: smaller ones are icons and faces
MIN_NAMED_SIDE: Final = 60  # of one that the publisher names as the picture of the story: thumbnails are 75 × 75
GOOD_SIDE: Final = 150  # a picture that is smaller is used if there is no other
MAX_RATIO: Final = 4  # of the sides: beyond are banners and rules
MOST: Final = 20  # pictures of a text that are looked at
_ENOUGH: Final = 8 * SHORT  # characters of HTML that hold more than a short text, as a rule

_SENTENCE = re.compile(r"[.!?…]+[\"'”’»)\]]*(?=\s)|[。！？…]+[”’」』）]*|[؟۔।]+(?=\s)")
_LEADING = re.compile(r"[\W_]+")  # between a title that the text repeats and the text
_LETTERS = re.compile(r"\w")
_HEADING = re.compile(r"\s*<(h[1-6]|p)(?: [^<>]*)?>\s*(?:<(?:strong|b)>)?([^<]*)(?:</(?:strong|b)>)?\s*</\1>\s*")
_NO_PROSE = re.compile(r"<(pre|table|figure|video|audio)\b.*?</\1>", re.DOTALL)
_WIDE: Final = frozenset("WF")  # of the widths that Unicode names
_OPENING: Final = "([{«“‘„\"'「『（《〈"

_IMG = re.compile(r"<img((?: [a-z-]+=\"[^\"]*\")*) ?/?>")  # as the sanitiser writes it
_ATTRIBUTE = re.compile(r" ([a-z-]+)=\"([^\"]*)\"")
_SIDE = re.compile(r"[0-9]{1,5}")
_NO_PICTURE = re.compile(
    r"(?:[/._-](?:emojis?|twemoji|smil(?:ey|ie)s?|emoticons?|avatars?|gravatar|favicons?|icons?|badges?|buttons?|sprites?|"
    r"spacer|pixel|blank|placeholder|transparent|1x1)[0-9]*(?:[/._-]|$)|//(?:s\.w\.org|img\.shields\.io|badge\.fury\.io|"
    r"licensebuttons\.net|i\.creativecommons\.org)/|\.(?:svg|ico)$)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Beginning of a text."""

    text: str  # plain; empty if the text has no word that the title does not have
    is_short: bool  # the whole text is short enough for a list


# of 4,000 stories: a first poll shows each on up to three pages
_known: LruCache[Excerpt] = LruCache(max_bytes=4 * 1024 * 1024, each_bytes=512)


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
    if last < len(text) and _LETTERS.match(text, last) and not _is_wide(text[last]):  # the title was cut within a word
        return text[text.rfind(" ", 0, last) + 1 :]
    rest = _LEADING.match(text, last)
    start = rest.end() if rest else last
    while start > last and text[start - 1] in _OPENING:
        start -= 1
    return text[start:]


def without_heading(html: str, title: str) -> str:
    """Return a text without its first heading or paragraph if that says the title once more, and nothing else.

    Args:
        html: safe HTML.
        title: of the story, which stands above the text.
    """
    first = _HEADING.match(html)
    is_text = first and _LETTERS.search(first[2])
    return html[first.end() :] if first and is_text and not without_title(unescape(first[2]).strip(), title) else html


def _beginning(html: str) -> tuple[str, bool]:
    """Return as much of a text as an excerpt needs, or all of it, and whether all of it is short."""
    if len(html) > _ENOUGH:
        text = _plain(html[: html.rfind("<", 0, _ENOUGH)])
        if _end_of(text, SHORT) < len(text):
            return text, False
    text = _plain(html)
    return text, _end_of(text, SHORT) >= len(text) and len(html) <= 4 * _ENOUGH and html.count("<img") <= FEW_PICTURES


def _plain(html: str) -> str:
    return " ".join((text_of(_NO_PROSE.sub(" ", html)) or text_of(html)).split())


def _end_of(text: str, columns: int) -> int:
    """Return how many characters fit into some columns."""
    if len(text) * 2 <= columns:
        return len(text)
    if text[: columns + 1].isascii():
        return min(len(text), columns)
    for place, width in enumerate(map(unicodedata.east_asian_width, text)):
        columns -= 2 if width in _WIDE else 1
        if columns < 0:
            return place
    return len(text)


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in _WIDE


# --- the picture


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of a story, at the publisher's address."""

    address: str
    width: int | None = None  # pixels, as the publisher says
    height: int | None = None
    alt: str = ""
    is_cover: bool = False  # the square cover of an episode, which many episodes share

    @property
    def shorter_side(self) -> int | None:
        """The shorter side in pixels; None if none is known."""
        return min((side for side in (self.width, self.height) if side is not None), default=None)


def picture_of(publication: Publication) -> Picture | None:
    """Return the picture of a story; None if it has none that represents it.

    Pictures that the publisher names come first, then images among the attached files, then those in the text.

    Args:
        publication: as anyone may see it: what addresses of a private source are in it is struck out.
    """
    if not publication.has_picture:
        return None
    small = None
    for picture in _plausible(publication):
        if (picture.shorter_side or GOOD_SIDE) >= GOOD_SIDE:
            return picture
        small = small or picture
    return small


def _plausible(publication: Publication) -> Iterator[Picture]:
    for image in publication.supplement.images:
        is_cover = image.role is ImageRole.COVER
        yield from _checked(Picture(image.url, image.width, image.height, is_cover=is_cover), MIN_NAMED_SIDE)
    for url, enclosure in fields.enclosures_of(publication) if publication.enclosures else ():
        if fields.type_of(url, enclosure).startswith("image/"):
            yield from _checked(Picture(url, alt=enclosure.title or ""), MIN_NAMED_SIDE)
    for text in (publication.content, publication.summary):
        if "<img" not in text:
            continue
        for number, tag in enumerate(_IMG.finditer(text)):
            if number == MOST:
                break
            said = dict(_ATTRIBUTE.findall(tag[1]))
            alt = fields.line_of(unescape(said.get("alt", "")))
            sides = (_side_of(said.get("width")), _side_of(said.get("height")))
            yield from _checked(Picture(unescape(said.get("src", "")), *sides, alt), MIN_SIDE)


def _checked(picture: Picture, least: int) -> Iterator[Picture]:
    """Yield a picture if it may represent a story, with an address that may be published."""
    if _NO_PICTURE.search(picture.address.partition("?")[0]) or STRUCK in picture.address:
        return
    if (picture.shorter_side or least) < least:
        return
    if picture.width and picture.height:
        sides = (picture.width, picture.height)
        if max(sides) > MAX_RATIO * min(sides):
            return
    address = fields.web_address(picture.address)
    if address:
        yield replace(picture, address=address)


def _side_of(text: str | None) -> int | None:
    return int(text) if text and _SIDE.fullmatch(text) else None
