"""How things stand, counted from the store (DESIGN 3.2, `status`)."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, RowMapping, case, func, select, update

from aggregator.model.poll import State
from aggregator.model.settings import Roster, Source, SourceKey
from aggregator.model.status import CategoryStatus, ConfigStatus, SourceStatus, Status
from aggregator.store.schema import category, entry, publication, source, store

WEEKS = 4  # that `per_week` looks back
DEAD = timedelta(days=7)  # without a success (R46)
ORDER = (State.SUSPECT, State.GONE, State.FAILING, State.NEVER, State.OK, State.PAUSED)  # what needs a hand first

ADVICE = {  # by code of DESIGN 3.2
    "dns": "check the spelling of the host, or whether the site has moved",
    "connect": "the host takes no connection; see whether the site is still there",
    "tls": "the certificate is no good; tell the publisher",
    "timeout": "if it is slow by nature, raise its timeout in feeds.yaml",
    "reset": "the server breaks off; if it goes on, tell the publisher",
    "http": "the server answers with an error, or not as a web server should; tell the publisher",
    "redirect": "open the address in a browser and write the one it ends at",
    "refused": "if it is your own machine, allow it under hosts: with allow_private",
    "auth": "it wants a password; write it as ${NAME} in the URL or under headers:",
    "forbidden": "the publisher refuses us; ask them, and set site.contact so that they know who asks",
    "challenge": "a bot challenge stands before the feed; ask the publisher to let feed readers pass",
    "not_found": "the feed is not there; look for its new address on the site",
    "gone": "the publisher took the feed away; remove the source, or find another",
    "rate_limited": "we asked too often for this host; raise every:, or spacing under hosts:",
    "too_large": "the feed is too large; ask the publisher to shorten it",
    "empty": "the answer is empty; tell the publisher",
    "short": "the answer breaks off; tell the publisher",
    "not_a_feed": "the address shows a page, not a feed; look for the feed's own address",
    "unreadable": "the feed is broken; tell the publisher",
    "internal": "a fault in aggregator; the log has it, please report it",
}


def status_of(connection: Connection, roster: Roster, now: datetime, *, where: str, size: int, schema: str) -> Status:
    """Count how things stand.

    Args:
        connection: a reading one.
        roster: the sources and categories as feeds.yaml has them.
        now: the time, for lags and the last four weeks.
        where: the store's URL without a password.
        size: its bytes.
        schema: its revision.
    """
    counts = _counts(connection, now - timedelta(weeks=WEEKS))
    rows = connection.execute(select(source).where(source.c.active)).mappings()
    found = [_source(row, roster.sources.get(row["key"]), counts.get(row["id"], (0, 0)), now) for row in rows]
    kept = connection.execute(select(store.c.config_path, store.c.config_loaded_at, store.c.config_error)).one()
    return Status(
        at=now,
        sources=tuple(sorted(found, key=lambda s: (ORDER.index(s.state), -s.failures, s.key))),
        categories=tuple(_categories(connection, roster)),
        config=ConfigStatus(path=kept.config_path, loaded_at=kept.config_loaded_at, error=kept.config_error),
        store_url=where,
        store_bytes=size,
        schema=schema,
    )


def keep_config(connection: Connection, text: str, path: str, now: datetime) -> None:
    """Keep the feeds.yaml that is in force from now on, as it was written (R51)."""
    values = {"config": text, "config_path": path, "config_loaded_at": now, "config_error": None}
    connection.execute(update(store).values(values))


def note_config_error(connection: Connection, error: str | None) -> None:
    """Say why a later edit of feeds.yaml is not in force; None once that is over."""
    connection.execute(update(store).values(config_error=error))


def last_good_config(connection: Connection) -> str | None:
    """Give the feeds.yaml that was last in force; None before the first."""
    text: str | None = connection.execute(select(store.c.config)).scalar_one()
    return text


def _counts(connection: Connection, since: datetime) -> dict[int, tuple[int, int]]:
    lately = func.sum(case((entry.c.first_seen >= since, 1), else_=0))
    rows = connection.execute(select(entry.c.source_id, func.count(), lately).group_by(entry.c.source_id))
    return {number: (total, recent) for number, total, recent in rows}


def _source(row: RowMapping, settings: Source | None, counts: tuple[int, int], now: datetime) -> SourceStatus:
    state = State.PAUSED if row["paused"] else State(row["state"])
    title = (settings.title if settings else None) or (row["feed"]["title"] if row["feed"] else None) or row["key"]
    due = row["due_at"]
    return SourceStatus(
        key=SourceKey(row["key"]),
        url=settings.safe_url if settings else None,
        title=title,
        categories=settings.categories if settings else (),
        state=state,
        last_attempt=row["attempted_at"],
        last_success=row["succeeded_at"],
        next_due=due,
        interval=timedelta(microseconds=row["interval"]),
        because=(row["cadence"] or {}).get("because"),
        failures=row["failures"],
        failing_since=row["failing_since"],
        code=row["code"],
        error=row["error"],
        entries=counts[0],
        per_week=round(counts[1] / _weeks(row["created_at"], now), 1),
        lag=max(now - due, timedelta(0)) if state is not State.PAUSED else timedelta(0),
        advice=_advice(row, state, now),
        private=settings is not None and settings.private,
    )


def _weeks(since: datetime, now: datetime) -> float:
    """Give how many weeks a rate is taken over: four, or less for a source that is younger, but at least one."""
    return min(float(WEEKS), max(1.0, (now - since) / timedelta(weeks=1)))


def _advice(row: RowMapping, state: State, now: datetime) -> str | None:
    if state is not State.FAILING:
        return None
    advice = ADVICE.get(row["code"])
    long = row["failing_since"] is not None and now - row["failing_since"] > DEAD
    return f"no success for {(now - row['failing_since']).days} days; {advice}" if long and advice else advice


def _categories(connection: Connection, roster: Roster) -> list[CategoryStatus]:
    counting = (
        select(category.c.key, category.c.slug, func.count(publication.c.story_id), func.max(publication.c.entered_at))
        .outerjoin(publication, (publication.c.category_id == category.c.id) & publication.c.withdrawn_at.is_(None))
        .where(category.c.active)
        .group_by(category.c.id)
        .order_by(category.c.id)
    )
    found = []
    for key, slug, stories, newest in connection.execute(counting):
        settings = roster.categories.get(key)
        found.append(
            CategoryStatus(
                slug=slug,
                title=settings.title if settings else key,
                stories=stories,
                newest=newest,
                sources=sum(key in s.categories for s in roster.sources.values()),
                unlisted=settings is not None and settings.unlisted,
            )
        )
    return found
