"""Title and text of an entry, tokenised once, and what relates two of them: their dates, what their titles tell."""

from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from itertools import islice, pairwise
from operator import or_

from aggregator.identify.tokens import STEM, folded, is_part, marks_of, tokens_of, weight, without_boilerplate

MAX_TOKENS = 1_500  # compared of each side
MAX_CHARACTERS = 65_536  # of a text, from which the tokens are taken: folding costs time for the whole length
MIN_TEXT = 16  # weight; a shorter text is not evidence by itself
MIN_TITLE = 12  # weight of a title that is evidence alone, where there is no text
KIN = 0.33  # share of the words of a title that the text has as well, from which the title tells of the text
SOON = timedelta(hours=18)  # between two entries of one day
LETTERS = 200  # of a text, from which pieces are looked for in the other one
PIECES, LEAST_PIECES = 24, 8  # of 2,062 twins each has 9 or more, articles of one pool of sentences up to 7
PIECE, PIECE_CJK = 16, 6  # letters: three or four words
RUN = 4  # tokens that count as shared wherever they stand


@dataclass(frozen=True)
class Telling:
    """Title and plain text of one entry, tokenised once, however often they are compared."""

    title: str
    text: str
    published: datetime | None = None  # its own date

    @cached_property
    def tokens(self) -> tuple[str, ...]:
        """Tokens of the text, at most `MAX_TOKENS`."""
        return _tokens_of_text(self.text)

    @cached_property
    def letters(self) -> str:
        """The text in the form in which it is compared, without blanks; this costs a tenth of its tokens."""
        return folded(self.text[:MAX_CHARACTERS]).replace(" ", "")

    @cached_property
    def pairs(self) -> frozenset[tuple[str, str]]:
        """Pairs of consecutive tokens of the text."""
        return frozenset(pairwise(self.tokens))

    @cached_property
    def runs(self) -> frozenset[tuple[str, ...]]:
        """Runs of `RUN` consecutive tokens of the text."""
        return frozenset(runs_of(self.tokens))

    @cached_property
    def marks(self) -> frozenset[int]:
        """Places of the tokens before which a mark ends a sentence or a head; the first and the end as well."""
        return marks_of(without_boilerplate(self.text[:MAX_CHARACTERS]), len(self.tokens))

    @cached_property
    def names(self) -> frozenset[str]:
        """Words that may be names: with a capital, or of a script without capitals."""
        return names_of(self.text[:MAX_CHARACTERS])

    @cached_property
    def is_short(self) -> bool:
        """Whether the text is not evidence by itself."""
        return weight(self.tokens[:MIN_TEXT]) < MIN_TEXT  # no token weighs less than 1

    @cached_property
    def title_weight(self) -> int:
        """Weight of the title, see `weight`."""
        return weight(tokens_of(self.title))

    @property
    def instant(self) -> datetime | None:
        """Its own date, if that has seconds: one that was rounded to a minute or a day is shared by many entries."""
        return self.published if self.published is not None and self.published.second else None

    @cached_property
    def kinship(self) -> float:
        """Share of the words of the title that the text has as well."""
        return kinship_of(self.title, self.tokens)


def kinship_of(title: str, tokens: Sequence[str]) -> float:
    """Return the share of the words of a title that are among tokens, by their first letters: endings vary."""
    words, begun = tuple(tokens_of(title)), {token[:STEM] for token in tokens}
    shared = [word[:STEM] in begun for word in words if len(word) >= STEM - 1]
    if any(all(map(is_part, pair)) for pair in pairwise(words)):
        pairs = set(pairwise(tokens))
        parts = [pair in pairs for pair in pairwise(words) if all(map(is_part, pair))]
        shared += map(or_, [False, *parts], [*parts, False])
    return sum(shared) / len(shared) if shared else 0.0


def names_of(text: str) -> frozenset[str]:
    """Return the words that have a capital, or are of a script without capitals."""
    words = (word for word in text.split() if word != word.lower() or word.lower() == word.upper())
    return frozenset(tokens_of(" ".join(words)))


def may_be_names(words: Iterable[str]) -> bool:
    """Return whether one of some words is long enough for a name, or of a script in which a sign is a word."""
    return any(len(word) >= STEM - 1 or word[0] >= "\u2e80" for word in words)


@lru_cache(64)  # the bands of a new entry, each comparison with it, and the candidates that documents share
def _tokens_of_text(text: str) -> tuple[str, ...]:
    return tuple(islice(tokens_of(without_boilerplate(text[:MAX_CHARACTERS])), MAX_TOKENS))


def runs_of(tokens: Sequence[str]) -> Iterator[tuple[str, ...]]:
    return zip(*(tokens[start:] for start in range(RUN)), strict=False)


def stems(tokens: Iterable[str]) -> Set[str]:
    return {token[:STEM] for token in tokens if len(token) >= STEM - 1}


def are_strangers(one: Telling, other: Telling) -> bool:
    """Return whether two texts have so little in common that counting it exactly is not worth the time.

    Pieces of the shorter text are looked for in the longer one, in whatever order they stand there.
    """
    short, long = sorted((one.letters, other.letters), key=len)
    if len(short) < LETTERS:
        return False
    step = (len(short) - PIECE) / (PIECES - 1)
    pieces = (short[place : place + PIECE] for place in (round(step * number) for number in range(PIECES)))
    found = sum((piece[:PIECE_CJK] if piece[0] >= "\u2e80" else piece) in long for piece in pieces)
    return found < LEAST_PIECES


def are_soon(one: Telling, other: Telling) -> bool:
    """Return whether both entries have a date, and were published within hours."""
    return one.published is not None and other.published is not None and not are_days_apart(one, other)


def are_days_apart(one: Telling, other: Telling) -> bool:
    """Return whether both entries have a date, and the later one may be the next issue of a series."""
    if one.published is None or other.published is None:
        return False
    return abs(one.published - other.published) > SOON


def are_telling(one: Telling, other: Telling) -> bool:
    """Return whether the titles tell a story, not what kind of text follows.

    They have six words, and one of them has its words from the text. "Nurse wanted" and "Match report" have not.
    """
    return min(one.title_weight, other.title_weight) >= MIN_TITLE and max(one.kinship, other.kinship) >= KIN
