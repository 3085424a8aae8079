"""Translates the text of a search box into a query of SQLite's FTS5. No text leads to an error.

Words and numbers match exactly, in any order. "Several words" in quotes match as a phrase. A term after `-` must not
occur. A run of Chinese, Japanese or Korean characters matches as a phrase of single characters, as in the index,
without a dictionary of words. Traditional and simplified characters are equal, and so are Arabic and Hebrew words with
and without vowel points.
"""

import re
from dataclasses import dataclass

from aggregator.identify.tokens import tokens_of

MAX_LENGTH = 200  # characters (S57)
MAX_TERMS = 16
MAX_TOKENS = 40  # in all terms together

_TERM = re.compile(r'(-?)(?:"([^"]*)"?|([^\s"]+))')


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query."""

    text: str  # as typed, with blanks collapsed
    match: str  # FTS5 expression; empty if the query has no search terms
    terms: tuple[tuple[str, ...], ...]  # the tokens of each required term


def parse_query(text: str) -> Query:
    """Parse a query. Text beyond the limits is ignored."""
    text = " ".join(text[:MAX_LENGTH].split())
    required: list[tuple[str, ...]] = []
    excluded: list[tuple[str, ...]] = []
    remaining = MAX_TOKENS
    for minus, phrase, word in _TERM.findall(text)[:MAX_TERMS]:
        tokens = tuple(tokens_of(phrase or word))[:remaining]
        remaining -= len(tokens)
        if tokens:
            (excluded if minus else required).append(tokens)
    if not required:
        return Query(text, "", ())
    match = " AND ".join(map(_phrase, required))
    if excluded:
        match = f"({match}) NOT ({' OR '.join(map(_phrase, excluded))})"
    return Query(text, match, tuple(required))


def _phrase(tokens: tuple[str, ...]) -> str:
    return '"' + " ".join(tokens) + '"'  # tokens contain letters and digits only, never a quote
