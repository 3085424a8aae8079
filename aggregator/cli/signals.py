"""Stops a command at a signal."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def stopping(stop: Callable[[], None]) -> Iterator[list[int]]:
    """Stop cleanly at the first SIGTERM or SIGINT; a second one ends the process at once.

    Args:
        stop: called in a new thread.

    Yields:
        A list to which the number of each signal is appended.
    """
    caught: list[int] = []

    def catch(number: int, frame: object) -> None:
        caught.append(number)
        signal.signal(number, signal.SIG_DFL)
        # In a thread of its own: the main thread may have been interrupted inside the very lock that this needs.
        threading.Thread(target=stop, name="stop", daemon=True).start()

    before = {number: signal.signal(number, catch) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
