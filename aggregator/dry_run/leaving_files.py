"""Finds the published files that an edit of feeds.yaml would remove: their addresses answer 404 afterwards."""

from dataclasses import dataclass

from aggregator.errors import ConfigError
from aggregator.model.output_paths import is_published
from aggregator.model.settings import Roster, Settings
from aggregator.publish.site_files import SiteFiles
from aggregator.publish.source_pages import FOLDER
from aggregator.render.redaction import public_name
from aggregator.render.theme import checked_style, plain_style
from aggregator.store.transaction import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """Files that would be removed."""

    paths: tuple[str, ...] = ()  # without pages of stories, in order
    story_pages: int = 0  # their number, if all of them are removed

    def __bool__(self) -> bool:
        return bool(self.paths or self.story_pages)


NOTHING = Leaving()


def leaving_files(old: Settings, new: Settings, tx: Transaction) -> Leaving:
    """Return the listed files that are published no longer.

    Pages of single stories, which follow the categories of a story, and files of a folder `publish.static` that stays
    are not predicted.

    Args:
        old: settings in force.
        new: settings that would come into force.
        tx: reading transaction.
    """
    formats = new.publish.formats
    try:
        style = checked_style(new)
    except ConfigError:  # `check` tells; an edit of something else goes on
        style = plain_style()
    listed = tx.files.digests(stories=False)
    copies = tx.files.copies()
    gone = {path for path in listed.keys() - copies if not is_published(path, formats)}
    has_pages = style.sources and "html" in formats
    gone |= tx.files.below(FOLDER).keys() - (_source_pages(new) if has_pages else frozenset())
    wanted = {alias for alias, target in new.publish.aliases if target in listed and target not in gone}
    wanted |= {new.alarms.feed} if new.alarms.feed else set()
    others = copies - wanted
    if new.publish.static is not None:
        others &= {alias for alias, _ in old.publish.aliases} | ({old.alarms.feed} if old.alarms.feed else set())
    gone |= SiteFiles(new, style).foreign({path: listed.get(path) for path in others})
    has_story_pages = new.publish.entry_pages and "html" in formats
    return Leaving(paths=tuple(sorted(gone)), story_pages=0 if has_story_pages else tx.files.count_story_pages())


def _source_pages(settings: Settings) -> frozenset[str]:
    """Return the paths of the pages of sources that anyone may know of."""
    roster = Roster.of(settings)
    return frozenset(
        f"{FOLDER}/{public_name(key) if source.private else key}.html"
        for key, source in roster.sources.items()
        if source.reading.filing or any(not roster.categories[place].unlisted for place in source.places)
    )
