"""Comparison of two entries by title and text: whether they tell the same story.

In doubt, two stories. What an agency, an editor or a site adds before and after a text is ignored where the titles are
the same, alike, or one contains the other. Numbers that differ inside a text make it another story, however similar the
rest is, unless they are corrections of the same day. Decisions 0185, 0187, 0154 and 0197 tell why, with the
figures.
"""

from dataclasses import dataclass
from itertools import pairwise
from operator import or_

from aggregator.identify.alignment import Alignment
from aggregator.identify.budget import Steps, TooCostly
from aggregator.identify.forms import (
    EDITED,
    LEAD,
    ONE_TITLE,
    RETITLED_SOON,
    is_corrected,
    is_corrected_title,
    is_filled_in,
    is_form,
    is_mistyped,
)
from aggregator.identify.moments import UNLIKE, are_of_one_moment, are_of_one_second, are_told
from aggregator.identify.passages import (
    LEAST,
    are_of_hours,
    are_within_a_day,
    is_framed,
    least_tokens,
    least_within,
    share_moved,
)
from aggregator.identify.telling import (
    KIN,
    MIN_TITLE,
    Telling,
    are_days_apart,
    are_soon,
    are_strangers,
    are_telling,
)
from aggregator.identify.tokens import (
    Titles,
    compare_titles,
    holds,
    is_number,
    ratio,
    tokens_of,
)
from aggregator.model.settings import NEAR

# Titles, and texts that are hardly longer than titles. Weights count as in `weight`.
MIN_EXCERPT = 8  # weight of a title over a text that is part of the other's
# Texts under one title. The next issue of a form or a series comes a day later at the earliest.
CORE = 0.6  # share of the shorter text that lies between its head and its tail
ISSUE = 32  # weight of words in place of others, in one place, from which a text of another day is another issue
BEGINS = 16  # tokens before the same text, from which a text of another day under another title is a sequel
MOVED = 0.75  # share of each text that the other has in another order, or with other paragraphs between
MOVED_LATER = 0.9  # the same of texts that are not of one day: issues of a series repeat what is around their news
WHOLE = 0.95  # share of the shorter text that another one of the same hours has, which has passages more
# Texts under one link.
LINKED = 0.8  # similarity where the titles are alike
EXCERPT = 0.9  # share of the shorter text that is part of the longer
# Texts under a title that an editor changed, or wrote anew. A short one may be a form that each issue fills in.
EDITED_ALIKE = 0.8  # share of the shorter text that the other has then
LEAD_BEGINS = 30  # tokens before it, at most: an agency's head, an introduction
LEAD_ALIKE = 0.95  # share of the shorter text
MOVED_ALL = 0.98  # share of each text that the other has in another order: nobody does that with a form
EXCERPT_OF = 1.5  # times as long as an excerpt the whole text is at least, or it is an edit of it
RETITLED = 300  # tokens under any other title
RETITLED_KIN = 100  # tokens where a title has its words from the text; a form has others than its titles
RETITLED_ALIKE = 0.98  # similarity of both
# A paper edits what an agency wrote: entries of one day, where both titles have their words from the text.
RETITLED_LONG = 150  # tokens
RETITLED_EDITED = 0.95  # similarity
RETITLED_WITHIN = 0.92  # share of the shorter text, of entries of one day: an agency's head and name are not in both


@dataclass(frozen=True, slots=True)
class Likeness:
    """Result of comparing two entries."""

    is_same: bool
    similarity: float  # of the texts between their heads and tails, 0 to 1
    because: str  # the reason, for `why`
    is_compared: bool = True  # False: comparing would have cost too much, so they count as two stories


NOT_COMPARED = Likeness(False, 0.0, "too costly to compare", is_compared=False)


def likeness(one: Telling, other: Telling, *, linked: bool = False, near: float = NEAR) -> Likeness:
    """Compare two entries.

    Args:
        one: an entry.
        other: another.
        linked: they have one link, or one id that is unlikely to occur twice by chance.
        near: the similarity that is required, 0 to 1.
    """
    try:
        return _likeness(one, other, linked=linked, near=near, steps=Steps())
    except TooCostly:
        return NOT_COMPARED


