"""The only place that makes a `Url`: normal form, comparison form, log form, and whose host it is.

`normalise` gives what we store and publish (R52), `match_url` what we compare (I36), `redact` what we log (S44),
`host_key_of` what budgets and locks count by (P60). Only the first two raise; the others take any text.
"""

import ipaddress
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import NewType
from urllib.parse import SplitResult, parse_qsl, unquote, urljoin, urlsplit, urlunsplit

import can_ada
import publicsuffixlist

Url = NewType("Url", str)  # only this file calls it; mypy refuses a plain str everywhere else

MAX_URL = 4096  # characters (S22)

# Parameters that say how a reader came to a page, not which page it is (I36). Names that a site may well use for
# content (`ref`, `source`) count only where their value says RSS, as in Medium's `source=rss-b4981c59ffa5------2`.
TRACKING = re.compile(
    r"(utm_\w+|mtm_\w+|pk_(campaign|kwd|source|medium)|at_(medium|campaign)|ns_(mchannel|source|campaign|linkname|fee)"
    r"|fbclid|gclid|gclsrc|dclid|gbraid|wbraid|msclkid|twclid|ttclid|yclid|ysclid|igshid|igsh|mc_[ce]id|_hsenc|_hsmi"
    r"|mkt_tok|oly_(anon|enc)_id|vero_(id|conv)|_ga|_gl|spm|spm_id_from|vd_source|share_(source|medium|token|id)"
    r"|isappinstalled|_openstat|wprov|ref_(src|url)|_branch_match_id|srsltid|epik|guccounter|guce_referrer(_sig)?"
    r"|__hs(tc|sc|fp)|s_kwcid|ml_subscriber(_hash)?|sfnsn|phpsessid)(=.*)?"
    r"|amp(=1|=true)?|outputtype=amp|from=(timeline|singlemessage|groupmessage)"
    r"|(source|src|from|ref|partner|emc|cmp|xtor|wt_mc|_location)=rss\b.*",
    re.I | re.S,
)
_SESSION = re.compile(r";jsessionid=[^/]*", re.I)
_MOBILE = re.compile(r"^(?:www|m|mobile|amp)\.(?=[^.]+\.[^.])")  # www.de and m.de are domains
_AMP = re.compile(r"/amp/?$|\.amp(?=\.html$)")
_AMP_CACHE = re.compile(r"^(?:www\.)?google\.[a-z.]+/amp/(?:s/)?|^[a-z0-9-]+\.cdn\.ampproject\.org/[cvi]/(?:s/)?")
_REDIRECTORS = {  # host and path: the parameters that name where they lead
    ("www.google.com", "/url"): ("url", "q"),
    ("l.facebook.com", "/l.php"): ("u",),
    ("out.reddit.com", "/"): ("url",),
    ("t.umblr.com", "/redirect"): ("z",),
}
_NOISE = re.compile(r"|top|comments|respond|comment-form|disqus_thread|more-\d+|tk\.rss\w*|xtor=.*|:~:.*", re.I | re.S)

# S8: can_ada would repair these, a browser would too, and both would guess. Half a surrogate pair is no character.
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\x9f\\\ud800-\udfff]")
_BEGINNING = re.compile(r"https?://[^/?#]", re.I)  # can_ada takes `http:a` and `http:///a` for `http://a/`
_NO_HOST = frozenset('"<>^`{|}')  # can_ada lets a host have some of these; no name has (RFC 3986, section 3.2.2)
_UNREADABLE = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\ud800-\udfff]+")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_PORTS = {"http": 80, "https": 443}

# One platform, one budget, although each user has a name of their own there (P60).
PLATFORMS = frozenset(
    "youtube.com reddit.com medium.com substack.com blogspot.com wordpress.com tumblr.com github.com feedburner.com "
    "libsyn.com buttondown.com buttondown.email".split()
)


class BadUrl(ValueError):
    """A text that is no http or https URL; the message says why."""


