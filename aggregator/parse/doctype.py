"""Removes XML declaration and DOCTYPE, and replaces entity references by a table (I9, I10).

No entity declaration reaches a parser (S11, S12), so nothing can be expanded, nested or loaded.
"""

import html.entities
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from xml.sax.saxutils import escape

_ENTITY = re.compile(r"<!ENTITY\s+(%\s+)?([A-Za-z_][\w.:-]{0,100})\s+(?:\"([^\"]*)\"|'([^']*)'|[A-Z][^>]*)", re.DOTALL)
_REFERENCE = re.compile(
    r"&(?!(?:lt|gt|amp|quot|apos);)(?:(#[xX]?[0-9A-Fa-f]{1,8}|[A-Za-z_][\w.:-]{0,63});)?",
)
_SECTIONS = {"<![CDATA[": "]]>", "<!--": "-->", "<?": "?>"}  # sections in which `&name;` is plain text
_SURROGATES = re.compile(r"&#(?:(5[5-7]\d{3});&#(5[5-7]\d{3})|[xX]([dD][89abAB]\w{2});&#[xX]([dD][c-fC-F]\w{2}));")
_PREDEFINED = frozenset({"lt", "gt", "amp", "quot", "apos"})
_MAX_VALUE = 100  # characters of an entity's value (I10)
FEED_ROOT = re.compile(r"<(?:[A-Za-z_][\w.-]{0,40}:)?(?:rss|feed|rdf)\b", re.IGNORECASE)
# A feed that a faulty script put inside a web page. Examples of feeds that a page shows are escaped and do not match.
_INSIDE_PAGE = re.compile(
    r"<feed\b[^<>]{0,500}\sxmlns=[\"']http://www\.w3\.org/2005/Atom[\"']|<rss\b[^<>]{0,500}\sversion=[\"']2\.0[\"'][^<>]{0,500}>\s*<channel>"
)
_TAG = re.compile(r"<[A-Za-z_:]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prolog:
    """A document split into its prolog, already read, and the text from the root element on."""

    root: str  # text from the start tag of the root on; empty if there is no element
    entities: dict[str, str]  # name to characters
    netscape: bool = False  # the DOCTYPE is Netscape's, of RSS 0.91
    notices: tuple[str, ...] = ()


def cut_prolog(text: str) -> Prolog:
    """Remove everything before the root element.

    Stray text before the document is skipped (I8): if the text does not begin with a feed, but the declaration or the
    root of a feed follows (as after the warnings of a script), the document begins there. A web page stays a web page.
    """
    prolog = _prolog_at(text, 0)
    if FEED_ROOT.match(prolog.root):
        return prolog
    if prolog.root[:5].lower() == "<html":
        inside = _INSIDE_PAGE.search(prolog.root)
        return replace(prolog, root=prolog.root[inside.start() :]) if inside else prolog
    for match in re.finditer(r"<\?xml\b|<(?:[A-Za-z_][\w.-]{0,40}:)?(?:rss|feed|rdf)\b", text, re.IGNORECASE):
        later = _prolog_at(text, match.start())
        if FEED_ROOT.match(later.root):
            return Prolog(
                root=later.root,
                entities=later.entities,
                netscape=later.netscape,
                notices=(*later.notices, "text before the document skipped"),
            )
        break
    return prolog


def resolve_entities(text: str, declared: dict[str, str]) -> str:
    """Replace the references that an XML parser would refuse, outside of CDATA sections and comments.

    Names of HTML and of the document's own DOCTYPE become characters. Unknown names and single ampersands stay as
    literal text (I9). References to code points 128 to 159 mean the characters of Windows-1252 (I5). References to
    forbidden characters are removed (I7).
    """
    if not _REFERENCE.search(text):
        return text

    def replaced(match: re.Match[str]) -> str:
        name = match[1]
        if name is None:
            return "&amp;"
        if name[0] == "#":
            return _numeric(match[0], name)
        value = declared.get(name) or html.entities.html5.get(name + ";")
        return "&amp;" + match[0][1:] if value is None else escape(value)

    if "&#5" in text or "&#x" in text.lower():
        text = _SURROGATES.sub(_combine_surrogates, text)
    return "".join(
        part if is_section or "&" not in part else _REFERENCE.sub(replaced, part) for is_section, part in _parts(text)
    )


def _parts(text: str) -> Iterator[tuple[bool, str]]:
    """Split a document into CDATA sections, comments and instructions (True), and the text between them (False).

    A single expression for sections and references would be tried at each `<` of the document (measured: 80 ms instead
    of 20).
    """
    at = 0
    found = {opening: text.find(opening) for opening in _SECTIONS}
    while True:
        for opening, start in found.items():
            if 0 <= start < at:
                found[opening] = text.find(opening, at)
        starts = [(start, opening) for opening, start in found.items() if start >= 0]
        if not starts:
            break
        start, opening = min(starts)
        yield False, text[at:start]
        at = _after(text, _SECTIONS[opening], start + len(opening))
        yield True, text[start:at]
    yield False, text[at:]


def _numeric(reference: str, name: str) -> str:
    code = int(name[2:], 16) if name[1] in "xX" else _decimal(name[1:])
    if 0x80 <= code < 0xA0:
        return bytes([code]).decode("cp1252", "ignore")
    legal = code in (9, 10, 13) or 0x20 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or 0x10000 <= code <= 0x10FFFF
    return reference.replace("X", "x") if legal else ""


def _decimal(digits: str) -> int:
    return int(digits) if digits.isdigit() else 0


def _combine_surrogates(match: re.Match[str]) -> str:
    """Replace two references to the halves of a surrogate pair by one character (emoji of faulty scripts)."""
    high, low = (int(match[1]), int(match[2])) if match[1] else (int(match[3], 16), int(match[4], 16))
    if not (0xD800 <= high < 0xDC00 <= low < 0xE000):
        return match[0]
    return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))


