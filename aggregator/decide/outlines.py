"""Whether a list of sources is believed (`kind: opml`). Pure."""

from collections.abc import Sequence

from aggregator.model.entry import Feed
from aggregator.model.outline import Outline
from aggregator.model.settings import Source

FEW = 3  # feeds; of a list that short any number may go at once, though not all


def doubt_of(source: Source, feed: Feed, known: Sequence[Outline]) -> str | None:
    """Say why the last good copy of a list stays in force; None if this one is believed.

    Args:
        source: the list; `trust: true` is the operator's word that what it says is meant.
        feed: what it says now.
        known: the last good copy; empty if there was none.
    """
    if not known or source.trust:
        return None
    left = {outline.url for outline in feed.outlines}
    gone = sum(outline.url not in left for outline in known)
    advice = "its last good copy stays in force; if that is meant, write trust: true for as long"
    if feed.cut and gone:
        return f"a list that is cut off, without {gone} of its {len(known)} feeds: its last good copy stays in force"
    if not left:
        return f"a list that is empty, of {len(known)} feeds: {advice}"
    if len(known) > FEW and 2 * gone > len(known):
        return f"a list that lost {gone} of its {len(known)} feeds at once: {advice}"
    return None
