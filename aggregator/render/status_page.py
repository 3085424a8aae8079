"""Renders the status as a page, for the public (S69)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from aggregator.clean.text import line_of as plain
from aggregator.model.alarm import QUIET
from aggregator.model.history import DaySums, Fetching
from aggregator.model.poll import State
from aggregator.model.settings import Site
from aggregator.model.status import SourceStatus, Status
from aggregator.render.fields import ALL, url_of
from aggregator.render.html_fragments import fitting, size_of
from aggregator.render.html_pages import TROUBLED, feeds_of, render_page
from aggregator.render.status_json import listed
from aggregator.render.template_context import ContextBuilder, is_right_to_left
from aggregator.render.theme import PageStyle
from aggregator.render.translations import Messages

ROW_BYTES = 260  # our own part of a source on the page, about
CELL_BYTES, CHART_BYTES = 24, 110  # of a cell that is not empty, with its label, and of a chart
MONTH = 30  # days in charts
STEP, HIGH = 4, 20  # width of a day in charts, and height of the highest bar
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Chart:
    """Bars, one for each day, oldest first: data of two SVG paths, and what they show in words."""

    name: str
    bars: str
    failed: str  # marks of days with a failure
    text: str


@dataclass(frozen=True, slots=True)
class _Row:
    """A source on the page."""

    title: str
    state: str
    word: str
    trouble: str
    facts: tuple[str, ...]
    is_quiet: bool
    http: str
    since: str
    tries: str
    newest: str
    next: str
    chart: _Chart | None  # None: nothing happened, or it is not known


def render_status_page(
    status: Status, site: Site, formats: frozenset[str] = frozenset(), style: PageStyle | None = None
) -> bytes:
    """Render `status.html`, sources that need attention first.

    Args:
        status: as anyone may see it.
        site: title, language, zone and public address.
        formats: of the feeds that are published.
        style: theme and texts of all pages.

    Raises:
        PublishError: a template of the operator's theme can't be rendered.
    """
    scribe = ContextBuilder.of(site, site.language, style)
    messages = scribe.messages

    def moment(when: datetime | None) -> str:
        return messages.moment(when, scribe.zone) if when else messages.text("never_yet")

    def row(source: SourceStatus) -> _Row:
        state, is_polled = source.shown_state, source.state is not State.PAUSED
        last, due = moment(source.last_success), moment(source.next_at) if is_polled else ""
        said = [messages.text("last_success", when=last), messages.text("next_due", when=due) if due else ""]
        per_week = messages.text("per_week", count=f"{source.per_week:g}")
        return _Row(
            title=plain(source.title) or source.key,
            state=source.state.value,
            word=messages.state(state),
            trouble=messages.trouble(state, source.code),
            facts=(*filter(None, said), per_week),
            is_quiet=state != source.state.value,
            http=str(source.http_status or ""),
            since=(messages.day if state in QUIET else messages.moment)(source.since, scribe.zone)
            if source.since
            else "",
            tries=str(source.failures or ""),
            newest=messages.day(source.newest, scribe.zone) if source.newest else "",
            next=due,
            chart=_chart_of(source, messages),
        )

    rows = [row(source) for source in status.sources]
    troubled = sum(source.state in TROUBLED for source in status.sources)
    fit, beyond = fitting(rows, _size_of)
    return render_page(
        "status",
        scribe,
        "status.html",
        title=messages.text("status"),
        canonical=url_of(site, "status.html"),
        feeds=feeds_of(ALL, site, formats, plain(site.title)),
        as_of=messages.text("as_of", when=moment(status.at)),
        summary=messages.text("troubled", count=troubled, total=len(rows)),
        tiles=_tiles(status, messages),
        charts=_charts(status, messages),
        more=messages.text("no_room", count=beyond) if beyond else "",
        fetched=_fetched(status.fetching, messages, moment(status.fetching.since)),
        refused=status.config.error is not None,
        offline=status.outage.public and messages.text("network_down", when=moment(status.outage.public)),
        rows=fit,
        parts=_parts(list(zip(status.sources, fit, strict=False)), status, messages),
        categories=[
            (plain(c.title), f"category/{c.slug}.html", messages.text("holds", count=c.stories), moment(c.newest))
            for c in listed(status, public=True)
        ],
    )


def _size_of(row: _Row) -> int:
    cells = (row.http, row.since, row.tries, row.newest, row.next)
    size = ROW_BYTES + size_of(row.title, row.word, row.trouble, *cells) + CELL_BYTES * sum(map(bool, cells))
    return size + (CHART_BYTES + size_of(row.chart.bars, row.chart.failed, row.chart.text) if row.chart else 0)


def _parts(
    rows: Sequence[tuple[SourceStatus, _Row]], status: Status, messages: Messages
) -> list[tuple[str, list[_Row]]]:
    """Return the rows in parts, each with its heading: those that need a hand, then the others by category.

    A source of several categories stands in the first of them. In each part the order is that of the status.
    """
    titles = {category.key: plain(category.title) for category in status.categories}
    parts: dict[str, list[_Row]] = {"": [], **{key: [] for key in titles}}
    for source, row in rows:
        place = next((key for key in source.categories if key in titles), "?")
        parts.setdefault("" if source.state in TROUBLED else place, []).append(row)
    headings = titles | {"": messages.text("tile_hand"), "?": messages.text("sources")}
    return [(headings[key], some) for key, some in parts.items() if some]


def _tiles(status: Status, messages: Messages) -> list[tuple[str, str, str]]:
    """Return what stands above all: a class, a label and a figure each."""
    states = [source.shown_state for source in status.sources]
    troubled = sum(source.state in TROUBLED for source in status.sources)
    fine, quiet = states.count(State.OK.value), sum(source.quiet is not None for source in status.sources)
    today = next((_bytes_of(one) for one in status.days if one.day == status.at.astimezone(UTC).date()), 0)
    polls = status.fetching.sums.polls
    figures = (
        ("hand" if troubled else "", "tile_hand", str(troubled)),
        ("", "tile_silent", str(quiet)),
        ("", "tile_fine", str(fine)),
        ("", "tile_304", f"{status.fetching.share_304:.0%}" if polls else "–"),
        ("", "tile_bytes", _size(today)),
        ("hand" if status.lag.late_share > 0 else "", "tile_lag", _span(status.lag.p95)),
    )
    return [(kind, messages.text(label), figure) for kind, label, figure in figures]


def _charts(status: Status, messages: Messages) -> list[_Chart]:
    """Return the charts of polls, share of 304, bytes and lag over the last days; none before the first poll."""
    if not status.days:
        return []
    by_day = {one.day: one for one in status.days}
    today = status.at.astimezone(UTC).date()
    days = [by_day.get(today - timedelta(days=back)) for back in range(MONTH - 1, -1, -1)]
    polls = [one.polls.polls if one else 0 for one in days]
    shares = [one.polls.not_modified / one.polls.polls if one and one.polls.polls else 0.0 for one in days]
    sizes = [_bytes_of(one) if one else 0 for one in days]
    lags = [one.polls.late / one.polls.polls if one and one.polls.polls else 0.0 for one in days]
    spans = [_span(timedelta(seconds=round(lag))) for lag in lags]
    failed = "".join(_mark(at) for at, one in enumerate(days) if one and one.polls.failures)
    form = "\u2066{}\u2069" if is_right_to_left(messages.language) else "{}"  # "1.1 MB" is written as it is

    def chart(label: str, values: Sequence[float], written: Sequence[str], marks: str = "") -> _Chart:
        most = max(range(MONTH), key=lambda at: values[at])
        text = messages.text("chart_days", most=form.format(written[most]), last=form.format(written[-1]), days=MONTH)
        return _Chart(messages.text(label), _bars(values), marks, text)

    return [
        chart("chart_polls", polls, [f"{count}" for count in polls], failed),
        chart("tile_304", shares, [f"{share:.0%}" for share in shares]),
        chart("chart_bytes", sizes, [_size(size) for size in sizes]),
        chart("tile_lag", lags, spans),
    ]


def _chart_of(source: SourceStatus, messages: Messages) -> _Chart | None:
    """Return the chart of the stories of a source; None if nothing came and nothing failed."""
    new = [count for count, _ in source.month]
    bad = [at for at, (_, failures) in enumerate(source.month) if failures]
    if not any(new) and not bad:
        return None
    text = messages.text("chart_stories", count=sum(new), most=max(new), failed=len(bad))
    return _Chart("", _bars(new), "".join(map(_mark, bad)), text)


def _bars(values: Sequence[float]) -> str:
    """Return the data of an SVG path: a bar for each day with a value, the highest as high as the chart."""
    most = max(values)
    return "".join(
        f"M{STEP * at + 2} {HIGH}v-{max(round(HIGH * value / most), 1)}" for at, value in enumerate(values) if value
    )


def _mark(at: int) -> str:
    return f"M{STEP * at + 2} {HIGH + 1}v3"


def _bytes_of(one: DaySums) -> int:
    return one.polls.bytes + one.details.bytes + one.further.bytes


def _size(count: int) -> str:
    """Return a number of bytes in words that every language has."""
    unit, size = next(((unit, size) for unit, size in (("GB", 1e9), ("MB", 1e6)) if count >= size), ("kB", 1e3))
    return f"{count / size:.1f} {unit}" if size > 1e3 else f"{count / size:.0f} {unit}"


def _span(span: timedelta) -> str:
    if span < MINUTE:
        return "< 1 min"
    if span < 2 * HOUR:
        return f"{span / MINUTE:.0f} min"
    return f"{span / HOUR:.0f} h" if span < 3 * DAY else f"{span / DAY:.0f} d"


def _fetched(fetching: Fetching, messages: Messages, since: str) -> str:
    """Return the sentence about requests and bytes; empty before the first poll."""
    if not fetching.sums.polls:
        return ""
    share, size = f"{fetching.share_304:.0%}", fetching.sums.bytes / 1e6
    megabytes = f"{size:.1f}" if size >= 1 else f"{size:.3f}".rstrip("0").rstrip(".")
    return messages.text("fetching", since=since, polls=fetching.sums.polls, share=share, megabytes=megabytes)
