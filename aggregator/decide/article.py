"""Whether the text of an article is better than what the feed gave, and what is kept (DESIGN, section 6). Pure."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import islice, pairwise
from typing import Final

from aggregator.clean.text import text_of
from aggregator.identify.tokens import tokens_of, weight
from aggregator.model.entry import Entry

MIN_WEIGHT: Final = 60  # of an article for which the feed has no text: in characters of Chinese, or half as many words
KEPT_PAIRS: Final = 0.6  # of the pairs of words of a feed's content that an article must hold, for it takes its place
KEPT_WORDS: Final = 0.4  # of the words of a summary, which stays beside it, and may be written for the feed alone
MOST_TOKENS: Final = 100_000  # of a text that are looked at


def is_better(article: str, content: str, summary: str, *, title: str = "", headline: str = "") -> bool:
    """Tell whether an article says more than its feed, and the same.

    Args:
        article: its content, cleaned HTML.
        content: the feed's; empty if there is none. The article would take its place.
        summary: the feed's, which would stay.
        title: the feed's; where it has no text, the page must be about that: a link that is dead often leads to a
            start page, or to what is new there.
        headline: the title that the page has.
    """
    there = _tokens(article)
    told = _tokens(content or summary)
    if weight(there) < max(MIN_WEIGHT, weight(told) + 1):
        return False
    if content:
        return _share(pairwise(told), pairwise(there)) >= KEPT_PAIRS
    if summary:
        return _share(told, there) >= KEPT_WORDS
    return _share(tokens_of(title), [*there, *tokens_of(headline)]) >= KEPT_WORDS


def with_article(listed: Entry, article: Entry) -> Entry:
    """Add to an entry what its article has and the feed lacks; its text only if that is better.

    Authors come with the text alone: they are part of the digest, by which a text of the feed's own is told later.
    """
    content, summary = listed.content, listed.summary
    better = is_better(article.content, content, summary, title=listed.title, headline=article.title)
    images = listed.supplement.images
    if not images and not any((file.type or "").startswith("image/") for file in listed.enclosures):
        images = article.supplement.images
    return replace(
        listed,
        title=listed.title or article.title,
        content=article.content if better else content,
        text=article.text if better else listed.text,
        authors=listed.authors or (article.authors if better else ()),
        published=listed.published or article.published,
        language=listed.language or article.language,
        supplement=replace(listed.supplement, images=images),
    )


def _tokens(html: str) -> list[str]:
    return list(islice(tokens_of(text_of(html)), MOST_TOKENS))


def _share(told: Iterable[object], there: Iterable[object]) -> float:
    """Say how much of what is told is there; all of it where nothing is told."""
    wanted = set(told)
    return len(wanted & set(there)) / len(wanted) if wanted else 1.0
