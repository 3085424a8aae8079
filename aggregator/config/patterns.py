"""Patterns of rules: regular expressions of re2, whose time grows with the text and no faster (S24)."""

from functools import lru_cache

from aggregator.config.findings import Unfit

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
