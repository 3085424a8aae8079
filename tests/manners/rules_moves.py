"""Rules of redirects: P.3, without P8."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from tests.manners.habits import DAY, HOUR
from tests.manners.judge import Look, Rule, early, late, of
from tests.manners.ledger import Ledger, Step

TEMPORARY = (
    *("found-302", "other-303", "temporary-307", "five-hops", "validators-stay", "mixed-late", "mixed-kinds"),
    *("network-path", "upper-scheme"),
)
ADOPTED = ("moved-301", "moved-308", "permanent-chain", "new-home-dies")
NEVER = ("flapping", "moved-to-others", "moved-to-html", "back-home")
REFUSED = ("to-ftp", "to-file", "to-data", "to-script", "to-gopher", "to-smtp", "to-nobody", "to-nowhere")
ODD = ("odd-location", "relative", "query-only", "spaces", "fragment", "network-path", "upper-scheme", "location-login")
SECRET = ("Authorization", "X-Api-Key", "Cookie")


def _starts_at_home(ledger: Ledger, step: Step) -> bool:
    return step.first.url == ledger.addresses[step.habit.name]


def _stays(*names: str) -> Callable[[Ledger], Iterator[Look]]:
    """Check that polls begin at the address in feeds.yaml."""

    def check(ledger: Ledger) -> Iterator[Look]:
        for step in of(*names)(ledger):
            yield Look(step.first, "" if _starts_at_home(ledger, step) else "the configured address was not asked")

    return check


def _p40(ledger: Ledger) -> Iterator[Look]:
    """Check that a move is adopted after three polls over 48 hours that ended at the same address, and not before."""
    yield from _stays(*NEVER)(ledger)
    for name in ADOPTED:
        seen: list[datetime] = []
        dead = 0
        for step in ledger.steps.get(name, ()):
            home = _starts_at_home(ledger, step)
            if dead >= 3:  # what happens to the source then is P48
                break
            dead = dead + 1 if step.last.answer.status in (404, 410) and not home else 0
            ripe = len(seen) >= 3 and seen[-1] - seen[0] >= timedelta(hours=48)
            if not ripe:
                yield Look(step.first, "" if home else f"moved after {len(seen)} sightings")
            elif step.first.at < ledger.exchanges[0].at + 9 * DAY:
                yield Look(step.first, "the old address is still asked" if home else "")
            permanent = all(one.answer.status in (301, 308) for one in step.exchanges[:-1])
            if home and len(step.exchanges) > 1 and permanent and step.outcome != "failed":
                seen.append(step.first.at)
            elif home and not ripe:
                seen = []


def _p41(ledger: Ledger) -> Iterator[Look]:
    for step in of("mixed")(ledger):
        end = step.first.url.endswith("/end")
        yield Look(step.first, "the end of a mixed chain was taken for a move" if end else "")


def _p42(ledger: Ledger) -> Iterator[Look]:
    for step in ledger.polls:
        if len(step.exchanges) > 1 or step.last.answer.status in (301, 302, 303, 307, 308):
            urls = [exchange.url for exchange in step.exchanges if exchange.answer.arrives]
            looped = "one address twice in a poll" if len(set(urls)) < len(urls) else ""
            yield Look(step.last, looped or (f"{len(urls) - 1} redirects" if len(urls) > 6 else ""))


def _refused(*names: str) -> Callable[[Ledger], Iterator[Look]]:
    """Check redirects that must not be followed: the poll ends there, as a failure."""

    def check(ledger: Ledger) -> Iterator[Look]:
        for step in of(*names)(ledger):
            if step.first.answer.status in (301, 302):
                yield Look(step.last, "it was followed" if len(step.exchanges) > 1 else early(step) or late(step))

    return check


def _p45(ledger: Ledger) -> Iterator[Look]:
    for exchange in ledger.exchanges:
        if exchange.source == "secrets":
            told = [name for name in SECRET if name in exchange.asked.headers]
            away = exchange.host.startswith("http://127.0.9.")
            missing = not away and len(told) < 2
            yield Look(
                exchange, f"{', '.join(told)} were told" if away and told else "they are missing" if missing else ""
            )
        elif exchange.source in ("login-away", "location-login") and exchange.host.startswith("http://127.0.9."):
            yield Look(exchange, "a login was told" if "Authorization" in exchange.asked.headers else "")


def _p46(ledger: Ledger) -> Iterator[Look]:
    for step in of(*ODD)(ledger):
        yield Look(step.last, "" if step.outcome != "failed" else "its Location was not understood")


def _p47(ledger: Ledger) -> Iterator[Look]:
    """Two sources that have moved to one address poll it once per interval."""
    one = [exchange for exchange in ledger.exchanges if exchange.asked.path == "/merging-b/one"]
    settled = [exchange for exchange in one if exchange.at > ledger.exchanges[0].at + 6 * DAY]
    for before, after in pairwise(settled):
        waited = after.at - before.at
        yield Look(after, f"asked for two sources, {waited} apart" if waited < 8 * HOUR else "")


def _p48(ledger: Ledger) -> Iterator[Look]:
    """The new address fails: after three failures the old address is tried."""
    steps = ledger.steps.get("new-home-dies", ())
    dead = 0
    for step in steps:
        home = _starts_at_home(ledger, step)
        if dead >= 3:
            yield Look(step.first, "" if home else "the old address is not tried")
            return
        dead = dead + 1 if step.last.answer.status in (404, 410) and not home else 0


RULES = (
    Rule("P24", "302, 303, 307: the configured address stays", _stays(*TEMPORARY)),
    Rule("P40", "a permanent move counts after three polls over 48 h, to the same content", _p40),
    Rule("P41", "of a mixed chain the permanent beginning alone", _p41),
    Rule("P42", "five redirects at most, no address twice", _p42),
    Rule("P43", "https does not lead to http", _refused("downgrade", "downgrade-301")),
    Rule("P44", "http and https alone", _refused(*REFUSED)),
    Rule("P45", "secrets stay at home", _p45),
    Rule("P46", "odd Locations are understood", _p46),
    Rule("P47", "two sources at one address are one", _p47),
    Rule("P48", "the old address is tried again when the new one has died", _p48),
    Rule("P49", "a page is no new home", _stays("moved-to-html")),
)
