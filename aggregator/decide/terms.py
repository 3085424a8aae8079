"""How far two entries may share a story: the strictest of all settings that bear on them (DESIGN 3.1, dedupe). Pure."""

from collections.abc import Sequence

from aggregator.identify.matching import Terms
from aggregator.model.known import Known, KnownStory
from aggregator.model.settings import Category, Dedupe, Roster, Source, SourceKey


def terms_between(ours: Source, theirs: SourceKey, story: KnownStory, known: Known, roster: Roster) -> Terms:
    """Give the terms between a copy and an entry of a story: of both sources, and of where either is published."""
    names = {category.id: key for key, category in known.categories.items()}
    keys = {names[publication.category] for publication in story.publications if publication.category in names}
    keys.update(ours.places)
    other = roster.sources.get(theirs)
    wishes: Sequence[Source | Category] = [
        *(roster.categories[key] for key in keys if key in roster.categories),
        *((ours,) if other is None else (ours, other)),
    ]
    modes = [wish.dedupe for wish in wishes if wish.dedupe is not None]
    if other is None:
        modes.append(Dedupe.EXACT)  # it left feeds.yaml, and its settings with it
    return Terms(
        dedupe=min(modes, key=tuple(Dedupe).index),
        near=max(wish.near for wish in wishes if wish.near is not None),
        window=min(wish.window for wish in wishes if wish.window is not None),
    )
