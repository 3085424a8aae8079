"""Repairs broken XML before it is parsed (I8, I13, I15): closes and quotes tags as the publisher meant them.

libxml2's own recovery loses text (`x < y` becomes `x  y`), and lets one unclosed item contain all items after it. Only
documents that a strict parser refuses are repaired.
"""

import re
from dataclasses import dataclass, field
from typing import Final
from xml.sax.saxutils import quoteattr

MAX_DEPTH: Final = 100  # nested elements (S14)

# Matches one token. No text matches in two ways, so the expression never backtracks (S25).
_TOKEN = re.compile(
    r"""(?P<cdata><!\[CDATA\[.*?(?:\]\]>|\Z))
    |(?P<skip><!--.*?(?:-->|\Z)|<\?.*?(?:\?>|\Z)|<!(?!\[CDATA\[)[^>]*(?:>|\Z))
    |</(?P<close>[A-Za-z_:][\w:.\-]*)[^<>]*(?P<closed>>|(?=<)|\Z)
    |<(?P<open>[A-Za-z_:][\w:.\-]*+)(?P<attributes>(?:[^"'<>]|"[^"<]*"|'[^'<]*')*+)(?P<opened>>|(?=<)|\Z)
    |(?P<less><)
    |(?P<text>[^<]+)""",
    re.DOTALL | re.VERBOSE,
)
_ATTRIBUTE = re.compile(r"([^\s=/\"'<>]+)(?:\s*+=\s*+(\"[^\"<]*\"|'[^'<]*'|[^\s\"'<>]*))?")
_NAME = re.compile(r"[A-Za-z_][\w.\-]*(?::[A-Za-z_][\w.\-]*)?")
_CDATA = "<![CDATA["
_PARENT_TAG = re.compile(r"<([A-Za-z_][\w:.\-]*)[^<>]*>\s*\Z")
_ENTRY_END = re.compile(r"</(?:[\w.\-]{1,40}:)?(?:item|entry)\s*>", re.IGNORECASE)
_VOID = frozenset(
    "br hr img input wbr col area".split()
)  # void elements of HTML, unescaped in a text; not `link`, which is an element of RSS
_ENTRIES = frozenset({"item", "entry"})
_FIELDS = frozenset(
    "title link guid id pubdate published updated issued modified description summary encoded creator date subject "
    "category comments lastbuilddate language ttl generator".split()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """A document that a strict parser accepts."""

    text: str
    cut: bool  # the end is missing (I13): an entry is open, the last token is incomplete, or there is no entry
    entry_open: bool  # the last entry is incomplete
    end: int = 0  # position after the end of the root; the text after it was not read


@dataclass(slots=True)
class _Repairer:
    """State of a repair: the output so far, and the names of the open elements, innermost last."""

    pieces: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    entries: int = 0
    dropped: int = 0  # start tags below MAX_DEPTH that were left out, and whose end tags are still to come

    def start(self, name: str, attributes: str) -> None:
        """Write a start tag, after the end tags that the publisher forgot."""
        local = _local(name)
        self.entries += local in _ENTRIES
        if local in _ENTRIES and any(_local(each) in _ENTRIES for each in self.open):
            self.close_to(next(i for i, each in enumerate(self.open) if _local(each) in _ENTRIES))
        elif local in _FIELDS and self.open and _local(self.open[-1]) in _FIELDS:
            self.close_to(len(self.open) - 1)
        if (
            local in _ENTRIES and len(self.open) >= MAX_DEPTH
        ):  # an entry at this depth is there because end tags are missing
            self.close_to(2)
        stripped = attributes.rstrip()
        empty = local in _VOID or (stripped.endswith("/") and (stripped == "/" or stripped[-2] in "\"' \t\r\n"))
        if len(self.open) >= MAX_DEPTH:
            self.dropped += not empty
            return
        self.pieces.append(f"<{name}{_attributes(stripped.removesuffix('/') if empty else stripped)}{'/' * empty}>")
        if not empty:
            self.open.append(name)

    def end(self, name: str) -> None:
        """Write an end tag, after those of its open children; an end tag without a start tag is left out."""
        if self.dropped and _local(name) not in _ENTRIES:
            self.dropped -= 1
            return
        for names in (self.open, [each.lower() for each in self.open]):
            for index in range(len(names) - 1, -1, -1):
                if names[index] == (name if names is self.open else name.lower()):
                    self.close_to(index)
                    return

    def close_to(self, index: int) -> None:
        """Close the open elements down to the element at `index`, included."""
        while len(self.open) > index:
            self.pieces.append(f"</{self.open.pop()}>")
        self.dropped = 0


def repair(text: str) -> Repaired:
    """Make a document well formed.

    Args:
        text: from the start tag of the root on, with entities resolved. Text after the end of the root is ignored (I8).
    """
    repairer = _Repairer()
    torn = False
    for token in _TOKEN.finditer(text):
        kind = token.lastgroup
        if kind == "text":
            repairer.pieces.append(token[0].replace("]]>", "]]&gt;"))
        elif kind == "cdata":
            torn = not token[0].endswith("]]>")
            repairer.pieces.append(token[0] + "]]>" * torn)
        elif kind == "less":
            repairer.pieces.append("&lt;")
        elif kind == "closed":
            torn = False  # an incomplete end tag still closes its element
            if token["closed"] or token.end() < len(text):
                repairer.end(_valid(token["close"]))
                if not repairer.open:
                    return Repaired(text="".join(repairer.pieces), cut=False, entry_open=False, end=token.end())
        elif kind == "opened":
            torn = token.end() == len(text) and not token["opened"]
            if not torn:
                repairer.start(_valid(token["open"]), token["attributes"])
        else:
            torn = not token[0].endswith(">")
    entry_open = any(_local(name) in _ENTRIES for name in repairer.open)
    repairer.close_to(0)
    cut = entry_open or torn or not repairer.entries
    return Repaired(text="".join(repairer.pieces), cut=cut, entry_open=entry_open, end=len(text))


def close_cdata(text: str) -> str:
    """Close each unclosed CDATA section that contains later entries, at the end tag of its parent element.

    A section that is closed may quote another section, and the last section may be cut off; both stay unchanged.
    """
    if text.count(_CDATA) <= text.count("]]>"):
        return text
    pieces: list[str] = []
    at = close = 0
    while (start := text.find(_CDATA, at)) >= 0:
        if (
            0 <= close < start
        ):  # searched only when needed: without any end, each section would cost a search of the whole rest
            close = text.find("]]>", start)
        following = text.find(_CDATA, start + len(_CDATA))
        stop = len(text) if following < 0 else following
        if 0 <= close < stop:
            pieces.append(text[at : close + 3])
            at = close + 3
            continue
        parent = _PARENT_TAG.search(text[max(at, start - 300) : start])
        own = text.find(f"</{parent[1]}>", start, stop) if parent else -1
        if own < 0 or not _ENTRY_END.search(text, own, stop):
            if close < 0:
                break
            pieces.append(text[at : close + 3])
            at = close + 3
            continue
        pieces.append(text[at:own] + "]]>")
        at = own
    return "".join(pieces) + text[at:]


def is_entry(tag: str) -> bool:
    """Return True if a tag name, with a namespace in braces or a prefix, is that of an entry."""
    return _local(tag.rpartition("}")[2]) in _ENTRIES


def _local(name: str) -> str:
    return name.rpartition(":")[2].lower()


def _valid(name: str) -> str:
    """Return a name that XML namespaces allow."""
    return name if _NAME.fullmatch(name) else "_" + name.replace(":", "_").strip("_")


def _attributes(text: str) -> str:
    """Write attributes again: quoted, and of two with the same name the first."""
    seen: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(text):
        name, value = match[1], match[2] or ""
        if _NAME.fullmatch(name) and name not in seen:
            if value[:1] in ("'", '"'):
                value = value[1:-1]
            # References in the value are resolved already: quoting must not escape their ampersands again.
            seen[name] = quoteattr(value).replace("&amp;", "&")
    return "".join(f" {name}={value}" for name, value in seen.items())
