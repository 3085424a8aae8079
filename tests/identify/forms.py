"""Texts that are filled in again and again, and stories as several desks tell them: `forms.json`, our own writing.

Each form is a title and a text with slots, and the sets of words that fill them. Two fillings of one form are two
stories, however alike they read.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

_SAID: Mapping[str, Any] = json.loads((Path(__file__).parent / "forms.json").read_bytes())
BOILERPLATE: Mapping[str, str] = _SAID["boilerplate"]  # what sites put under every issue, by language


@dataclass(frozen=True, slots=True)
class Form:
    """One form in one language."""

    kind: str
    language: str
    title: str
    text: str
    fillings: Sequence[Sequence[str]]

    def pairs(self, boilerplate: int) -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
        """Give title and text of every two fillings; so many repetitions of the boilerplate make the slots small."""
        tail = f" {BOILERPLATE[self.language]}" * boilerplate
        stories = [(self.title.format(*words), self.text.format(*words) + tail) for words in self.fillings]
        yield from combinations(stories, 2)


@dataclass(frozen=True, slots=True)
class Told:
    """One story, as two agencies and a site tell it."""

    language: str
    title: str
    retold: str  # a title that another desk gave it
    text: str
    head: str  # what an agency sets before it,
    tail: str  # and after it
    other_head: str  # and another one
    site: str


FORMS = tuple(Form(**form) for form in _SAID["forms"])
STORIES = tuple(Told(**story) for story in _SAID["stories"])
