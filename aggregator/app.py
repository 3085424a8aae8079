"""`App`: the parts of the program, built from the settings, and how a new feeds.yaml reaches them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from logging import getLogger
from pathlib import Path
from threading import RLock
from time import monotonic
from typing import TYPE_CHECKING

from aggregator.clock import Clock
from aggregator.errors import PublishError
from aggregator.in_force import InForce, listed_settings
from aggregator.late import late
from aggregator.model.settings import Settings, fetch_settings_of
from aggregator.publish.aliases import EVERY_OUTPUT_BYTES
from aggregator.publish.destination import open_destination
from aggregator.publish.formats import topics_of
from aggregator.publish.publisher import Publisher
from aggregator.render.theme import PageStyle, checked_style
from aggregator.store.database import Store, open_store
from aggregator.store.sources import Placed

if TYPE_CHECKING:
    from aggregator.poll import poller
    from aggregator.publish.posts import post
    from aggregator.render import search_page
else:
    poller = late("aggregator.poll.poller")
    post = late("aggregator.publish.posts.post")
    search_page = late("aggregator.render.search_page")

log = getLogger(__name__)

SERVES = "serve"  # the command that runs a service


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """State of a store when it was opened."""

    is_new: bool  # nothing was ever stored or published from it
    is_adopting: bool  # it was restored, and nothing was published since
    is_served: bool  # `serve` runs now and then, so that a `poll` in between keeps the link to /search on pages


class App:
    """An open store, the settings in force, and what publishes and polls by them. Made by `open_app`."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        clock: Clock,
        steady: Callable[[], float],
        look: PageStyle,
        beginning: Beginning,
    ) -> None:
        self.store, self.clock, self.look, self.beginning = store, clock, look, beginning
        self.in_force = InForce(settings, store)
        self.folder = open_destination(settings.publish.to)
        self.folder.sweep()
        self.publisher = self._make_publisher(self.in_force.settings, look)
        self._steady = steady
        self._changing = RLock()  # an edit of feeds.yaml and a list may come at once
        self.in_force.on_change(lambda: self.publisher.adopt(self.in_force.roster))

    @cached_property
    def poller(self) -> "poller.Poller":
        """The network client and its limits, made at first use: a correction needs none.

        Raises:
            StoreError: what hosts asked for in earlier runs can't be read.
        """
        return poller.Poller(self.store, self.in_force, self.clock, self._steady, on_listed=self._take_lists)

    def apply(self, settings: Settings, text: str) -> None:
        """Bring new settings into force while polls go on (R50); what changed nothing is polled no sooner (P65).

        Args:
            settings: valid ones; what only a restart can change stays as it is, and is named in the log.
            text: the feeds.yaml they come from, as it was written.

        Raises:
            ConfigError: their theme or a template can't be used; nothing has changed.
        """
        with self._changing:
            look = replace(checked_style(settings), search=self.look.search)
            listed = listed_settings(self.store, settings)
            publisher = self._make_publisher(listed, look)
            _warn_of_kept(self.in_force.settings, listed)
            self.look, self.publisher = look, publisher
            self.in_force.replace(settings, listed)
            self.sync(text)

    def sync(self, text: str | None = None) -> None:
        """Bring the store in line with the settings in force.

        Args:
            text: the feeds.yaml they come from, to be kept (R51); None: that has not changed.
        """
        now, settings = self.clock(), self.in_force.settings
        with self.store.begin() as tx:
            tx.sync(_placed(settings), self.in_force.roster, now, self.in_force.host_key_of)
            unlisted = tx.categories.unlisted()
            slugs = [row.slug for row in tx.categories.rows() if row.key not in unlisted]
            tx.hub_pings.keep(topics_of(settings, slugs))  # others may get no ping any more (A86)
            if text is not None:
                tx.store_row.keep_config(text, str(settings.path), now)
        self.store.forget_addresses()
        self.in_force.complete()

    def close(self) -> None:
        """Close everything that is open; the store ends as one file (R4)."""
        if "poller" in self.__dict__:
            self.poller.close()
        self.store.checkpoint()
        self.store.close()

    def _take_lists(self) -> None:
        """Add the sources that lists name now, and remove those that no list names any more (A43)."""
        with self._changing:
            written = self.in_force.written
            settings = listed_settings(self.store, written)
            if settings == self.in_force.settings:
                return
            self.publisher = self._make_publisher(settings, self.look)
            self.in_force.replace(written, settings)
            self.sync()
            log.info("take_list", extra={"sources": len(settings.sources)})

    def _make_publisher(self, settings: Settings, look: PageStyle) -> Publisher:
        return Publisher(self.store, settings, self.folder, self.clock, look)


def _placed(settings: Settings) -> Iterator[Placed]:
    for source in settings.sources:
        yield Placed(source=source, digest=fetch_settings_of(source))


def _warn_of_kept(old: Settings, new: Settings) -> None:
    """Log the settings that only a restart can change."""
    for name, before, after in (
        ("store", old.store, new.store),
        ("publish.to", old.publish.to, new.publish.to),
        ("serve.bind", (old.host, old.port), (new.host, new.port)),
        ("workers", old.workers, new.workers),
    ):
        if before != after:
            log.warning("keep_setting", extra={"setting": name, "advice": "it takes effect at the next start"})


def _begin(store: Store, clock: Clock, settings: Settings) -> Beginning:
    """Read the state of a store before anything is done with it.

    A store that was restored does not know when a service ran last. The index page that was published last shows it.
    """
    with store.begin() as tx:
        is_adopting, is_served = tx.files.is_adopting(), False
        if isinstance(settings.publish.to, Path):
            tx.store_row.end_serving(clock())
            if is_adopting and _index_links_to_search(settings):
                tx.store_row.note_served(clock())
            is_served = tx.store_row.is_served()
        return Beginning(is_new=tx.store_row.is_new(), is_adopting=is_adopting, is_served=is_served)


def _index_links_to_search(settings: Settings) -> bool:
    try:
        index = open_destination(settings.publish.to).read("index.html", EVERY_OUTPUT_BYTES)
    except PublishError:  # no page stands there, so no page can change
        return False
    return search_page.links_to_search(index, base_url=str(settings.site.base_url))


def open_app(
    settings: Settings,
    *,
    command: str,
    clock: Clock,
    text: str | None = None,
    steady: Callable[[], float] = monotonic,
    look: PageStyle | None = None,
) -> App:
    """Check the theme, open the store for work, and bring it in line with feeds.yaml.

    Args:
        settings: the whole of feeds.yaml.
        command: the command that runs; the message about a held lock names it.
        clock: returns the time.
        text: the feeds.yaml that the settings come from, if it is not the one that stands there now.
        steady: returns seconds for budgets; not affected when the wall clock is set.
        look: page style, in place of the one that the settings ask for.

    Raises:
        ConfigError: the theme or a template can't be used; nothing was opened.
        LockHeld: another process works on the store.
        StoreError: it can't be opened.
        PublishError: the folder for the outputs can't be made.
    """
    look = look or checked_style(settings)
    if settings.publish.jekyll is not None:
        post.check_templates(settings)
    store = open_store(settings.store, now=clock(), command=command)
    try:
        beginning = _begin(store, clock, settings)
        if isinstance(settings.publish.to, Path):
            look = replace(look, search=beginning.is_served or command == SERVES)
        app = App(settings, store, clock, steady, look, beginning)
        app.sync(settings.path.read_text(encoding="utf-8") if text is None else text)
    except BaseException:
        store.close()
        raise
    return app
