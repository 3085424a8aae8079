"""How things stand, for anyone to see and for the operator: one shape, from which the public one leaves away (S69)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from aggregator.model.poll import State
from aggregator.model.settings import Site
from aggregator.model.status import CategoryStatus, SourceStatus, Status
from aggregator.publish import mark
from aggregator.publish.page import TROUBLED, render_page
from aggregator.publish.shown import url_of
from aggregator.publish.views import Scribe, plain


def status_record(status: Status, *, public: bool) -> dict[str, object]:
    """Give the shape of `status --json` (DESIGN 3.2).

    Args:
        status: how things stand.
        public: leave away store and config path, addresses of private sources, unlisted categories, and say errors as
            codes (DESIGN 3.3).
    """
    config: dict[str, object] = {"loaded_at": _time(status.config.loaded_at)}
    if public:
        config["error"] = "refused" if status.config.error else None
    else:
        config |= {"path": status.config.path, "error": status.config.error}
    record: dict[str, object] = {
        "version": 1,
        "sources": [source_record(source, public=public) for source in status.sources],
        "categories": [
            {"slug": c.slug, "title": c.title, "stories": c.stories, "newest": _time(c.newest), "sources": c.sources}
            for c in _listed(status, public=public)
        ],
        "config": config,
    }
    if not public:
        record["store"] = {"url": status.store_url, "bytes": status.store_bytes, "schema": status.schema}
    return record


def source_record(source: SourceStatus, *, public: bool) -> dict[str, object]:
    """Give the row of one source."""
    error = None
    if source.code:
        error = source.code if public else f"{source.code}: {source.error}"
    return {
        "key": source.key,
        "url": None if public and source.private else source.url,
        "categories": list(source.categories),
        "state": source.state.value,
        "last_attempt": _time(source.last_attempt),
        "last_success": _time(source.last_success),
        "next_due": _time(source.next_due),
        "interval_s": round(source.interval.total_seconds()),
        "failures": source.failures,
        "error": error,
        "entries": source.entries,
        "per_week": source.per_week,
        "lag_s": round(source.lag.total_seconds()),
        "advice": None if public else source.advice,
    }


def render_status_json(status: Status) -> bytes:
    """Render `status.json`, for anyone to see. It bears our mark like every output (DESIGN 3.3)."""
    record = status_record(status, public=True) | {"_aggregator": {"home": mark.HOME}}
    return json.dumps(record, ensure_ascii=False, sort_keys=True, indent=1).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class _Row:
    """A source on the page."""

    title: str
    state: str
    word: str
    trouble: str
    facts: tuple[str, ...]


def render_status_page(status: Status, site: Site) -> bytes:
    """Render `status.html`: what needs a hand first."""
    scribe = Scribe.of(site, site.language)
    messages = scribe.messages

    def moment(when: datetime | None) -> str:
        return messages.moment(when, scribe.zone) if when else messages.text("never_yet")

    def facts(source: SourceStatus) -> tuple[str, ...]:
        said = [messages.text("last_success", when=moment(source.last_success))]
        if source.state is not State.PAUSED:
            said.append(messages.text("next_due", when=moment(source.next_due)))
        return (*said, messages.text("per_week", count=f"{source.per_week:g}"))

    rows = [
        _Row(
            title=plain(source.title) or source.key,
            state=source.state.value,
            word=messages.state(source.state.value),
            trouble=messages.trouble(source.state.value, source.code),
            facts=facts(source),
        )
        for source in status.sources
    ]
    troubled = sum(source.state in TROUBLED for source in status.sources)
    return render_page(
        "status",
        scribe,
        "status.html",
        title=messages.text("status"),
        canonical=url_of(site, "status.html"),
        feeds=[],
        as_of=messages.text("as_of", when=moment(status.at)),
        summary=messages.text("troubled", count=troubled, total=len(rows)),
        refused=status.config.error is not None,
        rows=rows,
        categories=[
            (plain(c.title), f"category/{c.slug}.html", messages.text("holds", count=c.stories), moment(c.newest))
            for c in _listed(status, public=True)
        ],
    )


def _listed(status: Status, *, public: bool) -> Sequence[CategoryStatus]:
    return [c for c in status.categories if not (public and c.unlisted)]


def _time(when: datetime | None) -> str | None:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ") if when else None
