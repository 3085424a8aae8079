"""Plain text: out of HTML, into HTML, and on one line (I51)."""

import html
import re
from functools import lru_cache
from typing import Final
from unicodedata import category

import nh3

from aggregator.text.xml_chars import legal, normalised

_UNSEEN = re.compile(  # but the joiners
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2060-\u206f\u3164\ufeff\uffa0]"
)
_FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # letters and a sign without a shape
_UNSEEN_BY_ITSELF = frozenset(("Mn", "Mc", "Me", "Zs", "Zl", "Zp", "Cc", "Cf"))
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
# Their content is no text that a reader sees (S32).
DROPPED: Final = frozenset(
    "script style iframe object embed svg math template noscript textarea select title applet noembed noframes".split()
)
# A gap stands where one of them begins or ends; other tags join what is around them.
BLOCKS: Final = frozenset(
    "address article aside blockquote br caption center dd details div dl dt figcaption figure footer form h1 h2 h3 h4 "
    "h5 h6 header hr li main nav ol option p pre section summary table tbody td tfoot th thead tr ul".split()
)
# In what nh3 writes, < and > stand for tags and nothing else: attribute values and texts have them escaped.
_BLOCK_TAG = re.compile(rf"</?(?:{'|'.join(sorted(BLOCKS, key=len, reverse=True))})(?![a-z0-9])[^>]*>")
_TAG = re.compile(r"<[^>]*>")
_MANY_TAGS = 2000  # start tags
MAX_ID: Final = 4096  # characters of an id (I15): each is an address, or as short as one


def line_of(text: str) -> str:
    """Make one line of a text: no forbidden characters, no bidi controls (A63), runs of blanks as one."""
    if text.isprintable() and "  " not in text:  # no control, no line end, no blank but the plain one
        return text.strip()
    return _on_one_line(legal(text))


def identifier_of(text: str | None) -> str | None:
    """Return an id without blanks around it; None for none, and for one of over `MAX_ID` characters."""
    found = legal(text or "").strip()
    return found if 0 < len(found) <= MAX_ID else None


def category_of(text: str) -> str:
    """Make the name of a category of a text: what nobody can see makes no other name, and no name by itself.

    Joiners stand, inside: Persian is written with them, and so are some emoji.
    """
    line = normalised("NFC", line_of(legal(text)))
    if line.isascii():
        return line
    return " ".join(_UNSEEN.sub("", line).strip("\u200c\u200d ").split())


def is_seen(text: str) -> bool:
    """Tell whether a text shows anything by itself: combining marks, joiners, blanks and fillers alone do not."""
    return any(category(char) not in _UNSEEN_BY_ITSELF and char not in _FILLERS for char in text)


def plain_text(markup: str) -> str:
    """Give the text that a reader would see of any HTML: tags and scripts gone, blanks collapsed.

    The result is text, not HTML: it has to be escaped before it goes into a page.
    """
    if "<" not in markup:
        return line_of(html.unescape(markup))
    if markup.count("<") > _MANY_TAGS:  # nested deep, nh3 would take the square of the depth
        return line_of(html.unescape(without_tags(markup)))
    return text_of(_text_cleaner().clean(legal(markup)))


def text_of(sanitised: str) -> str:
    """Give the text of HTML that the sanitiser wrote."""
    if "<" in sanitised:
        sanitised = _TAG.sub("", _BLOCK_TAG.sub(" ", sanitised))
        sanitised = sanitised.strip()
    text = html.unescape(sanitised)  # a reference such as &#1; has become what it names on the way
    return text if text.isprintable() and "  " not in text else _on_one_line(legal(text))


def _on_one_line(text: str) -> str:
    if not text.isascii():
        text = _BIDI.sub("", text)
    return " ".join(text.split())


_DROPPED_ELEMENT = re.compile(rf"<({'|'.join(sorted(DROPPED))})\b.*?(?:</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_ANY_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*)[^<>]*(?:>|(?=<)|\Z)|<[!?][^<>]*>")


def without_tags(markup: str) -> str:
    """Cut the tags out of HTML that is too deep to be read as a tree (S14). Still HTML: references stay."""
    markup = _COMMENT.sub("", _DROPPED_ELEMENT.sub("", markup))
    return _ANY_TAG.sub(lambda tag: " " if (tag[2] or "").lower() in BLOCKS else "", markup)


def html_of(text: str) -> str:
    """Make HTML of a plain text: escaped, its blank lines as paragraphs, its line ends as breaks."""
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
