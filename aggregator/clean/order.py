"""Whether a publisher writes the day or the month first: 03/04/2025 says it nowhere, the dates around it may."""

import re
from collections.abc import Iterable

_FIGURES = re.compile(r"(?<![\d/.-])(\d{1,2})([/-])(\d{1,2})\2\d{4}(?![\d/.-])")
_MONTH_FIRST = frozenset({"en-US"})
_YEAR_FIRST = frozenset("fa hu ja ko lt mn zh".split())  # 03/04/2025 is nobody's habit there


def day_first(dates: Iterable[str | None], language: str | None) -> bool | None:
    """Say in which order a document writes its dates.

    The document's own dates count first: those that can be read in one way only. Where they are silent, its language
    does; English without a country does not, since its countries differ.

    Args:
        dates: all of the document, as written.
        language: BCP 47.

    Returns:
        None if nothing tells, or if the dates contradict each other; then what can be read in two ways is no date.
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
