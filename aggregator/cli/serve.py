"""`aggregator serve`: poll, publish and serve in one process, until SIGTERM."""

import argparse
import logging
import signal
import sys
import threading
from collections.abc import Callable, Mapping

from aggregator.cli.open import opened_world
from aggregator.scheduler import Service
from aggregator.serve.application import Application
from aggregator.serve.server import WebServer
from aggregator.serve.shelf import Shelf

LEVEL = logging.INFO
OURS = 5


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Serve until a signal says stop; then end within ten seconds (R54)."""
    stop = threading.Event()
    before = {number: signal.signal(number, _stopper(stop)) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        with opened_world(options, environ, last_good=options.last_good) as world:
            service = Service(world, environ)
            application = Application(
                Shelf(world.folder.root, service.max_age),
                health=service.is_alive,
                ready=service.is_ready,
                base_url=world.settings.site.base_url,
            )
            web = WebServer(application, world.settings.host, world.settings.port)
            web.start()  # before anything is polled: a port that is taken ends us at once
            before[signal.SIGHUP] = signal.signal(signal.SIGHUP, lambda *_: service.reload())
            try:
                service.start()
                print(f"aggregator serves {world.settings.site.base_url}", file=sys.stderr)
                while not stop.wait(1) and not service.ended.is_set() and web.is_alive():
                    pass
                service.stop()
            finally:
                web.stop()
        return 0 if stop.is_set() and service.fault is None else OURS
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stopper(stop: threading.Event) -> Callable[[int, object], None]:
    """Give a signal handler that sets an event."""

    def handler(number: int, frame: object) -> None:
        signal.signal(number, signal.SIG_DFL)  # a second signal ends the process at once
        # In a thread of its own: the main thread waits on this very event, and may be inside its lock.
        threading.Thread(target=stop.set, name="stop", daemon=True).start()

    return handler
