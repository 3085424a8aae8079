"""The beginning of a text, for where the whole would be too much."""

from html import escape
from typing import Final

from aggregator.clean import plain_text
from aggregator.publish.memory import Memory
from aggregator.publish.prose import shorten

EXCERPT: Final = 300  # code points
_ENOUGH: Final = 8 * EXCERPT  # characters of HTML that hold as many, as a rule: a whole article costs ten times as much

_excerpts: Memory[str] = Memory(2 * 1024 * 1024, each_bytes=512)


def excerpt_of(content: str) -> str:
    """Give the beginning of a text.

    Args:
        content: safe HTML.

    Returns:
        HTML without an element; empty if the text holds no word.
    """
    found = _excerpts.get(content)
    if found is None:
        found = escape(shorten(_text_of(content), EXCERPT), quote=False)
        _excerpts.keep(content, found, len(content) + len(found))
    return found


def _text_of(content: str) -> str:
    """Give as much of a text as is needed, or all of it."""
    if len(content) > _ENOUGH:
        beginning = plain_text(content[: content.rfind("<", 0, _ENOUGH)])
        if len(beginning) > 2 * EXCERPT:
            return beginning
    return plain_text(content)
