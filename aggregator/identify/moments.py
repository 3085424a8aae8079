"""Two entries of one moment with the same short text: whether their titles have enough words in common.

Also whether other numbers in two titles tell of two stories. Decisions 0185 and 0154 tell why.
"""

from collections import Counter
from datetime import time

from aggregator.identify.budget import Steps
from aggregator.identify.forms import REWORDED, are_inflected
from aggregator.identify.telling import Telling, names_of, stems
from aggregator.identify.tokens import Titles, is_number, pieces_of, ratio, slot_of, tokens_of, weight

BRIEF = 48  # weight up to which the same text of one second is evidence: the rules of a thread are longer
EDITED_TITLE = 0.33  # similarity of titles over such a text
TOLD = 0.5  # share of the words of one of these titles that the text has, if the date has a time
HARDLY_KIN = 0.25  # the same of the other one
SAID = 2  # words that two titles over the same text of one date share with it
UNLIKE = 0.35  # similarity of titles below which they are not two issues of a series


def are_of_one_second(one: Telling, other: Telling, titles: Titles, steps: Steps) -> bool:
    """Return whether two entries of one second have the same text, or none, and their titles are like each other."""
    if one.instant is None or one.instant != other.instant or one.tokens != other.tokens:
        return False
    ours, theirs = (set(pieces_of(each.title)) for each in (one, other))
    shared = [piece for piece in ours & theirs if not any(map(is_number, piece))]
    if len(shared) == 1 and ours - theirs and theirs - ours:
        return False  # "Severe weather: Kent" and "Severe weather: Surrey"
    if not one.tokens:
        return titles in (Titles.WITHIN, Titles.ALIKE)
    if weight(one.tokens) > BRIEF:
        return False
    mine, others = tuple(tokens_of(one.title)), tuple(tokens_of(other.title))
    slot = slot_of(mine, others)
    is_filled = slot is not None and len(slot[0]) == len(slot[1]) and not all(map(are_inflected, *slot))
    return not is_filled and ratio(mine, others, steps) >= EDITED_TITLE


def are_of_one_moment(one: Telling, other: Telling) -> bool:
    """Return whether two entries of one date have the same text, and titles that share words with it.

    The date may be that of a whole day, as many feeds give it: then the titles have half of their words in common, of
    which the text has two, and no word stands in place of another. If the date has a time, one word that all three have
    is enough, where both titles have theirs from the text.
    """
    if one.published is None or one.published != other.published or one.tokens != other.tokens or one.is_short:
        return False
    mine, others = tuple(tokens_of(one.title)), tuple(tokens_of(other.title))
    slot = slot_of(mine, others)
    if slot is not None and len(slot[0]) == len(slot[1]) and not all(map(are_inflected, *slot)):
        return False
    kin = one.kinship, other.kinship
    shared = stems(mine) & stems(others)
    has_time = one.published.time() != time()  # not the date of a whole day
    if has_time and shared & stems(one.tokens) and min(kin) >= HARDLY_KIN and max(kin) >= TOLD:
        return True
    if len(shared) < REWORDED * min(len(stems(mine)), len(stems(others))):
        return False
    said = len(shared & stems(one.tokens))
    is_named = all(names_of(each.title) - set(rest) for each, rest in ((one, others), (other, mine)))
    return said >= SAID or (said > 0 and len(shared) >= 2 * SAID and not is_named)


def are_told(one: Telling, other: Telling, steps: Steps) -> bool:
    """Return whether titles with other numbers may be of one article, whose text decides.

    The titles are unlike, and both texts have all numbers; or one title has numbers more than the other, which its own
    text has: a report that went on has more to tell.
    """
    mine, others = tuple(tokens_of(one.title)), tuple(tokens_of(other.title))
    ours, theirs = (Counter(filter(is_number, title)) for title in (mine, others))
    if not (set(ours) <= set(one.tokens) and set(theirs) <= set(other.tokens)):
        return False
    more = (ours - theirs) + (theirs - ours)
    if (ours <= theirs or theirs <= ours) and all(len(number) > 1 for number in more):  # else of a version, an issue
        return True
    numbers = {*ours, *theirs}
    return ratio(mine, others, steps) < UNLIKE and numbers <= set(one.tokens) and numbers <= set(other.tokens)
