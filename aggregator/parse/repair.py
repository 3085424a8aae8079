"""Well-formed XML out of what a publisher's template made (I8, I13, I15): tags closed and quoted as they were meant.

libxml2's own recovery loses text (`x < y` becomes `x  y`) and lets one unclosed item swallow all that follow; so the
text is mended before it is parsed. Only documents that a strict parser refuses come here.
"""

import re
from dataclasses import dataclass, field
from typing import Final
from xml.sax.saxutils import quoteattr

MAX_DEPTH: Final = 100  # elements within each other (S14)

# One token each; nothing in it can be matched in two ways, so nothing is tried twice (S25).
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
_HOLDER = re.compile(r"<([A-Za-z_][\w:.\-]*)[^<>]*>\s*\Z")
_ENTRY_END = re.compile(r"</(?:[\w.\-]{1,40}:)?(?:item|entry)\s*>", re.IGNORECASE)
_VOID = frozenset("br hr img input wbr col area".split())  # of HTML, unescaped in a text; `link` is RSS's own here
_ENTRIES = frozenset({"item", "entry"})
_FIELDS = frozenset(
    "title link guid id pubdate published updated issued modified description summary encoded creator date subject "
    "category comments lastbuilddate language ttl generator".split()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """A document that a strict parser takes, and whether its end was missing."""

    text: str
    cut: bool  # the end is missing (I13): an entry is open, or a token torn, or nothing had come yet
    entry_open: bool  # and so the last entry is only half there
    end: int = 0  # where the root closed; what follows was not looked at


@dataclass(slots=True)
class _Mender:
    """What is open, innermost last."""

    pieces: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    entries: int = 0
    dropped: int = 0  # start tags beyond MAX_DEPTH that still wait for their end tags

    def start(self, name: str, attributes: str) -> None:
        """Write a start tag, after the end tags that its publisher forgot."""
        local = _local(name)
        self.entries += local in _ENTRIES
        if local in _ENTRIES and any(_local(each) in _ENTRIES for each in self.open):
            self.close_to(next(i for i, each in enumerate(self.open) if _local(each) in _ENTRIES))
        elif local in _FIELDS and self.open and _local(self.open[-1]) in _FIELDS:
            self.close_to(len(self.open) - 1)
        if local in _ENTRIES and len(self.open) >= MAX_DEPTH:  # what it stands in so deep can mean nothing
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
        """Write an end tag, and those of what is open inside; one that closes nothing is left out."""
        if self.dropped and _local(name) not in _ENTRIES:
            self.dropped -= 1
            return
        for names in (self.open, [each.lower() for each in self.open]):
            for index in range(len(names) - 1, -1, -1):
                if names[index] == (name if names is self.open else name.lower()):
                    self.close_to(index)
                    return

    def close_to(self, index: int) -> None:
        """Close everything that is open, down to and with the element at `index`."""
        while len(self.open) > index:
            self.pieces.append(f"</{self.open.pop()}>")
        self.dropped = 0


def mend(text: str) -> Mended:
    """Make a document well formed that isn't.

    Args:
        text: from the root's start tag on, entities resolved. What follows the root's end is ignored (I8).
    """
    mender = _Mender()
    torn = False
    for token in _TOKEN.finditer(text):
        kind = token.lastgroup
        if kind == "text":
            mender.pieces.append(token[0].replace("]]>", "]]&gt;"))
        elif kind == "cdata":
            torn = not token[0].endswith("]]>")
            mender.pieces.append(token[0] + "]]>" * torn)
        elif kind == "less":
            mender.pieces.append("&lt;")
        elif kind == "closed":
            torn = False  # an end tag cut short still closes, as far as can be told
            if token["closed"] or token.end() < len(text):
                mender.end(_valid(token["close"]))
                if not mender.open:
                    return Mended(text="".join(mender.pieces), cut=False, entry_open=False, end=token.end())
        elif kind == "opened":
            torn = token.end() == len(text) and not token["opened"]
            if not torn:
                mender.start(_valid(token["open"]), token["attributes"])
        else:
            torn = not token[0].endswith(">")
    entry_open = any(_local(name) in _ENTRIES for name in mender.open)
    mender.close_to(0)
    cut = entry_open or torn or not mender.entries
    return Mended(text="".join(mender.pieces), cut=cut, entry_open=entry_open, end=len(text))


def close_cdata(text: str) -> str:
    """Close the CDATA sections that swallow the entries after their own: at the end tag of the element they stand in.

    A section that is closed may quote another, and one that nothing follows was cut off: both are left alone.
    """
    if text.count(_CDATA) <= text.count("]]>"):
        return text
    pieces: list[str] = []
    at = close = 0
    while (start := text.find(_CDATA, at)) >= 0:
        if 0 <= close < start:  # looked for once: where there is none, each section would cost the whole rest
            close = text.find("]]>", start)
        following = text.find(_CDATA, start + len(_CDATA))
        stop = len(text) if following < 0 else following
        if 0 <= close < stop:
            pieces.append(text[at : close + 3])
            at = close + 3
            continue
        holder = _HOLDER.search(text[max(at, start - 300) : start])
        own = text.find(f"</{holder[1]}>", start, stop) if holder else -1
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
    """Tell whether a tag, with a namespace in braces or a prefix, is that of an entry."""
    return _local(tag.rpartition("}")[2]) in _ENTRIES


def _local(name: str) -> str:
    return name.rpartition(":")[2].lower()


def _valid(name: str) -> str:
    """Give a name that XML namespaces allow."""
    return name if _NAME.fullmatch(name) else "_" + name.replace(":", "_").strip("_")


def _attributes(text: str) -> str:
    """Write attributes anew: quoted, each once, the first of two alike."""
    seen: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(text):
        name, value = match[1], match[2] or ""
        if _NAME.fullmatch(name) and name not in seen:
            if value[:1] in ("'", '"'):
                value = value[1:-1]
            # References in it are resolved already, so quoting must not escape their ampersands again.
            seen[name] = quoteattr(value).replace("&amp;", "&")
    return "".join(f" {name}={value}" for name, value in seen.items())
