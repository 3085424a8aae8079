"""`InForce`: the settings in force, with what lists and items have added; the one thing that changes in a run (R50)."""

from collections.abc import Callable

from aggregator.config.lists import with_lists
from aggregator.model.hosts import budget_key
from aggregator.model.redactor import Redactor
from aggregator.model.settings import Roster, Settings
from aggregator.store.database import Store
from aggregator.urls import Url


def listed_settings(store: Store, settings: Settings) -> Settings:
    """Return the settings with the sources that lists name (`kind: opml`), as of the last good copy of each list."""
    if not settings.has_lists:
        return settings
    with store.read() as tx:
        return with_lists(settings, tx.sources.lists())


def completed_roster(store: Store, roster: Roster) -> Roster:
    """Return a roster with the categories that items have named; in most rosters no source lets its items do so."""
    if not any(source.reading.filing for source in roster.sources.values()):
        return roster
    with store.read() as tx:
        return roster.with_made(tx.categories.made(roster))


class InForce:
    """Settings, roster and redactor. Threads may read it at any time; whoever changes it holds a lock.

    Args:
        settings: the whole of feeds.yaml.
        store: knows what lists and items name.
    """

    written: Settings  # feeds.yaml alone
    settings: Settings  # with the sources that lists name
    roster: Roster  # with the categories that items have named, once `complete` was called
    redactor: Redactor
    has_details: bool  # some source asks for details

    def __init__(self, settings: Settings, store: Store) -> None:
        self._store = store
        self._calls: list[Callable[[], None]] = []
        self._put(settings, listed_settings(store, settings))

    def on_change(self, call: Callable[[], None]) -> None:
        """Call a function after each change."""
        self._calls.append(call)

    def replace(self, written: Settings, settings: Settings) -> None:
        """Bring other settings into force.

        Args:
            written: feeds.yaml alone.
            settings: the same with the sources that lists name.
        """
        self._put(written, settings)
        self._notify()

    def complete(self) -> None:
        """Add the categories that items have named since."""
        self.roster = completed_roster(self._store, self._declared)
        self._notify()

    def host_count(self, own: bool) -> int:
        """Return how many host keys the sources have, on the operator's own machines or elsewhere (P87)."""
        return self._host_counts[own]

    def host_key_of(self, url: Url) -> str:
        """Return the host key of an address (P60)."""
        return budget_key(url, self.settings.hosts)

    def _put(self, written: Settings, settings: Settings) -> None:
        self.written, self.settings = written, settings
        self._declared = self.roster = Roster.of(settings)
        self.redactor = Redactor.of(settings)
        self.has_details = any(source.detail is not None for source in settings.sources)
        keys = {(source.own_machine, budget_key(source.url, settings.hosts)) for source in settings.sources}
        self._host_counts = {own: sum(mine == own for mine, _ in keys) for own in (False, True)}

    def _notify(self) -> None:
        for call in self._calls:
            call()
