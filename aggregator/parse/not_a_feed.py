"""Names what a body is that is not a feed, in words for the operator (I14, P49, P91)."""

import html
import json
import re
from typing import Final

from aggregator.errors import NotAFeed
from aggregator.parse.discovery import discover
from aggregator.text.challenges import is_challenge
from aggregator.urls import Url

_EXCERPT: Final = 200  # characters of the body that the operator sees (I14)
_SCANNED: Final = 1 << 16  # characters of a page that are searched
_BRIEF: Final = 1500  # characters of visible text: a page in front of another page is short
_PAGE = re.compile(r"<(?:!doctype\s+html|html|head|body|script|meta|title|div|p|h1)\b", re.IGNORECASE)
_TITLE = re.compile(r"<title\b[^>]{0,500}>([^<]{0,500})", re.IGNORECASE)
_HEADING = re.compile(r"<h1\b[^>]{0,500}>([^<]{0,500})", re.IGNORECASE)
_HIDDEN = re.compile(r"<(script|style|noscript|title)\b[^<>]*>.*?(?:</\1\s*>|\Z)|<[^<>]*>|<", re.IGNORECASE | re.DOTALL)
_PASSWORD = re.compile(r"<input\b[^<>]{0,500}\btype\s*=\s*[\"']?password", re.IGNORECASE)
_REFRESH = re.compile(r"<meta\b[^<>]{0,200}\bhttp-equiv\s*=\s*[\"']?refresh[^<>]{0,500}", re.IGNORECASE)
_LOGIN = re.compile(
    r"\b(?:log[ -]?in|sign[ -]?in|sso|oauth|saml|anmelden|einloggen|connexion|iniciar sesi[oó]n|accedi|zaloguj|вход)\b"
    r"|captive portal|登录|登入|ログイン|로그인|войти",
    re.IGNORECASE,
)
_CONSENT = re.compile(
    r"before you continue|cookie[- ]?(?:wall|consent|banner|settings|preferences)|privacy (?:gate|wall)"
    r"|consent(?:\.|[ -]?(?:page|form|management))|accept (?:all )?cookies|datenschutzeinstellungen"
    r"|we (?:and our partners )?(?:use|value) (?:cookies|your privacy)",
    re.IGNORECASE,
)
_PARKED = re.compile(
    r"domain (?:name )?(?:is|may be|has been|was) (?:for sale|parked|available for purchase|expired|registered)"
    r"|buy this domain|make an offer on this domain|sedoparking|parkingcrew|hugedomains|bodis\.com|parklogic"
    r"|domain parking|future home of something|website coming soon|diese domain (?:steht|kaufen)|域名出售",
    re.IGNORECASE,
)
_MAINTENANCE = re.compile(
    r"maintenance|temporarily (?:unavailable|down)|be (?:right )?back (?:soon|shortly)|under construction"
    r"|service unavailable|wartung|维护|メンテナンス|технические работы",
    re.IGNORECASE,
)
_ERROR = re.compile(
    r"\b(?:4\d\d|50\d|52\d)\b|\berror\b|not found|forbidden|access denied|bad gateway|gateway time-?out|exception|fatal"
    r"|seite nicht gefunden|page introuvable|页面不存在|見つかりません|не найдена",
    re.IGNORECASE,
)
_API_ERROR = ("error", "errors", "message", "detail", "msg", "errmsg", "error_description", "title")
_ORDINARY = "a web page, not a feed"
_XML_KINDS = {
    "opml": "an OPML list of feeds; read it as kind: opml",
    "urlset": "a sitemap; read it as kind: sitemap",
    "sitemapindex": "an index of sitemaps; read one of them as kind: sitemap",
    "html": "a web page, not a feed",
    "error": "an error message in XML",
    "opensearchdescription": "the description of a search form",
    "service": "an AtomPub service document; use the address of one of its collections",
    "entry": "a single Atom entry; use the address of the feed that holds it",
    "svg": "a picture",
}

_LOCAL_KINDS = {  # for local files: the kinds whose advice differs from `_XML_KINDS`
    "urlset": "a sitemap, which is read from the web only; write the address of the sitemap as kind: sitemap",
    "sitemapindex": "an index of sitemaps, which is read from the web only; write one of them as kind: sitemap",
    "service": "an AtomPub service document, not a feed",
    "entry": "a single Atom entry, not a feed",
}


