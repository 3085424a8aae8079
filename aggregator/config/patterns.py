"""Checks patterns of rules: regular expressions of RE2, whose time is linear in the length of the text (S24)."""

import re
from functools import lru_cache

from aggregator.config.findings import Unfit
from aggregator.model.replacement import parse_replacement

_UNESCAPED = r"(?<!\\)(?:\\\\)*"  # an even number of backslashes, or none
_NOT_IN_RE2 = tuple(
    (re.compile(_UNESCAPED + form), advice)
    for form, advice in (
        (
            r"\(\?<?!",
            "RE2 has no look-ahead or look-behind; write what must not match under exclude, and the rest of the "
            "pattern under include",
        ),
        (
            r"\(\?<?=",
            "RE2 has no look-ahead or look-behind; write all that must match in its order, such as a.*b|b.*a for both "
            "orders; in rewrite put ( ) round the text to keep, and \\1 in with",
        ),
        (r"\(\?>|[*+?}]\+", "RE2 has no atomic groups and needs none; write (?: ) for (?> ), and no + after * + ? }"),
        (r"\(\?\(", "RE2 has no conditions; write one rule for each of the two cases"),
        (
            r"\\[1-9]|\(\?P=|\\k[<{']",
            "RE2 has no references back to a group; write out the texts that the group may match",
        ),
    )
)


def pattern(text: str) -> str:
    """Check a pattern and return it unchanged.

    Raises:
        Unfit: RE2 rejects it: it is not a regular expression, or it has lookarounds or backreferences.
    """
    why = _fault_of(text)
    if why is not None:
        advice = next((advice for form, advice in _NOT_IN_RE2 if form.search(text)), None)
        if advice is not None:
            raise Unfit(f"is not a pattern that RE2 accepts: {advice}")
        raise Unfit(f"is not a pattern: {why}; write a regular expression of RE2 such as (?i)sponsored")
    return text


def replacement(text: str) -> str:
    """Check a replacement text and return it unchanged.

    Raises:
        Unfit: it has a backslash sequence that is not defined, or refers to too many groups.
    """
    try:
        parse_replacement(text)
    except ValueError as error:
        raise Unfit(str(error)) from error
    return text


def missing_group(pattern: str, replacement: str) -> str | None:
    """Return the message for a group in the replacement that the pattern does not have; None if it has them all."""
    import re2

    compiled = re2.compile(pattern)
    for part in parse_replacement(replacement):
        if isinstance(part, str) or part.named in compiled.groupindex:
            continue
        if isinstance(part.named, str):
            return f"{part.written} names a group that the pattern lacks; write (?P<{part.named}>…) in the pattern"
        if part.named > compiled.groups:
            there = f"has {compiled.groups or 'none'}"
            return f"{part.written} is not a group of the pattern, which {there}; put ( ) round a part of the pattern"
    return None


@lru_cache(maxsize=4096)
def _fault_of(text: str) -> str | None:
    import re2  # late: most configurations have no rules

    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(text, options=options)
    except re2.error as error:
        told = error.args[0] if error.args else "it can't be read"
        return told.decode("utf-8", "replace") if isinstance(told, bytes) else str(told)
    return None
