"""Rules of the pace of polls: P.4, P88 and R26."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from tests.manners.catalogue_hints import LESS
from tests.manners.exchange import Exchange
from tests.manners.habits import DAY, HOUR
from tests.manners.judge import SLACK, Look, Rule, early, followed, late, of
from tests.manners.ledger import Ledger, continues

SPACING, WIDEST = timedelta(seconds=2), timedelta(seconds=60)
BERLIN = ZoneInfo("Europe/Berlin")


def _bound(*rules: str) -> Callable[[Ledger], Iterator[Look]]:
    """Check polls that a rule delays."""

    def check(ledger: Ledger) -> Iterator[Look]:
        for step in followed(ledger.polls):
            if step.bounds.keys() & set(rules):
                yield Look(step.last, early(step, *rules))

    return check


def _with(check: Callable[[Ledger], Iterator[Look]], *names: str) -> Callable[[Ledger], Iterator[Look]]:
    """Check further polls too: of sources whose hints have no effect."""

    def both(ledger: Ledger) -> Iterator[Look]:
        yield from check(ledger)
        yield from (Look(step.last, early(step) or late(step)) for step in followed(of(*names)(ledger)))

    return both


def _none(ledger: Ledger) -> Iterator[Look]:
    return iter(())


def _p51(ledger: Ledger) -> Iterator[Look]:
    for step in followed(ledger.polls):
        habit = step.habit
        if habit.every is None and habit.schedule is None and step.after is not None and not step.failures:
            proven = habit.name == "news-hourly" and any(
                before.outcome == "not_modified"
                for before in ledger.steps[habit.name]
                if before.first.at < step.first.at
            )
            least = timedelta(minutes=15) if proven else HOUR
            waited, most = (
                step.after.first.at - step.first.at,
                max(DAY, step.wait, 7 * DAY if habit.name == "age-week" else DAY),
            )
            late_by = step.after.first.start == step.first.start and waited > most * 1.1 + SLACK + (
                most if step.before is None else timedelta(0)
            )
            yield Look(step.last, f"asked again after {waited}" if waited < least or late_by else "")


def _p55(ledger: Ledger) -> Iterator[Look]:
    """A max-age of a year is cut to a day for a daily blog; a week holds in full for news every four days."""
    for step in followed(of("age-year", "age-week")(ledger)):
        assert step.after is not None
        waited, same = step.after.first.at - step.first.at, step.after.first.start == step.first.start
        if step.failures or step.before is None:
            continue
        if step.habit.name == "age-week":
            yield Look(step.last, f"asked again after {waited}, not a week" if waited < 7 * DAY else "")
        else:
            frozen = same and waited > 1.1 * DAY + SLACK
            yield Look(step.last, f"asked again after {waited}" if waited < DAY or frozen else "")


def _p59(ledger: Ledger) -> Iterator[Look]:
    for step in ledger.polls:
        hours, days = step.before.skipped if step.before else (frozenset(), frozenset())
        if hours or days:
            at = step.first.at
            yield Look(step.first, "it asked to be spared then" if at.hour in hours or at.weekday() in days else "")
    yield from (Look(step.last, late(step)) for step in followed(of("skip-all")(ledger)))


def _in_flight(ledger: Ledger) -> Iterator[Look]:
    """One request at a time for each host."""
    for exchanges in ledger.hosts.values():
        for one, two in pairwise(sorted(exchanges, key=lambda exchange: exchange.began)):
            yield Look(two, f"{one.source} was not over" if two.began < one.ended - 0.02 else "")


def _p61(ledger: Ledger, *, restarted: bool = False) -> Iterator[Look]:
    """Two seconds between the starts of two requests to a host; more if the host asked for it.

    Not counted: redirects on one host, and requests that P32b allows to repeat.

    Args:
        ledger: the observations.
        restarted: check only requests with a restart between them.
    """
    for host, exchanges in ledger.hosts.items():
        base = ledger.spacing.get(host, SPACING)
        spacing, since, refused = base, None, dict[str, datetime]()
        before: Exchange | None = None
        for exchange in exchanges:
            if since is not None:
                while exchange.at - since >= DAY and spacing > base:
                    spacing, since = max(base, spacing / 2), since + DAY
            same = before is not None and (before.source, before.at) == (exchange.source, exchange.at)
            across = before is not None and before.start != exchange.start
            if before is not None and not same and not continues(before, exchange) and across == restarted:
                waited = exchange.at - before.at
                yield Look(exchange, f"{waited} after {before.source}, not {spacing}" if waited < spacing else "")
            before = exchange
            if exchange.answer.status in (403, 503):
                refused[exchange.source] = exchange.at
            two = sum(exchange.at - at < timedelta(minutes=10) for at in refused.values()) > 1
            if exchange.answer.status == 429 or (two and exchange.answer.status in (403, 503)):
                spacing, since = max(base, min(spacing * 2, WIDEST)), exchange.at


def _p62(ledger: Ledger) -> Iterator[Look]:
    """Half the median gap: three hours for news every six; a silent source is polled less and less."""
    for step in followed(of("news-six-hourly", "news-stops")(ledger)):
        assert step.after is not None
        since = step.first.at - ledger.exchanges[0].at
        waited, same = step.after.first.at - step.first.at, step.after.first.start == step.first.start
        if step.habit.name == "news-six-hourly":
            expected = 3 * HOUR if since > 2 * DAY else None
        else:
            quiet = since - 2 * DAY  # within a day: the time at which the last entry was seen counts, not its date
            steps = ((30 * DAY, 24 * HOUR), (14 * DAY, 12 * HOUR), (7 * DAY, 6 * HOUR))
            expected = next((wait for least, wait in steps if quiet > least + DAY), None)
            if any(abs(quiet - least) <= DAY for least, _ in steps):
                continue
        if expected is not None and same:
            off = waited < expected * 0.7 or waited > expected * 1.3 + SLACK
            yield Look(step.last, f"asked again after {waited}, not about {expected}" if off else "")


def _p63(ledger: Ledger) -> Iterator[Look]:
    """The first poll at once, the second a phase later, each further poll up to a tenth after its interval."""
    start = ledger.exchanges[0].at
    for steps in ledger.steps.values():
        first = steps[0].first
        if (
            steps[0].habit.schedule is None and not steps[0].habit.host
        ):  # a source that shares its host may have to wait
            yield Look(first, "" if first.at - start <= timedelta(minutes=1) else "the first poll waited")
        yield from (Look(step.last, late(step)) for step in followed(steps) if not step.failures)


def _p64(ledger: Ledger) -> Iterator[Look]:
    """After a pause in which many sources became due: less than a quarter of them in the first minute."""
    starts: dict[int, list[Exchange]] = {}
    for step in ledger.polls:
        starts.setdefault(step.first.start, []).append(step.first)
    for number, firsts in starts.items():
        if number == 1 or len(firsts) < 20:
            continue
        begin = min(exchange.at for exchange in firsts)
        within = [exchange for exchange in firsts if exchange.at - begin < timedelta(minutes=5)]
        burst = [exchange for exchange in within if exchange.at - begin < timedelta(minutes=1)]
        if len(within) >= 20:
            much = len(burst) > len(within) / 2.5
            yield Look(burst[0], f"{len(burst)} of {len(within)} in the first minute" if much else "")


def _p65(ledger: Ledger) -> Iterator[Look]:
    for step in followed(ledger.polls):
        assert step.after is not None
        if step.after.first.start != step.first.start and "edited" not in step.after.facts:
            yield Look(step.after.first, early(step))


def _p67(ledger: Ledger) -> Iterator[Look]:
    for step in followed(ledger.polls):
        if len(step.bounds) > 1:
            yield Look(step.last, early(step))


def _p70(ledger: Ledger) -> Iterator[Look]:
    for name, least in (("bare", HOUR), ("bare-large", 6 * HOUR)):
        for step in followed(of(name)(ledger)):
            assert step.after is not None
            waited = step.after.first.at - step.first.at
            yield Look(step.last, f"asked again after {waited}" if waited < least else "")


def _p71(ledger: Ledger) -> Iterator[Look]:
    """After a pause a source is polled once, not once for each missed turn."""
    for step in followed(ledger.polls):
        if step.before is not None and step.before.first.start != step.first.start:
            yield Look(step.first, early(step))


def _p72(ledger: Ledger) -> Iterator[Look]:
    for host, spacing in ledger.spacing.items():
        names = {exchange.source for exchange in ledger.hosts.get(host, ())}
        least = 1.2 * len(names) * spacing
        for step in followed(of(*names)(ledger)):
            assert step.after is not None
            waited = step.after.first.at - step.first.at
            yield Look(step.last, f"asked again after {waited}, not {least}" if waited < least else "")


def _r26(ledger: Ledger) -> Iterator[Look]:
    """Daily at 2:30 in Berlin; at 3:00 on the day without that time."""
    steps = [step for step in ledger.steps.get("clockwork", ()) if step.before is not None]
    for step in steps:
        at = step.first.at
        turn = at.astimezone(BERLIN).replace(hour=2, minute=30, second=0, microsecond=0)
        if (turn.month, turn.day) == (3, 29):
            turn = turn.replace(hour=3, minute=0)
        assert step.before is not None
        on_time = timedelta(0) <= at - turn < SLACK
        restarted = step.before.first.start != step.first.start
        yield Look(step.first, "" if on_time or (restarted and at > turn) else f"its turn was {turn:%d %b %H:%M}")
    for step in followed(steps):
        assert step.after is not None
        days = (step.after.first.at.astimezone(BERLIN).date() - step.first.at.astimezone(BERLIN).date()).days
        yield Look(step.after.first, "" if days == 1 else f"{days} days after the last turn")


RULES = (
    Rule("P50", "failures double the wait, to a day, and never end it", _with(_bound("P50"), "down", "not-found")),
    Rule("P51", "auto keeps between 15 minutes and a day, an hour unless 304s are proven", _p51),
    Rule("P52", "never sooner than the interval", _bound("P52")),
    Rule(
        "P53",
        "never before max-age less Age, or Expires less Date",
        _with(_bound("P53"), *LESS),
    ),
    Rule(
        "P54",
        "no-cache, no-store, garbage: nothing; the first of two counts",
        _with(_none, "no-cache", "no-store", "age-twice", "age-garbage", "age-overflow"),
    ),
    Rule("P55", "a day in full, a week where there is news that seldom", _p55),
    Rule(
        "P56",
        "Retry-After in all its forms, to a day, seven when repeated",
        _with(_bound("P56"), *"retry-garbage retry-negative retry-past retry-float retry-zero retry-year".split()),
    ),
    Rule("P57", "ttl", _with(_bound("P57"), "ttl-garbage", "ttl-negative", "ttl-huge")),
    Rule("P58", "sy:updatePeriod", _with(_bound("P58"), "period-odd")),
    Rule("P59", "skipHours and skipDays", _p59),
    Rule("P61", "two seconds between polls of a host, more after 429", _p61),
    Rule("P61c", "the same with a restart in between", lambda ledger: _p61(ledger, restarted=True)),
    Rule("P61b", "one request in flight at a host", _in_flight),
    Rule("P62", "auto follows the rhythm, and silence", _p62),
    Rule("P63", "first at once, then a phase, then up to a tenth more", _p63),
    Rule("P64", "no burst after a pause", _p64),
    Rule("P65", "a new feeds.yaml polls nothing that it does not change", _p65),
    Rule("P67", "the longest of all hints holds", _p67),
    Rule("P70", "auto without validators: hourly, six-hourly if large", _p70),
    Rule("P71", "missed turns are not made up", _p71),
    Rule("P72", "many sources of a host get longer intervals", _p72),
    Rule(
        "P88",
        "hints count by the server's clock",
        _with(
            _none,
            "retry-fast-clock",
            "retry-slow-clock",
            "expires-fast-clock",
            "expires-slow-clock",
            "expires-no-date",
            "bad-date",
        ),
    ),
    Rule("R26", "a schedule keeps to the wall clock through the change to summer time", _r26),
)
