"""Similarity of forms, which must stay apart, and of versions of stories, which must be one; in eight languages."""

from itertools import product

import pytest

from aggregator.identify.minhash import bands_of
from aggregator.identify.similarity import RETITLED, likeness
from aggregator.identify.telling import Telling
from tests.identify.forms import BOILERPLATE, FORMS, STORIES, Form, Told

LANGUAGES = set(BOILERPLATE)


def of_kind(kind: str) -> list[Form]:
    return [form for form in FORMS if form.kind == kind]


def judge(one: Telling, other: Telling) -> bool:
    """Return whether two entries of different sources are one story; their order must not matter."""
    verdicts = {likeness(one, other).is_same, likeness(other, one).is_same}
    assert len(verdicts) == 1, "the order counts"
    return verdicts.pop() and bool(set(bands_of(one)) & set(bands_of(other)))


@pytest.mark.parametrize("boilerplate", [0, 1, 4, 8])
@pytest.mark.parametrize("kind", sorted({form.kind for form in FORMS}))
def test_a_form_that_is_filled_in_again_is_another_story(kind: str, boilerplate: int) -> None:
    merged = [
        (form.language, one, other)
        for form in of_kind(kind)
        for one, other in form.pairs(boilerplate)
        if judge(Telling(*one), Telling(*other))
    ]
    assert not merged
    assert {form.language for form in of_kind(kind)} == LANGUAGES


def told_otherwise(story: Told) -> list[tuple[str, str]]:
    """Return the versions of a story: plain, from two agencies, cut, and with the name of a site in its title."""
    return [
        (story.title, story.text),
        (story.title, f"{story.head} {story.text} {story.tail}"),
        (f"{story.title} - {story.site}", f"{story.other_head} {story.text}"),
        (f"{story.title} | {story.site}", story.text[: len(story.text) * 3 // 4] + "…"),
    ]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.language)
def test_what_two_agencies_tell_is_one_story(story: Told) -> None:
    ways = [Telling(*way) for way in told_otherwise(story)]
    apart = [(one, other) for one, other in product(ways, ways) if not judge(one, other)]
    assert not apart


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.language)
def test_a_long_text_is_one_story_under_a_title_that_was_written_anew(story: Told) -> None:
    text = " ".join([story.text, *[BOILERPLATE[story.language]] * 10])
    one, other = Telling(story.title, text), Telling(story.retold, f"{story.other_head} {text}")
    assert min(len(one.tokens), len(other.tokens)) >= RETITLED
    assert judge(one, other)


def test_a_name_that_two_agencies_spell_otherwise_is_no_other_name() -> None:
    text = (
        "The mayor of {0} opened the bridge over the river on the first day of spring, and {0} celebrated until late."
    )
    ways = [Telling("A bridge is open again", text.format(name)) for name in ("Kiev", "Kyiv", "London")]
    assert judge(ways[0], ways[1])
    assert not judge(ways[0], ways[2])
