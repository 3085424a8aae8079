"""Cache of robots.txt files, each fetched once a day (P89). Threads may share it."""

import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from aggregator.errors import RobotsRefused
from aggregator.fetch.robots import allows, rules_for
from aggregator.fetch.trip import origin_of
from aggregator.model.poll import Answer, Cut, Failed, Fetched
from aggregator.model.robots import FRESH, KEPT, Robots
from aggregator.urls import Url, normalise

AGENT: Final = "aggregator"  # the product token of our User-Agent, as robots.txt may name it
MAX_SITES: Final = 10_000
MAX_WEIGHT: Final = (
    4_000_000  # characters of all rules together: links lead to any number of sites, with rules of any length
)


class RobotsCache:
    """The robots.txt rules of sites, by origin."""

    def __init__(self, known: Iterable[Robots] = ()) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, Robots] = {}
        self._fresh: dict[str, Robots] = {}
        self._weight = 0
        for each in known:
            self._know(each)

    def of(self, url: Url) -> Robots | None:
        """Return the rules known for the site of an address, however old; None if unknown."""
        with self._lock:
            return self._known.get(origin_in_words(url))

    def learn(self, robots: Robots) -> None:
        """Store the rules of a site."""
        with self._lock:
            self._fresh[robots.origin] = robots
            self._know(robots)

    def _know(self, robots: Robots) -> None:
        """Keep the latest rules, up to the limits; forgotten sites are fetched again."""
        before = self._known.pop(robots.origin, None)
        self._known[robots.origin] = robots
        self._weight += _weight(robots) - (_weight(before) if before is not None else 0)
        while len(self._known) > 1 and (len(self._known) > MAX_SITES or self._weight > MAX_WEIGHT):
            self._weight -= _weight(self._known.pop(next(iter(self._known))))

    def learnt(self) -> list[Robots]:
        """Return what was learnt since the last call, to be stored."""
        with self._lock:
            learnt, self._fresh = list(self._fresh.values()), {}
            return learnt


def _weight(robots: Robots) -> int:
    return sum(len(pattern) for _, pattern in robots.rules)


def may_be_asked(sites: RobotsCache, url: Url, now: datetime, ask: Callable[[Url], Answer]) -> Answer | None:
    """Check whether a site allows a page, and fetch its robots.txt if need be.

    Args:
        sites: the cache.
        url: of the page.
        now: the time.
        ask: fetches another address of the site.

    Returns:
        None if the page is allowed and no request was needed; else the response to the request for robots.txt.

    Raises:
        RobotsRefused: the page is disallowed.
    """
    robots, answer = sites.of(url), None
    if not is_fresh(sites, url, now):
        answer = ask(normalise("/robots.txt", url))
        said = _said(answer, url, now)
        if said is not None:
            sites.learn(said)
            robots = said
        elif robots is None or now - robots.asked_at >= KEPT or isinstance(answer, Cut):
            return answer  # unknown: everything is disallowed (section 2.3.1.4)
    if is_disallowed(sites, url):
        raise RobotsRefused(url)
    return answer


def is_fresh(sites: RobotsCache, url: Url, now: datetime) -> bool:
    """Return whether the rules of a site are no older than a day."""
    robots = sites.of(url)
    return robots is not None and now - robots.asked_at < FRESH


def is_disallowed(sites: RobotsCache, url: Url) -> bool:
    """Return whether an address is known to be disallowed."""
    robots = sites.of(url)
    return robots is not None and not allows(robots.rules, _path(url))


def is_known(answer: Answer | None, sites: RobotsCache, url: Url) -> bool:
    """Return whether `may_be_asked` allowed the page."""
    return answer is None or sites.of(url) is not None


def _said(answer: Answer, url: Url, now: datetime) -> Robots | None:
    """Read the response to a request for robots.txt: without such a file everything is allowed (section 2.3.1.3)."""
    if isinstance(answer, Fetched):
        rules, delay = rules_for(answer.body, AGENT)
        return Robots(origin=origin_in_words(url), asked_at=now, rules=rules, delay=delay)
    if isinstance(answer, Failed):
        status = answer.status or 0
        if answer.code == "empty" or (400 <= status < 500 and status != 429):
            return Robots(origin=origin_in_words(url), asked_at=now)
    return None


def origin_in_words(url: Url) -> str:
    """Return the origin of an address as text."""
    scheme, host, port = origin_of(url)
    return f"{scheme}://{host}:{port}"


def _path(url: Url) -> str:
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
