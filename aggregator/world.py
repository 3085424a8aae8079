"""The place where config becomes store, client and ports; and where a new config replaces the old one."""

import ipaddress
from collections.abc import Iterator, Mapping
from datetime import timedelta
from logging import getLogger
from threading import Timer
from time import monotonic
from typing import Any

from aggregator import __version__
from aggregator.clock import Clock
from aggregator.fetch import Client
from aggregator.fetch.budget import Budgets
from aggregator.model.hosts import budget_key
from aggregator.model.poll import Answer, Cut, Due
from aggregator.model.redactor import Redactor
from aggregator.model.settings import Roster, Settings, Site, fetch_settings_of
from aggregator.pipeline import Ports
from aggregator.publish.files import Folder
from aggregator.publish.mark import HOME
from aggregator.publish.publisher import MAX_AGE, Published, Publisher
from aggregator.store import open_store
from aggregator.store.database import Store
from aggregator.store.sources import Placed
from aggregator.urls import host_of

log = getLogger(__name__)

LONGEST_POLL = timedelta(seconds=150)  # a poll's timeout is 120 s at most (P81)
PRIVATE_ENDINGS = (".local", ".internal", ".lan", ".localhost", ".home.arpa")


class World:
    """An open store, a client, the budgets of the hosts, and the settings they serve. Made by `open_world`."""

    def __init__(self, settings: Settings, store: Store, clock: Clock) -> None:
        self.store, self.clock = store, clock
        self.folder = Folder(settings.publish.to)
        self.folder.sweep()
        self.budgets = Budgets(settings.hosts, monotonic)
        self._cut = False
        self._retired: set[Client] = set()
        self._enforce(settings)
        self.ports = Ports(
            fetch=self._fetch,
            store=store,
            roster=lambda: self.roster,
            redactor=lambda: self._redactor,
            clock=clock,
        )
        self._max_ages: Mapping[str, int] = {}

    def _enforce(self, settings: Settings) -> None:
        self.settings = settings
        self.roster = Roster.of(settings)
        self._redactor = Redactor.of(settings)
        self._client = Client(
            user_agent=user_agent_of(settings.site), clock=self.clock, hosts=settings.hosts, proxy=settings.proxy
        )
        self._publisher = Publisher(self.store, settings, self.folder, self.clock)

    def apply(self, settings: Settings, text: str) -> None:
        """Bring new settings into force while polls go on (R50); what changed nothing is polled no sooner (P65).

        Args:
            settings: good ones; what only a restart can change stays as it is, and is named in the log.
            text: the feeds.yaml they come from, as it was written.
        """
        old = self.settings
        for name, before, after in (
            ("store", old.store, settings.store),
            ("publish.to", old.publish.to, settings.publish.to),
            ("serve.bind", (old.host, old.port), (settings.host, settings.port)),
            ("workers", old.workers, settings.workers),
        ):
            if before != after:
                log.warning("keep_setting", extra={"setting": name, "advice": "it takes effect at the next start"})
        self._retire(self._client)
        self.budgets.adopt(settings.hosts)
        self._enforce(settings)
        self.sync(text)

    def sync(self, text: str) -> None:
        """Bring the store in line with the settings, and keep the text they come from (R51)."""
        now = self.clock()
        with self.store.begin() as tx:
            tx.sync(self._placed(), self.settings.categories, now)
            tx.keep_config(text, str(self.settings.path), now)

    def publish(self, **how: Any) -> Published:
        """Bring the files to what the store says; see `Publisher.publish`."""
        try:
            return self._publisher.publish(**how)
        finally:  # also of what was written before somebody else's file was met
            with self.store.read() as tx:
                self._max_ages = tx.max_ages()

    def max_age(self, path: str) -> int:
        """Say how long who reads a file may keep it, in seconds (A75)."""
        return self._max_ages.get(path, MAX_AGE[0])

    def cut(self) -> None:
        """End every fetch under way, and each later one at once: the program stops (R54)."""
        self._cut = True
        for client in (self._client, *self._retired):
            client.cut()

    def close(self) -> None:
        """Close what is open; the store ends as one file (R4)."""
        for client in (self._client, *self._retired):
            client.close()
        self.store.checkpoint()
        self.store.close()

    def _retire(self, client: Client) -> None:
        """Close a client once the polls that it has under way have ended, whatever becomes of them."""

        def close() -> None:
            client.close()
            self._retired.discard(client)

        self._retired.add(client)
        timer = Timer(LONGEST_POLL.total_seconds(), close)
        timer.daemon = True
        timer.start()

    def _fetch(self, due: Due) -> Answer:
        if self._cut:
            return Cut(asked_at=self.clock())
        return self._client.fetch(due)

    def _placed(self) -> Iterator[Placed]:
        for source in self.settings.sources:
            host_key = budget_key(source.url, self.settings.hosts)
            yield Placed(source=source, host_key=host_key, digest=fetch_settings_of(source))


def open_world(settings: Settings, *, command: str, clock: Clock, text: str | None = None) -> World:
    """Open the store for work, and bring it in line with feeds.yaml.

    Args:
        settings: the whole of feeds.yaml.
        command: what we are about to do; whoever meets the lock reads it.
        clock: tells the time.
        text: the feeds.yaml that they come from, if it is not the one that stands there now.

    Raises:
        LockHeld: another process works on the store.
        StoreError: it can't be opened.
        PublishError: the folder for the outputs can't be made.
    """
    store = open_store(settings.store, now=clock(), command=command)
    try:
        world = World(settings, store, clock)
        world.sync(settings.path.read_text(encoding="utf-8") if text is None else text)
    except BaseException:
        store.close()
        raise
    return world


def user_agent_of(site: Site) -> str:
    """Say honestly who asks (P75): name, version, the public address of the output, and whom to write to."""
    public = [f"+{site.base_url}"] if _is_public(host_of(site.base_url)) else []
    return f"aggregator/{__version__} ({'; '.join([*public, site.contact or f'+{HOME}'])})"


def _is_public(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return "." in host and not host.endswith(PRIVATE_ENDINGS)
    return False
