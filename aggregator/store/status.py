"""Queries for `aggregator status`, the status page and metrics."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from shlex import quote

from sqlalchemy import Connection, RowMapping, func, select

from aggregator.cadence import ARRIVALS, explain
from aggregator.cadence.hosts import HostBackoff, rests_of
from aggregator.decide.order import believed
from aggregator.errors import NAMES_ONE, AddressRefused, NotAFeed
from aggregator.model.alarm import QUIET, AlarmCode
from aggregator.model.charset import NAME_ENCODING
from aggregator.model.history import NO_ASIDES, NO_SUMS, AsideSums, Fetching, HostSums, Sums
from aggregator.model.hosts import Rest, ruling, slowed, spacing_of
from aggregator.model.naming import name_of_source
from aggregator.model.observed import Observed
from aggregator.model.poll import State
from aggregator.model.settings import Kind, Roster, Source, SourceKey, fetch_settings_of
from aggregator.model.status import CategoryStatus, ConfigStatus, Figures, Outage, RemovedCategory, SourceStatus, Status
from aggregator.model.stored_json import arrivals_of, observed_of
from aggregator.model.tokens import led_address
from aggregator.store.alarms import (
    DEAD,
    Alarms,
    failed_posts,
    first_day,
    of_channels,
    of_hub,
    of_posts,
    of_sources,
    overall,
)
from aggregator.store.history import (
    ASIDE_SUMS,
    DETAIL,
    FURTHER,
    MONTH,
    SUMS,
    asides_since,
    day_of,
    days_since,
    months_of,
    new_since,
    sums_since,
)
from aggregator.store.hosts import Hosts
from aggregator.store.hub_pings import HubPings
from aggregator.store.schedule import Schedule
from aggregator.store.schema import EPOCH, MAX_IN, alarm, category, entry, publication, source, store
from aggregator.store.sources import opened_before
from aggregator.urls import Url, host_of

WEEKS = 4  # period of `per_week`
NEWEST = 50  # stories at the top of a category whose dates are compared
_ONE_FEED = re.compile(f"{re.escape(NAMES_ONE)}(\\S+?)(?=;|\\s|$)")
_SEVERAL = re.compile(r"it names \d+ feeds")
CHARTED = 1000  # sources with figures for each day: more than the page has room for
HOSTS = 50  # busiest hosts that are shown
ORDER = (State.SUSPECT, State.GONE, State.FAILING, State.NEVER, State.OK, State.PAUSED)  # most urgent first

ADVICE = {  # by error code (docs/alarms.md)
    "dns": "check the spelling of the host, or whether the site has moved",
    "connect": "the host accepts no connection; see whether the site still exists",
    "tls": "the certificate is invalid; report it to the publisher",
    "timeout": "if this source is always slow, raise its timeout in feeds.yaml",
    "reset": "the server closes the connection early; if that continues, report it to the publisher",
    "http": "the server answers with an error or with invalid HTTP; report it to the publisher",
    "redirect": "open the address in a browser and write the final address",
    "refused": "if it is your own machine, allow it under hosts: {HOST: {allow_private: true}}",
    "auth": "the server needs a password; write it as ${NAME} in the URL or under headers:",
    "forbidden": "the publisher refuses our requests; ask for access, and set site.contact to show who asks",
    "challenge": "the site answers with a bot challenge; ask the publisher to let feed readers pass",
    "not_found": "the feed does not exist; look for its new address on the site",
    "gone": "the publisher removed the feed; remove the source, or find another",
    "rate_limited": "we polled this host too often; raise every:, or spacing under hosts:",
    "too_large": "the feed is too large; ask the publisher to shorten it",
    "empty": "the answer is empty; report it to the publisher",
    "short": "the answer is cut off; report it to the publisher",
    "not_a_feed": "the answer is not a feed; look for the feed's own address",
    "unreadable": "the feed is malformed; report it to the publisher",
    "program": "run the program by hand: the message has its last words; docs/hooks.md says what it may write",
    "internal": "an error in aggregator; please report it with the log",
}
OF_PAGES = {  # for HTML pages
    "forbidden": "the publisher or robots.txt refuses our requests; ask for permission, and write robots: with it",
    "not_a_feed": "no item was found on the page; look at the page, and try items: and entry: with preview",
    "not_found": "the page does not exist; look for its new address on the site",
}
OF_LISTS = {  # for JSON lists of an API
    "not_a_feed": "if it is the API's own error, report it to its owner; else correct items: and entry:, try preview",
    "not_found": "the API has no such address; look for the new one in the API's documentation",
    "unreadable": "the answer is not valid JSON; report it to the API's owner",
}

OF_SITEMAPS = OF_PAGES | {
    "not_a_feed": "the answer is not a sitemap; robots.txt of the site names it, mostly in a line Sitemap:",
    "not_found": "the sitemap does not exist; robots.txt of the site names it, mostly in a line Sitemap:",
}

OF_FILES = {"not_found": "there is no such file below the folder of feeds.yaml; put it there, or correct url:"}

_OF_OUTLINES = {"not_a_feed": "the answer is not an OPML list of feeds; look for the list's own address"}

_OF_COMMANDS = {
    "not_a_feed": "the program wrote something else than JSON lines or a feed; docs/hooks.md says what it may write",
    "too_large": "let the program write fewer entries: it is told with `since` which ones are known",
    "unreadable": "the program wrote something else than JSON lines or a feed; docs/hooks.md says what it may write",
}

_OF_KINDS = {
    Kind.HTML: OF_PAGES,
    Kind.SITEMAP: OF_SITEMAPS,
    Kind.JSON: OF_LISTS,
    Kind.OPML: _OF_OUTLINES,
    Kind.COMMAND: _OF_COMMANDS,
}


def advice_for(code: str | None, kind: Kind, *, is_local: bool = False) -> str | None:
    """Return the advice for a failure of a source; None if there is none.

    Args:
        code: error code of the failure (docs/alarms.md).
        kind: kind of the source.
        is_local: the source is a file below the folder of feeds.yaml.
    """
    local = OF_FILES.get(code or "") if is_local else None
    return local or _OF_KINDS.get(kind, {}).get(code or "") or ADVICE.get(code or "")


@dataclass(frozen=True, slots=True)
class Holding:
    """Number of stories and newest date of a category, as of a generation of the category."""

    generation: int
    stories: int = 0
    newest: datetime | None = None


class StatusQueries:
    """Counts of sources, categories and alarms, for `status`, pages and metrics: `tx.status`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of(
        self,
        roster: Roster,
        now: datetime,
        *,
        secrets: Iterable[str],
        where: str,
        size: int,
        schema: str,
        counted: dict[int, Holding],
    ) -> Status:
        """Return the status of the aggregator.

        Args:
            roster: the sources and categories of feeds.yaml.
            now: the time, for lags and the last four weeks.
            secrets: secrets of the settings; no shown address has one (S44).
            where: URL of the store without a password.
            size: size of the store in bytes.
            schema: revision of the schema.
            counted: latest counts by category; categories that changed are counted again and updated here.
        """
        fresh = new_since(self._connection, day_of(now - timedelta(weeks=WEEKS)) + 1)
        rows = self._connection.execute(select(*_SHOWN).where(source.c.active)).mappings().all()
        first = first_day(now)
        sums = sums_since(self._connection, first)
        details, further = (asides_since(self._connection, first, kind) for kind in (DETAIL, FURTHER))
        opens = bool(roster.opened - opened_before(self._connection))
        names = "config_path config_loaded_at config_error output_error network_down_since own_down_since created_at"
        kept = self._connection.execute(select(*(store.c[name] for name in names.split()))).one()
        outage = Outage(public=kept.network_down_since, own=kept.own_down_since)
        late = Schedule(self._connection).lag(now)
        hub = HubPings(self._connection).status()
        ours = [
            *overall(late, outage, kept.output_error),
            *of_posts(*failed_posts(self._connection)),
            *of_hub(hub, now),
            *of_channels(self._connection, now),
        ]
        wrong = [*ours, *of_sources(rows, sums, now, self._connection)]
        quiet = {one.source_id: one.code for one in wrong if one.code in QUIET}
        restraints = Hosts(self._connection).restraints()
        rests = rests_of(restraints, now)
        waiting = {row["host_key"] for row in rows if not row["paused"]}
        rows = sorted(rows, key=lambda r: (ORDER.index(_state(r)), r["id"] not in quiet, -r["failures"], r["key"]))
        month = day_of(now) - MONTH + 1
        months = months_of(self._connection, [row["id"] for row in rows[:CHARTED]], month)
        found = tuple(
            _source(
                row,
                roster.sources.get(row["key"]),
                fresh.get(row["id"], 0),
                now,
                secrets,
                opens=opens,
                quiet=quiet.get(row["id"]),
                rest=None if row["paused"] else rests.get(row["host_key"]),
                month=tuple(months.get(row["id"], ())),
            )
            for row in rows
        )
        return Status(
            at=now,
            sources=found,
            categories=tuple(_categories(self._connection, roster, counted)),
            config=ConfigStatus(path=kept.config_path, loaded_at=kept.config_loaded_at, error=kept.config_error),
            fetching=Fetching(
                since=max(EPOCH + timedelta(days=first), kept.created_at),
                sums=_total(sums.values()),
                details=_all_asides(details.values()),
                further=_all_asides(further.values()),
                hosts=_hosts(restraints, rows, sums, details, further, roster),
            ),
            lag=late,
            alarms=Alarms(self._connection).with_since(wrong, now),
            store_url=where,
            store_bytes=size,
            schema=schema,
            removed=_removed(self._connection),
            outage=outage,
            rests=tuple(
                sorted((rests[host] for host in waiting & rests.keys()), key=lambda rest: (rest.until, rest.host))
            ),
            hub=hub,
            days=days_since(self._connection, month),
        )

    def figures(self, now: datetime) -> Figures:
        """Return the figures for metrics.

        Alarms are counted as last recorded: to look for them takes 0.4 s for 10,000 sources.
        """
        states: Counter[State] = Counter()
        grouped = select(source.c.paused, source.c.state, func.count()).where(source.c.active)
        for paused, state, count in self._connection.execute(grouped.group_by(source.c.paused, source.c.state)):
            states[State.PAUSED if paused else State(state)] += count
        counting = select(alarm.c.code, func.count()).where(alarm.c.ended_at.is_(None)).group_by(alarm.c.code)
        alarms: dict[str, int] = {code: count for code, count in self._connection.execute(counting)}
        return Figures(
            sources={state: states[state] for state in State},
            alarms={code: alarms.get(code, 0) for code in AlarmCode},
            stories=self._connection.execute(select(store.c.next_story)).scalar_one() - 1,  # stories are never deleted
            lag=Schedule(self._connection).lag(now),
            pings_owed=hub.owed if (hub := HubPings(self._connection).status()) else 0,
        )


