"""`PublishedState`: what `serve` has to know of published files beyond their bytes."""

from collections.abc import Sequence

from aggregator.in_force import InForce
from aggregator.model.story import Publication
from aggregator.publish.looks import MAX_AGE
from aggregator.publish.report import Published
from aggregator.render.visibility import Visibility
from aggregator.store.database import Store


class PublishedState:
    """The max-age of each published file, which of them are copies, and what anyone may see.

    Read from the store at first; `note` follows each publication.
    """

    def __init__(self, store: Store, in_force: InForce) -> None:
        self._store, self._in_force = store, in_force
        self._max_ages: dict[str, int] = {}
        self._copies: dict[str, str] = {}
        self.note(None)

    def note(self, published: Published | None) -> None:
        """Take in a publication; None: it failed, and only the store knows which files were written before that."""
        with self._store.read() as tx:
            if published is None:
                self._max_ages = dict(tx.files.max_ages())
            else:  # to read all ages takes as long as to publish, once archives are large
                self._max_ages |= published.ages
            copies = tx.files.copies()
        targets = dict(self._in_force.settings.publish.aliases)
        self._copies = {path: targets.get(path, path) for path in copies}

    def max_age(self, path: str) -> int:
        """Return for how many seconds a client may keep a file (A75)."""
        return self._max_ages.get(path, MAX_AGE[0])

    def copy_of(self, path: str) -> str | None:
        """Return the output that a file is a copy of: its own path if it is the operator's; None if it is no copy."""
        return self._copies.get(path)

    def as_shown(self, publications: Sequence[Publication]) -> tuple[Publication, ...]:
        """Return publications as anyone may see them by the settings of this moment."""
        roster = self._in_force.roster
        with self._store.read() as tx:
            visibility = Visibility(
                roster,
                tx.sources.limits(),
                self._in_force.settings.site.language,
                tx.store_row.uuid(),
                tx.categories.unlisted(),
            )
        return visibility.publications(one for one in publications if one.category in roster.categories)
