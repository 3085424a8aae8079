"""The place where config becomes store, client and ports; and where a new config replaces the old one."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from logging import getLogger
from pathlib import Path
from threading import RLock, Timer
from time import monotonic
from typing import Any

from aggregator import __version__
from aggregator.clock import Clock
from aggregator.errors import AggregatorError, PublishError
from aggregator.fetch import Bodies, Client
from aggregator.fetch.budget import Budgets
from aggregator.model.ask import Ask
from aggregator.model.hosts import budget_key, is_public
from aggregator.model.poll import Answer, Cut
from aggregator.model.redactor import Redactor
from aggregator.model.settings import Roster, Settings, Site, fetch_settings_of
from aggregator.model.status import Figures
from aggregator.model.story import Publication
from aggregator.poll.corrections import take_requests
from aggregator.poll.details import end_waits
from aggregator.poll.host_limits import Hosts
from aggregator.poll.maintenance import Upkeep
from aggregator.poll.pipeline import Ports
from aggregator.publish.aliases import EVERY_OUTPUT_BYTES
from aggregator.publish.destination import open_destination
from aggregator.publish.hub_topics import keep_topics
from aggregator.publish.looks import MAX_AGE
from aggregator.publish.posts.post import check_templates
from aggregator.publish.publisher import Publisher
from aggregator.publish.report import Published
from aggregator.reader import Readers
from aggregator.render.mark import HOME
from aggregator.render.search_page import links_to_search
from aggregator.render.theme import PageStyle
from aggregator.render.theme_check import checked_style
from aggregator.render.visibility import Visibility
from aggregator.store import open_store
from aggregator.store.database import Store
from aggregator.store.sources import Placed
from aggregator.urls import Url, host_of

log = getLogger(__name__)

SERVES = "serve"  # the command that does
LONGEST_POLL = timedelta(seconds=150)  # a poll's timeout is 120 s at most (P81)


class App:
    """An open store, a client, the budgets of the hosts, and the settings they serve. Made by `open_world`."""

    def __init__(
        self, settings: Settings, store: Store, clock: Clock, steady: Callable[[], float], look: PageStyle
    ) -> None:
        self.store, self.clock, self.steady = store, clock, steady
        self.folder = open_destination(settings.publish.to)
        self._root = settings.publish.to if isinstance(settings.publish.to, Path) else None
        self.folder.sweep()
        self.budgets = Budgets(settings.hosts, steady)
        self.hosts = Hosts(store, self.budgets, clock, rules=lambda: self.settings.hosts)
        self.readers = Readers()
        self.upkeep = Upkeep(store, clock)
        self._bodies = Bodies(settings.workers)
        self._cut = False
        self._retired: set[Client] = set()
        self.written = settings  # feeds.yaml alone; `settings` has the sources that lists name as well
        self._changing = RLock()  # an edit of feeds.yaml and a list may come at once
        settings = store.listed(settings)
        self._enforce(settings, look, Publisher(store, settings, self.folder, clock, look))
        self.ports = Ports(
            fetch=self._fetch,
            release=self._bodies.release,
            read=self.readers.read,
            store=store,
            is_cut=lambda: self._cut,
            roster=lambda: self.roster,
            on_listed=self._take_lists,
            on_made=self._complete,
            redactor=lambda: self._redactor,
            clock=clock,
        )
        self._note_files()

    def _enforce(self, settings: Settings, look: PageStyle, publisher: Publisher) -> None:
        self._count(settings, look, publisher)
        self._client = Client(
            user_agent=user_agent_of(settings.site),
            clock=self.clock,
            hosts=settings.hosts,
            proxy=settings.proxy,
            bodies=self._bodies,
            passage=self.budgets.passage,
            sites=self.hosts.sites,
        )

    def _count(self, settings: Settings, look: PageStyle, publisher: Publisher) -> None:
        """Go by other sources and categories."""
        self.settings, self.look, self._publisher = settings, look, publisher
        self._listed = self.roster = Roster.of(settings)
        keys = {(source.own_machine, budget_key(source.url, settings.hosts)) for source in settings.sources}
        self._has_details = any(source.detail is not None for source in settings.sources)
        self._host_counts = {own: sum(mine == own for mine, _ in keys) for own in (False, True)}
        self._redactor = Redactor.of(settings)

    def _take_lists(self) -> None:
        """Take in the sources that lists name now, and let those rest that no list names any more (A43)."""
        with self._changing:
            self._exchange_lists()

    def _exchange_lists(self) -> None:
        settings = self.store.listed(self.written)
        if settings == self.settings:
            return
        self._count(settings, self.look, Publisher(self.store, settings, self.folder, self.clock, self.look))
        with self.store.begin() as tx:
            tx.sync(self._placed(), self.roster, self.clock(), self._host_key_of)
            keep_topics(tx, self.settings)
        self.store.forget_addresses()
        self._complete()
        log.info("take_list", extra={"sources": len(settings.sources)})

    def apply(self, settings: Settings, text: str) -> None:
        """Bring new settings into force while polls go on (R50); what changed nothing is polled no sooner (P65).

        Args:
            settings: good ones; what only a restart can change stays as it is, and is named in the log.
            text: the feeds.yaml they come from, as it was written.

        Raises:
            ConfigError: their theme or a template can't be used; nothing has changed.
        """
        with self._changing:
            self._apply(settings, text)

    def _apply(self, settings: Settings, text: str) -> None:
        look = replace(checked_style(settings), search=self.look.search)
        written, settings = settings, self.store.listed(settings)
        publisher = Publisher(self.store, settings, self.folder, self.clock, look)
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
        self.written = written
        self.budgets.adopt(settings.hosts)
        self._enforce(settings, look, publisher)
        self.sync(text)

    def sync(self, text: str) -> None:
        """Bring the store in line with the settings, and keep the text they come from (R51)."""
        now = self.clock()
        with self.store.begin() as tx:
            tx.sync(self._placed(), self.roster, now, self._host_key_of)
            keep_topics(tx, self.settings)
            tx.store_row.keep_config(text, str(self.settings.path), now)
        self.store.forget_addresses()
        self._complete()

    def _complete(self) -> None:
        """Take in the categories that items have named."""
        self.roster = self.store.completed(self._listed)
        self._publisher.adopt(self.roster)

    def take_requests(self) -> int:
        """Carry out what operators asked for beside us (R27); give how many requests were taken."""
        return take_requests(self.store, self.roster, self.clock)

    def is_new(self) -> bool:
        """Tell whether nothing was ever stored or published from this store."""
        with self.store.read() as tx:
            return tx.restoring.is_new()

    def is_adopting(self) -> bool:
        """Return whether the store was restored, and nothing was published since."""
        with self.store.read() as tx:
            return tx.files.is_adopting()

    def has_details(self) -> bool:
        """Tell whether any source asks for details."""
        return self._has_details

    def end_waits(self) -> int:
        """Publish the entries that nobody will bring a detail any more; give how many."""
        ended = end_waits(self.store, self.roster, self.clock)
        if ended:
            self._complete()
        return ended

    def note_serving(self) -> None:
        """Note that a service runs, for the runs of `poll` in between and after it."""
        with self.store.begin() as tx:
            tx.store_row.note_serving(self.clock())

    def publish(self, **how: Any) -> Published:
        """Bring the files to what the store says; see `Publisher.publish`."""
        try:
            published = self._publisher.publish(**how)
        except AggregatorError:  # what was written before it, at a stranger's file say, only the store knows
            self._note_files()
            raise
        self._max_ages |= published.ages  # to read them all takes as long as to publish, once archives are large
        self._note_copies()
        return published

    def _note_files(self) -> None:
        with self.store.read() as tx:
            self._max_ages = dict(tx.files.max_ages())
        self._note_copies()

    def _note_copies(self) -> None:
        with self.store.read() as tx:
            copies = tx.files.copies()
        targets = dict(self.settings.publish.aliases)
        self._copies = {path: targets.get(path, path) for path in copies}

    def has_outputs(self) -> bool:
        """Tell whether outputs are there, by the one that always is; of a bucket that is taken for granted."""
        return self._root is None or (self._root / "status.json").is_file()

    @property
    def is_in_bucket(self) -> bool:
        """Tell whether outputs go to a bucket, where each look costs a request."""
        return self._root is None

    def has_oldest(self) -> bool:
        """Tell whether the output stands that was rendered longest ago: whoever cleared the place took it along.

        Others may have been put there again since, as news came.

        Raises:
            PublishError: it can't be told.
        """
        with self.store.read() as tx:
            path = tx.files.oldest()
        return path is None or self.folder.digest(path) is not None

    def notice_losses(self) -> bool:
        """Let outputs that somebody removed be made again; tell whether any are gone.

        Raises:
            PublishError: it can't be told what stands there.
        """
        return self._publisher.notice_losses()

    def clear_lost(self) -> None:
        """Remove the pages and archives that a state which is lost has left, once all is published anew.

        Raises:
            PublishError: it can't be told what stands there.
        """
        self._publisher.clear_lost()

    def clear_orphans(self, slugs: Collection[str]) -> None:
        """Remove the documents at the addresses of categories that go on elsewhere, after a restore.

        Raises:
            PublishError: it can't be told what stands there.
        """
        self._publisher.clear_orphans(slugs)

    def max_age(self, path: str) -> int:
        """Say how long who reads a file may keep it, in seconds (A75)."""
        return self._max_ages.get(path, MAX_AGE[0])

    def copy_of(self, path: str) -> str | None:
        """Say of which output a listed file is a copy: its own path if it is the operator's own; None if it is none."""
        return self._copies.get(path)

    def showing(self) -> Visibility:
        """Give what decides what anyone may see, as things stand now."""
        with self.store.read() as tx:
            return Visibility(
                self.roster,
                tx.sources.limits(),
                self.settings.site.language,
                tx.store_row.uuid(),
                tx.categories.unlisted(),
            )

    def as_shown(self, publications: Sequence[Publication]) -> list[Publication]:
        """Give publications as anyone may see them."""
        showing = self.showing()
        categories = self.roster.categories
        return [showing.publication(p, categories[p.category]) for p in publications if p.category in categories]

    def figures(self) -> Figures:
        """Count what metrics show."""
        with self.store.read() as tx:
            return tx.status.figures(self.clock())

    def cut(self) -> None:
        """End every fetch, reading and decision under way, and each later one at once: the program stops (R54)."""
        self._cut = True
        self.readers.close()
        for client in (self._client, *self._retired):
            client.cut()

    def close(self) -> None:
        """Close what is open; the store ends as one file (R4)."""
        self.readers.close()
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

    def _fetch(self, ask: Ask) -> Answer:
        if self._cut:
            return Cut(asked_at=self.clock())
        return self._client.fetch(ask)

    def host_count(self, own: bool) -> int:
        """Say how many hosts are asked: the operator's own machines, or all others (P87)."""
        return self._host_counts[own]

    def _host_key_of(self, url: Url) -> str:
        return budget_key(url, self.settings.hosts)

    def _placed(self) -> Iterator[Placed]:
        for source in self.settings.sources:
            yield Placed(source=source, digest=fetch_settings_of(source))


