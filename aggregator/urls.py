"""The type `Url`: normal form, form for comparison, form for logs, and host key. No other module makes a `Url`.

`normalise` returns the form that is stored and published (R52), `match_url` the form that is compared (I36), `redact`
the form that is logged (S44), `host_key_of` the key by which budgets and locks count (P60). Only `normalise` and
`normalise_link` raise errors; the other functions accept any text.
"""

import ipaddress
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import NewType
from urllib.parse import SplitResult, parse_qsl, unquote, urljoin, urlsplit, urlunsplit

import can_ada
import publicsuffixlist

Url = NewType("Url", str)  # only this module calls it; mypy refuses a plain str in its place

MAX_URL = 4096  # characters (S22)

# Parameters that tell how a reader came to a page, not which page it is (I36). Names that sites also use for content
# (`ref`, `source`) count only if their value begins with rss, as in Medium's `source=rss-b4981c59ffa5------2`.
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
_MOBILE = re.compile(r"^(?:www|m|mobile|amp)\.(?=[^.]+\.[^.])")  # not in www.de and m.de, which are domains
_AMP = re.compile(r"/amp/?$|\.amp(?=\.html$)")
_AMP_CACHE = re.compile(r"^(?:www\.)?google\.[a-z.]+/amp/(?:s/)?|^[a-z0-9-]+\.cdn\.ampproject\.org/[cvi]/(?:s/)?")
_REDIRECTORS = {  # (host, path) -> parameters that contain the target
    ("www.google.com", "/url"): ("url", "q"),
    ("l.facebook.com", "/l.php"): ("u",),
    ("out.reddit.com", "/"): ("url",),
    ("t.umblr.com", "/redirect"): ("z",),
}
_NOISE = re.compile(r"|top|comments|respond|comment-form|disqus_thread|more-\d+|tk\.rss\w*|xtor=.*|:~:.*", re.I | re.S)

# S8: can_ada and browsers repair these characters by guessing. An unpaired surrogate is not a character.
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\x9f\\\ud800-\udfff]")
_BEGINNING = re.compile(r"https?://[^/?#]", re.I)  # can_ada reads `http:a` and `http:///a` as `http://a/`
_NO_HOST = frozenset('"<>^`{|}')  # can_ada accepts some of these in a host; RFC 3986, section 3.2.2, does not
_UNREADABLE = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\ud800-\udfff]+")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_PORTS = {"http": 80, "https": 443}

# Platforms that give each user a subdomain; all subdomains share one budget (P60).
PLATFORMS = frozenset(
    "youtube.com reddit.com medium.com substack.com blogspot.com wordpress.com tumblr.com github.com feedburner.com "
    "libsyn.com buttondown.com buttondown.email".split()
)


class BadUrl(ValueError):
    """A text that is not an http or https URL; the message has the reason, without a subject: "is empty"."""


def normalise(text: str, base: Url | None = None) -> Url:
    """Return the normal form of an http or https URL (RFC 3986, section 6; R52). Idempotent; ASCII only.

    Scheme and host are lower case, the host is IDNA; default port, dot segments and fragment are removed. Path, query
    and trailing slash are not changed.

    Args:
        text: the address as written; surrounding blanks are ignored.
        base: base of relative references; without it, relative references are refused.

    Raises:
        BadUrl: not http or https, no host, over 4,096 characters, or with blanks, controls or backslashes (S8).
    """
    return Url(normalise_link(text, base).partition("#")[0])


def normalise_link(text: str, base: Url | None = None) -> Url:
    """Return the normal form with the fragment, which in an entry's link names a place on a page.

    Raises:
        BadUrl: as in `normalise`.
    """
    text = text.strip()
    if not text or len(text) > MAX_URL:
        raise BadUrl("is empty" if not text else f"has over {MAX_URL} characters")
    is_plain = text.isprintable() and " " not in text and "\\" not in text  # faster than the regular expression
    if not is_plain and _FORBIDDEN.search(text):
        raise BadUrl("has a blank, a control character or a backslash")
    try:
        whole = text if base is None else urljoin(base, text)
        parsed = can_ada.parse(whole) if _BEGINNING.match(whole) else None
    except ValueError as error:
        raise BadUrl("is not a URL") from error
    host = "" if parsed is None else parsed.hostname
    if parsed is None or not host.strip(".") or not _NO_HOST.isdisjoint(host):
        raise BadUrl("does not begin with http:// or https:// and a host")
    href = str(parsed.href)
    if len(href) > MAX_URL:
        raise BadUrl(f"has over {MAX_URL} characters")
    return Url(href)


def file_url(path: Path) -> Url:
    """Return the file: URL of an absolute path, for local sources. `normalise` refuses file: URLs of feeds."""
    return Url(path.as_uri())