def normalise(text: str, base: Url | None = None) -> Url:
    """Give the normal form of an http or https URL (RFC 3986, section 6; R52). Idempotent; ASCII only.

    Lower-case scheme and host, IDNA, no default port, no dot segments, no fragment; path, query and a trailing
    slash are left alone.

    Args:
        text: what was written; surrounding blanks are ignored.
        base: what a relative reference is resolved against; without it, relative references are refused.

    Raises:
        BadUrl: not http or https, no host, over 4,096 characters, or with blanks, controls or backslashes (S8).
    """
    return Url(normalise_link(text, base).partition("#")[0])


def normalise_link(text: str, base: Url | None = None) -> Url:
    """Do what `normalise` does, but keep the fragment: in an entry's link it names a place on a page.

    Raises:
        BadUrl: as `normalise`.
    """
    text = text.strip()
    if not text or len(text) > MAX_URL:
        raise BadUrl("is empty" if not text else f"has over {MAX_URL} characters")
    is_plain = text.isprintable() and " " not in text and "\\" not in text  # and needs no search
    if not is_plain and _FORBIDDEN.search(text):
        raise BadUrl("holds a blank, a control character or a backslash")
    try:
        whole = text if base is None else urljoin(base, text)
        parsed = can_ada.parse(whole) if _BEGINNING.match(whole) else None
    except ValueError as error:
        raise BadUrl("is no URL") from error
    host = "" if parsed is None else parsed.hostname
    if parsed is None or not host.strip(".") or not _NO_HOST.isdisjoint(host):
        raise BadUrl("does not begin with http:// or https:// and a host")
    href = str(parsed.href)
    if len(href) > MAX_URL:
        raise BadUrl(f"has over {MAX_URL} characters")
    return Url(href)


def file_url(path: Path) -> Url:
    """Give the file: URL of an absolute path, for `kind: file` sources; `normalise` refuses it: no feed names files."""
    return Url(path.as_uri())


def split_credentials(url: Url) -> tuple[Url, tuple[str, str] | None]:
    """Take userinfo out of a URL (P85).

    Returns:
        The URL without it, and (user, password), percent-decoded; None where there is none.
    """
    scheme, separator, rest = url.partition("://")
    authority, slash, tail = rest.partition("/")
    userinfo, at, host = authority.rpartition("@")
    if not at:
        return url, None
    user, _, password = userinfo.partition(":")
    return Url(f"{scheme}{separator}{host}{slash}{tail}"), (unquote(user), unquote(password))


def match_url(url: Url) -> str:
    """Give the form in which links of different sources are compared, never published (I36). Never raises.

    No scheme, no `www.` or `m.`, no default port, no tracking parameters, no session, no trailing slash, `%7E` as `~`;
    of an AMP page the one it stands for, of a known redirector what it leads to. What might tell two pages apart stays:
    the other parameters and their order, and the fragment, unless it is known noise.
    """
    parts = _split(_unwrapped(url))
    if parts is None or parts.scheme not in _PORTS or not parts.hostname:
        return url
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname.rstrip(".")
    host = _MOBILE.sub("", host)
    port = f":{parts.port}" if parts.port not in (None, _PORTS[parts.scheme]) else ""
    path = _AMP.sub("", _SESSION.sub("", _ESCAPE.sub(_unescape, parts.path))).removesuffix("/")
    pairs = _ESCAPE.sub(_unescape, parts.query).split("&")
    query = "&".join(pair for pair in pairs if pair and not TRACKING.fullmatch(pair))
    fragment = "" if _NOISE.fullmatch(parts.fragment) else "#" + parts.fragment
    return f"{host}{port}{path}{'?' + query if query else ''}{fragment}"


def _unwrapped(url: str) -> str:
    """Give the page that a link stands for: behind a redirector that names it, or in a cache of AMP pages."""
    cached = _AMP_CACHE.match(url.partition("://")[2])
    if cached:
        return "https://" + url.partition("://")[2][cached.end() :]
    parts = _split(url)
    names = _REDIRECTORS.get((parts.hostname or "", parts.path)) if parts else None
    if parts is None or names is None:
        return url
    said = dict(parse_qsl(parts.query))
    return next((said[name] for name in names if _BEGINNING.match(said.get(name, ""))), url)


