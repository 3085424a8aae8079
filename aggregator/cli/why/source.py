"""`why` of sources and categories."""

from aggregator.cli.why.not_polled import next_poll, why_not_polled
from aggregator.cli.why.sentences import Frame, Section, indented
from aggregator.cli.why.story import names_of, trail_of
from aggregator.clock import rfc3339
from aggregator.model.event import Code
from aggregator.model.hosts import rest_record
from aggregator.model.settings import SourceKey
from aggregator.model.status import SourceStatus, Status
from aggregator.model.trail import CategoryRecord
from aggregator.store.store_file import Holder
from aggregator.store.transaction import Transaction

POLLS = 5  # the last ones
LATELY = 20  # events
OF_SOURCE = (
    Code.CHANGE_STATE,
    Code.MOVE_URL,
    Code.MOVE_SETTINGS,
    Code.LEAVE_OUT,
    Code.DOUBT_LIST,
    Code.SUSPECT_SOURCE,
    Code.CLEAR_SOURCE,
    Code.LOSE_FIELDS,
    Code.FILL_CATEGORY,
)
OF_ENTRIES = (Code.MAKE_STORY, Code.JOIN_STORY, Code.REJECT_ENTRY, Code.REVISE_ENTRY, Code.HOLD_REVISION)


def source_section(
    tx: Transaction, source: SourceStatus, frame: Frame, status: Status, holder: Holder | None
) -> Section:
    """Return the section on a source: state, reasons for its due time and for a poll that is late, last events."""
    key = SourceKey(source.key)
    history = tx.history.of(key, frame.now, days=1)
    moves = tx.trail.source_steps(key, OF_SOURCE, LATELY)
    entries = tx.trail.source_steps(key, OF_ENTRIES, LATELY)
    states = tx.trail.entry_states(key)
    whole = tx.trail.read_whole(key)
    late = why_not_polled(tx, source, status, holder, frame)
    counts = ", ".join(f"{count} {state.value}" for state, count in sorted(states.items()))
    told, trail = trail_of(moves, (), names_of(tx, moves, (), frame=frame), frame)
    decided, decisions = trail_of(entries, (), names_of(tx, entries, (), frame=frame), frame)
    lines = [
        f"{source.title} (source {source.key}{_line_of(source)}), {source.url or 'an address that is kept private'}",
        *indented(
            [
                f"{source.state.value}; publishes in {', '.join(source.categories)}",
                next_poll(source, moves, frame),
                *([late] if late else []),
                *([f"{source.failures} failed in a row, {source.code}: {source.error}"] if source.code else []),
                *([f"→ {source.advice}"] if source.advice else []),
                f"entries: {counts or 'none yet'}",
                *([f"its last document was read as a whole: {whole}"] if whole else []),
            ]
        ),
    ]
    if history.recent:
        lines += indented(["", "Last polls:"])
    for poll in history.recent[:POLLS]:
        news = f"{poll.new} new, {poll.revised} revised" if poll.outcome.value == "fetched" else ""
        what = f"{poll.outcome.value} {poll.status or ''}".strip()
        lines += indented([f"{frame.moment(poll.at)}  {what}{'; ' + news if news else ''}; next by {poll.because}"])
    lines += indented(["", "State and settings:"]) + trail[1:] if moves else []
    lines += indented(["", "Last events of entries:"]) + decisions[1:] if entries else []
    record = {
        "kind": "source",
        "key": source.key,
        "url": source.url,
        "state": source.state.value,
        "categories": list(source.categories),
        "next_due": rfc3339(source.next_due),
        "host_rests": rest_record(source.rest),
        "because": source.because,
        "not_polled": late or None,
        "failures": source.failures,
        "error": f"{source.code}: {source.error}" if source.code else None,
        "advice": source.advice,
        "entries": {state.value: count for state, count in states.items()},
        "read_whole": whole,
        "polls": [
            {
                "at": rfc3339(poll.at),
                "outcome": poll.outcome.value,
                "status": poll.status,
                "new": poll.new,
                "revised": poll.revised,
                "because": poll.because,
            }
            for poll in history.recent[:POLLS]
        ],
        "steps": told,
        "decisions": decided,
    }
    return Section(lines, record)


def _line_of(source: SourceStatus) -> str:
    return "" if source.line is None else f", line {source.line}"


def resting_section(tx: Transaction, key: SourceKey, frame: Frame) -> Section:
    """Return the section on a source that left feeds.yaml."""
    moves = tx.trail.source_steps(key, OF_SOURCE, LATELY)
    states = tx.trail.entry_states(key)
    told, trail = trail_of(moves, (), names_of(tx, moves, (), frame=frame), frame)
    counts = ", ".join(f"{count} {state.value}" for state, count in sorted(states.items()))
    lines = [
        f"source {key}",
        *indented(
            [
                "it left feeds.yaml: it is no longer polled; what it published stays",
                f"entries: {counts or 'none yet'}",
            ]
        ),
        *trail,
    ]
    entries = {state.value: count for state, count in states.items()}
    return Section(lines, {"kind": "source", "key": key, "state": None, "entries": entries, "steps": told})


def category_section(category: CategoryRecord, frame: Frame) -> Section:
    """Return the section on a category: its stories, and whether its files show them."""
    settings = frame.roster.categories.get(category.key)
    sources = [key for key, source in frame.roster.sources.items() if category.key in source.places]
    look = "left feeds.yaml: its files stay, nothing new enters"
    if settings is not None and category.active:
        listed = "in no index, OPML or all.*" if settings.unlisted else "listed"
        look = f"“{settings.title}”, shows {settings.show.value}, {settings.entries} or more in its main feed, {listed}"
    dirty = "its files are up to date"
    if category.rendered_at is None and category.changes:
        dirty = "not rendered yet"
    elif category.changes or category.look is None:
        pages = "".join(f", archive page {page}" for page in category.dirty_pages)
        dirty = f"to be rendered: main feed{pages} ({category.changes} changes since then)"
    lines = [
        f"{category.key} (category/{category.slug})",
        *indented(
            [
                f"{look}; feed id {category.feed_id}, made {frame.moment(category.created_at)}",
                f"{category.stories} stories, {category.main} in the main feed, {category.pages} archive pages; "
                f"the last story entered {frame.moment(category.newest)}",
                f"{category.withdrawn} withdrawn, {category.tombstones} of them with a tombstone in the main feed",
                f"{dirty}; last rendered {frame.moment(category.rendered_at)}",
                f"sources: {', '.join(map(frame.name, sources)) or 'none'}",
            ]
        ),
    ]
    record = {
        "kind": "category",
        "key": category.key,
        "slug": category.slug,
        "id": category.feed_id,
        "active": category.active,
        "look": category.look and category.look.partition(" ")[0],  # of all that shapes its outputs
        "stories": category.stories,
        "main": category.main,
        "pages": category.pages,
        "newest": rfc3339(category.newest),
        "withdrawn": category.withdrawn,
        "tombstones": category.tombstones,
        "changes": category.changes,
        "dirty_pages": list(category.dirty_pages),
        "rendered": rfc3339(category.rendered_at),
        "sources": sources,
    }
    return Section(lines, record)