def command_url(path: Path, arguments: Iterable[str]) -> Url:
    """Return the address of a program with some arguments, for `kind: command`; it does not show the arguments."""
    said = "\0".join(arguments)
    mark = f"?{sha256(said.encode()).hexdigest()[:8]}" if said else ""
    return Url(f"command:{path.as_uri().removeprefix('file:')}{mark}")


def split_credentials(url: Url) -> tuple[Url, tuple[str, str] | None]:
    """Return a URL without userinfo, and the userinfo (P85).

    Returns:
        The URL, and (user, password), percent-decoded; None if the URL has no userinfo.
    """
    scheme, separator, rest = url.partition("://")
    authority, slash, tail = rest.partition("/")
    userinfo, at, host = authority.rpartition("@")
    if not at:
        return url, None
    user, _, password = userinfo.partition(":")
    return Url(f"{scheme}{separator}{host}{slash}{tail}"), (unquote(user), unquote(password))


def match_url(url: Url) -> str:
    """Return the form in which links of different sources are compared (I36); never published. Never raises.

    Without scheme, `www.` or `m.`, default port, tracking parameters, session and trailing slash, with `%7E` as `~`; an
    AMP page is replaced by its original page, a known redirector by its target. Everything that may distinguish two
    pages stays: other parameters in their order, and the fragment, unless it is known noise.
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
    """Return the target of a link to a known redirector or to a cache of AMP pages; other links unchanged."""
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
    """Report whether a link names a whole site, not a page; such a link never identifies an entry."""
    parts = _split(url)
    return (
        parts is not None
        and parts.path.strip("/") in ("", "index.html", "index.htm", "index.php")
        and not parts.query
        and not parts.fragment.startswith(("!", "/"))
    )


def redact(url: str) -> str:
    """Return the part of a URL, or of any text, that may be logged or shown, in one line (S44). Never raises.

    Credentials, query and fragment are removed; of a file: URL only the file name stays. A password may contain
    characters that end it for a parser (`http://user:12/34@host/`, `http://user:p@w/3@host/`); if that is possible,
    only scheme and host are returned, or a fixed text.
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
    """Return a URL without secrets: unchanged, without its query, or only scheme and host (S44)."""
    parts = urlsplit(url)
    for shorter in (parts, parts._replace(query=""), parts._replace(path="/", query="")):
        text = urlunsplit(shorter)
        if not any(secret in text or secret in unquote(text) for secret in secrets):
            break
    return Url(text)


def start_of(url: Url) -> Url:
    """Return scheme and host of a URL as a URL, without user and password."""
    parts = urlsplit(url)
    return Url(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/")


@lru_cache(maxsize=16384)
def host_of(url: Url) -> str:
    """Return the host of a URL: lower case, IDNA, without port and without the brackets of IPv6; empty if none."""
    parts = _split(url)
    return ((parts and parts.hostname) or "").rstrip(".")


def is_address(host: str) -> bool:
    """Report whether a host is an IP address; IPv6 with or without brackets."""
    if ":" not in host and not host[-1:].isdigit():
        return False  # no exception for each name of 10,000 sources
    try:
        ipaddress.ip_address(host[1:-1] if host.startswith("[") and host.endswith("]") else host)
    except ValueError:
        return False
    return True


def host_key_of(url: Url) -> str:
    """Return the key by which budgets and locks count requests to a URL (P60).

    Returns:
        An IP address unchanged; the domain of a platform; otherwise the registrable domain, or the host if it has none
        (`localhost`); `file` for a file: URL; for a program a key of its own, so that it waits for no other.
    """
    if url.startswith("command:"):
        return f"command {url.rpartition('/')[2]}"
    return "file" if url.startswith("file:") else _host_key(host_of(url))


@lru_cache(maxsize=65536)
def _host_key(host: str) -> str:
    if is_address(host) or "." not in host:
        return host
    labels = host.split(".")
    for start in range(len(labels) - 1):
        if ".".join(labels[start:]) in PLATFORMS:
            return ".".join(labels[start:])
    return _suffixes_below(labels[-1]).privatesuffix(host) or host


@cache
def _suffixes_below(top: str) -> publicsuffixlist.PublicSuffixList:
    """Return the public suffixes below a top-level domain: to read all 10,000 would be a tenth of a quiet poll."""
    with suppress(UnicodeError):  # the list has names of other scripts as they are written
        top = publicsuffixlist.decode_idn(top)
    return publicsuffixlist.PublicSuffixList(_rules().get(top, ()))


@lru_cache(maxsize=1)
def _rules() -> Mapping[str, list[str]]:
    """Return the lines of the list by top-level domain."""
    rules = defaultdict[str, list[str]](list)
    for line in Path(publicsuffixlist.PSLFILE).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("//"):
            rules[line.rpartition(".")[2]].append(line)
    return rules


def _split(url: str) -> SplitResult | None:
    """Return the parts of a URL; None if it can't be parsed, or if the port is invalid."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises if the port is not a number
    except ValueError:
        return None
    return parts
