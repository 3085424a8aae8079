"""Checks texts of a fixed form: time zones, languages, encodings, keys, slugs and header names."""

import re
import zoneinfo
from functools import lru_cache

from aggregator.config.findings import Unfit
from aggregator.config.shapes import nearest
from aggregator.text.slugs import RESERVED, is_slug, slug_of

SOURCE_KEY = r"[a-z0-9][a-z0-9._-]{0,79}"  # form of the key of a source
MAX_CATEGORY = 200  # characters of a category's key

# Headers of the connection, and headers that the program sets: validators (P1), Accept-Encoding (P78) and others.
OUR_HEADERS = frozenset(
    "host connection keep-alive content-length transfer-encoding te trailer upgrade expect range if-none-match "
    "if-modified-since if-match if-unmodified-since if-range accept-encoding a-im proxy-connection cache-control "
    "pragma referer".split()
)

# RFC 5646 allows longer first parts, but no language has one.
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")
_MAIL = re.compile(r"[^\s()<>,;:\"@]+@[^\s()<>,;:\"@]+")
_PAGE = re.compile(r"https?://[^\s()<>;\"]+")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NO_CHARSETS = frozenset("idna punycode unicode_escape raw_unicode_escape undefined mbcs oem".split())
_CHARSETS = "utf-8 utf-16 gb18030 gbk gb2312 big5 shift_jis euc-jp euc-kr iso-8859-1 iso-8859-15 windows-1252".split()
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

_ABBREVIATION = re.compile(r"[A-Z]{3,5}")
_ABBREVIATED = {  # abbreviation -> the time zones that are mostly meant
    "AEST": "Australia/Sydney or Australia/Brisbane",
    "AST": "America/Halifax or Asia/Riyadh",
    "BST": "Europe/London or Asia/Dhaka",
    "CEST": "Europe/Berlin, or another city with the same clocks",
    "CST": "Asia/Shanghai or America/Chicago",
    "EDT": "America/New_York, or another city with the same clocks",
    "IST": "Asia/Kolkata, Europe/Dublin or Asia/Jerusalem",
    "JST": "Asia/Tokyo",
    "KST": "Asia/Seoul",
    "MSK": "Europe/Moscow",
    "PST": "America/Los_Angeles or Asia/Manila",
}


@lru_cache(maxsize=256)
def timezone(text: str) -> str:
    """Check the name of an IANA time zone and return it unchanged."""
    try:
        zoneinfo.ZoneInfo(text)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        if _ABBREVIATION.fullmatch(text):
            meant = _ABBREVIATED.get(text, "an area and a city, such as Europe/Berlin")
            raise Unfit(f"is an abbreviation, which can mean several time zones; write {meant}") from None
        advice = _nearest_zone(text) or "a name such as Europe/Berlin or UTC"
        raise Unfit(f"is not a time zone; write {advice}") from None
    return text


@lru_cache(maxsize=256)
def _nearest_zone(text: str) -> str | None:
    return nearest(text, zoneinfo.available_timezones())


def language(text: str) -> str:
    """Check a language tag (BCP 47) and return it unchanged."""
    if not _LANGUAGE.fullmatch(text):
        raise Unfit("is not a language; write a tag such as en, de or zh-CN")
    return text


def encoding(text: str) -> str:
    """Check the name of a character encoding and return it unchanged."""
    known = text.lower().replace("-", "_") not in _NO_CHARSETS
    try:
        b"\0\0\0\0".decode(text)
    except UnicodeError:
        pass  # the encoding exists, and these bytes are invalid in it
    except (LookupError, ValueError):
        known = False
    if not known:
        near = nearest(text, _CHARSETS)
        raise Unfit(f"is not an encoding; write {near or 'a name such as utf-8, gb18030 or windows-1252'}")
    return text


def contact(text: str) -> str:
    """Check the contact for publishers, which is part of the User-Agent (P75), and return it unchanged."""
    if not text.isascii() or not (_MAIL.fullmatch(text) or _PAGE.fullmatch(text)):
        raise Unfit("is not a contact; write a mail address, or the address of a page about you")
    return text


def source_key(text: str) -> str:
    """Check the key of a source and return it unchanged."""
    if not re.fullmatch(SOURCE_KEY, text):
        fitting = re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("-._")[:80] or "example"
        raise Unfit(
            f"is not the key of a source; write lower-case letters, digits, dots and hyphens, such as {fitting}"
        )
    return text


def category_key(text: str) -> str:
    """Check the key of a category and return it unchanged."""
    if not text.strip() or len(text) > MAX_CATEGORY or _CONTROL.search(text):
        raise Unfit(f"is not a category; write a name of 1 to {MAX_CATEGORY} characters in one line")
    return text


def slug(text: str) -> str:
    """Check the slug of a category (S50) and return it unchanged."""
    if text in RESERVED:
        raise Unfit(f"is a name that the site uses itself; write another, such as {slug_of(text)}")
    if not is_slug(text):
        raise Unfit(f"is not a slug; write lower-case letters, digits and hyphens, such as {slug_of(text)}")
    return text


def feed_id(text: str) -> str:
    """Check the feed id of a category, an absolute IRI (A3), and return it unchanged."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s\"<>\\^`{|}]+", text):
        raise Unfit("is not the id of a feed; write an IRI such as tag:example.org,2006:python")
    return text


def header_name(text: str) -> str:
    """Check the name of a request header and return it unchanged."""
    if not _TOKEN.fullmatch(text):
        raise Unfit("is not the name of a header; write one such as Authorization")
    if text.lower() in OUR_HEADERS:
        raise Unfit("is set by the program itself; remove it")
    return text


def variable_name(text: str) -> str:
    """Check the name of an environment variable and return it unchanged."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,99}", text):
        raise Unfit("is not the name of an environment variable; write one such as TOKEN")
    return text


def header_value(text: str) -> str:
    """Check the value of a request header (S42) and return it unchanged; messages never show it."""
    if not text.isascii() or _CONTROL.search(text.replace("\t", " ")):
        raise Unfit("has characters that are not allowed in headers; write printable ASCII")
    return text
