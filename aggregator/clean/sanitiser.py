"""Makes HTML safe with nh3 and our own lists (S30 to S38). Sanitising the result again gives the same bytes (S40).

A checksum beside a stored text proves that this very version of the sanitiser wrote it (S30).
"""

import re
from collections.abc import Callable, Container, Iterable
from functools import lru_cache
from hashlib import blake2b, sha256
from typing import Final

import nh3

from aggregator.clean.depth import MAX_DEPTH, is_deep, limit_depth
from aggregator.clean.embeds import embeds_as_links
from aggregator.clean.empty_elements import without_empty_elements
from aggregator.clean.links import resolve
from aggregator.clean.media import LAZY, LAZY_SETS, is_hidden, tidy_media
from aggregator.clean.script_fallbacks import with_script_fallbacks
from aggregator.clean.text import DROPPED, html_of, plain_text
from aggregator.text.xml_chars import legal
from aggregator.urls import Url

VERSION: Final = 1  # of our code; raise it when results change. The lists and nh3's version count by themselves
# S32. Other elements are replaced by their content; elements in DROPPED are removed with their content.
TAGS: Final = frozenset(
    "a abbr acronym address article aside audio b bdi bdo blockquote br caption center cite code col colgroup dd del "
    "details dfn div dl dt em figcaption figure footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark nav ol p "
    "picture pre q rb rp rt rtc ruby s samp section small source span strike strong sub summary sup table tbody td "
    "tfoot th thead time tr track tt u ul var video wbr".split()
)
# S34: no style, class, id, name or target, and no attribute that can start a script.
_ATTRIBUTES = {
    "*": {"lang", "dir", "title"},
    "a": {"href", "hreflang"},
    "audio": {"src"},
    "blockquote": {"cite"},
    "col": {"span"},
    "colgroup": {"span"},
    "del": {"cite", "datetime"},
    "details": {"open"},
    "img": {
        "src",
        "srcset",
        "sizes",
        "alt",
        "width",
        "height",
        "style",
        *LAZY,
        *LAZY_SETS,
    },
    "ins": {"cite", "datetime"},
    "li": {"value"},
    "ol": {"start", "reversed", "type"},
    "q": {"cite"},
    "source": {"src", "srcset", "sizes", "type", "media"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "time": {"datetime"},
    "track": {"src", "kind", "srclang", "label"},
    "video": {"src", "poster", "width", "height"},
}
_REL = "noopener noreferrer nofollow ugc"  # S36
_SCHEMES = frozenset({"http", "https", "mailto"})  # S33; mailto on `a` only
# Obsolete elements with a meaning, and their replacements in HTML5.
_RENAMED = {"acronym": "abbr", "center": "div", "strike": "s", "tt": "code"}
_OBSOLETE = re.compile(r"<(/?)(acronym|center|strike|tt)\b")
# Finds a URL that may be relative, in lower-case HTML. Few texts have one, and making a cleaner for a base takes as
# long as cleaning a short text. The expression begins with "=", the rarest character: a search for nine names takes
# four times as long.
_NAMED = ("href", "src", "set", "poster", "cite", "original", "lazy", "lazyload", "echo")
_RELATIVE = re.compile(rf"=(?:(?<=\s=)|{'|'.join(f'(?<={name}=)' for name in _NAMED)})\s*+[\"']?+(?!https?://|mailto:)")
_ROUNDS = 5  # after at most two rounds, an HTML parser reads its own output unchanged

_NUMBER = re.compile(r"-?[0-9]{1,6}")
_LENGTH = re.compile(r"[0-9]{1,5}%?")
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,8}")
_SIZES = re.compile(r"[\w\s().,:%+*/<>=-]{1,2000}")
_MEDIA_TYPE = re.compile(r"[\w.+-]{1,80}/[\w.+-]{1,80}(?:;\s*codecs\s*=\s*[\"']?[\w.,\s]{1,80}[\"']?)?")
_DESCRIPTOR = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,4})?[wxh]")
_PATTERNS = {
    "width": _LENGTH,
    "height": _LENGTH,
    "colspan": _NUMBER,
    "rowspan": _NUMBER,
    "span": _NUMBER,
    "start": _NUMBER,
    "value": _NUMBER,
    "lang": _LANGUAGE,
    "hreflang": _LANGUAGE,
    "srclang": _LANGUAGE,
    "sizes": _SIZES,
    "media": _SIZES,
    "dir": re.compile(r"ltr|rtl|auto", re.IGNORECASE),
    "scope": re.compile(r"row|col|rowgroup|colgroup", re.IGNORECASE),
    "kind": re.compile(r"subtitles|captions|descriptions|chapters|metadata", re.IGNORECASE),
    "datetime": re.compile(r"[0-9A-Za-z:.+\- ]{1,50}"),
}

