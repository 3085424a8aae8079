"""The only place that makes a `Url`: normal form, comparison form, log form, and whose host it is.

`normalise` gives what we store and publish (R52), `match_url` what we compare (I36), `redact` what we log (S44),
`host_key_of` what budgets and locks count by (P60).
"""

import ipaddress
import re
from functools import lru_cache
from typing import NewType
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

import can_ada
import publicsuffixlist

Url = NewType("Url", str)  # only this file calls it; mypy refuses a plain str everywhere else

MAX_URL = 4096  # characters (S22)

TRACKING = re.compile(
    r"^(utm_[a-z_]+|fbclid|gclid|dclid|msclkid|mc_cid|mc_eid|yclid|igshid|_hsenc|_hsmi|spm|at_medium|at_campaign)$",
    re.I,
)
_FORBIDDEN = re.compile(
    r"[\x00-\x20\x7f\\]"
)  # S8: can_ada would repair these, a browser would too, and both would guess
_UNRESERVED = re.compile(r"%([0-9A-Fa-f]{2})")

# One platform, one budget, although each user has a name of their own there (P60).
PLATFORMS = frozenset(
    "youtube.com reddit.com medium.com substack.com blogspot.com wordpress.com tumblr.com github.com feedburner.com "
    "libsyn.com buttondown.com buttondown.email".split()
)


class BadUrl(ValueError):
    """A text that is no http or https URL; the message says why."""


def normalise(text: str, base: Url | None = None) -> Url:
    """Give the normal form of an http or https URL (RFC 3986, section 6; R52). Idempotent.

    Lower-case scheme and host, IDNA, no default port, no dot segments, no fragment; path, query and a trailing
    slash are left alone.

    Args:
        text: what was written; surrounding blanks are ignored.
        base: what a relative reference is resolved against; without it, relative references are refused.

    Raises:
        BadUrl: not http or https, no host, over 4,096 characters, or with blanks, controls or backslashes (S8).
    """
    link = normalise_link(text, base)
    return Url(link.partition("#")[0])


def normalise_link(text: str, base: Url | None = None) -> Url:
    """Do what `normalise` does, but keep the fragment: in an entry's link it names a place on a page.

    Raises:
        BadUrl: as `normalise`.
    """
    text = text.strip()
    if not text or len(text) > MAX_URL:
        raise BadUrl("is empty" if not text else f"has over {MAX_URL} characters")
    if _FORBIDDEN.search(text):
        raise BadUrl("holds a blank, a control character or a backslash")
    if base is not None:
        try:
            text = urljoin(base, text)
        except ValueError as error:
            raise BadUrl("is no URL") from error
    try:
        parsed = can_ada.parse(text)
    except ValueError as error:
        raise BadUrl("is no URL") from error
    if parsed.protocol not in ("http:", "https:"):
        raise BadUrl("does not begin with http:// or https://")
    if not parsed.hostname:
        raise BadUrl("names no host")
    href = str(parsed.href)
    if len(href) > MAX_URL:
        raise BadUrl(f"has over {MAX_URL} characters")
    return Url(href)


def split_credentials(url: Url) -> tuple[Url, tuple[str, str] | None]:
    """Take userinfo out of a URL (P85).

    Returns:
        The URL without it, and (user, password), percent-decoded; None where there is none.
    """
    parts = urlsplit(url)
    if "@" not in parts.netloc:
        return url, None
    userinfo, _, netloc = parts.netloc.rpartition("@")
    user, _, password = userinfo.partition(":")
    return Url(urlunsplit(parts._replace(netloc=netloc))), (unquote(user), unquote(password))


def match_url(url: Url) -> str:
    """Give the form in which links of different sources are compared, never published (I36).

    No scheme, no `www.`, no tracking parameters, no trailing slash; the fragment counts, unless it is known noise.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").removeprefix("www.").rstrip(".")
    port = f":{parts.port}" if parts.port and parts.port not in (80, 443) else ""
    query = "&".join(p for p in parts.query.split("&") if p and not TRACKING.match(p.partition("=")[0]))
    path = _UNRESERVED.sub(_unescape, parts.path).rstrip("/")
    fragment = (
        ""
        if parts.fragment in ("", "comments", "respond", "top") or parts.fragment.startswith(":~:")
        else "#" + parts.fragment
    )
    return f"{host}{port}{path}{'?' + query if query else ''}{fragment}"


def _unescape(match: re.Match[str]) -> str:
    char = chr(int(match[1], 16))
    return char if char.isascii() and (char.isalnum() or char in "-._~") else match[0].upper()


def is_start_page(url: Url) -> bool:
    """Tell whether a link names a whole site rather than a page of it; such a link is evidence of nothing."""
    parts = urlsplit(url)
    return (
        parts.path.strip("/") in ("", "index.html", "index.php")
        and not parts.query
        and not parts.fragment.startswith(("!", "/"))
    )


def redact(url: str) -> str:
    """Give what may be logged or shown of a URL: no credentials, no query, no fragment (S44)."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "(unreadable URL)"
    netloc = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=netloc, query="…" if parts.query else "", fragment=""))


def host_of(url: Url) -> str:
    """Give the host of a URL: lower case, IDNA, no port; an IPv6 address without brackets."""
    return (urlsplit(url).hostname or "").rstrip(".")


def is_address(host: str) -> bool:
    """Tell whether a host is an IP address rather than a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def host_key_of(url: Url) -> str:
    """Give what budgets and locks count by (P60).

    Returns:
        An address as it is; the platform's name for a shared platform; else the registrable domain, or the host itself
        where there is none (`localhost`).
    """
    return _host_key(host_of(url))


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
