"""Habits with hints about the pace: freshness, ttl, update periods, hours to skip, many sources on a host."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from tests.manners.exchange import Habit, Visit
from tests.manners.habits import DAY, HOUR, Pairs, feed, fixed, http_date


def _fresh(name: str, *, every: timedelta | None = 3 * HOUR, period: timedelta = DAY, **fields: str) -> Habit:
    """Send the same header fields with each response."""
    return Habit(name=name, acts={"feed": feed(name, period, says=fixed(**fields))}, every=every)


def _expires(name: str, after: timedelta, *, skew: timedelta | None, every: timedelta = 3 * HOUR) -> Habit:
    """Send an Expires, by a clock that is wrong by so much; None: without a Date."""

    def says(visit: Visit) -> Pairs:
        now = visit.now + (skew or timedelta(0))
        pairs: Pairs = [("Expires", http_date(now + after))]
        return pairs if skew is None else [*pairs, ("Date", http_date(now))]

    return Habit(name=name, acts={"feed": feed(name, says=says)}, every=every)


def _by_no_clock(visit: Visit) -> Pairs:
    """Send an Expires, and a Date that is no date."""
    return [("Expires", http_date(visit.now + 8 * HOUR)), ("Date", "yesterday")]


def _hinting(name: str, extra: str, *, every: timedelta = 3 * HOUR, **hints: Any) -> Habit:
    """Put a hint about pace into the document."""
    return Habit(name=name, acts={"feed": feed(name, extra=extra, **hints)}, every=every)


AGE_LINES: Pairs = [("Cache-Control", "public"), ("Cache-Control", "max-age=21600")]
SKIPPING = "<skipHours><hour>0</hour><hour>1</hour><hour>2</hour><hour>24</hour><hour>13</hour></skipHours>"
WEEKEND = "<skipDays><day>Saturday</day><day>Sunday</day></skipDays>"
ALWAYS = "<skipHours>" + "".join(f"<hour>{hour}</hour>" for hour in range(24)) + "</skipHours>"
DAILY = "<sy:updatePeriod>daily</sy:updatePeriod>"
DAILY_4 = f"{DAILY}<sy:updateFrequency>4</sy:updateFrequency>"
OFTEN = "<sy:updatePeriod>often</sy:updatePeriod>"

HABITS: Sequence[Habit] = (
    _fresh("aged", Cache_Control="max-age=28800", Age="3600"),
    _fresh("older-than-fresh", Cache_Control="max-age=43200", Age="43200", every=8 * HOUR),
    _fresh("private", Cache_Control="private, max-age=21600"),
    _fresh("age-twice", Cache_Control="max-age=21600, max-age=60"),
    _fresh("age-garbage", Cache_Control="max-age=soon", every=8 * HOUR),
    _fresh("age-overflow", Cache_Control="max-age=99999999999999999999", every=3 * HOUR),
    _fresh("age-negative", Cache_Control="max-age=-7200", every=8 * HOUR),
    _fresh("age-shared", Cache_Control="s-maxage=86400", every=8 * HOUR),
    _fresh("age-over-expires", Cache_Control="max-age=18000", Expires="Thu, 01 Dec 2039 16:00:00 GMT"),
    _fresh("age-year", Cache_Control="max-age=31536000", every=None, period=DAY),
    _fresh("age-week", Cache_Control="max-age=604800", every=None, period=4 * DAY),
    _fresh("expires-past", every=8 * HOUR, Expires="Thu, 01 Dec 1994 16:00:00 GMT"),
    _fresh("expires-garbage", every=8 * HOUR, Expires="next week"),
    _fresh("age-upper", Cache_Control="Public, MAX-AGE=21600"),
    _fresh("age-quoted", Cache_Control='max-age="21600"'),
    _fresh("age-stale", Cache_Control="max-age=18000, stale-while-revalidate=86400, stale-if-error=86400"),
    _fresh("age-immutable", Cache_Control="public, max-age=21600, immutable"),
    _fresh("age-must", Cache_Control="must-revalidate, proxy-revalidate, max-age=18000"),
    _fresh("age-field", Cache_Control='no-cache="Set-Cookie, Set-Cookie2", max-age=21600'),
    _fresh("age-zero", Cache_Control="max-age=0", Expires="Thu, 01 Dec 2039 16:00:00 GMT", every=8 * HOUR),
    _fresh("age-no-store", Cache_Control="no-store, max-age=86400", every=8 * HOUR),
    _fresh("aged-huge", Cache_Control="max-age=43200", Age="99999999999999999999", every=8 * HOUR),
    _fresh("aged-garbage", Cache_Control="max-age=21600", Age="-7200"),
    Habit(name="age-lines", acts={"feed": feed("age-lines", says=lambda visit: AGE_LINES)}, every=3 * HOUR),
    _expires("expires-now", timedelta(0), skew=timedelta(0), every=8 * HOUR),
    Habit(name="bad-date", acts={"feed": feed("bad-date", says=_by_no_clock)}, every=3 * HOUR),
    _expires("expires-later", 9 * HOUR, skew=timedelta(0)),
    _expires("expires-no-date", 7 * HOUR, skew=None),
    _expires("expires-fast-clock", 8 * HOUR, skew=2 * DAY),
    _expires("expires-slow-clock", 8 * HOUR, skew=-2 * DAY),
    Habit(
        name="fresh-304",
        acts={"feed": feed("fresh-304", 2 * DAY, says_304=fixed(Cache_Control="max-age=18000"))},
        every=3 * HOUR,
    ),
    Habit(name="ttl", acts={"feed": feed("ttl", extra="<ttl>360</ttl>", ttl=6 * HOUR)}, every=3 * HOUR),
    Habit(name="ttl-garbage", acts={"feed": feed("ttl-garbage", extra="<ttl>1.5h</ttl>")}),
    Habit(name="ttl-negative", acts={"feed": feed("ttl-negative", extra="<ttl>-600</ttl>")}),
    Habit(name="ttl-huge", acts={"feed": feed("ttl-huge", extra="<ttl>100000</ttl>", ttl=DAY)}),
    _hinting("ttl-zero", "<ttl>0</ttl>", every=8 * HOUR),
    _hinting("ttl-empty", "<ttl/>", every=8 * HOUR),
    _hinting("ttl-spaced", "<ttl>\n 360 </ttl>", ttl=6 * HOUR),
    _hinting("period-alone", DAILY, update_period=DAY),
    _hinting("period-weekly", "<sy:updatePeriod>weekly</sy:updatePeriod>", update_period=DAY),
    _hinting(
        "all-at-once",
        f"<ttl>240</ttl>{DAILY_4}<skipHours><hour>5</hour></skipHours>",
        ttl=4 * HOUR,
        update_period=6 * HOUR,
        skip_hours=frozenset({5}),
    ),
    Habit(
        name="period",
        acts={"feed": feed("period", extra=DAILY_4, update_period=6 * HOUR)},
        every=3 * HOUR,
    ),
    Habit(name="period-odd", acts={"feed": feed("period-odd", extra=OFTEN)}),
    Habit(
        name="skip-hours",
        acts={"feed": feed("skip-hours", extra=SKIPPING, skip_hours=frozenset({0, 1, 2, 13}))},
        every=3 * HOUR,
    ),
    Habit(name="skip-days", acts={"feed": feed("skip-days", extra=WEEKEND, skip_days=frozenset({5, 6}))}),
    Habit(name="skip-all", acts={"feed": feed("skip-all", extra=ALWAYS)}),
    *(Habit(name=f"many-{n}", host=10, acts={"feed": feed(f"many-{n}", DAY)}, every=HOUR) for n in range(8)),
    *(Habit(name=f"crowd-{n}", host=6, acts={"feed": feed(f"crowd-{n}", DAY)}, every=HOUR) for n in range(4)),
)
# Habits whose hints have no effect: a response does not delay the next poll beyond the interval.
LESS = (
    "age-shared older-than-fresh age-negative expires-past expires-garbage age-zero age-no-store aged-huge expires-now "
    "ttl-zero ttl-empty"
).split()
CROWD = "127.0.2.6"
CROWD_SPACING = timedelta(minutes=40)