_SHOWN = tuple(  # the other columns are kilobytes for each source
    source.c[name]
    for name in (
        "id key url url_in_use private host_key paused state claims created_at attempted_at succeeded_at due_at "
        "interval cadence failures failing_since code error feed entries arrivals observations settings_digest notices "
        "first_stored_at status newest_at silent_after"
    ).split()
)


def _state(row: RowMapping) -> State:
    return State.PAUSED if row["paused"] else State(row["state"])


def _source(
    row: RowMapping,
    settings: Source | None,
    fresh: int,
    now: datetime,
    secrets: Iterable[str],
    *,
    opens: bool,
    quiet: AlarmCode | None,
    rest: Rest | None,
    month: tuple[tuple[int, int], ...],
) -> SourceStatus:
    observed = observed_of(row["observations"])
    moved_to = Url(row["url_in_use"]) if row["url_in_use"] != row["url"] else observed.moved_to
    if moved_to is not None:
        moved_to = led_address(moved_to, secrets, private=row["private"])
    state = _state(row)
    title = (settings.title if settings else None) or (row["feed"]["title"] if row["feed"] else None)
    due = row["due_at"]
    return SourceStatus(
        key=SourceKey(row["key"]),
        url=settings.safe_url if settings else None,
        title=name_of_source(settings, title) if settings else title or row["key"],
        is_titled=bool(title and title.strip()),
        http_status=row["status"],
        newest=row["newest_at"] or _last_arrival(row) or row["first_stored_at"],
        line=settings.line if settings else None,
        categories=settings.places if settings else (),
        state=state,
        last_attempt=row["attempted_at"],
        last_success=row["succeeded_at"],
        next_due=due,
        interval=timedelta(microseconds=row["interval"]),
        because=explain(row["cadence"]) if row["cadence"] else "",
        failures=row["failures"],
        failing_since=row["failing_since"],
        code=row["code"],
        error=row["error"],
        entries=row["entries"],
        per_week=round(_per_week(row, fresh, now), 1),
        lag=max(now - due, timedelta(0)) if state is not State.PAUSED else timedelta(0),
        advice=_advice(row, observed, state, now, settings, opens=opens)
        or (_moved(row["key"], moved_to, settings) if moved_to else None),
        moved_to=moved_to,
        clock_skew=timedelta(seconds=observed.skew_seconds),
        private=settings is not None and settings.private,
        quiet=quiet,
        since=_since(row, observed, is_quiet=quiet is not None),
        rest=rest,
        month=month,
    )