def _unescape(match: re.Match[str]) -> str:
    char = chr(int(match[1], 16))
    return char if char.isascii() and (char.isalnum() or char in "-._~") else match[0].upper()


def is_start_page(url: Url) -> bool:
    """Tell whether a link names a whole site rather than a page of it; such a link is evidence of nothing."""
    parts = _split(url)
    return (
        parts is not None
        and parts.path.strip("/") in ("", "index.html", "index.htm", "index.php")
        and not parts.query
        and not parts.fragment.startswith(("!", "/"))
    )


def redact(url: str) -> str:
    """Give what may be logged or shown of a URL, or of what was meant as one (S44). Never raises, gives one line.

    No credentials, no query, no fragment; of a file: URL only the name. A password may hold what ends it for a parser
    (`http://user:12/34@host/`, `http://user:p@w/3@host/`): where that may be so, less is shown or nothing.
    """
    text = _UNREADABLE.sub("", url[:MAX_URL])
    parts = _split(text)
    if parts is not None and parts.scheme == "file":
        return _UNREADABLE.sub("", unquote(parts.path).rpartition("/")[2])
    if parts is None or ("@" in text and not parts.hostname) or ("@" in parts.netloc and text.count("@") > 1):
        return "(unreadable URL)"
    start = f"{parts.scheme}:" if parts.scheme else ""
    authority = parts.netloc.rpartition("@")[2]
    if re.search(":.*@", f"{authority}{parts.path}{parts.query}{parts.fragment}"):
        return f"{start}//{parts.hostname}/…"
    return f"{start}{'//' if authority else ''}{authority}{parts.path}{'?…' if parts.query else ''}"


def without_secrets(url: Url, secrets: Iterable[str]) -> Url:
    """Take away as much of a URL as it takes to show none of the secrets: the query, else all but the host (S44)."""
    parts = urlsplit(url)
    for shorter in (parts, parts._replace(query=""), parts._replace(path="/", query="")):
        text = urlunsplit(shorter)
        if not any(secret in text or secret in unquote(text) for secret in secrets):
            break
    return Url(text)


def start_of(url: Url) -> Url:
    """Return the address of a URL's whole site: scheme and host, without user and password."""
    parts = urlsplit(url)
    return Url(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/")


def host_of(url: Url) -> str:
    """Give the host of a URL: lower case, IDNA, no port; an IPv6 address without brackets; empty if there is none."""
    parts = _split(url)
    return ((parts and parts.hostname) or "").rstrip(".")


def is_address(host: str) -> bool:
    """Tell whether a host is an IP address rather than a name; IPv6 with or without brackets."""
    try:
        ipaddress.ip_address(host[1:-1] if host.startswith("[") and host.endswith("]") else host)
    except ValueError:
        return False
    return True


def host_key_of(url: Url) -> str:
    """Give what budgets and locks count by (P60).

    Returns:
        An address as it is; the platform's name for a shared platform; else the registrable domain, or the host itself
        where there is none (`localhost`); `file` for a file: URL.
    """
    return "file" if url.startswith("file:") else _host_key(host_of(url))


@lru_cache(maxsize=65536)
def _host_key(host: str) -> str:
    if is_address(host) or "." not in host:
        return host
    labels = host.split(".")
    for start in range(len(labels) - 1):
        if ".".join(labels[start:]) in PLATFORMS:
            return ".".join(labels[start:])
    return _suffixes().privatesuffix(host) or host


@lru_cache(maxsize=1)
def _suffixes() -> publicsuffixlist.PublicSuffixList:
    return publicsuffixlist.PublicSuffixList()


def _split(url: str) -> SplitResult | None:
    """Take a URL apart; None if it can't be, or if its port is no port."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises if it is none
    except ValueError:
        return None
    return parts
