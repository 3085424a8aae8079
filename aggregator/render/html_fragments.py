"""Fits sanitised foreign HTML into a page of ours, and shortens texts."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape, unescape
from typing import Final, TypeVar
from urllib.parse import urlsplit

from aggregator.clean.text import is_visible, plain_text
from aggregator.render.cache import LruCache

_TOKEN = re.compile(r'<[^<>"]*(?:"[^"]*"[^<>"]*)*>|[^<]+')
_TAG = re.compile(r"</?([A-Za-z][A-Za-z0-9]*)")
_DRESSED = re.compile(r"</?(h[1-6]|pre|table|img|a|picture|source|video|audio)(?![A-Za-z0-9])", re.IGNORECASE)
# What a page has otherwise: some start tags, and links that begin with no letter, as those around pictures do, or lead
# nowhere.
_CHANGED = re.compile(
    r"<(?:h[1-6]|pre|table|img|picture|video|audio)\b|<a\s[^<>]*>(?!\w)|<a\s(?![^<>]*\bhref=)", re.IGNORECASE
)
_ATTRIBUTE = re.compile(r'\s([^\s"\'<>/=]+)(?:="([^"]*)")?')
_SIZES = 'sizes="(min-width: 44rem) 39rem, 90vw"'  # of a picture in a text: the column of style.css
_WIDTH = re.compile(r"\s[0-9]+w\s*(?:,|$)")  # in a srcset
_PICTURES = frozenset({"img", "picture", "video", "audio"})

_Tag = tuple[int, re.Match[str]]  # its place among the tokens, and its name


def dress(html: str) -> str:
    """Fit sanitised HTML into a page.

    Headings stand below the story's own, and no rank is left out between two (A61); images load late (A62, A68). A link
    around a picture without a text is called what it leads to, and one around nothing goes: nobody sees it, but the
    keyboard stops there (WCAG 2.4.4). Code and tables may be wider than a phone. They scroll by themselves, so the
    keyboard has to get there (WCAG 2.1.1). Attributes that HTML forbids where they stand go (A60), and a picture in
    several sizes says how wide it is shown.

    Tokens are read as our sanitiser writes them: text without `<`, attributes in double quotes. Anything else is given
    back as it came: adding an attribute in the wrong place could open a hole.
    """
    if not _CHANGED.search(html):
        return html
    tokens = _TOKEN.findall(html)
    if sum(map(len, tokens)) != len(html):
        return html
    dressed = tokens.copy()
    tags = [(at, tag) for at, token in enumerate(tokens) if token[0] == "<" and (tag := _DRESSED.match(token))]
    for at, tag in tags:
        dressed[at] = _dressed(tokens[at], tag)
    _rank_headings(tokens, tags, dressed)
    _name_links(tokens, tags, dressed)
    return "".join(dressed)


def _dressed(token: str, tag: re.Match[str]) -> str:
    name, closes = tag[1].lower(), token[1] == "/"
    if name == "pre" and not closes:
        return _with(token, tag, 'tabindex="0"')
    if name == "table":
        return f"{token}</div>" if closes else f'<div class="scroll" tabindex="0">{token}'
    if closes or name not in ("img", "source", "a"):
        return token
    has = _attributes(token)
    if name == "a":
        return token if "href" in has else _without(token, "rel", "hreflang")
    if name == "source" and not {"src", "srcset"} & has.keys():
        return ""
    added = list[str]()
    if name == "img":
        wanted = (("loading", "lazy"), ("referrerpolicy", "no-referrer"), ("alt", ""))
        added += [f'{k}="{v}"' for k, v in wanted if k not in has]
        token = _without(token, *(side for side in ("width", "height") if not has.get(side, "0").isdigit()))
    if "srcset" not in has:
        token = _without(token, "sizes")
    elif "sizes" not in has and _WIDTH.search(has["srcset"]):
        added.append(_SIZES)
    return _with(token, tag, *added)


def _rank_headings(tokens: Sequence[str], tags: Sequence[_Tag], dressed: list[str]) -> None:
    """Set the rank of each heading to one below the last heading of a higher rank: h4, h1, h3 become h3, h3, h4."""
    above: list[int] = []  # ranks, each lower than the one before it
    for at, tag in tags:
        if not _is_heading(tag[1]):
            continue
        token = tokens[at]
        if token[1] != "/":
            rank = int(tag[1][1])
            while above and above[-1] >= rank:
                above.pop()
            above.append(rank)
        dressed[at] = f"{token[: tag.start(1)]}h{min(2 + max(len(above), 1), 6)}{token[tag.end() :]}"


def _name_links(tokens: Sequence[str], tags: Sequence[_Tag], dressed: list[str]) -> None:
    """Label links without text by their target, and remove links that show nothing at all."""
    opened: _Tag | None = None  # the last link that has begun and not ended, while nothing was seen in it
    pictured = False
    before = 0  # the place of the last tag
    for at, tag in tags:
        name, token = tag[1].lower(), tokens[at]
        if opened is not None and any(map(_shows_text, tokens[before + 1 : at])):
            opened = None
        before = at
        if name == "a" and token[1] != "/":
            opened, pictured = ((at, tag) if _attributes(token).get("href") else None), False
        elif opened is None:
            continue
        elif name == "a":
            start, begins = opened
            if pictured:
                dressed[start] = _with(tokens[start], begins, *_name_of(_attributes(tokens[start])))
            else:
                dressed[start] = dressed[at] = ""
            opened = None
        elif name in _PICTURES:
            pictured = True
            opened = None if _attributes(token).get("alt") else opened


def _shows_text(token: str) -> bool:
    return not _TAG.match(token) and is_visible(unescape(token))


def _name_of(link: Mapping[str, str]) -> tuple[str, ...]:
    if link.get("title"):
        return ()
    href = unescape(link["href"])
    try:
        place = urlsplit(href).hostname or href.partition(":")[2] or href
    except ValueError:
        place = href
    return (f'aria-label="{escape(place)}"',)


def _with(token: str, name: re.Match[str], *attributes: str) -> str:
    """Add attributes to a tag."""
    return token[: name.end()] + "".join(f" {attribute}" for attribute in attributes) + token[name.end() :]


def _without(token: str, *names: str) -> str:
    """Remove attributes from a tag."""
    return _ATTRIBUTE.sub(lambda found: "" if found[1].lower() in names else found[0], token) if names else token


def _attributes(token: str) -> dict[str, str]:
    return {name.lower(): value for name, value in _ATTRIBUTE.findall(token)}


def _is_heading(name: str) -> bool:
    return len(name) == 2 and name[0] in "hH" and name[1] in "123456"


def shorten(text: str, limit: int) -> str:
    """Cut a text to at most `limit` code points, the ellipsis included, never inside what people see as one (A65)."""
    if len(text) <= limit:
        return text
    end = limit - 1
    while end > 0 and _joins(text, end):
        end -= 1
    return text[:end].rstrip() + "…"


def _joins(text: str, at: int) -> bool:
    """Return whether the code point at an index belongs to the one before it."""
    char, before = text[at], text[at - 1]
    return (
        unicodedata.category(char) in ("Mn", "Me", "Mc")
        or char in "\u200c\u200d"
        or before == "\u200d"
        or 0x1F3FB <= ord(char) <= 0x1F3FF  # skin tones
        or (0x1F1E6 <= ord(char) <= 0x1F1FF and 0x1F1E6 <= ord(before) <= 0x1F1FF)  # flags
        or (0xAC00 <= ord(before) <= 0xD7A3 and 0x1160 <= ord(char) <= 0x11FF)  # Hangul
    )


EXCERPT: Final = 300  # code points
_ENOUGH: Final = 8 * EXCERPT  # characters of HTML that hold as many, as a rule: a whole article costs ten times as much

_excerpts: LruCache[str] = LruCache(max_bytes=2 * 1024 * 1024, each_bytes=512)


def excerpt_of(content: str) -> str:
    """Return the beginning of a text.

    Args:
        content: safe HTML.

    Returns:
        HTML without an element; empty if the text holds no word.
    """
    found = _excerpts.get(content)
    if found is None:
        found = escape(shorten(_text_of(content), EXCERPT), quote=False)
        _excerpts.keep(content, found, len(content) + len(found))
    return found


def _text_of(content: str) -> str:
    """Return as much of a text as an excerpt needs, or all of it."""
    if len(content) > _ENOUGH:
        beginning = plain_text(content[: content.rfind("<", 0, _ENOUGH)])
        if len(beginning) > 2 * EXCERPT:
            return beginning
    return plain_text(content)


Item = TypeVar("Item")

MAX_BYTES = 1_000_000  # of what others wrote on a page; with our own, below 1 MiB


def fitting(
    items: Iterable[Item], size_of: Callable[[Item], int], room_bytes: int = MAX_BYTES
) -> tuple[list[Item], int]:
    """Return the first items that fit, and the number of the others."""
    kept: list[Item] = []
    beyond = 0
    for item in items:
        room_bytes -= size_of(item)
        if room_bytes >= 0:
            kept.append(item)
        else:
            beyond += 1
    return kept, beyond


def size_of(*texts: str | None) -> int:
    """Return how many bytes texts take on a page, escaped."""
    return sum(len(escape(text).encode()) for text in texts if text)
