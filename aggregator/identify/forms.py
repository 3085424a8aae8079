"""Whether the difference between two entries was filled into a form, corrected by an editor, or is an error of typing.

A form is a text that says the same of each town, name, price or version. Numbers and words that differ between two
texts tell of another one, unless they are corrections of the same day. Decisions 0185, 0187 and 0154 tell why.
"""

from collections.abc import Sequence

from aggregator.identify.alignment import Alignment, are_mistyped, are_spellings
from aggregator.identify.budget import Steps
from aggregator.identify.passages import are_of_hours, has_grown
from aggregator.identify.telling import KIN, Telling, are_days_apart, are_soon, are_telling, may_be_names, names_of
from aggregator.identify.tokens import STEM, Titles, holds, is_number, ratio, slot_of, tokens_of, weight

LEAD = 24  # tokens with which an article begins, and which are all of the other text
EDITED = 60  # tokens of a text that is evidence under titles that are alike
RETITLED_SOON = 45  # tokens of a text that is evidence under other titles, of entries of one day
REWORDED = 0.5  # share of the words of one phrase that another one has, in another order or form
# Numbers that an editor corrected. A form has other numbers wherever it has some, or has all of them in one passage.
LONG = 200  # tokens; in such a text a number in fifty may differ: a counter, a corrected figure
FIGURES = 0.02
CORRECTED = 60  # tokens of the text; Hebrew, Russian and Turkish need two thirds of the words of English
CORRECTED_OF = 2  # passages with numbers that a text must have for each corrected one
NUMBER = 3  # tokens of one number in a title, as 1,274.5
# In a longer text a few numbers may differ under any title, if half of them have the same digits in another order.
CORRECTED_LONG = 60  # tokens
CORRECTED_PLACES = 3  # numbers
# A form of one day has other numbers in most places; under one title an article keeps most of its own.
KEPT = 2  # numbers that stayed for each that was corrected
KEPT_LONG = 100  # tokens
PASSAGE = 12  # weight of words between two numbers from which they stand in two passages
# Words in place of others inside of a sentence, where the rest is the same: a name in a form, or an edit.
SWAPPED = 100  # tokens of a text that may be a form though its title tells a story
SWAPPED_EDITED = 200  # tokens of one whose title was edited; under a general title a longer one has no other edits
ALIGNED = 0.75  # similarity of texts whose passages are in the same order
TYPED = 0.9  # similarity of their letters, where a blank is wrong as well
TYPING = 2  # words of a text with other letters, from which those of the title are errors as well
ONE_TITLE = (Titles.SAME, Titles.WITHIN)


def is_form(one: Telling, other: Telling, texts: Alignment) -> bool:
    """Return whether the difference between two titles was filled in: in one place, or in the texts as well.

    An editor changes a place between other words as well, in the title of an article of the same day, whose text has
    the words of one of the titles there: the town of a notice stands in its title alone.
    """
    ours, theirs = tuple(tokens_of(one.title)), tuple(tokens_of(other.title))
    slot = slot_of(ours, theirs)
    if slot is not None and are_soon(one, other) and has_grown(one, other, texts, slot):
        slot = None
    if slot is not None and not _are_reworded(*slot) and not are_mistyped(*slot):
        is_inside = ours[0] == theirs[0] and ours[-1] == theirs[-1]
        is_said = any(_are_in_text(side, one, other) for side in slot if len(side) == min(map(len, slot)))
        is_name = not (names_of(one.title) | names_of(other.title)).isdisjoint((*slot[0], *slot[1]))
        is_long = texts.core >= (RETITLED_SOON if is_name else LEAD) and max(one.kinship, other.kinship) >= KIN
        is_edited = is_said or (not is_name and texts.core >= EDITED)
        if not (is_inside and is_edited and is_long and are_soon(one, other)):
            return True
    return any(
        (holds(ours, mine) and not holds(theirs, mine)) or (holds(theirs, yours) and not holds(ours, yours))
        for mine, yours, *_ in texts.gaps
        if mine
        and yours
        and may_be_names((*mine, *yours))
        and not are_mistyped(mine, yours)  # an agency's addition before the text has no counterpart
    )


