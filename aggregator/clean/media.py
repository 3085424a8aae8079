"""Removes tracking pixels, shows lazy images without scripts (S37), and sets attributes of images and players."""

import html as entities
import re
from typing import Final
from urllib.parse import urlsplit

from aggregator.clean.links import resolve
from aggregator.urls import Url

# Tags as nh3 writes them: attributes in double quotes, with < and > escaped inside.
_MEDIA = re.compile(r"<(img|audio|video)((?: [a-z-]+=\"[^\"]*\")*)>")
_ATTRIBUTE = re.compile(r" ([a-z-]+)=\"([^\"]*)\"")
_PLACEHOLDER = re.compile(
    r"(?:^|[/_.-])(?:blank|spacer|placeholder|transparent|loading|lazy|grey|gray|1x1|pixel)[^/]{0,40}\.(?:gif|png|svg|jpe?g|webp)$",
    re.IGNORECASE,
)
# Attributes with the address that a script loads when the image comes into view.
LAZY: Final = (
    "data-src",
    "data-lazy-src",
    "data-original",
    "data-actualsrc",
    "data-lazy",
    "data-lazyload",
    "data-echo",
    "data-original-src",
)
LAZY_SETS: Final = ("data-srcset", "data-lazy-srcset")
_HIDDEN = re.compile(
    r"(?:^|[;\s])(?:display\s*:\s*none|visibility\s*:\s*hidden|(?:width|height)\s*:\s*[012](?:px)?\s*(?:!|;|$))",
    re.IGNORECASE,
)
# File names of invisible images and of counters.
_BEACON = re.compile(
    r"(?:^|/)(?:(?:tracking|track|web|open)?[-_]?(?:pixel|beacon|bug)|tracker|track|tracking|open|hit|count|counter|spacer|"
    r"blank|transparent|clear|1x1)(?:\.(?:gif|png|php|aspx?|ashx|cgi))$",
    re.IGNORECASE,
)
# Hosts and paths of tracking pixels.
_COUNTERS = (
    "feeds.feedburner.com/~",
    "feeds.feedblitz.com/~",
    "feedproxy.google.com/~",
    "pixel.wp.com/",
    "stats.wordpress.com/",
    "feeds.wordpress.com/1.0/",
    "www.google-analytics.com/",
    "ssl.google-analytics.com/",
    "pixel.quantserve.com/",
    "sb.scorecardresearch.com/",
    "b.scorecardresearch.com/",
    "ad.doubleclick.net/",
    "pagead2.googlesyndication.com/",
    "ir-na.amazon-adsystem.com/",
    "www.assoc-amazon.com/e/ir",
    "medium.com/_/stat",
    "tracking.feedpress.com/",
    "tracking.feedpress.it/",
    "hits.blogsoft.org/",
    "da.feedsportal.com/",
    "res.feedsportal.com/",
    "rss.feedsportal.com/",
    "counter.yadro.ru/",
    "mc.yandex.ru/",
    "hm.baidu.com/",
)


# No referrer for publishers' counters; media are loaded only when needed (A68, D14).
_IMAGE_ENDS = ' loading="lazy" referrerpolicy="no-referrer">'
_PLAYER_ENDS = ' controls="" preload="none">'


def tidy_media(canonical: str, base: Url | None) -> str:
    """Remove tracking pixels, use the image that a script would load, and give each image an `alt` (A62).

    Args:
        canonical: HTML as nh3 wrote it.
        base: base URL for relative addresses in `data-src`.
    """
    return _MEDIA.sub(
        lambda tag: _image(tag, base) if tag[1] == "img" else f"<{tag[1]}{tag[2]}{_PLAYER_ENDS}", canonical
    )


def is_hidden(style: str) -> bool:
    """Return True if a style makes an image invisible: only counters are hidden so (S37)."""
    return bool(_HIDDEN.search(style[:1000]))


def _image(tag: re.Match[str], base: Url | None) -> str:
    attributes: dict[str, str] = dict(_ATTRIBUTE.findall(tag[2]))
    source = attributes.get("src", "")
    lazy = next((attributes[name] for name in LAZY if attributes.get(name)), "")
    if lazy and (not source or _PLACEHOLDER.search(entities.unescape(source).partition("?")[0])):
        promoted = resolve(entities.unescape(lazy), (base,))
        source = entities.escape(promoted) if promoted else source
    srcset = attributes.get("srcset") or next((attributes[name] for name in LAZY_SETS if attributes.get(name)), "")
    alt = attributes.get("alt", "")
    if not source and not srcset:
        return alt  # an image with a data: URL: keep the text of the formula or smiley
    if _is_pixel(attributes) or _is_counter(entities.unescape(source), has_no_alt=not alt):
        return ""
    written = {"src": source, "srcset": srcset, "alt": alt}
    dropped = {*written, *LAZY, *LAZY_SETS, "style"}
    written |= {name: value for name, value in attributes.items() if name not in dropped}
    texts = (f' {name}="{value}"' for name, value in written.items() if value or name == "alt")
    return f"<img{''.join(texts)}{_IMAGE_ENDS}"


def _is_pixel(attributes: dict[str, str]) -> bool:
    """Return True if an image is too small to see, or hidden. A lazy image may be hidden until its script runs."""
    if "style" in attributes and not any(name in attributes for name in (*LAZY, *LAZY_SETS)):
        return True
    sides = [attributes.get(name, "").removesuffix("%") for name in ("width", "height")]
    small = [side.isascii() and side.isdigit() and int(side) <= 2 for side in sides]
    return all(small) or (any(small) and "" in sides)


def _is_counter(address: str, *, has_no_alt: bool) -> bool:
    """Return True if an address is a reader counter: by its host or, without an alt text, by its file name."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return True
    path = parts.path or "/"
    return f"{parts.netloc.lower()}{path}".startswith(_COUNTERS) or (has_no_alt and bool(_BEACON.search(path)))
