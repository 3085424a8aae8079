"""The habits of publishers, polite and hostile; each is one source of the simulated month."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from tests.feed_server import Reply
from tests.manners import catalogue_hints, catalogue_moves, catalogue_statuses, catalogue_wire
from tests.manners.exchange import Act, Answer, Habit, Visit
from tests.manners.habits import (
    DAY,
    HOUR,
    RSS_TYPE,
    by_date_alone,
    by_turns,
    dated,
    document,
    feed,
    fixed,
    never,
    status,
)


def _deltas(name: str) -> Act:
    """Answer `A-IM: feed` with the new entries only (RFC 3229)."""
    whole = feed(name)

    def act(visit: Visit) -> Answer:
        answer = whole(visit)
        asked = visit.asked.headers
        if answer.status == 304 or "feed" not in asked.get("A-IM", "") or "If-None-Match" not in asked:
            return answer
        tag = answer.said("ETag") or ""
        body = document(name, 5 + visit.since // (36 * HOUR), 36 * HOUR)
        return Answer(reply=Reply(226, body, [("ETag", tag), ("IM", "feed"), RSS_TYPE]), is_feed=True)

    return act


def _unasked_226(name: str) -> Act:
    """Send a delta to requests that did not ask for one, without IM."""
    return lambda visit: Answer(reply=Reply(226, document(name, 5, DAY), [RSS_TYPE]), is_feed=True)


def _stuck(name: str) -> Act:
    """Answer 304 whatever the validators, from the fourth day on, though there is news every six hours."""
    moving = feed(name, 6 * HOUR)

    def act(visit: Visit) -> Answer:
        asked = visit.asked.headers
        if visit.since > 3 * DAY and ("If-None-Match" in asked or "If-Modified-Since" in asked):
            return Answer(reply=Reply(304))
        return moving(visit)

    return act


def _changing_304(name: str) -> Act:
    """Send other validators with each 304, and expect those of the last response back."""

    def act(visit: Visit) -> Answer:
        entries = 5 + visit.since // DAY
        now, before = (f'"{name}-{entries}-{n}"' for n in (visit.earlier, visit.earlier - 1))
        if visit.asked.headers.get("If-None-Match") == before:
            return Answer(reply=Reply(304, b"", [("ETag", now)]))
        return Answer(reply=Reply(200, document(name, entries, DAY), [("ETag", now), RSS_TYPE]), is_feed=True)

    return act


def _redating_304(name: str) -> Act:
    """The same with dates: another Last-Modified with each 304."""

    def act(visit: Visit) -> Answer:
        entries = 5 + visit.since // DAY
        turns = (visit.earlier, visit.earlier - 1)
        now, before = (f"Thu, 01 Jan 2026 {entries % 24:02}:{n % 60:02}:00 GMT" for n in turns)
        if visit.asked.headers.get("If-Modified-Since") == before:
            return Answer(reply=Reply(304, b"", [("Last-Modified", now)]))
        pairs = [("Last-Modified", now), RSS_TYPE]
        return Answer(reply=Reply(200, document(name, entries, DAY), pairs), is_feed=True)

    return act


def _ever_new(name: str, tag: Callable[[int], str]) -> Act:
    """Send a new tag with each response, with or without news, and compare weakly."""

    def act(visit: Visit) -> Answer:
        body = document(name, 5 + visit.since // (36 * HOUR), 36 * HOUR)
        return Answer(reply=Reply(200, body, [("ETag", tag(visit.earlier)), RSS_TYPE]), is_feed=True)

    return act


def _vanishing(name: str, version: int) -> str | None:
    return f'"{name}-{version}"' if version % 3 else None


def _vanishing_date(name: str, version: int) -> str | None:
    return dated(name, version) if version % 3 else None


def _future(name: str, version: int) -> str:
    return f"Fri, 13 Mar 2037 10:{version % 60:02}:00 GMT"


def _either_or(name: str, version: int) -> str | None:
    return f'"{name}-{version}"' if version % 2 else None


def _or_either(name: str, version: int) -> str | None:
    return f"Thu, 01 Jan 2026 00:{version % 60:02}:00 GMT" if version % 2 == 0 else None


# Validators of all kinds.
VALIDATORS: Sequence[Habit] = (
    Habit(name="strong", acts={"feed": feed("strong", 6 * HOUR)}, every=2 * HOUR),
    Habit(name="weak", acts={"feed": feed("weak", etag=lambda name, version: f'W/"{version}"', modified=None)}),
    Habit(name="unquoted", acts={"feed": feed("unquoted", etag=lambda name, version: f"v{version}")}),
    Habit(name="spaced", acts={"feed": feed("spaced", etag=lambda name, version: f'"v {version} of it"')}),
    Habit(name="two-lines", acts={"feed": feed("two-lines", etag=lambda name, version: f'"{version}"\n"also"')}),
    Habit(name="latin-one", acts={"feed": feed("latin-one", etag=lambda name, version: f'"\xe9t\xe9-\xff-{version}"')}),
    Habit(name="tag-only", acts={"feed": feed("tag-only", modified=None)}),
    Habit(name="date-only", acts={"feed": feed("date-only", etag=None)}),
    Habit(name="same-second", acts={"feed": feed("same-second", modified=lambda *_: "Sat, 28 Feb 2026 10:00:00 GMT")}),
    Habit(name="either-or", acts={"feed": feed("either-or", etag=_either_or, modified=_or_either)}),
    Habit(
        name="odd-date", acts={"feed": feed("odd-date", etag=None, modified=lambda _, v: f"28-02-2026 10:{v:02} CET")}
    ),
    Habit(name="vanishing", acts={"feed": feed("vanishing", DAY, etag=_vanishing, modified=_vanishing_date)}),
    Habit(name="future-date", acts={"feed": feed("future-date", etag=None, modified=_future)}),
    Habit(name="epoch", acts={"feed": feed("epoch", modified=lambda *_: "Thu, 01 Jan 1970 00:00:00 GMT")}),
    Habit(name="ever-new-tag", acts={"feed": _ever_new("ever-new-tag", lambda n: f'"{n}"')}),
    Habit(name="weak-by-turns", acts={"feed": _ever_new("weak-by-turns", lambda n: 'W/"same"' if n % 2 else '"same"')}),
    Habit(name="empty-tag", acts={"feed": feed("empty-tag", etag=lambda *_: '""', knows=by_date_alone)}),
    Habit(name="blank-tag", acts={"feed": feed("blank-tag", etag=lambda *_: "")}),
    Habit(name="odd-tag", acts={"feed": feed("odd-tag", etag=lambda _, v: f'"a,b;\\c={v}, W/d"', modified=None)}),
    Habit(name="redating-304", acts={"feed": _redating_304("redating-304")}),
    Habit(name="only-304", acts={"feed": status(304)}),
    Habit(name="huge-tag", acts={"feed": feed("huge-tag", etag=lambda _, v: f'"{"x" * 1100}{v}"', modified=None)}),
    Habit(name="retagged", acts={"feed": feed("retagged", 9 * DAY, tag_period=DAY)}),
    Habit(name="changing-304", acts={"feed": _changing_304("changing-304")}),
    Habit(name="expires-zero", acts={"feed": feed("expires-zero", says=fixed(Expires="0"))}),
    Habit(name="no-cache", acts={"feed": feed("no-cache", says=fixed(Cache_Control="no-cache, max-age=86400"))}),
    Habit(name="no-store", acts={"feed": feed("no-store", says=fixed(Cache_Control="no-store"))}),
    Habit(name="suffixed", acts={"feed": feed("suffixed", 5 * DAY, knows=by_date_alone)}),
    Habit(name="stuck", acts={"feed": _stuck("stuck")}),
    Habit(name="unasked-304", acts={"feed": by_turns(status(304), *[feed("unasked-304", DAY)] * 30)}),
    Habit(name="deltas", acts={"feed": _deltas("deltas")}),
    Habit(name="unasked-226", acts={"feed": by_turns(*[feed("unasked-226")] * 5, _unasked_226("unasked-226"))}),
    Habit(name="bare", acts={"feed": feed("bare", 2 * HOUR, etag=None, modified=None)}, every=None),
    Habit(
        name="bare-large",
        acts={"feed": feed("bare-large", 2 * HOUR, etag=None, modified=None, padding=1_100_000)},
        every=None,
    ),
    Habit(name="codings", acts={"feed": feed("codings", coding=True)}),
    Habit(name="cookies", acts={"feed": feed("cookies", says=fixed(Set_Cookie="seen=1; Path=/"))}),
    Habit(name="query", acts={"feed?b=2&a=1&&x=%7E": feed("query")}, target="feed?b=2&a=1&&x=%7E"),
    Habit(name="login", acts={"feed": feed("login")}, login="reader:letmein@"),
    Habit(name="dawdler", acts={"feed": feed("dawdler", knows=never)}),
    # How often there is news: sources whose pace the fetcher has to find.
    Habit(name="news-hourly", acts={"feed": feed("news-hourly", HOUR)}, every=None),
    Habit(name="news-six-hourly", acts={"feed": feed("news-six-hourly", 6 * HOUR)}, every=None),
    Habit(name="news-daily", acts={"feed": feed("news-daily", DAY)}, every=None),
    Habit(name="news-stops", acts={"feed": feed("news-stops", 6 * HOUR, until=2 * DAY)}, every=None),
    Habit(name="clockwork", acts={"feed": feed("clockwork")}, every=None, schedule="30 2 * * *"),
)

HABITS: Sequence[Habit] = (
    *VALIDATORS,
    *catalogue_statuses.HABITS,
    *catalogue_hints.HABITS,
    *catalogue_moves.HABITS,
    *catalogue_wire.HABITS,
)
WATCHED = timedelta(days=35)  # a month plus the time until a stuck 304 is doubted (P16)
# Habits that change after days, or are treated otherwise then: visible in a month, not in three days.
LASTING = frozenset(
    "strong query weak stuck hangs dawdler flapping new-home-dies validators-stay merging-a merging-b permanent-chain "
    "moved-301 moved-308 moved-to-others gone-for-good gone-and-back gone-once down busy-a busy-b beside-busy "
    "limited-bare back-home vanishing redating-304 picky-415 "
    "resets bare news-daily news-stops news-six-hourly clockwork skip-all skip-hours error-500 "
    "not-found challenge picky unconditional-only retry-imf".split()
)
