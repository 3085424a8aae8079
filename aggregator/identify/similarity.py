"""Comparison of two entries by title and text: whether they tell the same story.

In doubt, two stories. What an agency, an editor or a site adds before and after a text is ignored where the titles are
the same, alike, or one contains the other. Numbers that differ inside a text make it another story, however similar the
rest is, unless they are corrections of the same day. Decisions 0185, 0187 and 0154 tell why, with the figures.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cached_property, lru_cache
from itertools import islice, pairwise
from operator import or_

from aggregator.identify.alignment import Alignment, are_mistyped, are_spellings
from aggregator.identify.budget import Steps, TooCostly
from aggregator.identify.tokens import (
    STEM,
    Titles,
    compare_titles,
    holds,
    is_number,
    is_part,
    marks_of,
    pieces_of,
    ratio,
    slot_of,
    tokens_of,
    weight,
    without_boilerplate,
)
from aggregator.model.settings import NEAR

MAX_TOKENS = 1_500  # compared of each side
MAX_CHARACTERS = 65_536  # of a text, from which the tokens are taken: folding costs time for the whole length
# Titles, and texts that are hardly longer than titles. Weights count as in `weight`.
MIN_TEXT = 16  # weight; a shorter text is not evidence by itself
MIN_TITLE = 12  # weight of a title that is evidence alone, where there is no text
MIN_EXCERPT = 8  # weight of a title over a text that is part of the other's
BRIEF = 48  # weight up to which the same text of one second is evidence: the rules of a thread are longer
EDITED_TITLE = 0.33  # similarity of titles over such a text
TYPED = 0.9  # similarity of their letters, where a blank is wrong as well
TYPING = 2  # words of a text with other letters, from which those of the title are errors as well
TOLD = 0.5  # share of the words of one of these titles that the text has, if the date has a time
SAID = 2  # words that two titles over the same text of one date share with it
UNLIKE = 0.35  # similarity of titles below which they are not two issues of a series
# Texts under one title. The next issue of a form or a series comes a day later at the earliest.
CORE = 0.6  # share of the shorter text that lies between its head and its tail
SOON = timedelta(hours=18)  # between two entries of one day
ISSUE = 32  # weight of words in place of others, in one place, from which a text of another day is another issue
BEGINS = 16  # tokens before the same text, from which a text of another day under another title is a sequel
MOVED = 0.75  # share of each text that the other has in another order, or with other paragraphs between
MOVED_LATER = 0.9  # the same of texts that are not of one day: issues of a series repeat what is around their news
# Texts under one link.
LINKED = 0.8  # similarity where the titles are alike
EXCERPT = 0.9  # share of the shorter text that is part of the longer
LONG = 200  # tokens; in such a text a number in fifty may differ: a counter, a corrected figure
FIGURES = 0.02
# Texts under a title that an editor changed, or wrote anew. A short one may be a form that each issue fills in.
REWORDED = 0.5  # share of the words of one phrase that another one has, in another order or form
EDITED = 60  # tokens where the titles are alike
EDITED_ALIKE = 0.8  # share of the shorter text that the other has then
LEAD = 24  # tokens with which an article begins, and which are all of the other text
LEAD_BEGINS = 30  # tokens before it, at most: an agency's head, an introduction
LEAD_ALIKE = 0.95  # share of the shorter text
RETITLED = 300  # tokens under any other title
RETITLED_KIN = 100  # tokens where a title has its words from the text; a form has others than its titles
RETITLED_SOON = 45  # the same of entries of one day
RETITLED_ALIKE = 0.98  # similarity of both
RETITLED_EDITED = 0.95  # similarity of entries of one day, where both titles have their words from the text, of
RETITLED_LONG = 150  # tokens: a paper edits what an agency wrote
RETITLED_WITHIN = 0.92  # share of the shorter text, of entries of one day: an agency's head and name are not in both
KIN = 0.33  # share of the words of such a title
# Numbers that an editor corrected. A form has other numbers wherever it has some, or has all of them in one passage.
CORRECTED = 60  # tokens of the text; Hebrew, Russian and Turkish need two thirds of the words of English
CORRECTED_OF = 2  # passages with numbers that a text must have for each corrected one
NUMBER = 3  # tokens of one number in a title, as 1,274.5
CORRECTED_LONG = 120  # tokens of a text in which half of at most
CORRECTED_PLACES = 3  # numbers that differ have the same digits in another order: an error in typing
PASSAGE = 12  # weight of words between two numbers from which they stand in two passages
# Words in place of others inside of a sentence, where the rest is the same: a name in a form, or an edit.
SWAPPED = 100  # tokens of a text that may be a form though its title tells a story
SWAPPED_EDITED = 200  # tokens of one whose title was edited; under a general title a longer one has no other edits
ALIGNED = 0.75  # similarity of texts whose passages are in the same order
_ONE_TITLE = (Titles.SAME, Titles.WITHIN)
_RUN = 4  # tokens that count as shared wherever they stand


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
    def pairs(self) -> frozenset[tuple[str, str]]:
        """Pairs of consecutive tokens of the text."""
        return frozenset(pairwise(self.tokens))

    @cached_property
    def runs(self) -> frozenset[tuple[str, ...]]:
        """Runs of `_RUN` consecutive tokens of the text."""
        return frozenset(_runs(self.tokens))

    @cached_property
    def marks(self) -> frozenset[int]:
        """Places of the tokens before which a mark ends a sentence or a head; the first and the end as well."""
        return marks_of(without_boilerplate(self.text[:MAX_CHARACTERS]), len(self.tokens))

    @cached_property
    def names(self) -> frozenset[str]:
        """Words that may be names: with a capital, or of a script without capitals."""
        return _names_of(self.text[:MAX_CHARACTERS])

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
        """Share of the words of the title that the text has as well, by their first letters: endings vary."""
        title = tuple(tokens_of(self.title))
        begun = {token[:STEM] for token in self.tokens}
        shared = [token[:STEM] in begun for token in title if len(token) >= STEM - 1]
        parts = [pair in self.pairs for pair in pairwise(title) if all(map(is_part, pair))]
        shared += map(or_, [False, *parts], [*parts, False]) if parts else ()
        return sum(shared) / len(shared) if shared else 0.0


def _names_of(text: str) -> frozenset[str]:
    """Return the words that have a capital, or are of a script without capitals."""
    words = (word for word in text.split() if word != word.lower() or word.lower() == word.upper())
    return frozenset(tokens_of(" ".join(words)))


@lru_cache(64)  # the bands of a new entry, each comparison with it, and the candidates that documents share
def _tokens_of_text(text: str) -> tuple[str, ...]:
    return tuple(islice(tokens_of(without_boilerplate(text[:MAX_CHARACTERS])), MAX_TOKENS))


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
    titles = compare_titles(one.title, other.title, steps)
    is_corrected_title = titles is Titles.NUMBERS and _is_corrected_title(one, other)
    if is_corrected_title:
        titles = Titles.SAME
    elif titles is Titles.NUMBERS and _are_told(one, other, steps):
        titles = Titles.OTHER
    if titles is Titles.NUMBERS:
        return Likeness(False, 0.0, "numbers differ in the titles")
    if not is_corrected_title and (_are_of_one_second(one, other, titles, steps) or _are_of_one_moment(one, other)):
        return Likeness(True, 1.0, "like titles of the same second")
    if one.is_short or ((linked or titles is not Titles.OTHER) and other.is_short):
        return _by_title(one, other, titles, linked=linked)
    if not linked and not may_be_near(one, other, titles, near):
        return Likeness(False, 0.0, "the texts differ")
    texts = Alignment.of(one.tokens, other.tokens, steps)
    if titles is Titles.ALIKE and _is_mistyped(one, other, texts, steps):
        titles = Titles.SAME
    if not linked and titles in (Titles.ALIKE, Titles.OTHER) and _is_form(one, other, texts):
        return Likeness(False, texts.inner, "one form, filled in for another title")
    if (texts.changed or is_corrected_title) and not _is_corrected(one, other, texts, linked=linked):
        return Likeness(False, texts.inner, "numbers differ in the texts")
    if not linked and (texts.is_refilled(steps) or _is_filled_in(one, other, texts, titles, steps)):
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
    if titles in _ONE_TITLE:
        least, enough = CORE, 0
    elif titles is Titles.ALIKE:
        least, enough = EDITED_ALIKE, LEAD
    else:
        least, enough = _share_retitled(one, other), _least_retitled(one, other)
    if len(one.tokens) < enough or len(other.tokens) < enough:  # the other's text is not even read then
        return False
    short = min(len(one.tokens), len(other.tokens))
    there = list(map(one.pairs.__contains__, pairwise(other.tokens)))
    most: int = sum(map(or_, [False, *there], [*there, False]))
    return most / short >= least


def _are_of_one_second(one: Telling, other: Telling, titles: Titles, steps: Steps) -> bool:
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
    is_filled = slot is not None and len(slot[0]) == len(slot[1]) and not all(map(_are_inflected, *slot))
    return not is_filled and ratio(mine, others, steps) >= EDITED_TITLE


def _are_of_one_moment(one: Telling, other: Telling) -> bool:
    """Return whether two entries of one date have the same text, and titles that share words with it.

    The date may be that of a whole day, as many feeds give it: so the titles have half of their words in common, two
    of which the text has as well, and no word in place of another.
    """
    if one.published is None or one.published != other.published or one.tokens != other.tokens or one.is_short:
        return False
    mine, others = tuple(tokens_of(one.title)), tuple(tokens_of(other.title))
    slot = slot_of(mine, others)
    if slot is not None and len(slot[0]) == len(slot[1]) and not all(map(_are_inflected, *slot)):
        return False
    kin = one.kinship, other.kinship
    shared = _stems(mine) & _stems(others)
    has_time = one.published.time() != time()  # not the date of a whole day
    if has_time and shared & _stems(one.tokens) and min(kin) >= KIN and max(kin) >= TOLD:
        return True
    if len(shared) < REWORDED * min(len(_stems(mine)), len(_stems(others))):
        return False
    said = len(shared & _stems(one.tokens))
    is_named = all(_names_of(each.title) - set(rest) for each, rest in ((one, others), (other, mine)))
    return said >= SAID or (said > 0 and len(shared) >= 2 * SAID and not is_named)


def _stems(tokens: Iterable[str]) -> Set[str]:
    return {token[:STEM] for token in tokens if len(token) >= STEM - 1}


def _are_told(one: Telling, other: Telling, steps: Steps) -> bool:
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


def _is_corrected_title(one: Telling, other: Telling) -> bool:
    """Return whether two titles differ in one number alone, which the text of each has in place of the other's."""
    mine, others = tuple(tokens_of(one.title)), tuple(tokens_of(other.title))
    slot = slot_of(mine, others)
    if slot is None or len(slot[0]) != len(slot[1]) or len(slot[0]) > NUMBER:
        return False
    pairs = [pair for pair in zip(*slot, strict=True) if pair[0] != pair[1]]
    if not all(all(map(is_number, pair)) or _are_inflected(*pair) for pair in pairs):  # 146 and 164, in Russian
        return False
    return all(
        holds(ours.tokens, own) and not holds(theirs.tokens, own)
        for ours, theirs, own in ((one, other, slot[0]), (other, one, slot[1]))
    )


