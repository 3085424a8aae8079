"""What a body is that is no feed, in the operator's words (I14, P49, P91)."""

import html
import json
import re
from typing import Final

from aggregator.errors import NotAFeed
from aggregator.parse.discovery import discover
from aggregator.text.challenges import is_challenge
from aggregator.urls import Url

_SHOWN: Final = 200  # characters of a body that is no feed (I14)
_READ: Final = 1 << 16  # characters: who needs more to say what it is says it anywhere
_BRIEF: Final = 1500  # characters of visible text: an interstitial says little
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
_ORDINARY = "a web page, no feed"
_XML_KINDS = {
    "opml": "an OPML list of feeds; read it as kind: opml",
    "urlset": "a sitemap; read it as kind: sitemap",
    "sitemapindex": "an index of sitemaps; read one of them as kind: sitemap",
    "html": "a web page, no feed",
    "error": "an error message in XML",
    "opensearchdescription": "the description of a search form",
    "service": "an AtomPub service document; use the address of one of its collections",
    "entry": "a single Atom entry; use the address of the feed that holds it",
    "svg": "a picture",
}

_LOCAL_KINDS = {  # of a local file: what can be read there as it is on the web is not named again
    "urlset": "a sitemap, which is read from the web only; write the address of the sitemap as kind: sitemap",
    "sitemapindex": "an index of sitemaps, which is read from the web only; write one of them as kind: sitemap",
    "service": "an AtomPub service document, no feed",
    "entry": "a single Atom entry, no feed",
}


def not_text(text: str, url: Url) -> NotAFeed:
    """Say what a body without any markup is."""
    if not text.strip():
        return NotAFeed(url, "nothing: the body is empty or blank")
    if _MAINTENANCE.search(text[:_READ]):
        return _said(url, "a maintenance note, no feed", text)
    if _ERROR.search(text[:2000]):
        return _said(url, "an error message, no feed", text)
    return _said(url, "plain text, no feed", text)


def not_page(text: str, url: Url) -> NotAFeed:
    """Say what kind of web page a body is, and which feeds it names (P49, P91)."""
    return NotAFeed(url, _kind_of_page(text[:_READ]), shown(text), discover(text, url), is_page=True)


def not_items(text: str, url: Url, why: str) -> NotAFeed:
    """Say what a page is in which a source's items are not found; `why`, if it is an ordinary page."""
    kind = _kind_of_page(text[:_READ])
    return NotAFeed(url, why if kind == _ORDINARY else kind.replace("the feed", "the page"), "", (), True)


def not_json(text: str, url: Url, why: str) -> NotAFeed:
    """Say what JSON is that is no JSON Feed.

    Args:
        text: the body.
        url: the address that answered.
        why: what to say if it is no error either.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    if isinstance(document, dict) and (told := _api_error(document)) is not None:
        return _said(url, f"an API's error{': ' + told if told else ''}", text)
    return _said(url, why, text)


def not_xml(text: str, url: Url, root: str, why: str) -> NotAFeed:
    """Say what XML is that is no feed.

    Args:
        text: the body.
        url: the address that answered.
        root: the local name of its root element.
        why: what to say of a root that nobody knows.
    """
    if root.lower() == "html":
        return not_page(text, url)
    kind = root.lower()
    if url.startswith("file:") and kind in _LOCAL_KINDS:
        return _said(url, _LOCAL_KINDS[kind], text)
    return _said(url, _XML_KINDS.get(kind, why), text)


def is_page(text: str) -> bool:
    """Tell whether what begins here is HTML."""
    return bool(_PAGE.match(text))


def shown(text: str) -> str:
    """Give the first characters of a body for the operator, on one line (I14). Never for the public (S10)."""
    return " ".join(text[: 4 * _SHOWN].split())[:_SHOWN]


def _said(url: Url, why: str, text: str) -> NotAFeed:
    return NotAFeed(url, why, shown(text))


def _kind_of_page(text: str) -> str:
    """Sort a page by its title, its forms and how little it says; a page with much to say is only a page."""
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
            "a login page, no feed; if it needs an account, write headers: {Authorization: …}",
        ),
        (
            bool(_CONSENT.search(name)) or (is_brief and bool(_CONSENT.search(text))),
            "a consent page in front of the feed; ask the publisher to let feed readers pass",
        ),
        (bool(_PARKED.search(name)) or (is_brief and bool(_PARKED.search(text))), "a parked domain; the feed is gone"),
        (bool(_MAINTENANCE.search(name)) or (is_brief and bool(_MAINTENANCE.search(visible))), "a maintenance page"),
        (bool(_ERROR.search(name)) or (is_brief and bool(_ERROR.search(visible[:200]))), "an error page"),
    )
    return next((said for holds, said in kinds if holds), _ORDINARY)


def _api_error(document: dict[str, object]) -> str | None:
    """Give the message of an API's error; None if it is none."""
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
