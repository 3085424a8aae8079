"""Boilerplate texts with slots, and stories in several wordings, for tests of similarity; `forms.json` is our own text.

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
    """A text with slots in one language, and the fillings of the slots."""

    kind: str
    language: str
    title: str
    text: str
    fillings: Sequence[Sequence[str]]

    def pairs(self, boilerplate: int) -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
        """Yield title and text of every two fillings, with so many repetitions of the boilerplate at the end."""
        tail = f" {BOILERPLATE[self.language]}" * boilerplate
        stories = [(self.title.format(*words), self.text.format(*words) + tail) for words in self.fillings]
        yield from combinations(stories, 2)


@dataclass(frozen=True, slots=True)
class Told:
    """A story in the wordings of two agencies and a site."""

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