def _last_arrival(row: RowMapping) -> datetime | None:
    arrivals = arrivals_of(row["arrivals"])
    return arrivals[-1] if arrivals else None


def _since(row: RowMapping, observed: Observed, *, is_quiet: bool) -> datetime | None:
    """Return when the state began of a source that needs attention, or when a quiet source had its last new entry."""
    if row["paused"]:
        return None
    if row["state"] == State.SUSPECT:
        return observed.suspect_since or row["failing_since"]
    began: datetime | None = row["created_at"] if row["state"] == State.NEVER else row["failing_since"]
    return _last_arrival(row) if is_quiet else began


def readdressing(key: str, url: Url) -> str:
    """Return the command, without the program's name, that writes another address of a source into feeds.yaml."""
    return f"rename {quote(key)} --url {quote(url)}"


def _moved(key: str, target: Url, settings: Source | None) -> str:
    """Return the advice to write the new address of a moved feed into feeds.yaml."""
    if settings is not None and settings.private:
        return f"it redirects permanently, to {host_of(target)}; its addresses are private: a browser shows the new one"
    if settings is not None and settings.listed_by:
        was = f" and was: {settings.safe_url}" if settings.safe_url else ""
        return f"it redirects permanently; write url: {target}{was} as a source of your own in feeds.yaml"
    if settings is not None and settings.safe_url != settings.url:
        return (
            f"it redirects permanently, to {target}; write the new url with its secret as ${{NAME}}, and was: the old"
        )
    return f"it redirects permanently; `aggregator {readdressing(key, target)}` writes that address into feeds.yaml"


