"""Sentences of `check --live`: worst first, and what many sources have in common once."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from aggregator.cli.terminal import FEW, SHOWN, called, counted, grouped, printable, shortened
from aggregator.store.status import readdressing
from aggregator.text.durations import span_in_words
from aggregator.urls import Url

NAMED = 10  # sources in one line
# Of findings and what follows them, the worst first; failures come before all of these.
WEIGHT = (
    "charset no_field left_out no_entries silent future same_address copy moved unusual skipped ok"  # by `kind_of`
).split()
_HEADS = {
    "unusual": "are unusual, and need nothing",
    "skipped": "were not fetched",
    "ok": "are ok",
}


def report_in_words(rows: Sequence[Mapping[str, Any]], *, quiet: bool = False, folds: bool = True) -> str:
    """Return the findings, the worst first; empty if there is nothing to tell.

    Args:
        rows: of all sources, in the order of lines.
        quiet: only what needs attention.
        folds: tell what more than a few sources have in common once.
    """
    told = [row for row in rows if row["advice"] or not quiet]
    lines = []
    for same in grouped(sorted(told, key=_weight), _alike):
        lines += [_folded(same)] if folds and len(same) > FEW else [in_words(row) for row in same]
    return "\n".join(lines)


def kinds_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Return how many sources there are of each kind, the worst kind first."""
    return dict(Counter(row["kind"] for row in sorted(rows, key=_weight)))


def _weight(row: Mapping[str, Any]) -> tuple[int, str, int]:
    """Return a key that sorts the worst row first, and rows of one kind by their lines."""
    kind = row["kind"]
    is_failed = row["outcome"] == "failed" or kind not in WEIGHT
    return (-1 if is_failed else WEIGHT.index(kind)), f"{kind} {row['status']}" if is_failed else kind, row["line"]


def _alike(row: Mapping[str, Any]) -> object:
    """Return what rows have in common that are told together."""
    return row["outcome"], row["kind"], row["status"] if row["outcome"] == "failed" else None


def _folded(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the lines for many rows of one kind: how many, which, and what to do if that is the same for all."""
    kind, status = rows[0]["kind"], rows[0]["status"]
    number = counted(len(rows), "source")
    if rows[0]["outcome"] == "failed":
        answered = status is not None and status >= 400
        head = f"failed   {number} {f'answer {status}' if answered else 'failed'} ({kind})"
    elif kind in _HEADS:
        head = f"{kind:8} {number} {_HEADS[kind]}"
    else:
        head = f"look     {number}: {kind}"
    most = NAMED if rows[0]["advice"] else SHOWN
    names = [f"{shortened(row['name'])} (line {row['line']})" for row in rows[:most]]
    more = len(rows) - len(names)
    lines = [f"{head}: {', '.join(names)}" + (f" and {more:,} more; --all lists them" if more else "")]
    endings = {row["advice"][0]["text"].rpartition("; ")[2] if row["advice"] else "" for row in rows}
    if len(endings) == 1 and (mend := endings.pop()):
        lines.append(f"         ! {kind}: {mend}")
    for row in rows[:NAMED]:
        edits = [_written(each["write"], row) for each in row["advice"] if each["write"]]
        lines += [f"           → line {row['line']}: write {edit}" for edit in edits]
    return printable("\n".join(lines))


def _written(write: Mapping[str, str], row: Mapping[str, Any]) -> str:
    said = ", ".join(f"{key}: {value}" for key, value in write.items())
    by_command = "url" in write and not row["listed_by"]
    return f"{said}; or type: aggregator {readdressing(row['key'], Url(write['url']))}" if by_command else said


def in_words(row: Mapping[str, Any]) -> str:
    """Return the lines for one row: the feed, what needs attention, and what is unusual but harmless."""
    if row["outcome"] == "skipped":
        return printable(f"skipped  {called(row['name'], row['key'], row['line'])}: {row['reason']}")
    word = "failed" if row["outcome"] == "failed" else "look" if row["advice"] else "ok"
    lines = [f"{word:8} {called(row['name'], row['key'], row['line'])}: {', '.join(_facts(row))}"]
    lines += [f"           redirect {hop['status']} from {hop['url']}" for hop in row["redirects"]]
    if row["redirects"] and row["ended_at"]:
        lines.append(f"           ends at {row['ended_at']}")
    for advice in row["advice"]:
        lines.append(f"         ! {advice['code']}: {advice['text']}")
        if advice["write"]:
            lines.append(f"           → write {_written(advice['write'], row)}")
    lines += [f"           it names {feed['url']} {_named(feed)}".rstrip() for feed in row["feeds"]]
    told = tuple(advice["text"] for advice in row["advice"])
    lines += [f"         · {notice}" for notice in row["notices"] if not notice.startswith(told)]
    return printable("\n".join(lines))


def summary_in_words(counts: Mapping[str, Any]) -> str:
    """Return the summary: how many sources were checked, of which kinds, and how many need attention."""
    found, kinds = counts["found"], counts["kinds"]
    needs = "needs" if found == 1 else "need"
    state = f"{found} {needs} attention" if found else "nothing is wrong"
    said = f"Checked {counts['asked']} of {counted(counts['sources'], 'source')}; {state}."
    return f"{', '.join(f'{number:,} {kind}' for kind, number in kinds.items())}\n{said}" if len(kinds) > 1 else said


def _facts(row: Mapping[str, Any]) -> Iterator[str]:
    if row["status"]:
        yield f"HTTP {row['status']}"
    if row["format"]:
        yield f"{row['format']}"
        yield row["encoding"]
        entries = row["entries"]
        if row["listed"] is None:
            yield counted(entries["count"], "entry", "entries")
        else:
            yield f"{counted(row['listed'], 'feed')} named"
        for name, word in (("without_date", "date"), ("without_id", "id"), ("without_title", "title")):
            if entries[name]:
                yield f"{entries[name]} without {word}"
    if row["newest"]:
        yield f"newest {_age(row['newest_age_s'])}"
    wishes = row["hints"] or {}
    for name, word in (("ttl_s", "ttl"), ("max_age_s", "max-age"), ("retry_after_s", "no request for")):
        if wishes.get(name):
            yield f"{word} {span_in_words(timedelta(seconds=wishes[name]))}"
    if row["outcome"] == "fetched" and row["status"] and not row["conditional"]:
        yield "no ETag or Last-Modified"
    yield f"{row['bytes']:,} bytes in {row['ms']} ms"


def _age(seconds: int) -> str:
    """Return an age, rounded."""
    if seconds < 0:
        return "ahead of now"
    unit, size = next(((u, s) for u, s in (("d", 86400), ("h", 3600), ("min", 60)) if seconds >= 2 * s), ("min", 60))
    return f"{seconds // size} {unit} ago"


def _named(feed: Mapping[str, Any]) -> str:
    return f"({', '.join(filter(None, (feed['format'], feed['title'])))})" if feed["format"] or feed["title"] else ""
