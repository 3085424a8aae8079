"""Renders the status as JSON: one shape for operators, with less of it for the public (S69)."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from aggregator.clock import rfc3339
from aggregator.late import late
from aggregator.model.alarm import Alarm
from aggregator.model.history import DaySums, Fetching, SourceHistory
from aggregator.model.hosts import rest_record
from aggregator.model.status import CategoryStatus, RuleHits, SourceStatus, Status
from aggregator.render import mark

if TYPE_CHECKING:
    from aggregator.render import fields
else:
    fields = late("aggregator.render.fields")


def status_record(status: Status, *, public: bool) -> dict[str, object]:
    """Return the record of `status --json`.

    Args:
        status: states of sources, categories and the store.
        public: leave away store and config path, addresses of private sources and paths of files, unlisted categories,
            hosts and what is wrong with single sources, and report errors as codes.
    """
    config: dict[str, object] = {"loaded_at": rfc3339(status.config.loaded_at)}
    if public:
        config["error"] = "refused" if status.config.error else None
    else:
        config |= {"path": status.config.path, "error": status.config.error}
    record: dict[str, object] = {
        "version": 1,
        "sources": [source_record(source, public=public) for source in status.sources],
        "categories": [
            {"slug": c.slug, "title": c.title, "stories": c.stories, "newest": rfc3339(c.newest), "sources": c.sources}
            for c in listed(status, public=public)
        ],
        "config": config,
        "fetching": fetching_record(status.fetching, public=public),
        "lag": {"p95_s": round(status.lag.p95.total_seconds()), "late_share": round(status.lag.late_share, 3)},
        "alarms": [alarm_record(a, public=public) for a in status.alarms if a.source is None or not public],
        "network_down_since": rfc3339(status.outage.public),
        "days": day_records(status.days),
    }
    if not public:
        record["removed_categories"] = [
            {"slug": c.slug, "title": c.title, "removed_at": rfc3339(c.removed_at)} for c in status.removed
        ]
        record["own_down_since"] = rfc3339(status.outage.own)
        if status.hub is not None:
            record["hub"] = {
                "owed": status.hub.owed,
                "failures": status.hub.failures,
                "failing_since": rfc3339(status.hub.failing_since),
                "error": status.hub.error,
            }
        record["store"] = {"url": status.store_url, "bytes": status.store_bytes, "schema": status.schema}
    return record


def source_record(source: SourceStatus, *, public: bool) -> dict[str, object]:
    """Return the record of one source."""
    error = None
    if source.code:
        error = source.code if public else f"{source.code}: {source.error}"
    record: dict[str, object] = {
        "key": source.key,
        "title": source.title,
        "url": source.url if not public else None if source.private else fields.web_address(source.url),
        "categories": list(source.categories),
        "state": source.state.value,
        "quiet": source.quiet.value if source.quiet else None,
        "since": rfc3339(source.since),
        "status": source.http_status,
        "newest": rfc3339(source.newest),
        "last_attempt": rfc3339(source.last_attempt),
        "last_success": rfc3339(source.last_success),
        "next_due": rfc3339(source.next_due),
        "interval_s": round(source.interval.total_seconds()),
        "failures": source.failures,
        "error": error,
        "entries": source.entries,
        "per_week": source.per_week,
        "lag_s": round(source.lag.total_seconds()),
        "advice": None if public else source.advice,
    }
    if not public:
        record["line"] = source.line
        record["because"] = source.because or None
        record["moved_to"] = source.moved_to
        record["host_rests"] = rest_record(source.rest)
        record["clock_skew_s"] = round(source.clock_skew.total_seconds()) or None
    return record


def rule_record(hits: RuleHits) -> dict[str, object]:
    """Return the record of a rule: how often it matched."""
    return {
        "category": hits.place or None,
        "rule": hits.rule,
        "hits": hits.hits,
        "last": rfc3339(hits.last_at),
    }


def alarm_record(alarm: Alarm, *, public: bool) -> dict[str, object]:
    """Return the record of an alarm."""
    record: dict[str, object] = {
        "code": alarm.code.value,
        "source": alarm.source,
        "since": rfc3339(alarm.since),
    }
    return record if public else record | {"text": alarm.text}


def history_record(history: SourceHistory) -> dict[str, object]:
    """Return what `status KEY --json` adds: the last polls, and the sums of the last days."""
    return {
        "validators": {"etag": history.etag, "last_modified": history.last_modified},
        "notices": list(history.notices),
        "recent": [
            {
                "at": rfc3339(poll.at),
                "outcome": poll.outcome.value,
                "status": poll.status,
                "bytes": poll.wire_bytes,
                "ms": poll.milliseconds,
                "new": poll.new,
                "revised": poll.revised,
                "next_due": rfc3339(poll.next_due),
                "because": poll.because,
            }
            for poll in history.recent
        ],
        "days": day_records(history.days),
    }


def day_records(days: Sequence[DaySums]) -> list[dict[str, object]]:
    """Return the records of the sums of days."""
    return [
        {
            "day": one.day.isoformat(),
            **asdict(one.polls),
            "details": asdict(one.details),
            "further": asdict(one.further),
        }
        for one in days
    ]


def fetching_record(fetching: Fetching, *, public: bool) -> dict[str, object]:
    """Return the record of recent requests and bytes; the public record has totals and no hosts."""
    sums = fetching.sums
    record: dict[str, object] = {
        "since": rfc3339(fetching.since),
        "polls": sums.polls,
        "not_modified": sums.not_modified,
        "share_304": round(fetching.share_304, 3),
        "bytes": sums.bytes,
        "failures": sums.failures,
        "unconditional": sums.unconditional,
        "details": asdict(fetching.details),
        "further": asdict(fetching.further),
    }
    if not public:
        record["hosts"] = [
            {
                "host": host.host,
                "sources": host.sources,
                "polls": host.sums.polls,
                "not_modified": host.sums.not_modified,
                "bytes": host.sums.bytes,
                "failures": host.sums.failures,
                "details": asdict(host.details),
                "further": asdict(host.further),
                "spacing_s": host.spacing.total_seconds(),
                "opens_at": rfc3339(host.opens_at),
            }
            for host in fetching.hosts
        ]
    return record


def render_status_json(status: Status) -> bytes:
    """Render `status.json`, for anyone to see. It has our mark like every output."""
    record = status_record(status, public=True) | {"_aggregator": {"home": mark.HOME}}
    parts = (f'"{name}": {_in_lines(value)}' for name, value in sorted(record.items()))
    return ("{\n" + ",\n".join(parts) + "\n}\n").encode()


def _in_lines(value: object) -> str:
    """Write a value in JSON, a list one item a line: to indent all of it takes five times as long."""
    if not isinstance(value, list) or not value:
        return _compact(value)
    return "[\n" + ",\n".join(map(_compact, value)) + "\n]"


_compact = json.JSONEncoder(ensure_ascii=False, sort_keys=True).encode


def listed(status: Status, *, public: bool) -> Sequence[CategoryStatus]:
    return [c for c in status.categories if not (public and c.unlisted)]
