"""Evaluates request headers for a document: content coding, range, and conditional requests.

Pure functions: header texts as arguments (None for a missing header). An invalid header counts as missing. A `digest`
is the text between the quotes of our own ETags.
"""

import re
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import lru_cache

_RANGE = re.compile(r"bytes=[ \t]*([0-9]{0,18})-([0-9]{0,18})[ \t]*", re.I)
_WEIGHT = re.compile(r"[ \t]*q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)[ \t]*")


@lru_cache(maxsize=256)
def wants_gzip(accept_encoding: str | None) -> bool:
    """Return True if a client accepts gzip at least as much as plain bytes (A76; RFC 9110, section 12.5.3).

    Without the header, plain bytes are sent, the safe choice. An invalid weight counts as 0.
    """
    weights: dict[str, float] = {}
    for member in (accept_encoding or "").lower().split(","):
        coding, semicolon, parameter = member.partition(";")
        weight = _WEIGHT.fullmatch(parameter)
        weights[coding.strip().removeprefix("x-")] = float(weight[1]) if weight else 0.0 if semicolon else 1.0
    others = weights.get("*", 0.0)
    return 0 < weights.get("gzip", others) >= weights.get("identity", others)


def is_known(if_none_match: str | None, if_modified_since: str | None, digest: str, modified: int) -> bool:
    """Return True if the client already has this version, so that the answer is 304 (A72; RFC 9110, section 13.2.2).

    If-None-Match takes precedence over the date. Tags are compared weakly, and our tags are also recognised in the
    forms that proxies and readers make of them: `W/"…"`, `""…""`, without quotes, or with Apache's `-gzip`.

    Args:
        if_none_match: a list of tags, or `*`.
        if_modified_since: an HTTP-date.
        digest: of the encoding that would be sent.
        modified: when the document changed, in seconds since 1970.
    """
    if if_none_match is not None:
        return if_none_match.strip() == "*" or digest in map(_bare, if_none_match.split(","))
    since = _seconds(if_modified_since)
    return since is not None and modified <= since


def is_expected(if_match: str | None, if_unmodified_since: str | None, digest: str, modified: int) -> bool:
    """Return False if If-Match, or without it If-Unmodified-Since, fails: the answer is then 412."""
    if if_match is not None:
        return if_match.strip() == "*" or f'"{digest}"' in (tag.strip() for tag in if_match.split(","))
    since = _seconds(if_unmodified_since)
    return since is None or modified <= since


def part_of(range_: str | None, if_range: str | None, digest: str, size: int) -> tuple[int, int] | None:
    """Return the range of the uncompressed bytes that a request asks for (A77; RFC 9110, section 14).

    Returns:
        Start and end (exclusive); (0, 0) if the range is outside of the document, which is a 416; None if the whole
            document is to be sent: without a range, with more than one, with an invalid one, or if If-Range is not our
            strong tag.
    """
    match = _RANGE.fullmatch(range_.strip()) if range_ else None
    if match is None or (if_range is not None and if_range.strip() != f'"{digest}"'):
        return None
    first, last = match.groups()
    if not first and not last:
        return None
    if not first:
        start, stop = max(0, size - int(last)), size
    else:
        start, stop = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return None
    return (start, stop) if start < stop else (0, 0)


def _bare(tag: str) -> str:
    tag = tag.strip()
    tag = tag[2:] if tag[:2] in ("W/", "w/") else tag
    return tag.strip('"\\').removesuffix("-gzip").rstrip('"\\')


def _seconds(date: str | None) -> int | None:
    """Read an HTTP-date in any of its three forms as seconds since 1970; None for an invalid date."""
    if not date:
        return None
    try:
        when = parsedate_to_datetime(date)
        return int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp())  # the asctime form has no zone
    except (ValueError, OverflowError):
        return None