def _total(sums: Iterable[Sums]) -> Sums:
    counts = [tuple(getattr(one, name) for name in SUMS) for one in sums]
    return Sums(**dict(zip(SUMS, map(sum, zip(*counts, strict=True)), strict=True))) if counts else NO_SUMS


def _all_asides(sums: Iterable[AsideSums]) -> AsideSums:
    found = list(sums)
    return AsideSums(**{name: sum(getattr(one, name) for one in found) for name in ASIDE_SUMS})


def _hosts(
    owed: Mapping[str, HostBackoff],
    rows: Iterable[RowMapping],
    sums: Mapping[int, Sums],
    details: Mapping[str, AsideSums],
    further: Mapping[str, AsideSums],
    roster: Roster,
) -> tuple[HostSums, ...]:
    """Return the busiest hosts, by requests, then by sources."""
    by_host: defaultdict[str, list[Sums]] = defaultdict(list)
    for row in rows:
        by_host[row["host_key"]].append(sums.get(row["id"], NO_SUMS))
    requests = {
        host: sum(one.polls for one in by_host.get(host, ()))
        + details.get(host, NO_ASIDES).requests
        + further.get(host, NO_ASIDES).requests
        for host in by_host.keys() | details.keys() | further.keys()
    }
    busiest = sorted(requests, key=lambda host: (-requests[host], -len(by_host.get(host, ())), host))[:HOSTS]
    return tuple(
        HostSums(
            host=host,
            sources=len(by_host.get(host, ())),
            sums=_total(by_host.get(host, ())),
            details=details.get(host, NO_ASIDES),
            further=further.get(host, NO_ASIDES),
            spacing=slowed(spacing_of(host, ruling(host, roster.hosts)), owed[host].doublings if host in owed else 0),
            opens_at=owed[host].opens_at if host in owed else None,
        )
        for host in busiest
    )


