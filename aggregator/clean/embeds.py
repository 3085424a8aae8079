"""Replaces players of known video hosts by links to their videos (S38). The sanitiser drops all other iframes."""

import html as entities
import re
from urllib.parse import parse_qs, urlsplit

_IFRAME = re.compile(r"<iframe\b([^<>]{0,4000})>", re.IGNORECASE)
_SOURCE = re.compile(r"\b(?:data-)?src\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))", re.IGNORECASE)
_ID = re.compile(r"[\w-]{3,64}")
# Host to (path before the id, address of the video's page).
_PLAYERS = {
    "youtube.com": ("/embed/", "https://www.youtube.com/watch?v={}"),
    "youtube-nocookie.com": ("/embed/", "https://www.youtube.com/watch?v={}"),
    "player.vimeo.com": ("/video/", "https://vimeo.com/{}"),
    "dailymotion.com": ("/embed/video/", "https://www.dailymotion.com/video/{}"),
    "geo.dailymotion.com": ("/player.html?video=", "https://www.dailymotion.com/video/{}"),
    "player.bilibili.com": ("/player.html?bvid=", "https://www.bilibili.com/video/{}"),
    "player.youku.com": ("/embed/", "https://v.youku.com/v_show/id_{}.html"),
    "v.qq.com": ("/txp/iframe/player.html?vid=", "https://v.qq.com/x/page/{}.html"),
    "embed.ted.com": ("/talks/", "https://www.ted.com/talks/{}"),
    "rutube.ru": ("/play/embed/", "https://rutube.ru/video/{}/"),
    "player.twitch.tv": ("/?video=", "https://www.twitch.tv/videos/{}"),
    "archive.org": ("/embed/", "https://archive.org/details/{}"),
    "embed.nicovideo.jp": ("/watch/", "https://www.nicovideo.jp/watch/{}"),
    "tiktok.com": ("/embed/v2/", "https://www.tiktok.com/embed/v2/{}"),
    "streamable.com": ("/e/", "https://streamable.com/{}"),
    "tv.naver.com": ("/embed/", "https://tv.naver.com/v/{}"),
    "open.spotify.com": ("/embed/episode/", "https://open.spotify.com/episode/{}"),
    "loom.com": ("/embed/", "https://www.loom.com/share/{}"),
    "fast.wistia.net": ("/embed/iframe/", "https://fast.wistia.net/embed/iframe/{}"),
}


def embeds_as_links(html: str) -> str:
    """Put a plain link before each known player. The iframes stay: the sanitiser removes them."""
    return _IFRAME.sub(_linked, html)


def video_of(address: str) -> str | None:
    """Return the page of the video that a player's address plays; None for an unknown player."""
    try:
        parts = urlsplit(address.strip())
    except ValueError:
        return None
    if parts.scheme not in ("", "http", "https"):
        return None
    host = parts.netloc.lower().partition(":")[0].removeprefix("www.")
    if host not in _PLAYERS:
        return None
    player, page = _PLAYERS[host]
    path, question, key = player.partition("?")
    if question:
        found = parse_qs(parts.query).get(key.rstrip("="), [""])[0] if parts.path == path else ""
    else:
        found = parts.path.removeprefix(path).partition("/")[0] if parts.path.startswith(path) else ""
    return page.format(found) if _ID.fullmatch(found) else None


def _linked(iframe: re.Match[str]) -> str:
    for source in _SOURCE.finditer(iframe[1]):
        page = video_of(entities.unescape(source[1] or source[2] or source[3] or ""))
        if page:
            return f'<a href="{page}">{page}</a>{iframe[0]}'
    return iframe[0]