Filter = Callable[[str, str, str], str | None]  # (tag, attribute, value) to what is written; None removes it


def sanitise(html: str, base: Url | None = None, allow_classes: frozenset[str] = frozenset()) -> str:
    """Make any HTML safe to publish, on a page of ours or in a feed (S31).

    Sanitising the result again changes nothing, with any base, since all URLs in the result are absolute.

    Args:
        html: any text.
        base: base of relative URLs; without a base, relative URLs are removed.
        allow_classes: the only class names to keep (S34).
    """
    if "\r" in html:
        html = html.replace("\r\n", "\n").replace("\r", "\n")
    html = legal(html)
    if "<" not in html and "&" not in html:
        return html
    lower = html.lower()
    if base is not None and not _RELATIVE.search(lower):
        base = None
    prepared = limit_depth(_prepared(html, lower))
    if prepared is not html:
        prepared = legal(prepared)  # a numeric reference may have become a forbidden character
    result, is_too_deep = _clean_once(prepared, base, allow_classes)
    if is_too_deep:
        return html_of(plain_text(result))
    if result == prepared:
        return result
    for _ in range(_ROUNDS):
        if _structure_cleaner(bool(allow_classes)).clean(result) == result:
            return result
        result, _ = _clean_once(result, base, allow_classes)
    return html_of(plain_text(result))


def checksums(texts: Iterable[str], allow_classes: frozenset[str]) -> tuple[str, ...]:
    """Return a checksum of each text that has tags or references, keyed with the version of the sanitiser.

    Args:
        texts: as `sanitise` returned them, or without the blanks around that.
        allow_classes: with which it was called.
    """
    return tuple(_checksum(html, allow_classes) for html in texts if "<" in html or "&" in html)


def is_sanitised(html: str, cleaned: Container[str], allow_classes: frozenset[str]) -> bool:
    """Return whether this version of the sanitiser wrote a text, with the same class names.

    Args:
        html: as stored.
        cleaned: the checksums that are stored beside it.
        allow_classes: the class names that are kept now.
    """
    return bool(cleaned) and _checksum(html, allow_classes) in cleaned


def _checksum(html: str, allow_classes: frozenset[str]) -> str:
    data = html.encode("utf-8", "surrogatepass")
    return blake2b(data, digest_size=8, key=version_of(allow_classes)).hexdigest()


@lru_cache(maxsize=256)
def version_of(allow_classes: frozenset[str]) -> bytes:
    """Return the digest of what shapes a result: our code, by `VERSION`, our lists, and nh3."""
    lists = (
        *(sorted(names) for names in (TAGS, DROPPED, allow_classes, _SCHEMES, LAZY, LAZY_SETS)),
        sorted(_RENAMED.items()),
        sorted((tag, sorted(names)) for tag, names in _ATTRIBUTES.items()),
        sorted((name, pattern.pattern) for name, pattern in _PATTERNS.items()),
    )
    return sha256(repr((VERSION, vars(nh3)["__version__"], MAX_DEPTH, _REL, lists)).encode()).digest()


def _prepared(html: str, lower: str) -> str:
    """Keep what nh3 would drop with its element: the video of an iframe (S38), a picture in noscript."""
    plain = with_script_fallbacks(html, lower)
    return embeds_as_links(plain) if "<iframe" in (lower if plain is html else plain.lower()) else plain