def _per_week(row: RowMapping, fresh: int, now: datetime) -> float:
    """Return the mean number of new entries of a source in a week, over the last four weeks or since its first poll.

    Entries of the first poll do not count. In the first week the dates of the last thirty entries are used.
    """
    stored: datetime | None = row["first_stored_at"]
    if stored is None:
        return 0.0
    week = timedelta(weeks=1)
    if now - stored >= week:
        return fresh / min(float(WEEKS), (now - stored) / week)
    arrivals = [when for when in arrivals_of(row["arrivals"]) if now - when <= WEEKS * week]
    if len(arrivals) < ARRIVALS:
        return len(arrivals) / WEEKS
    return len(arrivals) / max((now - arrivals[0]) / week, 1 / 7)


def _advice(
    row: RowMapping, observed: Observed, state: State, now: datetime, settings: Source | None, *, opens: bool
) -> str | None:
    if state in (State.SUSPECT, State.OK) and observed.lost and observed.suspect_since is None:
        return _advice_on_losses(row["key"], observed.lost, settings)
    if state is State.SUSPECT:
        if observed.suspect_since is None:
            return "polling this source ends the program; report it with the system's log, or write paused: true"
        return f"if it is still the feed you want: aggregator accept {row['key']}; else take it out of feeds.yaml"
    if state is not State.FAILING:
        return _charset_advice(row, settings) if state is State.OK else None
    if settings is not None and _is_mended(row, settings, opens=opens):
        return "feeds.yaml was edited since then; the source is due at once"
    kind, is_local = (settings.reading.kind, settings.path is not None) if settings is not None else (Kind.FEED, False)
    advice = _named_feed(row, settings) or advice_for(row["code"], kind, is_local=is_local)
    long = row["failing_since"] is not None and now - row["failing_since"] > DEAD
    return f"no success for {(now - row['failing_since']).days} days; {advice}" if long and advice else advice


def _named_feed(row: RowMapping, settings: Source | None) -> str | None:
    """Return the advice for a page in place of a feed that names feeds itself (P91); None for other failures."""
    if row["code"] != NotAFeed.code or row["error"] is None:
        return None
    if row["private"] and "it names " in row["error"]:
        return "open the page in a browser and write the address of its feed: what is private is not shown here"
    if (one := named_feed_of(row["code"], row["error"])) is not None:
        is_listed = settings is not None and settings.listed_by is not None
        return f"write url: {one}" if is_listed else f"`aggregator {readdressing(row['key'], one)}` writes that"
    return f"`aggregator check --live {row['key']}` lists them" if _SEVERAL.search(row["error"]) else None


def named_feed_of(code: str | None, error: str | None) -> Url | None:
    """Return the address of the one feed that a page in place of a feed names, by the message of the failure."""
    one = _ONE_FEED.search(error or "") if code == NotAFeed.code else None
    return Url(one[1]) if one is not None else None