def _likeness(one: Telling, other: Telling, *, linked: bool, near: float, steps: Steps) -> Likeness:
    if not linked and are_strangers(one, other):  # first, since it costs less than to compare titles
        return Likeness(False, 0.0, "the texts differ")
    titles = compare_titles(one.title, other.title, steps)
    is_corrected_there = titles is Titles.NUMBERS and is_corrected_title(one, other)
    if is_corrected_there:
        titles = Titles.SAME
    elif titles is Titles.NUMBERS and are_told(one, other, steps):
        titles = Titles.OTHER
    if titles is Titles.NUMBERS:
        if not linked and _is_framed_strangely(one, other, steps, near):
            return Likeness(True, 1.0, "same passages under another title")
        return Likeness(False, 0.0, "numbers differ in the titles")
    if not is_corrected_there and (are_of_one_second(one, other, titles, steps) or are_of_one_moment(one, other)):
        return Likeness(True, 1.0, "like titles of the same second")
    if one.is_short or ((linked or titles is not Titles.OTHER) and other.is_short):
        return _by_title(one, other, titles, linked=linked)
    if not linked and not may_be_near(one, other, titles, near):
        return Likeness(False, 0.0, "the texts differ")
    texts = Alignment.of(one.tokens, other.tokens, steps)
    if titles is Titles.ALIKE and is_mistyped(one, other, texts, steps):
        titles = Titles.SAME
    if not linked and titles in (Titles.ALIKE, Titles.OTHER) and is_form(one, other, texts):
        return Likeness(False, texts.inner, "one form, filled in for another title")
    if (texts.changed or is_corrected_there) and not is_corrected(one, other, texts, titles, linked=linked):
        return Likeness(False, texts.inner, "numbers differ in the texts")
    if not linked and titles is Titles.OTHER and texts.inner >= near and is_framed(one, other, texts):
        return Likeness(True, texts.inner, "same passages under another title")
    if not linked and (texts.is_refilled(steps) or is_filled_in(one, other, texts, titles, steps)):
        return Likeness(False, texts.inner, "one form, filled in with another name")
    return _by_text(one, other, texts, titles, linked=linked, near=near)


def may_be_versions(one: Telling, other: Telling) -> bool | None:
    """Return whether two entries under one `urn:` or `tag:` id can be two versions of one story.

    Such ids are made to be unique, yet `urn:post:1` and the example of RFC 4287 are found in many feeds.

    Returns:
        None if comparing would cost too much.
    """
    try:
        return _may_be_versions(one, other, Steps())
    except TooCostly:
        return None


def _may_be_versions(one: Telling, other: Telling, steps: Steps) -> bool:
    apart = (Titles.OTHER, Titles.NUMBERS)
    if one.title and other.title and compare_titles(one.title, other.title, steps) not in apart:
        return True
    if one.is_short or other.is_short:
        return False
    return Alignment.of(one.tokens, other.tokens, steps).of_shorter >= CORE


def may_be_near(one: Telling, other: Telling, titles: Titles, near: float) -> bool:
    """Return whether two texts under different links share enough tokens for `_by_text` to find one story.

    Each run of an alignment has `_BLOCK` tokens or more, so each of its tokens is in a pair that both texts have.
    Counting these costs 0.1 ms, an alignment 1 to 5 ms, and most candidates share no more than a title or a sentence.
    """
    if titles in ONE_TITLE:
        least, enough = CORE, 0
    elif titles is Titles.ALIKE:
        least, enough = EDITED_ALIKE, LEAD
    elif are_within_a_day(one, other):
        least, enough = least_within(one, other), least_tokens(one, other)
    else:
        least, enough = _share_retitled(one, other), _least_retitled(one, other)
    if len(one.tokens) < enough or len(other.tokens) < enough:  # the other's text is not even read then
        return False
    short = min(len(one.tokens), len(other.tokens))
    there = list(map(one.pairs.__contains__, pairwise(other.tokens)))
    most: int = sum(map(or_, [False, *there], [*there, False]))
    return most / short >= least


def _is_framed_strangely(one: Telling, other: Telling, steps: Steps, near: float) -> bool:
    """Return whether one text stands in the other under a title that has nothing of the other's, nor its numbers."""
    mine, others = tuple(tokens_of(one.title)), tuple(tokens_of(other.title))
    ours, theirs = (set(filter(is_number, title)) for title in (mine, others))
    if ours & theirs or one.is_short or not are_within_a_day(one, other) or ratio(mine, others, steps) >= UNLIKE:
        return False
    if not may_be_near(one, other, Titles.OTHER, near):
        return False
    texts = Alignment.of(one.tokens, other.tokens, steps)
    return texts.inner >= near and is_framed(one, other, texts)


