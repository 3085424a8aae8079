"""Writes texts and sources as YAML for feeds.yaml."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

_PLAIN = re.compile(r"[^\W\d_][\w./%?=~+-]*(?::[\w./%?=~+&-]+)*")  # needs no quotes, inside brackets or outside
_WORDS = frozenset("true false null yes no on off y n".split())  # other programs don't read these as texts


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSource:
    """A source to add."""

    url: str  # as written in feeds.yaml, with `${NAME}` variables
    title: str | None = None
    categories: Sequence[str] = ()
    kind: str | None = None
    paused: bool = False


def literal(text: str) -> str:
    """Return a text with `${` escaped, so that feeds.yaml takes nothing in it from the environment."""
    return text.replace("${", "$${")


def scalar(text: str, *, quotes: bool = False) -> str:
    """Return a text as a YAML scalar, in quotes if it needs them or if `quotes` is set."""
    if not quotes and _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return json.dumps(text, ensure_ascii=False)


def key_text(key: str) -> str:
    """Return a key or a name as YAML: plain if it needs no quotes.

    PyYAML, which finds the positions of values, ends a plain text in brackets at a question mark.
    """
    return scalar(key, quotes="?" in key)


def listed(texts: Sequence[str]) -> str:
    """Return texts as YAML: one as it is, several as a list in brackets."""
    names = [key_text(literal(text)) for text in texts]
    return names[0] if len(names) == 1 else f"[{', '.join(names)}]"


def source_pairs(new: NewSource) -> list[tuple[str, str]]:
    """Return the keys and values of a source, as YAML."""
    pairs = [("url", scalar(new.url))]
    if new.kind is not None:
        pairs.append(("kind", new.kind))
    if new.title is not None:
        pairs.append(("title", key_text(literal(new.title))))
    if new.categories:
        pairs.append(("category", listed(new.categories)))
    if new.paused:
        pairs.append(("paused", "true"))
    return pairs
