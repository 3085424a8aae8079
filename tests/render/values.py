"""Checks ids, languages and media types of feeds as validators do, by our own reading of the RFCs."""

import re

from aggregator.clean.language import THREE_LETTERS, TWO_LETTERS

# RFC 3986, with the rules that tag: (RFC 4151) and urn: (RFC 2141) have of their own.
URI = re.compile(
    r"[a-z][a-z0-9+.-]*:([\w.~!$&'()*+,;=:@/?-]|%[0-9a-f]{2})+(#([\w.~!$&'()*+,;=:@/?-]|%[0-9a-f]{2})*)?", re.I | re.A
)
TAG = re.compile(r"tag:([a-z0-9._-]+@)?[a-z0-9.-]+,\d{4}(-\d\d(-\d\d)?)?:[^#]*(#.*)?", re.A)
URN = re.compile(r"urn:(?!uuid:)[a-z0-9][a-z0-9-]{1,31}:[^/?#&~]+", re.I)
UUID = re.compile(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)
HTTP = re.compile(r"(https?|ftp)://[^/].*", re.I)
TOKEN = r"[A-Za-z0-9!#$&^_.+-]+"
MEDIA_TYPE = re.compile(rf'{TOKEN}/{TOKEN}(\s*;\s*{TOKEN}=({TOKEN}|"[^"]*"))*')
LANGUAGE = re.compile(r"([A-Za-z]{2,3})(-[A-Za-z0-9]{1,8})*")


def is_uri(text: str | None) -> bool:
    """Return whether a text is a URI by RFC 3986 and by the rules of its scheme, where validators know these."""
    if not URI.fullmatch(text or ""):
        return False
    scheme = str(text).partition(":")[0].lower()
    rules = {"tag": (TAG,), "urn": (URN, UUID), "http": (HTTP,), "https": (HTTP,), "ftp": (HTTP,)}.get(scheme, (URI,))
    return any(rule.fullmatch(str(text)) for rule in rules)


def is_id(text: str | None) -> bool:
    """Return whether a text can be an id: a URI, its letters beyond ASCII left aside (RFC 3987, section 3.1)."""
    return is_uri(re.sub(r"[^\x00-\x7f]", "x", text or ""))


def is_language(text: str | None) -> bool:
    """Return whether a language tag begins with a code of ISO 639-1 or 639-2: others are unknown to validators."""
    match = LANGUAGE.fullmatch(text or "")
    return match is not None and match[1].lower() in TWO_LETTERS | THREE_LETTERS