def _by_title(one: Telling, other: Telling, titles: Titles, *, linked: bool) -> Likeness:
    """Compare entries of which at least one has hardly any text."""
    short, long = sorted((one.tokens, other.tokens), key=len)
    enough = min(one.title_weight, other.title_weight)
    if titles is Titles.SAME and (linked or short == long or (not short and enough >= MIN_TITLE)):
        return Likeness(True, 1.0, "same title")
    if titles in ONE_TITLE and short and enough >= MIN_EXCERPT and holds(long, short):
        return Likeness(True, 1.0, "same title, and the text of one stands in the other's")
    if titles is Titles.WITHIN and linked:
        return Likeness(True, 1.0, "same link, and one title goes on where the other ends")
    return Likeness(False, 0.0, "too little text to go by")


def _by_text(one: Telling, other: Telling, texts: Alignment, titles: Titles, *, linked: bool, near: float) -> Likeness:
    differs = Likeness(False, texts.inner, "the texts differ")
    is_news = texts.replaced >= ISSUE or (titles not in ONE_TITLE and texts.begins >= BEGINS)
    is_other_issue = is_news and are_days_apart(one, other)
    if titles in ONE_TITLE:
        if texts.inner >= near and texts.of_shorter >= CORE and not is_other_issue:
            return Likeness(True, texts.inner, "same title, same text")
        moved = share_moved(one, other)
        if near <= NEAR and are_of_hours(one, other) and texts.core >= LEAST and texts.of_shorter >= WHOLE:
            return Likeness(True, texts.inner, "same title, and the text of one stands in the other's")
        if moved < (MOVED if near <= NEAR and are_soon(one, other) else max(near, MOVED_LATER)):
            return differs
        return Likeness(True, moved, "same title, same text in other paragraphs")
    if linked:
        least = LINKED if titles is Titles.ALIKE else EXCERPT
        if texts.inner < min(least, near) or texts.of_shorter < least:
            return differs
        return Likeness(True, texts.inner, "same link, agreeing text")
    if is_other_issue:
        return differs
    if titles is Titles.ALIKE and (found := _by_edited_title(one, other, texts, near)) is not None:
        return found
    if texts.core < RETITLED and (texts.core < _least_retitled(one, other) or max(one.kinship, other.kinship) < KIN):
        return Likeness(False, texts.inner, "other titles, and the text may be a form")
    is_edited = texts.core >= RETITLED_LONG and are_soon(one, other) and min(one.kinship, other.kinship) >= KIN
    if texts.inner < max(near, RETITLED_EDITED if is_edited else RETITLED_ALIKE):
        return differs
    if texts.of_shorter < _share_retitled(one, other):
        return differs
    return Likeness(True, texts.inner, "same text under another title")


def _by_edited_title(one: Telling, other: Telling, texts: Alignment, near: float) -> Likeness | None:
    """Return that two entries are one story under an edited title; None if nothing shows that."""
    if (
        min(one.title_weight, other.title_weight) >= MIN_EXCERPT
        and texts.core >= EDITED
        and texts.inner >= near
        and texts.of_shorter >= EDITED_ALIKE
    ):
        return Likeness(True, texts.inner, "same text under an edited title")
    if are_of_hours(one, other) and texts.of_shorter < MOVED_ALL <= share_moved(one, other, EDITED):
        return Likeness(True, MOVED_ALL, "same text in other paragraphs under an edited title")
    if (
        are_of_hours(one, other)
        and texts.core >= LEAD
        and not texts.begins
        and min(texts.inner, texts.of_shorter) >= MOVED_ALL
        and max(len(one.tokens), len(other.tokens)) >= EXCERPT_OF * texts.core
    ):
        return Likeness(True, texts.inner, "same beginning under an edited title")
    if not are_telling(one, other):
        return None
    if (
        are_soon(one, other)
        and texts.core >= LEAD
        and texts.begins <= LEAD_BEGINS
        and min(texts.inner, texts.of_shorter) >= max(near, LEAD_ALIKE)
    ):
        return Likeness(True, texts.inner, "same beginning under an edited title")
    if (moved := share_moved(one, other, EDITED)) >= max(near, MOVED_LATER):
        return Likeness(True, moved, "same text in other paragraphs under an edited title")
    return None


def _least_retitled(one: Telling, other: Telling) -> int:
    """Return how many tokens two texts must have that are one story under other titles."""
    return RETITLED_SOON if are_soon(one, other) else RETITLED_KIN


def _share_retitled(one: Telling, other: Telling) -> float:
    """Return the share of the shorter of two such texts that the other has."""
    return RETITLED_WITHIN if are_soon(one, other) else RETITLED_ALIKE