def _clean_once(html: str, base: Url | None, allow_classes: frozenset[str]) -> tuple[str, bool]:
    """Clean HTML without forbidden characters; return the result, and whether it is nested too deep (S14)."""
    cleaned = _cleaner(base, allow_classes).clean(html)
    result = legal(cleaned) if "&#" in html else cleaned  # only a numeric reference may become a forbidden character
    if "<img" in result or "<audio" in result or "<video" in result:
        result = tidy_media(result, base)
    if _OBSOLETE.search(result):
        result = _OBSOLETE.sub(lambda tag: f"<{tag[1]}{_RENAMED[tag[2]]}", result)
    # The caller reduces deeper HTML to text: removing empty elements takes one round for each level.
    return (result, True) if is_deep(result) else (without_empty_elements(result), False)


@lru_cache(maxsize=2)
def _structure_cleaner(with_classes: bool) -> nh3.Cleaner:
    """Return a cleaner that only tests whether HTML is parsed as it is written.

    Attributes need no second test: the filter returns values unchanged that it has returned before.
    """
    attributes = {tag: set(names) for tag, names in _ATTRIBUTES.items()}
    attributes["*"] |= {"class"} if with_classes else set()
    attributes["img"] |= {"loading", "referrerpolicy"}
    attributes["audio"] |= {"controls", "preload"}
    attributes["video"] |= {"controls", "preload"}
    return nh3.Cleaner(
        tags=set(TAGS),
        attributes=attributes,
        clean_content_tags=set(DROPPED),
        url_schemes=set(_SCHEMES),
        url_relative="deny",
        link_rel=_REL,
    )


@lru_cache(maxsize=256)
def _cleaner(base: Url | None, allow_classes: frozenset[str]) -> nh3.Cleaner:
    attributes = {tag: set(names) for tag, names in _ATTRIBUTES.items()}
    if allow_classes:
        attributes["*"].add("class")
    return nh3.Cleaner(
        tags=set(TAGS),
        attributes=attributes,
        attribute_filter=_filter(base, allow_classes),
        clean_content_tags=set(DROPPED),
        url_schemes=set(_SCHEMES),
        url_relative=("rewrite_with_base", base) if base else "deny",
        link_rel=_REL,
        strip_comments=True,
        # Not set_tag_attribute_values: nh3 writes those in an order that differs from process to process.
    )


def _filter(base: Url | None, allow_classes: frozenset[str]) -> Filter:
    """Return the function that checks attributes. nh3 itself checks only the schemes of href and src."""

    def filter_attribute(tag: str, name: str, value: str) -> str | None:
        match name:
            case "href":
                return value if value.lower().startswith("mailto:") else resolve(value, (base,))
            case "src" | "poster" | "cite":
                return resolve(value, (base,))
            case "srcset":
                return _srcset(value, base)
            case "style":
                return value if is_hidden(value) else None
            case "class":
                return " ".join(word for word in value.split() if word in allow_classes) or None
            case "type":
                pattern = re.compile(r"[1aAiI]") if tag == "ol" else _MEDIA_TYPE
                return value if pattern.fullmatch(value) else None
            case "reversed" | "open":
                return ""
        if name in LAZY_SETS:
            return _srcset(value, base)
        pattern_or_none = _PATTERNS.get(name)
        return value if pattern_or_none is None or pattern_or_none.fullmatch(value) else None

    return filter_attribute


def _srcset(value: str, base: Url | None) -> str | None:
    """Check every candidate of a srcset (HTML, section 4.8.4.2.1); one bad candidate removes the attribute (S35)."""
    candidates: list[str] = []
    words = value.split()
    while words:
        word = words.pop(0)
        url = resolve(word.strip(","), (base,))
        if url is None or len(candidates) >= 100:
            return None
        descriptor = ""
        if not word.endswith(",") and words:
            descriptor = words.pop(0)
            if descriptor.endswith(","):
                descriptor = descriptor.rstrip(",")
            elif words and not words[0].startswith(","):
                return None
            elif words:
                words[0] = words[0].lstrip(",")
            if descriptor and not _DESCRIPTOR.fullmatch(descriptor):
                return None
        candidates.append(f"{url} {descriptor}".strip())
    return ", ".join(candidates) or None
