"""Whether one text stands in another: an agency's, framed by a paper in sentences of its own, or a report that grew.

A sequel repeats such a text as well, but it begins with its news, leaves out what was said first, and has other
figures. An author's note and a sponsor's text stand behind another beginning. Decision 0197 tells why, with figures.
"""

from collections.abc import Sequence
from datetime import timedelta

from aggregator.identify.alignment import Alignment, Gap
from aggregator.identify.telling import KIN, Telling, kinship_of, may_be_names, runs_of
from aggregator.identify.tokens import holds, is_number, tokens_of, weight

DAY = timedelta(hours=22)  # less than the time between two issues of a series
HOURS = timedelta(hours=12)  # within which a paper's own beginning may be long
LEAST, LEAST_LATER = 45, 100  # tokens; of texts that are not of the same hours
OWN = 8  # tokens in a row that the paper has of its own; else the other rules decide
WITHIN = 0.85  # share of the shorter text that stands in the longer one, in runs of tokens
WITHIN_SOON, UNBROKEN = 0.6, 0.9  # of texts of the same hours: cut at its end as well, and hardly edited
BEGUN = 24  # tokens with which the shorter text begins
BEGUN_WITHIN = 0.8  # share of them that the longer text has
# Tokens that a paper tells before half of what both share, for each shared one: at most 0.21 in papers' copies of 30
# agencies' texts, 0.31 to 0.8 in sequels.
OWN_FIRST, OWN_FIRST_SOON = 0.25, 0.6  # of a text of the same hours
GROWN = 12  # weight of a sentence
SAID = 0.5  # share of the words that only one title has, which this sentence has


def least_within(one: Telling, other: Telling) -> float:
    """Return the share of the shorter text that the longer one must have at least."""
    return WITHIN_SOON if are_of_hours(one, other) else WITHIN


def least_tokens(one: Telling, other: Telling) -> int:
    """Return how many tokens both must share at least."""
    return LEAST if are_of_hours(one, other) else LEAST_LATER


def are_of_hours(one: Telling, other: Telling) -> bool:
    """Return whether both entries have a date, and were published within hours."""
    return one.published is not None and other.published is not None and abs(one.published - other.published) <= HOURS


def are_within_a_day(one: Telling, other: Telling) -> bool:
    """Return whether both entries have a date, and a paper may have taken one from the other."""
    return one.published is not None and other.published is not None and abs(one.published - other.published) <= DAY


def is_framed(one: Telling, other: Telling, texts: Alignment) -> bool:
    """Return whether one text stands in the other, with its beginning, and framed by the other's own sentences.

    The words of one title are in what they share, and no word that one text has in place of another is in a title: a
    form tells in its title what it was filled in with.
    """
    if not are_within_a_day(one, other) or texts.changed or texts.core < least_tokens(one, other):
        return False
    return any(
        _stands_in(text, framed, texts)
        for text, framed in ((one, other), (other, one))
        if len(text.tokens) <= len(framed.tokens) or are_of_hours(one, other)  # else nothing was cut
    )


def _stands_in(text: Telling, framed: Telling, texts: Alignment) -> bool:
    """Return whether a paper put one text between sentences of its own; it may have cut its end."""
    there = set(framed.tokens)
    begun = [token in there for token in text.tokens[:BEGUN]]
    if sum(begun) < BEGUN_WITHIN * len(begun):
        return False
    held, framed_held = _held(text, framed), _held(framed, text)
    shared = [token for token, is_held in zip(text.tokens, held, strict=True) if is_held]
    within, is_soon = len(shared) / min(len(held), len(framed_held)), are_of_hours(text, framed)
    is_whole = within >= WITHIN and all(token in there for token in text.tokens if is_number(token))
    inner = held.strip(b"\0")
    is_cut = is_soon and within >= WITHIN_SOON and inner.count(1) >= UNBROKEN * len(inner)
    if not (is_whole or is_cut) or max(map(len, framed_held.split(b"\1"))) < OWN:
        return False
    if _own_first(framed_held) > (OWN_FIRST_SOON if is_soon else OWN_FIRST) * len(shared):
        return False
    return max(kinship_of(each.title, shared) for each in (text, framed)) >= KIN and not any(
        _is_told(gap, text, framed) or _is_told(gap, framed, text) for gap in texts.gaps
    )


def has_grown(one: Telling, other: Telling, texts: Alignment, slot: tuple[Sequence[str], Sequence[str]]) -> bool:
    """Return whether one text has sentences more, and nothing else, which tell what only its title says.

    Args:
        one: an entry.
        other: another of the same day.
        texts: both side by side.
        slot: what each title has in place of the other's words.
    """
    ours, theirs = [gap.ours for gap in texts.gaps], [gap.theirs for gap in texts.gaps]
    for added, lacking, told in ((ours, theirs, slot[0]), (theirs, ours, slot[1])):
        if not any(lacking) and sum(map(weight, added)) >= GROWN:
            said = [token for part in added for token in part]
            return texts.core >= LEAST and kinship_of(" ".join(told), said) >= SAID
    return False


def share_moved(one: Telling, other: Telling, least: int = 1) -> float:
    """Return the share of each text, the smaller one, that the other has in whatever order.

    Args:
        one: an entry.
        other: another.
        least: tokens that each text must have; else 0 is returned.
    """
    if min(len(one.tokens), len(other.tokens)) < least:
        return 0.0
    return min(sum(held) / len(held) for held in (_held(one, other), _held(other, one)))


def _held(one: Telling, other: Telling) -> bytearray:
    """Return for each token of a text whether it stands in the other one, in a run."""
    held = bytearray(len(one.tokens))
    for start, run in enumerate(runs_of(one.tokens)):
        if run in other.runs:
            held[start : start + len(run)] = b"\1" * len(run)
    return held


def _own_first(held: bytearray) -> int:
    """Return how many tokens of a text before the middle one that is held are not."""
    places = [place for place, is_held in enumerate(held) if is_held]
    middle = len(places) // 2
    return places[middle] - middle


def _is_told(gap: Gap, one: Telling, other: Telling) -> bool:
    """Return whether a title, and not the other one, has words that its text has in place of others."""
    if not gap.ours or not gap.theirs or not gap.start or not gap.other_start:
        return False
    mine, others = tuple(tokens_of(one.title)), tuple(tokens_of(other.title))
    return any(
        holds(mine, words) and not holds(others, words) and may_be_names(words) for words in (gap.ours, gap.theirs)
    )
