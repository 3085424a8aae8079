"""Converts HTML to plain text, plain text to HTML, and text to a single line (I51)."""

import html
import re
from functools import lru_cache
from typing import Final
from unicodedata import category

import nh3

from aggregator.text.xml_chars import legal, normalised

_INVISIBLE = re.compile(  # invisible characters except the joiners
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2060-\u206f\u3164\ufeff\uffa0]"
)
_FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # letters and a symbol without a visible shape
_INVISIBLE_ALONE = frozenset(("Mn", "Mc", "Me", "Zs", "Zl", "Zp", "Cc", "Cf"))
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
# Elements whose content is not shown to readers (S32).
DROPPED: Final = frozenset(
    "script style iframe object embed svg math template noscript textarea select title applet noembed noframes".split()
)
# Elements that separate words: a blank replaces their tags. Other tags are removed without a blank.
BLOCKS: Final = frozenset(
    "address article aside blockquote br caption center dd details div dl dt figcaption figure footer form h1 h2 h3 h4 "
    "h5 h6 header hr li main nav ol option p pre section summary table tbody td tfoot th thead tr ul".split()
)
# In the output of nh3, < and > occur only in tags: they are escaped in attribute values and texts.
_BLOCK_TAG = re.compile(rf"</?(?:{'|'.join(sorted(BLOCKS, key=len, reverse=True))})(?![a-z0-9])[^>]*>")
_TAG = re.compile(r"<[^>]*>")
_MANY_TAGS = 2000  # start tags
MAX_ID: Final = 4096  # characters of an id (I15): ids are URLs, or as short as URLs


def line_of(text: str) -> str:
    """Return a text as one line, without forbidden characters, bidi controls (A63) and runs of blanks."""
    if text.isprintable() and "  " not in text:  # no control characters, line ends or special blanks
        return text.strip()
    return _on_one_line(legal(text))


def identifier_of(text: str | None) -> str | None:
    """Return an id without surrounding blanks; None if the id is empty or longer than `MAX_ID` characters."""
    found = legal(text or "").strip()
    return found if 0 < len(found) <= MAX_ID else None


def category_of(text: str) -> str:
    """Return a text as the name of a category, without invisible characters.

    Two names that look the same are then the same, and an invisible name is empty. Joiners inside the name stay:
    Persian and some emoji are written with them.
    """
    line = normalised("NFC", line_of(legal(text)))
    if line.isascii():
        return line
    return " ".join(_INVISIBLE.sub("", line).strip("\u200c\u200d ").split())


def is_visible(text: str) -> bool:
    """Return True if a text shows anything: combining marks, joiners, blanks and fillers alone are invisible."""
    return any(category(char) not in _INVISIBLE_ALONE and char not in _FILLERS for char in text)


def plain_text(markup: str) -> str:
    """Return the text of any HTML as a reader would see it: without tags and scripts, blanks collapsed.

    The result is text, not HTML: escape it before it is put into a page.
    """
    if "<" not in markup:
        return line_of(html.unescape(markup))
    if markup.count("<") > _MANY_TAGS:  # nh3 takes time quadratic in the depth
        return line_of(html.unescape(without_tags(markup)))
    cleaned = _text_cleaner().clean(legal(markup))
    return text_of(
        legal(cleaned) if "&#" in markup else cleaned
    )  # a numeric reference may become a forbidden character


def text_of(sanitised: str) -> str:
    """Return the text of HTML that the sanitiser wrote."""
    if "<" in sanitised:
        sanitised = _TAG.sub("", _BLOCK_TAG.sub(" ", sanitised))
    text = html.unescape(sanitised).strip(" ")
    return text if text.isprintable() and "  " not in text else _on_one_line(text)


def _on_one_line(text: str) -> str:
    if not text.isascii():
        text = _BIDI.sub("", text)
    return " ".join(text.split())


_DROPPED_ELEMENT = re.compile(rf"<({'|'.join(sorted(DROPPED))})\b.*?(?:</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_ANY_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*)[^<>]*(?:>|(?=<)|\Z)|<[!?][^<>]*>")


def without_tags(markup: str) -> str:
    """Remove the tags from HTML that is too deep to parse (S14). The result is still HTML: references stay."""
    markup = _COMMENT.sub("", _DROPPED_ELEMENT.sub("", markup))
    return _ANY_TAG.sub(lambda tag: " " if (tag[2] or "").lower() in BLOCKS else "", markup)


def html_of(text: str) -> str:
    """Return a plain text as HTML: escaped, with blank lines as paragraphs and line ends as <br>."""
    text = text.strip().replace("\r\n", "\n").replace("\r", "\n")
    escaped = html.escape(text, quote=False)
    if "\n" not in escaped:
        return escaped
    paragraphs = (part.strip() for part in re.split(r"\n[ \t]*\n", escaped))
    return "".join(f"<p>{part.replace(chr(10), '<br>')}</p>" for part in paragraphs if part)


@lru_cache(maxsize=1)
def _text_cleaner() -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=set(BLOCKS - {"option", "form"}), attributes={}, clean_content_tags=set(DROPPED), link_rel=None
    )