def _is_served(store: Store, clock: Clock, settings: Settings) -> bool:
    """Return whether `serve` runs now and then, so that a `poll` in between keeps the link to /search on pages.

    A store that was restored does not know when a service ran last. The index page that was published last shows it.
    """
    with store.begin() as tx:
        tx.store_row.end_serving(clock())
        if tx.files.is_adopting() and _index_links_to_search(settings):
            tx.store_row.note_served(clock())
        return tx.store_row.is_served()


def _index_links_to_search(settings: Settings) -> bool:
    try:
        index = open_destination(settings.publish.to).read("index.html", EVERY_OUTPUT_BYTES)
    except PublishError:  # no page stands there, so no page can change
        return False
    return links_to_search(index, base_url=str(settings.site.base_url))


def open_app(
    settings: Settings,
    *,
    command: str,
    clock: Clock,
    text: str | None = None,
    steady: Callable[[], float] = monotonic,
    look: PageStyle | None = None,
) -> App:
    """Open the store for work, and bring it in line with feeds.yaml.

    Args:
        settings: the whole of feeds.yaml.
        command: what we are about to do; whoever meets the lock reads it.
        clock: tells the time.
        text: the feeds.yaml that they come from, if it is not the one that stands there now.
        steady: tells the time in seconds that budgets count by; it knows no jump.
        look: of the pages, in place of the one that the settings ask for.

    Raises:
        ConfigError: the theme or a template can't be used; nothing was opened.
        LockHeld: another process works on the store.
        StoreError: it can't be opened.
        PublishError: the folder for the outputs can't be made.
    """
    look = look or checked_style(settings)
    check_templates(settings)
    store = open_store(settings.store, now=clock(), command=command)
    try:
        if isinstance(settings.publish.to, Path) and settings.store.startswith("sqlite:"):
            look = replace(look, search=_is_served(store, clock, settings) or command == SERVES)
        app = App(settings, store, clock, steady, look)
        app.sync(settings.path.read_text(encoding="utf-8") if text is None else text)
        app.hosts.recall()
    except BaseException:
        store.close()
        raise
    return app


def user_agent_of(site: Site) -> str:
    """Say honestly who asks (P75): name, version, the public address of the output, and whom to write to."""
    public = [f"+{site.base_url}"] if is_public(host_of(site.base_url)) else []
    return f"aggregator/{__version__} ({'; '.join([*public, site.contact or f'+{HOME}'])})"