def not_text(text: str, url: Url) -> NotAFeed:
    """Return the error for a body without any markup."""
    if not text.strip():
        return NotAFeed(url, "nothing: the body is empty or blank")
    if _MAINTENANCE.search(text[:_SCANNED]):
        return _error(url, "a maintenance note, not a feed", text)
    if _ERROR.search(text[:2000]):
        return _error(url, "an error message, not a feed", text)
    return _error(url, "plain text, not a feed", text)


def not_page(text: str, url: Url) -> NotAFeed:
    """Return the error for a web page: its kind, and the feeds that it names (P49, P91)."""
    return NotAFeed(url, _kind_of_page(text[:_SCANNED]), excerpt(text), discover(text, url), is_page=True)


def not_items(text: str, url: Url, why: str) -> NotAFeed:
    """Return the error for a page without the items of its source; `why` is used if the page is an ordinary page."""
    kind = _kind_of_page(text[:_SCANNED])
    return NotAFeed(url, why if kind == _ORDINARY else kind.replace("the feed", "the page"), "", (), True)


def not_json(text: str, url: Url, why: str) -> NotAFeed:
    """Return the error for JSON that is not a JSON Feed.

    Args:
        text: the body.
        url: the address that sent the response.
        why: the reason to use if the JSON is not an API's error message either.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    if isinstance(document, dict) and (message := _api_error(document)) is not None:
        return _error(url, f"an API's error{': ' + message if message else ''}", text)
    return _error(url, why, text)


def not_xml(text: str, url: Url, root: str, why: str) -> NotAFeed:
    """Return the error for XML that is not a feed.

    Args:
        text: the body.
        url: the address that sent the response.
        root: the local name of the root element.
        why: the reason to use if the root is unknown.
    """
    if root.lower() == "html":
        return not_page(text, url)
    kind = root.lower()
    if url.startswith("file:") and kind in _LOCAL_KINDS:
        return _error(url, _LOCAL_KINDS[kind], text)
    return _error(url, _XML_KINDS.get(kind, why), text)


def is_page(text: str) -> bool:
    """Return True if a text begins as HTML."""
    return bool(_PAGE.match(text))


def excerpt(text: str) -> str:
    """Return the first characters of a body for the operator, on one line (I14). Never published (S10)."""
    return " ".join(text[: 4 * _EXCERPT].split())[:_EXCERPT]


def _error(url: Url, why: str, text: str) -> NotAFeed:
    return NotAFeed(url, why, excerpt(text))


def _kind_of_page(text: str) -> str:
    """Classify a page by its title, its forms and the length of its visible text; a long page is an ordinary page."""
    name = " ".join(found[1] for found in (_TITLE.search(text), _HEADING.search(text)) if found)
    visible = " ".join(html.unescape(_HIDDEN.sub(" ", text)).split())
    is_brief = len(visible) <= _BRIEF
    refresh = _REFRESH.search(text)
    kinds: tuple[tuple[bool, str], ...] = (
        (
            is_brief and is_challenge(503, {"content-type": "text/html"}, text.encode("utf-8", "replace")),
            "a bot challenge instead of the feed; ask the publisher to let feed readers pass",
        ),
        (
            bool(_PASSWORD.search(text) or _LOGIN.search(name) or (refresh and _LOGIN.search(refresh[0]))),
            "a login page, not a feed; if it needs an account, write headers: {Authorization: …}",
        ),
        (
            bool(_CONSENT.search(name)) or (is_brief and bool(_CONSENT.search(text))),
            "a consent page in front of the feed; ask the publisher to let feed readers pass",
        ),
        (bool(_PARKED.search(name)) or (is_brief and bool(_PARKED.search(text))), "a parked domain; the feed is gone"),
        (bool(_MAINTENANCE.search(name)) or (is_brief and bool(_MAINTENANCE.search(visible))), "a maintenance page"),
        (bool(_ERROR.search(name)) or (is_brief and bool(_ERROR.search(visible[:200]))), "an error page"),
    )
    return next((kind for holds, kind in kinds if holds), _ORDINARY)


def _api_error(document: dict[str, object]) -> str | None:
    """Return the message of an API's error, "" for an error without message, None if the document is not an error."""
    if any(isinstance(value, list) and value for name, value in document.items() if name != "errors"):
        return None
    if not any(name in document for name in (*_API_ERROR, "status", "code")):
        return None
    for name in _API_ERROR:
        value = document.get(name)
        if isinstance(value, dict):
            value = value.get("message")
        if isinstance(value, str) and value.strip():
            return " ".join(value.split())[:100]
    return "" if any(name in document for name in ("error", "errors", "code")) else None