def better_url(source: Source, known: SourceStatus) -> Url | None:
    """Return the address that a source should have, by its last answers; None if there is none, or it may be secret."""
    is_secret = source.private or source.safe_url != source.url
    return None if is_secret else named_feed_of(known.code, known.error) or known.moved_to


def _charset_advice(row: RowMapping, settings: Source | None) -> str | None:
    """Return the notice on the character set of the last document; None if there is none or `encoding` is set."""
    if settings is None or settings.reading.encoding is not None:
        return None
    return next((notice for notice in row["notices"] or () if NAME_ENCODING in notice), None)


def _advice_on_losses(key: str, lost: Sequence[str], settings: Source | None) -> str:
    """Return the advice for fields that no entry has any more."""
    meant = f"if that is intended, aggregator accept {key}"
    if settings is not None and settings.reading.fields:
        fields = ", ".join(f"entry.{name}" for name in lost)
        return f"see what it answers with aggregator preview {key}, and correct {fields} in feeds.yaml; {meant}"
    return f"look at the feed, and report to the publisher that its entries have no {' and no '.join(lost)}; {meant}"


def _is_mended(row: RowMapping, settings: Source, *, opens: bool) -> bool:
    """Return whether an edit of feeds.yaml since the last poll makes the source due at once (P65)."""
    may_be_allowed = row["code"] == AddressRefused.code and opens
    return may_be_allowed or bool(row["settings_digest"] and row["settings_digest"] != fetch_settings_of(settings))


def _removed(connection: Connection) -> tuple[RemovedCategory, ...]:
    query = select(category.c.slug, category.c.title, category.c.removed_at).where(~category.c.active)
    rows = connection.execute(query.order_by(category.c.removed_at.desc(), category.c.id)).mappings()
    return tuple(RemovedCategory(**row) for row in rows)


def _categories(connection: Connection, roster: Roster, counted: dict[int, Holding]) -> Iterator[CategoryStatus]:
    sources = Counter(place for settings in roster.sources.values() for place in settings.places)
    names = select(category.c.id, category.c.key, category.c.slug, category.c.dirty).where(category.c.active)
    rows = connection.execute(names.order_by(category.c.id)).all()
    known = {number: holding.generation for number, holding in counted.items()}
    _count(connection, {row.id: row.dirty for row in rows if known.get(row.id) != row.dirty}, counted)
    for row in rows:
        settings = roster.categories.get(row.key)
        yield CategoryStatus(
            key=row.key,
            slug=row.slug,
            title=settings.title if settings else row.key,
            stories=counted[row.id].stories,
            newest=counted[row.id].newest,
            sources=sources[row.key],
            unlisted=settings is not None and settings.unlisted,
        )


def _count(connection: Connection, changed: Mapping[int, int], counted: dict[int, Holding]) -> None:
    """Update `counted` for changed categories. The query reads only an index: a million stories take 150 ms."""
    counted |= {number: Holding(generation) for number, generation in changed.items()}
    numbers = sorted(changed)
    for start in range(0, len(numbers), MAX_IN):
        place = publication.c.category_id
        counting = (
            select(place, func.count(publication.c.sort_at))
            .where(place.in_(numbers[start : start + MAX_IN]), publication.c.withdrawn_at.is_(None))
            .group_by(place)
        )
        for number, stories in connection.execute(counting):
            counted[number] = Holding(changed[number], stories, _newest(connection, number))


def _newest(connection: Connection, number: int) -> datetime | None:
    """Return the latest date of the top stories of a category, by their own dates as pages show them (I42).

    Times of arrival are not used: all entries of a new source arrive at once.
    """
    here = (publication.c.category_id == number) & publication.c.withdrawn_at.is_(None)
    top = select(publication.c.shown_id).where(here).order_by(publication.c.sort_at.desc()).limit(NEWEST).subquery()
    dates = select(entry.c.published, entry.c.updated, entry.c.first_seen).join(top, top.c.shown_id == entry.c.id)
    rows = connection.execute(dates)
    return max((believed(row[0] or row[1], row[2]) or row[2] for row in rows), default=None)
