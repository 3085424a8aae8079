"""Images that nobody should see, and those that only a script would show (S37); what players need without one."""

import html as entities
import re
from urllib.parse import urlsplit

from aggregator.clean.links import resolve
from aggregator.urls import Url

# As nh3 writes them: attributes in double quotes, < and > escaped inside.
_MEDIA = re.compile(r"<(img|audio|video)((?: [a-z-]+=\"[^\"]*\")*)>")
_ATTRIBUTE = re.compile(r" ([a-z-]+)=\"([^\"]*)\"")
_PLACEHOLDER = re.compile(
    r"(?:^|[/_.-])(?:blank|spacer|placeholder|transparent|loading|lazy|grey|gray|1x1|pixel)[^/]{0,40}\.(?:gif|png|svg|jpe?g|webp)$",
    re.IGNORECASE,
)
_LAZY = ("data-src", "data-lazy-src", "data-original")
# Hosts and paths that count readers instead of showing them something.
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


# No referrer to the publisher's counters, nothing loaded before it is wanted (A68, D14).
_IMAGE_ENDS = ' loading="lazy" referrerpolicy="no-referrer">'
_PLAYER_ENDS = ' controls="" preload="none">'


def tidy_media(canonical: str, base: Url | None) -> str:
    """Remove tracking pixels, put in the picture that a script would load, and give each image an `alt` (A62).

    Args:
        canonical: HTML as nh3 wrote it.
        base: what relative addresses in `data-src` count from.
    """
    return _MEDIA.sub(
        lambda tag: _image(tag, base) if tag[1] == "img" else f"<{tag[1]}{tag[2]}{_PLAYER_ENDS}", canonical
    )


def _image(tag: re.Match[str], base: Url | None) -> str:
    attributes: dict[str, str] = dict(_ATTRIBUTE.findall(tag[2]))
    source = attributes.get("src", "")
    lazy = next((attributes[name] for name in _LAZY if attributes.get(name)), "")
    if lazy and (not source or _PLACEHOLDER.search(entities.unescape(source).partition("?")[0])):
        promoted = resolve(entities.unescape(lazy), (base,))
        source = entities.escape(promoted) if promoted else source
    srcset = attributes.get("srcset") or attributes.get("data-srcset", "")
    alt = attributes.get("alt", "")
    if not source and not srcset:
        return alt  # a formula or a smiley in a data: URL has it
    if _is_pixel(attributes) or _is_counter(entities.unescape(source)):
        return ""
    written = {"src": source, "srcset": srcset, "alt": alt}
    written |= {name: value for name, value in attributes.items() if name not in written and name[:5] != "data-"}
    texts = (f' {name}="{value}"' for name, value in written.items() if value or name == "alt")
    return f"<img{''.join(texts)}{_IMAGE_ENDS}"


def _is_pixel(attributes: dict[str, str]) -> bool:
    width, height = attributes.get("width", ""), attributes.get("height", "")
    return width.isascii() and width.isdigit() and height.isdigit() and int(width) <= 2 and int(height) <= 2


def _is_counter(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return True
    return f"{parts.netloc.lower()}{parts.path or '/'}".startswith(_COUNTERS)
