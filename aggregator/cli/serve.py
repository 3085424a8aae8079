"""Body of `serve`: polls, publishes and serves in one process, until SIGTERM."""

import argparse
import gc
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from aggregator.app import App
from aggregator.cli.open import opened_app
from aggregator.container import use_one_heap
from aggregator.errors import StoreAway
from aggregator.model.settings import Settings
from aggregator.model.story import Publication
from aggregator.render.search_page import Answer, Choice, render_found, render_found_json
from aggregator.search import SearchIndex, open_index
from aggregator.search.query import Query
from aggregator.serve.application import Application, Endpoint
from aggregator.serve.metrics import current_figures, load_meter, metrics
from aggregator.serve.published import PublishedState
from aggregator.serve.published_folder import PublishedFolder
from aggregator.serve.search import search
from aggregator.serve.server import WebServer
from aggregator.service import Service

if TYPE_CHECKING:
    from aggregator.serve.granian_server import GranianServer

OURS = 5
AWAY = 60.0  # seconds for which a start waits for the database server of the store
WEB_ENDS = 8.0  # seconds after a signal by which answers under way end or are cut (R54),
WEB_SECONDS = (0.5, 3.0)  # and so long at least, and at most, after all else has ended


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Serve until a signal arrives; then end within ten seconds (R54). Wait for a database server that is away.

    Raises:
        StoreAway: the server did not come back within `AWAY` seconds of our start; later, the service waits for it.
    """
    use_one_heap()
    server(options.server)  # before feeds.yaml comes into force: its extra may be missing
    stop, started = threading.Event(), threading.Event()
    told: list[float] = []  # when a signal came
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stopper(stop, told))
    late, is_told = monotonic() + AWAY, False
    try:
        while True:
            try:
                return _serve(options, environ, stop, told, started)
            except StoreAway as error:
                if started.is_set() or monotonic() >= late:
                    raise
                if not is_told:
                    print(f"aggregator: {error}; trying again for {AWAY:.0f} seconds", file=sys.stderr)
                    is_told = True
            if stop.wait(1):
                return 0
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _serve(
    options: argparse.Namespace,
    environ: Mapping[str, str],
    stop: threading.Event,
    told: Sequence[float],
    started: threading.Event,
) -> int:
    with opened_app(options, environ, last_good=options.last_good, goes_on=True) as app:
        meter = load_meter()
        to = app.in_force.settings.publish.to
        index = open_index(app.store, app.in_force.settings.path.parent) if app.look.search else None
        count = meter.count if meter else lambda changes: None
        count_ping = meter.count_ping if meter else lambda taken: None
        published = PublishedState(app.store, app.in_force)
        service = Service(
            app, environ, on_settled=count, on_pinged=count_ping, on_published=published.note, index=index
        )
        application = Application(
            PublishedFolder(to, published.max_age, copy_of=published.copy_of) if isinstance(to, Path) else None,
            health=service.is_alive,
            ready=service.is_ready,
            base_url=app.in_force.settings.site.base_url,
            endpoints={
                "/metrics": metrics(
                    meter,
                    figures=lambda: current_figures(app.store, app.clock()),
                    in_flight=lambda: sum(app.poller.budgets.asked().values()),
                    tick_age=service.tick_age,
                ),
                **(searching(app, published, index) if index else {}),
            },
        )
        web = server(options.server)(application, app.in_force.settings.host, app.in_force.settings.port)
        web.start()  # before anything is polled: a port that is taken ends us at once
        signal.signal(signal.SIGHUP, lambda *_: service.reload())
        try:
            service.start(stop.is_set)
            started.set()
            print(f"aggregator serves {where(app.in_force.settings)}", file=sys.stderr)
            while not stop.wait(1) and not service.ended.is_set() and web.is_alive():
                pass
            begun = told[0] if told else monotonic()
            service.stop(begun)
            web.stop(max(WEB_SECONDS[0], min(WEB_SECONDS[1], begun + WEB_ENDS - monotonic())))
        finally:
            web.stop(WEB_SECONDS[0])  # a second time does no harm
    gc.freeze()  # what is left ends with the process; to look through it took seconds on a busy machine
    return 0 if stop.is_set() and service.fault is None else OURS


def where(settings: Settings) -> str:
    """Return where readers find the site, and the address that is bound if it differs."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    listens = f"{host}:{settings.port}"
    public = str(settings.site.base_url)
    return public if public == f"http://{listens}/" else f"{public} from {listens}"


def server(name: str) -> "type[WebServer | GranianServer]":
    """Return the class of a server.

    Raises:
        ExtraMissing: the extra of the server is not installed.
    """
    if name == "waitress":
        return WebServer
    from aggregator.serve.granian_server import GranianServer

    return GranianServer


def searching(app: App, published: PublishedState, index: SearchIndex) -> dict[str, Endpoint]:
    """Return the endpoints of `/search`. They use the settings in force at the time of each request."""

    def find(query: Query, choice: Choice, limit: int, seconds: float) -> Sequence[Publication]:
        keeps = partial(choice.keeps, now=app.clock())
        skip = (choice.page - 1) * (limit - 1)
        return published.as_shown(index.find_public(query, limit=limit, seconds=seconds, skip=skip, keeps=keeps))

    def page(asked: str, terms: Sequence[str], found: Sequence[Publication], answer: Answer, choice: Choice) -> bytes:
        settings = app.in_force.settings
        listed = [(category.key, category.title) for category in settings.categories if not category.unlisted]
        has_pages = settings.publish.entry_pages and "html" in settings.publish.formats
        return render_found(
            asked,
            terms,
            found,
            answer,
            settings.site,
            settings.publish.formats,
            app.publisher.style,
            choice=choice,
            categories=listed,
            has_story_pages=has_pages,
        )

    return search(find, page=page, record=render_found_json)


def _stopper(stop: threading.Event, told: list[float]) -> Callable[[int, object], None]:
    """Return a signal handler that sets an event and records the time."""

    def handler(number: int, frame: object) -> None:
        told.append(monotonic())
        signal.signal(number, signal.SIG_DFL)  # a second signal ends the process at once
        # In a thread of its own: the main thread waits on this very event, and may be inside its lock.
        threading.Thread(target=stop.set, name="stop", daemon=True).start()

    return handler
