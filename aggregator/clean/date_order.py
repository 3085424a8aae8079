"""Finds whether a publisher writes the day or the month first, from the unambiguous dates of a document."""

import re
from collections.abc import Iterable

_FIGURES = re.compile(r"(?<![\d/.-])(\d{1,2})([/-])(\d{1,2})\2\d{4}(?![\d/.-])")
_MONTH_FIRST = frozenset({"en-US"})
_YEAR_FIRST = frozenset("fa hu ja ko lt mn zh".split())  # these languages do not write 03/04/2025


def is_in_figures(date: str) -> bool:
    """Return whether a date is written in figures, such as 3/4/2025, whose order other dates of the document tell."""
    return _FIGURES.search(date) is not None


def day_first(dates: Iterable[str | None], language: str | None) -> bool | None:
    """Return whether a document writes the day before the month.

    The unambiguous dates of the document decide. If there are none, its language decides, except English without a
    country, since English-speaking countries differ.

    Args:
        dates: all dates of the document, as written.
        language: BCP 47.

    Returns:
        None if the order is unknown or the dates contradict each other; then ambiguous dates are not read.
    """
    seen: set[bool] = set()
    for text in dates:
        figures = _FIGURES.search(text) if text else None
        if figures is None:
            continue
        first, second = int(figures[1]), int(figures[3])
        if first > 12 >= second:
            seen.add(True)
        elif second > 12 >= first:
            seen.add(False)
    if seen:
        return seen.pop() if len(seen) == 1 else None
    if language is None or language == "en":
        return None
    if language in _MONTH_FIRST:
        return False
    return None if language.partition("-")[0] in _YEAR_FIRST else True
