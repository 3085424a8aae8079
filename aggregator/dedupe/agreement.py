"""Whether two entries that share a link or an id also say the same.

An equal link alone joins nothing: link blogs point to the article they comment on, and often take its title as well; so
where both sides have text of their own, the texts decide, and titles only where one side has none.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from aggregator.dedupe.tokens import numbers_of, tokens_of

MIN_TOKENS = 8  # a shorter text is no evidence
MAX_TOKENS = 2_000  # compared of each side
CONTAINED = 0.9  # share of the shorter text's shingles that the longer has: the texts agree by themselves
SUPPORTED = 0.6  # the same, where the titles agree as well: excerpts end in "[…] read more at"
SHINGLE = 3


@dataclass(frozen=True)
class Telling:
    """The title and the plain text of one entry, tokenised once, however often it is compared."""

    title: str
    text: str

    @cached_property
    def title_tokens(self) -> frozenset[str]:
        """The title as a set of tokens."""
        return frozenset(tokens_of(self.title))

    @cached_property
    def tokens(self) -> tuple[str, ...]:
        """The text, at most `MAX_TOKENS` of it."""
        return tuple(islice(tokens_of(self.text), MAX_TOKENS))

    @cached_property
    def shingles(self) -> frozenset[tuple[str, ...]]:
        """Runs of three tokens of the text."""
        return frozenset(_shingles(self.tokens))


def agree(one: Telling, other: Telling) -> bool:
    """Tell whether two entries say the same, so that a shared link or id means one story (DESIGN, section 8)."""
    if numbers_of(one.title) != numbers_of(other.title) and one.title and other.title:
        return False
    titles = titles_agree(one, other)
    if min(len(one.tokens), len(other.tokens)) < MIN_TOKENS:
        return titles
    short, long = sorted((one, other), key=lambda telling: len(telling.tokens))
    if not numbers_of(short.text) <= numbers_of(long.text):  # the same offer at another price is another story
        return False
    return containment(short, long) >= (SUPPORTED if titles else CONTAINED)


def are_kin(one: Telling, other: Telling) -> bool:
    """Tell whether two entries under one `urn:` or `tag:` id can be two states of one story.

    Their ids are made to be unique, yet `urn:post:1` and the example of RFC 4287 are found in many feeds.
    """
    if titles_agree(one, other):
        return True
    short, long = sorted((one, other), key=lambda telling: len(telling.tokens))
    return len(short.tokens) >= MIN_TOKENS and containment(short, long) >= SUPPORTED


def titles_agree(one: Telling, other: Telling) -> bool:
    """Tell whether at least half of the longer title's tokens are shared."""
    shared = len(one.title_tokens & other.title_tokens)
    return shared > 0 and 2 * shared >= max(len(one.title_tokens), len(other.title_tokens))


def containment(short: Telling, long: Telling) -> float:
    """Say which share of the shorter text stands in the longer one, 0 to 1."""
    return len(short.shingles & long.shingles) / max(1, len(short.shingles))


def _shingles(tokens: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    return (tokens[i : i + SHINGLE] for i in range(max(1, len(tokens) - SHINGLE + 1)))
