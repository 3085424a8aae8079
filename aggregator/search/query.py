"""What somebody types into a search box, in the words of SQLite's FTS5. No text leads to an error.

Words and numbers are looked for as they are, in any order; "several words" as they stand; what a `-` is before must not
be there. A run of Chinese, Japanese or Korean is a phrase of its characters, as in the index: no dictionary decides
what is a word. Traditional and simplified characters are the same, and so are Arabic and Hebrew words with points and
without.
"""

import re
from dataclasses import dataclass

from aggregator.identify.tokens import tokens_of

MAX_LENGTH = 200  # characters (S57)
MAX_TERMS = 16
MAX_TOKENS = 40  # of all terms

_TERM = re.compile(r'(-?)(?:"([^"]*)"?|([^\s"]+))')


@dataclass(frozen=True, slots=True)
class Query:
    """A question."""

    text: str  # as it was typed, blanks collapsed
    match: str  # in FTS5's words; empty if there is nothing to look for
    terms: tuple[tuple[str, ...], ...]  # the tokens of what has to be there


def parse_query(text: str) -> Query:
    """Read a question; what is beyond the limits counts as not asked."""
    text = " ".join(text[:MAX_LENGTH].split())
    wanted: list[tuple[str, ...]] = []
    unwanted: list[tuple[str, ...]] = []
    room = MAX_TOKENS
    for minus, phrase, word in _TERM.findall(text)[:MAX_TERMS]:
        tokens = tuple(tokens_of(phrase or word))[:room]
        room -= len(tokens)
        if tokens:
            (unwanted if minus else wanted).append(tokens)
    if not wanted:
        return Query(text, "", ())
    match = " AND ".join(map(_phrase, wanted))
    if unwanted:
        match = f"({match}) NOT ({' OR '.join(map(_phrase, unwanted))})"
    return Query(text, match, tuple(wanted))


def _phrase(tokens: tuple[str, ...]) -> str:
    return '"' + " ".join(tokens) + '"'  # tokens are letters and digits: there is no quote in them
