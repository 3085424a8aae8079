"""`Poller`: the outside world of polls, with everything that requests share: client, memory, budgets, readers."""

from collections.abc import Callable
from datetime import timedelta
from functools import cached_property
from threading import Timer
from typing import TYPE_CHECKING

from aggregator import HOME, __version__
from aggregator.clock import Clock
from aggregator.fetch import Bodies, Client
from aggregator.fetch.budget import Budgets
from aggregator.in_force import InForce
from aggregator.late import late
from aggregator.model.ask import Ask
from aggregator.model.entry import Feed
from aggregator.model.hosts import is_public
from aggregator.model.poll import Answer, Cut, Fetched
from aggregator.model.settings import Settings, Site
from aggregator.poll.host_limits import HostLimits
from aggregator.poll.pipeline import Ports
from aggregator.store.database import Store
from aggregator.urls import host_of

if TYPE_CHECKING:
    from aggregator.reader import pool
else:
    pool = late("aggregator.reader.pool")

LONGEST_POLL = timedelta(seconds=150)  # a poll's timeout is 120 s at most (P81)


class Poller:
    """Made once for a run; follows the settings in force. `close` must follow.

    Args:
        store: where polls are stored.
        in_force: the settings.
        clock: returns the time.
        steady: returns seconds for budgets; not affected when the wall clock is set.
        on_listed: called when a list names other sources than before.

    Raises:
        StoreError: what hosts asked for in earlier runs can't be read.
    """

    def __init__(
        self,
        store: Store,
        in_force: InForce,
        clock: Clock,
        steady: Callable[[], float],
        *,
        on_listed: Callable[[], None],
    ) -> None:
        self.clock, self.steady = clock, steady
        self.budgets = Budgets(in_force.settings.hosts, steady)
        self.host_limits = HostLimits(store, self.budgets, clock, rules=lambda: in_force.settings.hosts)
        self._in_force, self._bodies = in_force, Bodies(in_force.settings.workers)
        self._is_cut = False
        self._retired: set[Client] = set()
        self._client_settings = _client_settings(in_force.settings)
        self._client = self._make_client()
        self.ports = Ports(
            fetch=self._fetch,
            release=self._bodies.release,
            read=self._read,
            store=store,
            is_cut=lambda: self._is_cut,
            roster=lambda: in_force.roster,
            on_listed=on_listed,
            on_made=in_force.complete,
            redactor=lambda: in_force.redactor,
            clock=clock,
        )
        self.host_limits.recall()
        in_force.on_change(self._follow)

    @cached_property
    def readers(self) -> "pool.Readers":
        """The readers of bodies, made for the first one: a run of 304s loads no parser."""
        return pool.Readers()

    def cut(self) -> None:
        """End every fetch, reading and decision under way, and each later one at once: the program stops (R54)."""
        self._is_cut = True
        self.readers.close()  # made now if none was: what is read later is cut too
        for client in (self._client, *self._retired):
            client.cut()

    def close(self) -> None:
        """Close connections, threads and processes."""
        if "readers" in self.__dict__:
            self.readers.close()
        for client in (self._client, *self._retired):
            client.close()

    def _follow(self) -> None:
        """Replace the client if the settings that it was made from have changed; polls under way keep theirs (R50)."""
        wanted = _client_settings(self._in_force.settings)
        if wanted == self._client_settings:
            return
        self._client_settings = wanted
        self.budgets.adopt(self._in_force.settings.hosts)
        self._retire(self._client)
        self._client = self._make_client()

    def _make_client(self) -> Client:
        settings = self._in_force.settings
        return Client(
            user_agent=user_agent_of(settings.site),
            clock=self.clock,
            hosts=settings.hosts,
            proxy=settings.proxy,
            bodies=self._bodies,
            passage=self.budgets.passage,
            sites=self.host_limits.sites,
        )

    def _retire(self, client: Client) -> None:
        """Close a client once every poll that it may have under way has ended."""

        def close() -> None:
            client.close()
            self._retired.discard(client)

        self._retired.add(client)
        timer = Timer(LONGEST_POLL.total_seconds(), close)
        timer.daemon = True
        timer.start()

    def _read(self, fetched: Fetched, ask: Ask) -> Feed:
        return self.readers.read(fetched, ask)

    def _fetch(self, ask: Ask) -> Answer:
        if self._is_cut:
            return Cut(asked_at=self.clock())
        return self._client.fetch(ask)


def user_agent_of(site: Site) -> str:
    """Return the User-Agent (P75): name, version, the public address of the output, and whom to write to, if known."""
    public = [f"+{site.base_url}"] if is_public(host_of(site.base_url)) else []
    asked = site.contact or (HOME and f"+{HOME}")
    about = "; ".join(filter(None, (*public, asked)))
    return f"aggregator/{__version__} ({about})" if about else f"aggregator/{__version__}"


def _client_settings(settings: Settings) -> tuple[object, ...]:
    return user_agent_of(settings.site), settings.hosts, settings.proxy
