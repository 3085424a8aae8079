"""Patterns of rules: regular expressions of re2, whose time grows with the text and no faster (S24)."""

from functools import lru_cache

from aggregator.config.findings import Unfit
from aggregator.model.replacement import parse_replacement

MAX_PATTERN = 1000  # characters


def pattern(text: str) -> str:
    """Read a pattern.

    Raises:
        Unfit: re2 takes none of it: no expression, or one with lookarounds or backreferences.
    """
    why = _fault_of(text)
    if why is not None:
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
