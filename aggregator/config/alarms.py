"""Reads `alarms`: where the operator is told of alarms, and at which hours."""

import re
from collections.abc import Sequence
from datetime import time
from importlib.util import find_spec
from urllib.parse import urlsplit

from aggregator.config.addresses import has_literal_secret
from aggregator.config.aliases import alias_path
from aggregator.config.compounds import ListOf
from aggregator.config.document import Scalar
from aggregator.config.findings import Findings, Place, Unfit, quoted
from aggregator.config.shapes import Text
from aggregator.config.tables import Keys, Table, Values, key, optional
from aggregator.errors import ExtraMissing
from aggregator.model.settings import Alarming, Secret
from aggregator.urls import BadUrl, normalise

LIBRARY = "apprise"  # of the extra `notify`
FEED = ".atom"
_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")


def feed_path(text: str) -> str:
    """Check the path of the feed of alarms and return it unchanged.

    Raises:
        Unfit: the text is not a path below publish.to that ends with .atom, or an output may have this path.
    """
    path = alias_path(text)
    if not path.endswith(FEED):
        raise Unfit(f"does not end with {FEED}; write {path.rpartition('.')[0] or path}{FEED}")
    return path


def time_of_day(text: str) -> str:
    """Check a time of day and return it unchanged."""
    if _TIME.fullmatch(text) is None:
        raise Unfit("is not a time of day; write one such as 08:00")
    return text


def hours(text: str) -> str:
    """Check a span of hours and return it unchanged."""
    begin, dash, end = (part.strip() for part in text.replace("–", "-").partition("-"))
    if not dash or _TIME.fullmatch(begin) is None or _TIME.fullmatch(end) is None:
        raise Unfit("is not a span of hours; write one such as 22:00-07:00")
    if _time(begin) == _time(end):
        raise Unfit("begins when it ends; write two times, such as 22:00-07:00")
    return text


def webhook_address(text: str) -> str:
    """Return the address of a webhook in normal form; it may have a token."""
    try:
        url = normalise(text)
    except BadUrl as error:
        raise Unfit(f"is not the address of a webhook: it {error}; write https://host/") from error
    if "@" in urlsplit(url).netloc:
        raise Unfit("has a user name, which is not sent; write an address whose path or query has the token")
    return url


_HOURS = Text("a span of hours", "hours such as 22:00-07:00", check=hours)


class AlarmKeys(Keys):
    """Feed, addresses and hours for alarms: alarms.md."""

    HOME, CALLED = "alarms", "alarms"
    feed = optional(
        Text("a path", "a path such as alarms-k4x9.atom", check=feed_path),
        "Path of an Atom feed of the alarms, which nothing links to; a name that nobody guesses keeps it private.",
    )
    webhook = optional(
        Text("the address of a webhook", "https://host/", limit=2000, check=webhook_address, form="^https?://"),
        "Address that gets a POST with JSON when an alarm begins and when it ends.",
    )
    notify = key(
        ListOf(
            Text("an address of Apprise", "an address such as mailtos://user:${PASSWORD}@example.org", limit=2000),
            "an address or a list",
            "an address of Apprise such as mailtos://user:${PASSWORD}@example.org",
            alone=True,
            most=20,
        ),
        [],
        "Mail and chat, as addresses of Apprise; needs the extra `notify`.",
    )
    quiet = optional(_HOURS, "Hours in `site.timezone` at which no message is sent: it waits for their end.")
    digest = optional(
        Text("a time of day", "a time such as 08:00", check=time_of_day),
        "Time of day, in `site.timezone`, at which one message tells all; there are no other messages.",
    )


ALARMS = Table(AlarmKeys, words="a mapping", write="{webhook: https://…}")


def alarming_of(values: Values, aliases: Sequence[tuple[str, str]], findings: Findings) -> Alarming:
    """Return where and when the operator is told of alarms.

    Args:
        values: of `alarms`.
        aliases: `publish.aliases`, whose paths the feed must not take.
        findings: collects problems, warnings and secrets.
    """
    feed, webhook = values[AlarmKeys.feed], values[AlarmKeys.webhook]
    notify, quiet, digest = values[AlarmKeys.notify], values[AlarmKeys.quiet], values[AlarmKeys.digest]
    if feed is not None and any(_overlap(feed.lower(), alias.lower()) for alias, _ in aliases):
        findings.problem_at(
            values.place(AlarmKeys.feed), f"{quoted(feed)} is in publish.aliases too; write another path"
        )
    if notify and find_spec(LIBRARY) is None:
        findings.problem_at(values.place(AlarmKeys.notify), str(ExtraMissing("alarms.notify", "notify")))
    if quiet is not None and digest is not None:
        text = "quiet has no effect beside digest, which is sent at its own time; remove one of them"
        findings.problem_at(values.place(AlarmKeys.quiet), text)
    if (quiet or digest) and not (webhook or notify):
        place = values.place(AlarmKeys.digest if quiet is None else AlarmKeys.quiet)
        findings.problem_at(place, "nobody is told of alarms; write webhook or notify as well, or remove this")
    for each in (AlarmKeys.webhook, AlarmKeys.notify):
        _warn_of_password(values.place(each), findings)
    findings.secrets.update(filter(None, (webhook, *notify)))
    begin, _, end = (quiet or "").replace("–", "-").partition("-")
    return Alarming(
        feed=feed,
        webhook=None if webhook is None else Secret(webhook),
        notify=tuple(map(Secret, notify)),
        quiet=None if quiet is None else (_time(begin), _time(end)),
        digest=None if digest is None else _time(digest),
    )


def _time(text: str) -> time:
    hour, _, minute = text.strip().partition(":")
    return time(int(hour), int(minute))


def _overlap(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")


def _warn_of_password(place: Place, findings: Findings) -> None:
    raws = [place] if isinstance(place, Scalar) else getattr(place, "items", ())
    for one in raws:
        if isinstance(one, Scalar) and has_literal_secret(one.raw):
            what = "a password is written out in this address; write ${NAME}, and set NAME in the environment"
            findings.warn(one, what)