def _are_inflected(one: str, other: str) -> bool:
    """Return whether two words may be forms of one: "opens" and "opened", but not "Oberbayern" and "Oberfranken"."""
    short = min(len(one), len(other))
    begun = max(STEM - 1, (short + 1) // 2)
    return short >= STEM - 1 and (one in other or other in one or one[:begun] == other[:begun])


def _by_title(one: Telling, other: Telling, titles: Titles, *, linked: bool) -> Likeness:
    """Compare entries of which at least one has hardly any text."""
    short, long = sorted((one.tokens, other.tokens), key=len)
    enough = min(one.title_weight, other.title_weight)
    if titles is Titles.SAME and (linked or short == long or (not short and enough >= MIN_TITLE)):
        return Likeness(True, 1.0, "same title")
    if titles in _ONE_TITLE and short and enough >= MIN_EXCERPT and holds(long, short):
        return Likeness(True, 1.0, "same title, and the text of one stands in the other's")
    if titles is Titles.WITHIN and linked:
        return Likeness(True, 1.0, "same link, and one title goes on where the other ends")
    return Likeness(False, 0.0, "too little text to go by")


def _by_text(one: Telling, other: Telling, texts: Alignment, titles: Titles, *, linked: bool, near: float) -> Likeness:
    differs = Likeness(False, texts.inner, "the texts differ")
    is_news = texts.replaced >= ISSUE or (titles not in _ONE_TITLE and texts.begins >= BEGINS)
    is_other_issue = is_news and _are_days_apart(one, other)
    if titles in _ONE_TITLE:
        if texts.inner >= near and texts.of_shorter >= CORE and not is_other_issue:
            return Likeness(True, texts.inner, "same title, same text")
        moved = _shared(one, other)
        if moved < (MOVED if near <= NEAR and _are_soon(one, other) else max(near, MOVED_LATER)):
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
    is_edited = texts.core >= RETITLED_LONG and _are_soon(one, other) and min(one.kinship, other.kinship) >= KIN
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
    if not _are_telling(one, other):
        return None
    if (
        _are_soon(one, other)
        and texts.core >= LEAD
        and texts.begins <= LEAD_BEGINS
        and min(texts.inner, texts.of_shorter) >= max(near, LEAD_ALIKE)
    ):
        return Likeness(True, texts.inner, "same beginning under an edited title")
    if min(len(one.tokens), len(other.tokens)) >= EDITED and (moved := _shared(one, other)) >= max(near, MOVED_LATER):
        return Likeness(True, moved, "same text in other paragraphs under an edited title")
    return None


def _is_corrected(one: Telling, other: Telling, texts: Alignment, *, linked: bool) -> bool:
    """Return whether the numbers that differ are corrections, not those of another issue of a form.

    Of a text with numbers in many passages few may differ, if both were published within hours, and the titles tell
    that it is an article: a form has a title that says what is sold, measured or played.
    """
    if linked and texts.core >= LONG and texts.changed <= FIGURES * texts.core:
        return True
    if texts.core < CORRECTED or not _are_soon(one, other):
        return False
    if texts.core >= CORRECTED_LONG and texts.places <= CORRECTED_PLACES and texts.mistyped * 2 >= texts.places:
        return True
    if not _are_telling(one, other):
        return False
    return texts.places * CORRECTED_OF <= min(_passages(one.tokens), _passages(other.tokens))


def _passages(tokens: Sequence[str]) -> int:
    """Return in how many passages of a text numbers stand."""
    found, since = 0, PASSAGE
    for token in tokens:
        if not is_number(token):
            since += weight((token,))
            continue
        found += since >= PASSAGE
        since = 0
    return found


def _shared(one: Telling, other: Telling) -> float:
    """Return the share of each text, the smaller one, that the other has in whatever order."""
    shares = []
    for ours, theirs in ((one, other), (other, one)):
        held = bytearray(len(ours.tokens))
        for start, run in enumerate(_runs(ours.tokens)):
            if run in theirs.runs:
                held[start : start + _RUN] = b"\1" * _RUN
        shares.append(sum(held) / len(held))
    return min(shares)


def _runs(tokens: Sequence[str]) -> Iterator[tuple[str, ...]]:
    return zip(*(tokens[start:] for start in range(_RUN)), strict=False)


def _is_form(one: Telling, other: Telling, texts: Alignment) -> bool:
    """Return whether the difference between two titles was filled in: in one place, or in the texts as well.

    An editor changes a place between other words as well, in the title of an article of the same day, whose text has
    the words of one of the titles there: the town of a notice stands in its title alone.
    """
    ours, theirs = tuple(tokens_of(one.title)), tuple(tokens_of(other.title))
    slot = slot_of(ours, theirs)
    if slot is not None and not _are_reworded(*slot) and not are_mistyped(*slot):
        is_inside = ours[0] == theirs[0] and ours[-1] == theirs[-1]
        is_said = any(_are_in_text(side, one, other) for side in slot if len(side) == min(map(len, slot)))
        is_name = not (_names_of(one.title) | _names_of(other.title)).isdisjoint((*slot[0], *slot[1]))
        is_long = texts.core >= (RETITLED_SOON if is_name else LEAD) and max(one.kinship, other.kinship) >= KIN
        is_edited = is_said or (not is_name and texts.core >= EDITED)
        if not (is_inside and is_edited and is_long and _are_soon(one, other)):
            return True
    return any(
        (holds(ours, mine) and not holds(theirs, mine)) or (holds(theirs, yours) and not holds(ours, yours))
        for mine, yours, *_ in texts.gaps
        if mine and yours and not are_mistyped(mine, yours)  # an agency's addition before the text has no counterpart
    )


def _is_mistyped(one: Telling, other: Telling, texts: Alignment, steps: Steps) -> bool:
    """Return whether two titles differ in errors of typing, and the texts as well, in two places or more."""
    mine, others = tuple(tokens_of(one.title)), tuple(tokens_of(other.title))
    words = {gap[:2] for gap in texts.gaps}
    return len(words) >= TYPING and all(
        are_spellings(*pair, steps) or ratio("".join(pair[0]), "".join(pair[1]), steps) >= TYPED
        for pair in (*words, (mine, others))
    )


def _are_telling(one: Telling, other: Telling) -> bool:
    """Return whether the titles tell a story, not what kind of text follows.

    They have six words, and one of them has its words from the text. "Nurse wanted" and "Match report" have not.
    """
    return min(one.title_weight, other.title_weight) >= MIN_TITLE and max(one.kinship, other.kinship) >= KIN


def _is_filled_in(one: Telling, other: Telling, texts: Alignment, titles: Titles, steps: Steps) -> bool:
    """Return whether a form was filled in with other words: a name, a town, a firm.

    A sentence in which one word is replaced is a form if the text is short. A long one is a form if its title does not
    tell a story, and nothing else was changed. An editor replaces common words as well: in a script that has capitals,
    one side has a name in its place. Words that each text has elsewhere were moved.
    """
    is_telling = _are_telling(one, other)
    if texts.inner < ALIGNED or (is_telling and texts.core >= (SWAPPED if titles in _ONE_TITLE else SWAPPED_EDITED)):
        return False
    is_other_issue = not is_telling and _are_days_apart(one, other)
    swaps = [
        gap
        for gap in texts.swaps(one.marks, other.marks, steps)
        if (is_other_issue or not one.names.isdisjoint(gap.ours) or not other.names.isdisjoint(gap.theirs))
        and not (holds(one.tokens, gap.theirs) and holds(other.tokens, gap.ours))
    ]
    edits = [gap for gap in texts.gaps if gap.start and gap.start + len(gap.ours) < len(one.tokens)]
    return bool(swaps) and (texts.core < SWAPPED_EDITED or len(swaps) >= len(edits))


def _are_in_text(words: Sequence[str], one: Telling, other: Telling) -> bool:
    """Return whether both texts have words of a title, by their first letters."""
    return all({word[:STEM] for word in words} <= {token[:STEM] for token in each.tokens} for each in (one, other))


def _are_soon(one: Telling, other: Telling) -> bool:
    """Return whether both entries have a date, and were published within hours."""
    return one.published is not None and other.published is not None and not _are_days_apart(one, other)


def _least_retitled(one: Telling, other: Telling) -> int:
    """Return how many tokens two texts must have that are one story under other titles."""
    return RETITLED_SOON if _are_soon(one, other) else RETITLED_KIN


def _share_retitled(one: Telling, other: Telling) -> float:
    """Return the share of the shorter of two such texts that the other has."""
    return RETITLED_WITHIN if _are_soon(one, other) else RETITLED_ALIKE


def _are_days_apart(one: Telling, other: Telling) -> bool:
    """Return whether both entries have a date, and the later one may be the next issue of a series."""
    if one.published is None or other.published is None:
        return False
    return abs(one.published - other.published) > SOON


def _are_reworded(one: Sequence[str], other: Sequence[str]) -> bool:
    """Return whether two phrases have most of their words in common, in another order or form."""
    ours, theirs = ({token[:STEM] for token in side} for side in (one, other))
    return len(ours & theirs) >= REWORDED * min(len(ours), len(theirs))
