"""Choice between the text of a feed and the text of its article (`full_text`). Pure."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Final

from aggregator.clean.text import text_of
from aggregator.late import late
from aggregator.model.entry import Entry

if TYPE_CHECKING:
    from aggregator.identify import tokens
else:
    tokens = late("aggregator.identify.tokens")

MIN_WEIGHT: Final = (
    60  # least weight of an article whose feed has no text: characters of Chinese, or half as many words
)
KEPT_PAIRS: Final = 0.6  # share of the pairs of words of a feed's content that an article must contain to replace it
KEPT_WORDS: Final = 0.4  # share of the words of a summary, which stays, and may be written for the feed alone
MOST_TOKENS: Final = 100_000  # of a text that are compared


def is_better(article: str, content: str, summary: str, *, title: str = "", headline: str = "") -> bool:
    """Return whether an article says the same as its feed, and more.

    Args:
        article: its content, cleaned HTML.
        content: of the feed; empty if there is none. The article would replace it.
        summary: of the feed; it stays in any case.
        title: of the feed; where the feed has no text, the page must match it: a dead link often leads to a
            start page or a list of news.
        headline: title of the page.
    """
    there = _tokens(article)
    told = _tokens(content or summary)
    if tokens.weight(there) < max(MIN_WEIGHT, tokens.weight(told) + 1):
        return False
    if content:
        return _share(pairwise(told), pairwise(there)) >= KEPT_PAIRS
    if summary:
        return _share(told, there) >= KEPT_WORDS
    return _share(tokens.tokens_of(title), [*there, *tokens.tokens_of(headline)]) >= KEPT_WORDS


def with_article(listed: Entry, article: Entry) -> Entry:
    """Return an entry with the fields of its article that the feed lacks; with its text only if that is better.

    Authors are taken only together with the text: they are part of the digest, by which a text of the feed's own is
    recognised later.
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
        cleaned=(*article.cleaned, *listed.cleaned),
        text=article.text if better else listed.text,
        authors=listed.authors or (article.authors if better else ()),
        published=listed.published or article.published,
        language=listed.language or article.language,
        supplement=replace(listed.supplement, images=images),
    )


def _tokens(html: str) -> list[str]:
    return list(islice(tokens.tokens_of(text_of(html)), MOST_TOKENS))


def _share(told: Iterable[object], there: Iterable[object]) -> float:
    """Return the share of distinct values of `told` that are in `there`; 1.0 if there are none."""
    wanted = set(told)
    return len(wanted & set(there)) / len(wanted) if wanted else 1.0