def is_filled_in(one: Telling, other: Telling, texts: Alignment, titles: Titles, steps: Steps) -> bool:
    """Return whether a form was filled in with other words: a name, a town, a firm.

    A sentence in which one word is replaced is a form if the text is short. A long one is a form if its title does not
    tell a story, and nothing else was changed. An editor replaces common words as well: in a script that has capitals,
    one side has a name in its place. Words that each text has elsewhere were moved.
    """
    is_telling = are_telling(one, other)
    if texts.inner < ALIGNED or (is_telling and texts.core >= (SWAPPED if titles in ONE_TITLE else SWAPPED_EDITED)):
        return False
    is_other_issue = not is_telling and are_days_apart(one, other)
    swaps = [
        gap
        for gap in texts.swaps(one.marks, other.marks, steps)
        if (is_other_issue or not one.names.isdisjoint(gap.ours) or not other.names.isdisjoint(gap.theirs))
        and not (holds(one.tokens, gap.theirs) and holds(other.tokens, gap.ours))
    ]
    edits = [gap for gap in texts.gaps if gap.start and gap.start + len(gap.ours) < len(one.tokens)]
    return bool(swaps) and (texts.core < SWAPPED_EDITED or len(swaps) >= len(edits))


def is_mistyped(one: Telling, other: Telling, texts: Alignment, steps: Steps) -> bool:
    """Return whether two titles differ in errors of typing, and the texts as well, in two places or more."""
    mine, others = tuple(tokens_of(one.title)), tuple(tokens_of(other.title))
    words = {gap[:2] for gap in texts.gaps}
    return len(words) >= TYPING and all(
        are_spellings(*pair, steps) or ratio("".join(pair[0]), "".join(pair[1]), steps) >= TYPED
        for pair in (*words, (mine, others))
    )


def is_corrected_title(one: Telling, other: Telling) -> bool:
    """Return whether two titles differ in one number alone, which the text of each has in place of the other's."""
    mine, others = tuple(tokens_of(one.title)), tuple(tokens_of(other.title))
    slot = slot_of(mine, others)
    if slot is None or len(slot[0]) != len(slot[1]) or len(slot[0]) > NUMBER:
        return False
    pairs = [pair for pair in zip(*slot, strict=True) if pair[0] != pair[1]]
    if not all(all(map(is_number, pair)) or are_inflected(*pair) for pair in pairs):  # 146 and 164, in Russian
        return False
    return all(
        holds(ours.tokens, own) and not holds(theirs.tokens, own)
        for ours, theirs, own in ((one, other, slot[0]), (other, one, slot[1]))
    )


def is_corrected(one: Telling, other: Telling, texts: Alignment, titles: Titles, *, linked: bool) -> bool:
    """Return whether the numbers that differ are corrections, not those of another issue of a form.

    Of a text with numbers in many passages few may differ, if both were published within hours, and the titles tell
    that it is an article: a form has a title that says what is sold, measured or played.
    """
    is_hardly_changed = texts.core >= LONG and texts.changed <= FIGURES * texts.core
    if linked and is_hardly_changed:
        return True
    if texts.core < CORRECTED or not are_soon(one, other):
        return False
    if texts.core >= CORRECTED_LONG and texts.places <= CORRECTED_PLACES and texts.mistyped * 2 >= texts.places:
        return True
    if not are_telling(one, other):
        return False
    if titles in ONE_TITLE and is_hardly_changed and are_of_hours(one, other):
        return True
    if titles in ONE_TITLE and texts.core >= KEPT_LONG:
        numbers = min(sum(map(is_number, each.tokens)) for each in (one, other))
        if 2 * numbers >= (KEPT + 1) * texts.changed:  # which counts those of both sides
            return True
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


def _are_in_text(words: Sequence[str], one: Telling, other: Telling) -> bool:
    """Return whether both texts have words of a title, by their first letters."""
    return all({word[:STEM] for word in words} <= {token[:STEM] for token in each.tokens} for each in (one, other))


def _are_reworded(one: Sequence[str], other: Sequence[str]) -> bool:
    """Return whether two phrases have most of their words in common, in another order or form."""
    ours, theirs = ({token[:STEM] for token in side} for side in (one, other))
    return len(ours & theirs) >= REWORDED * min(len(ours), len(theirs))


def are_inflected(one: str, other: str) -> bool:
    """Return whether two words may be forms of one: "opens" and "opened", but not "Oberbayern" and "Oberfranken"."""
    short = min(len(one), len(other))
    begun = max(STEM - 1, (short + 1) // 2)
    return short >= STEM - 1 and (one in other or other in one or one[:begun] == other[:begun])
