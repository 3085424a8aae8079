"""Patterns of rules: regular expressions of re2, whose time grows with the text and no faster (S24)."""

import re
from functools import lru_cache

from aggregator.config.findings import Unfit

MAX_PATTERN = 1000  # characters
MAX_GROUPS = 20  # that a replacement may name: each is as long as a text at most
_GROUP = re.compile(r"\\(?:[0-9]|g<)")


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
        Unfit: it names so many groups that a text may grow without bound.
    """
    if len(_GROUP.findall(text)) > MAX_GROUPS:
        raise Unfit(f"names over {MAX_GROUPS} groups; write fewer")
    return text


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
