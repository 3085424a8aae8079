"""Runs the real service over a simulated span of time, restarts included, as fast as the polls allow."""

import random
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from time import monotonic

import pytest

from aggregator.app import App, open_app
from aggregator.config import load_config
from aggregator.fetch.budget import Budgets
from aggregator.model.job import JobId
from aggregator.poll.dispatcher import SPREAD, Dispatcher
from aggregator.poll.due_queue import DueBacklog
from aggregator.store.schedule import DueItem
from tests.manners.catalogue_hints import CROWD, CROWD_SPACING
from tests.manners.exchange import Habit
from tests.manners.ledger import Ledger
from tests.manners.origin import Origin
from tests.sample_site import MovedClock, SampleSite

LATE = timedelta(hours=1)  # longest delay before the service searches for due sources, so that more become due
IDLE = timedelta(hours=1)
STUCK = 0.5  # real seconds in which only requests waited for their responses
HOSTS = f"""hosts:
  127.0.0.0/8: {{allow_private: true}}
  {CROWD}: {{allow_private: true, spacing: {CROWD_SPACING // timedelta(minutes=1)}m}}
"""
EDITED = "strong"
EDITS = {
    EDITED: "headers: {X-Reader: two}",
    "weak": "title: Another title, category: elsewhere",
}  # P9, P65


class VirtualClock(MovedClock):
    """Wall clock and steady clock in one. Both move together, and only when nothing else can happen."""

    def steady(self) -> float:
        """Return seconds from some beginning."""
        return (self.now - datetime.fromtimestamp(0, self.now.tzinfo)).total_seconds()


class MovingBacklog(DueBacklog):
    """Backlog of due sources that moves the clock to the next due time when nothing is due or under way.

    It never moves while a request is on its way: the origin would take that for the time at which it left.
    """

    def __init__(
        self, app: App, origin: Origin, clock: VirtualClock, chance: random.Random, *, brisk: timedelta
    ) -> None:
        super().__init__(app.store)
        self._world, self._origin, self._clock, self._chance = app, origin, clock, chance
        self._brisk_until = clock.now + brisk  # no lateness at first, since bursts would not be visible in it
        self._stirred_at = monotonic()
        self.is_idle: Callable[[], bool] = lambda: True
        self.wake: Callable[[], None] = lambda: None

    def take_due(
        self,
        now: datetime,
        *,
        limit: int,
        failing: int,
        budgets: Budgets,
        own: bool | None = None,
        apart: Collection[JobId] = (),
    ) -> Sequence[DueItem]:
        """Return the due sources of the store; move the clock if there is nothing else to wait for."""
        found = super().take_due(now, limit=limit, failing=failing, budgets=budgets, own=own, apart=apart)
        if not found and self.is_idle():
            self._clock.now = self._next_moment(now, budgets)
            self.wake()
        elif not found and monotonic() - self._stirred_at > STUCK and self._origin.has_all(budgets.asked()):
            # A redirect waits for the budget of its host, or a publisher is slow.
            self._clock.now += timedelta(seconds=min(budgets.next_opening() or STUCK, 2.0))
        elif not found:
            return found
        self._stirred_at = monotonic()
        return found

    def _next_moment(self, now: datetime, budgets: Budgets) -> datetime:
        with self._world.store.read() as tx:
            dues = [item.due_at for item in tx.schedule.named(None)]
        moments = [due for due in dues if due > now]
        if len(moments) < len(dues) and (opening := budgets.next_opening()) is not None:
            moments.append(now + timedelta(seconds=opening))
        moment = max(min(moments, default=now + IDLE), now + timedelta(microseconds=1))
        late = self._chance.random() > 0.1 and moment > self._brisk_until
        return moment + (LATE * self._chance.random() if late else timedelta(0))


class Month:
    """A service that polls an origin.

    Args:
        sample_site: a new site, nothing polled yet.
        origin: the polled origin.
        clock: the clock of both.
    """

    def __init__(self, sample_site: SampleSite, origin: Origin, clock: VirtualClock) -> None:
        self.sample_site, self.origin, self.clock = sample_site, origin, clock
        sample_site.clock = clock
        self._chance = random.Random(20260304)

    def passes(self, span: timedelta) -> None:
        """Open the app, let the service run for some time, and close the app."""
        end = self.clock.now + span
        with self._opened() as app:
            with app.store.begin() as tx:
                tx.schedule.pull_back(self.clock())
                tx.schedule.spread_overdue(self.clock(), over=SPREAD)
            backlog = MovingBacklog(app, self.origin, self.clock, self._chance, brisk=2 * SPREAD)
            dispatcher = Dispatcher(app.store, app.poller, app.in_force, backlog)
            backlog.is_idle, backlog.wake = dispatcher.is_idle, dispatcher.wake
            dispatcher.run(until=lambda: self.clock.now >= end)
        self.origin.start += 1

    @contextmanager
    def _opened(self) -> Iterator[App]:
        settings = load_config(self.sample_site.folder / "feeds.yaml", {})
        app = open_app(settings, command="serve", clock=self.clock, steady=self.clock.steady)
        try:
            yield app
        finally:
            app.close()

    def rests(self, span: timedelta) -> None:
        """Move the clock while nothing runs."""
        self.clock.now += span


def feeds_yaml(habits: Sequence[Habit], urls: Mapping[str, str], changed: Mapping[str, str] | None = None) -> str:
    """Return feeds.yaml with all sources; `changed` adds options to some of them."""
    lines = ["site: {base_url: 'https://planet.example.org/', contact: ops@planet.example, timezone: Europe/Berlin}"]
    lines.append("publish: {formats: [json]}\nworkers: 16\ndefaults: {dedupe: off}\nsources:")
    for habit in habits:
        pace = f", every: {habit.every // timedelta(minutes=1)}m" if habit.every else ""
        pace = f", schedule: '{habit.schedule}'" if habit.schedule else pace
        more = "".join(f", {text}" for text in (habit.options, (changed or {}).get(habit.name, "")) if text)
        lines.append(f"  - {{url: '{urls[habit.name]}', key: {habit.name}{pace}{more}}}")
    return "\n".join(lines) + "\n"


def a_month(sample_site: SampleSite, habits: Sequence[Habit], span: timedelta) -> Ledger:
    """Run a service over an origin for some time, with restarts and edits of feeds.yaml.

    Returns:
        What the origin saw.
    """
    clock = VirtualClock()
    with Origin(habits, clock) as origin, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", origin.authority)
        patch.setattr("aggregator.poll.workers.LINGER_SECONDS", 0.001)  # real seconds: a simulated month must not wait
        month = Month(sample_site, origin, clock)
        urls = origin.urls()
        sample_site.writes(feeds_yaml(habits, urls), hosts=HOSTS)
        month.passes(span * 0.3)
        month.rests(timedelta(hours=7))
        month.passes(span * 0.3)
        edited_at = clock.now
        sample_site.writes(feeds_yaml(habits, urls, EDITS), hosts=HOSTS)
        month.passes(span * 0.2)
        month.rests(timedelta(minutes=1))
        month.passes(span * 0.2)
        return Ledger(
            exchanges=origin.settled(),
            habits={habit.name: habit for habit in habits},
            addresses={name: origin.seen_as(name) for name in urls},
            strays=origin.strays(),
            unproven=origin.unproven(),
            edits={EDITED: edited_at},
            spacing={f"http://{CROWD}": CROWD_SPACING},
        )
