"""Renders the status as a page, for the public (S69)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from aggregator.model.history import Fetching
from aggregator.model.poll import State
from aggregator.model.settings import Site
from aggregator.model.status import SourceStatus, Status
from aggregator.render.fields import url_of
from aggregator.render.html_fragments import fitting, size_of
from aggregator.render.html_pages import TROUBLED, render_page
from aggregator.render.status_json import listed
from aggregator.render.template_context import ContextBuilder, plain
from aggregator.render.theme import PageStyle
from aggregator.render.translations import Messages

ROW_BYTES = 200  # our own part of a source on the page, at most
FEW = 5  # quiet sources that are not folded


@dataclass(frozen=True, slots=True)
class _Row:
    """A source on the page."""

    title: str
    state: str
    word: str
    trouble: str
    facts: tuple[str, ...]
    is_quiet: bool


def render_status_page(status: Status, site: Site, style: PageStyle | None = None) -> bytes:
    """Render `status.html`, sources that need attention first.

    Raises:
        PublishError: a template of the operator's theme can't be rendered.
    """
    scribe = ContextBuilder.of(site, site.language, style)
    messages = scribe.messages

    def moment(when: datetime | None) -> str:
        return messages.moment(when, scribe.zone) if when else messages.text("never_yet")

    def facts(source: SourceStatus) -> tuple[str, ...]:
        said = [messages.text("last_success", when=moment(source.last_success))]
        if source.state is not State.PAUSED:
            said.append(messages.text("next_due", when=moment(source.next_at)))
        return (*said, messages.text("per_week", count=f"{source.per_week:g}"))

    def row(source: SourceStatus) -> _Row:
        state = _state_shown(source)
        return _Row(
            title=plain(source.title) or source.key,
            state=source.state.value,
            word=messages.state(state),
            trouble=messages.trouble(state, source.code),
            facts=facts(source),
            is_quiet=state != source.state.value,
        )

    rows = [row(source) for source in status.sources]
    troubled = sum(source.state in TROUBLED for source in status.sources)
    fit, beyond = fitting(rows, lambda row: ROW_BYTES + size_of(row.title, row.word, row.trouble, *row.facts))
    return render_page(
        "status",
        scribe,
        "status.html",
        title=messages.text("status"),
        canonical=url_of(site, "status.html"),
        feeds=[],
        as_of=messages.text("as_of", when=moment(status.at)),
        summary=messages.text("troubled", count=troubled, total=len(rows)),
        more=messages.text("no_room", count=beyond) if beyond else "",
        fetched=_fetched(status.fetching, messages, moment(status.fetching.since)),
        refused=status.config.error is not None,
        offline=status.outage.public and messages.text("network_down", when=moment(status.outage.public)),
        rows=fit,
        parts=_parts(fit, messages),
        categories=[
            (plain(c.title), f"category/{c.slug}.html", messages.text("holds", count=c.stories), moment(c.newest))
            for c in listed(status, public=True)
        ],
    )


def _state_shown(source: SourceStatus) -> str:
    """Return the state as pages name it: a source that answers and yet brings nothing is not ok."""
    return source.quiet.value if source.state is State.OK and source.quiet is not None else source.state.value


def _parts(rows: Sequence[_Row], messages: Messages) -> list[tuple[str, list[_Row]]]:
    """Return the rows in parts, each with its heading (empty: always open); many quiet sources are one part."""
    quiet = [row for row in rows if row.is_quiet]
    if len(quiet) <= FEW:
        return [("", list(rows))]
    first = rows.index(quiet[0])  # they are next to each other: worst first
    heading = messages.text("quiet", count=len(quiet))
    parts = [("", list(rows[:first])), (heading, quiet), ("", [row for row in rows[first:] if not row.is_quiet])]
    return [(text, some) for text, some in parts if some]


def _fetched(fetching: Fetching, messages: Messages, since: str) -> str:
    """Return the sentence about requests and bytes; empty before the first poll."""
    if not fetching.sums.polls:
        return ""
    share, size = f"{fetching.share_304:.0%}", fetching.sums.bytes / 1e6
    megabytes = f"{size:.1f}" if size >= 1 else f"{size:.3f}".rstrip("0").rstrip(".")
    return messages.text("fetching", since=since, polls=fetching.sums.polls, share=share, megabytes=megabytes)