def _prolog_at(text: str, start: int) -> Prolog:
    at, end = start, len(text)
    entities: dict[str, str] = {}
    notices: list[str] = []
    netscape = seen = False
    while at < end:
        if text.startswith("<!--", at):
            at = _after(text, "-->", at + 4)
        elif text.startswith("<?", at):
            at = _after(text, "?>", at + 2)
        elif text[at : at + 9].upper() == "<!DOCTYPE":
            close = (
                _after(text, ">", at) if seen else _doctype_end(text, at)
            )  # only the first DOCTYPE is searched for its end: many would take quadratic time
            doctype, at, seen = text[at:close], close, True
            netscape = "netscape" in doctype[:1000].lower()
            ignored = _declare(doctype, entities)
            if ignored:
                notices.append(f"{ignored} entity declarations of the DOCTYPE ignored")
        elif _TAG.match(text, at):
            return Prolog(root=text[at:], entities=entities, netscape=netscape, notices=tuple(notices))
        else:  # blanks or stray text
            following = text.find("<", at + 1)
            at = end if following < 0 else following
    return Prolog(root="", entities=entities, notices=tuple(notices))


def _after(text: str, terminator: str, at: int) -> int:
    found = text.find(terminator, at)
    return len(text) if found < 0 else found + len(terminator)


_DOCTYPE_PART = re.compile(r"\"[^\"]*(?:\"|\Z)|'[^']*(?:'|\Z)|<!--.*?(?:-->|\Z)|[\[\]>]", re.DOTALL)


def _doctype_end(text: str, start: int) -> int:
    """Return the end of a DOCTYPE; if a DOCTYPE never ends, the position after its first ">"."""
    inside = False
    for part in _DOCTYPE_PART.finditer(text, start):
        if part[0] == "[":
            inside = True
        elif part[0] == "]":
            inside = False
        elif part[0] == ">" and not inside:
            return part.end()
    return _after(text, ">", start)


def _declare(doctype: str, entities: dict[str, str]) -> int:
    """Add the harmless declarations to the table, and return the number of the other declarations."""
    ignored = 0
    for match in _ENTITY.finditer(doctype):
        parameter, name = match[1], match[2]
        value = match[3] if match[3] is not None else match[4]
        if parameter or value is None or len(value) > _MAX_VALUE:
            ignored += 1
            continue
        value = html.unescape(value) if re.fullmatch(r"(?:[^&<%]|&#[xX]?[0-9A-Fa-f]{1,8};)*", value) else "&"
        if any(char in value for char in "&<%") or name in _PREDEFINED:
            ignored += name not in _PREDEFINED
        else:
            entities.setdefault(name, value)
    return ignored
