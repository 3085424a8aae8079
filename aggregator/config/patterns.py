"""Patterns of rules: regular expressions of re2, whose time grows with the text and no faster (S24)."""

import re
from functools import lru_cache

from aggregator.config.findings import Unfit
from aggregator.model.replacement import parse_replacement

MAX_PATTERN = 1000  # characters

_UNESCAPED = r"(?<!\\)(?:\\\\)*"  # an even number of backslashes, or none
_NOT_IN_RE2 = tuple(
    (re.compile(_UNESCAPED + form), advice)
    for form, advice in (
        (
            r"\(\?<?!",
            "it has no look-ahead or look-behind; write what must not match under exclude, and the rest of the pattern "
            "under include",
        ),
        (
            r"\(\?<?=",
            "it has no look-ahead or look-behind; write all that must match, in the order in which it comes (a.*b|b.*a "
            "if that may be either), and in rewrite ( ) round what is to stay, with \\1 in with",
        ),
        (r"\(\?>|[*+?}]\+", "it has no atomic groups, and needs none; write (?: ) for (?> ), and no + after * + ? }"),
        (r"\(\?\(", "it has no conditions; write one rule for each of the two cases"),
        (r"\\[1-9]|\(\?P=|\\k[<{']", "it has no references back to a group; write out what the group may be"),
    )
)


def pattern(text: str) -> str:
    """Read a pattern.

    Raises:
        Unfit: re2 takes none of it: no expression, or one with lookarounds or backreferences.
    """
    why = _fault_of(text)
    if why is not None:
        advice = next((advice for form, advice in _NOT_IN_RE2 if form.search(text)), None)
        if advice is not None:
            raise Unfit(f"is no pattern that re2 takes: {advice}")
        raise Unfit(f"is no pattern: {why}; write a regular expression that re2 takes, such as (?i)sponsored")
    return text


def replacement(text: str) -> str:
    """Read what takes a match's place.

    Raises:
        Unfit: a backslash in it means nothing, or it names too many groups.
    """
    try:
        parse_replacement(text)
    except ValueError as error:
        raise Unfit(str(error)) from error
    return text


def missing_group(pattern: str, replacement: str) -> str | None:
    """Say which group a replacement names that its pattern does not have, and what to write; None: it has all."""
    import re2

    compiled = re2.compile(pattern)
    for part in parse_replacement(replacement):
        if isinstance(part, str) or part.named in compiled.groupindex:
            continue
        if isinstance(part.named, str):
            return f"{part.written} names no group of the pattern; write (?P<{part.named}>…) there"
        if part.named > compiled.groups:
            there = f"has {compiled.groups or 'none'}"
            return f"{part.written} is no group of the pattern, which {there}; put in ( ) there what it is to be"
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
