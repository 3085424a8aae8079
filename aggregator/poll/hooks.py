"""Hooks: programs of the operator that see each new entry of a poll, and may change its texts and tags, or drop it.

What came from the source stays with the entry, as with `rewrite`: key and digest are those of the original, so that
neither an edited hook nor one that answers differently makes a revision (R47).
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from aggregator.clean.sanitiser import sanitise
from aggregator.clean.titles import bounded_title
from aggregator.clock import rfc3339
from aggregator.errors import CutShort, ProgramFailed
from aggregator.identify.keys import key_form
from aggregator.model.entry import HOOK, Entry, Feed, Tag
from aggregator.model.job import SourceJob
from aggregator.model.redactor import Redactor
from aggregator.model.settings import Program, Source
from aggregator.model.window import form_of, item_of, records_of, state_of
from aggregator.parse.links import MAX_TAGS
from aggregator.programs.run import ProgramEnded, run_program
from aggregator.rules.rewriting import MAX_TEXT, changed_to, name_of_tag
from aggregator.text.xml_chars import legal

VERSION: Final = 1  # of what a hook is told; docs/hooks.md
MAX_BYTES: Final = 20 * 2**20  # of its answer
MAX_REASON: Final = 200  # characters

Answers = Mapping[str, Mapping[str, Any]]  # by key of the entry


class _Wrong(ValueError):
    """An answer can't be used; the text goes with "it"."""


def hooked(feed: Feed, job: SourceJob, redactor: Redactor, is_cut: Callable[[], bool]) -> Feed:
    """Return a document after the hooks of its source.

    Entries that are stored as they stand are not given to hooks, as far as the job knows which these are: an answer
    about one would change nothing.

    Raises:
        ProgramFailed: a hook with `on_error: hold` failed.
        CutShort: the program stops.
    """
    stored = _stored(job)
    places = [place for place, entry in enumerate(feed.entries) if not _is_stored(entry, stored)]
    entries, notices = list(feed.entries), list(feed.notices)
    for hook in job.source.hooks:
        given = [entries[place] for place in places if not _is_dropped(entries[place])]
        if not given:
            break
        try:
            answers = _ask(hook, given, job.source, redactor, is_cut)
        except (ProgramEnded, _Wrong) as error:
            if isinstance(error, ProgramEnded) and error.cause == "cut":
                raise CutShort from error
            is_missing = isinstance(error, ProgramEnded) and error.cause == "missing"
            why = f"{HOOK}{hook}{':' if is_missing else ''} {error.why if isinstance(error, ProgramEnded) else error}"
            if hook.holds:
                raise ProgramFailed(job.url, why) from error
            notices.append(redactor.text(f"{why}; entries taken unchanged: {len(given)}"))
            continue
        for place in places:
            if (answer := answers.get(entries[place].key)) is not None:
                entries[place] = _changed(entries[place], answer, hook, job.source.reading.allow_classes)
    return replace(feed, entries=tuple(entries), notices=tuple(notices))


def _stored(job: SourceJob) -> dict[bytes, bytes]:
    """Return the states of stored entries by the forms of their keys, as far as the job has them."""
    items = map(item_of, records_of(job.window).values()) if job.window else ()
    return {item.form: item.state for item in items}


def _is_stored(entry: Entry, stored: Mapping[bytes, bytes]) -> bool:
    state = stored.get(form_of(key_form(entry.key)))
    return state is not None and state == state_of(entry.told_digest, entry.published, entry.updated)


def _is_dropped(entry: Entry) -> bool:
    return entry.original is not None and bool(entry.original.dropped)


def _ask(
    hook: Program, entries: Sequence[Entry], source: Source, redactor: Redactor, is_cut: Callable[[], bool]
) -> Answers:
    """Run a hook, and return its answers.

    Raises:
        ProgramEnded: it brought none.
        _Wrong: they can't be used.
    """
    keys = {entry.key for entry in entries}
    facts = {"AGGREGATOR_SOURCE": source.key}
    given = (json.dumps(_told(entry, source)).encode() + b"\n" for entry in entries)
    output = run_program(hook, given, facts, most=MAX_BYTES, is_over=is_cut)
    answers: dict[str, Mapping[str, Any]] = {}
    for number, line in enumerate(redactor.body(output).split(b"\n"), 1):
        if line.strip():
            answer = _answer(line, number)
            if answer["key"] not in keys:
                raise _Wrong(f"answered about an entry that it was not given (line {number})")
            answers[answer["key"]] = answer
    return answers


def _told(entry: Entry, source: Source) -> dict[str, Any]:
    """Return an entry as hooks get it; fields that JSON Feed has, too, have the names of JSON Feed."""
    return {
        "version": VERSION,
        "key": entry.key,
        "source": source.key,
        "id": entry.id,
        "url": entry.link,
        "title": entry.title,
        "summary_html": entry.summary,
        "content_html": entry.content,
        "content_text": entry.text,
        "authors": [person.name for person in entry.authors if person.name],
        "tags": [tag.label or tag.term for tag in entry.tags],
        "date_published": rfc3339(entry.published),
        "date_modified": rfc3339(entry.updated),
        "language": entry.language,
    }


def _answer(line: bytes, number: int) -> dict[str, Any]:
    """Read one line of an answer, and check the fields that may change an entry.

    Raises:
        _Wrong: it is no JSON object, lacks its key, or has a value of another type.
    """
    try:
        answer = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _Wrong(f"wrote a line that is not JSON (line {number})") from error
    if not isinstance(answer, dict) or not isinstance(answer.get("key"), str):
        raise _Wrong(f"wrote a line without the key of an entry (line {number})")
    for name in ("title", "summary_html", "content_html"):
        if not isinstance(answer.get(name, ""), str):
            raise _Wrong(f"gave a {name} that is no text (line {number})")
    tags = answer.get("tags", [])
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise _Wrong(f"gave tags that are no list of texts (line {number})")
    if not isinstance(answer.get("drop", ""), str | bool | None):
        raise _Wrong(f"gave a drop that is neither a reason nor true or false (line {number})")
    return answer


def _changed(entry: Entry, answer: Mapping[str, Any], hook: Program, classes: frozenset[str]) -> Entry:
    """Return an entry as a hook wants it; its texts are cleaned as those of publishers are (S30)."""
    said = _told_fields(entry)
    new = {name: answer[name] for name in said if name in answer and answer[name] != said[name]}
    now = entry
    if "title" in new:
        now = replace(now, title=bounded_title(" ".join(legal(new["title"]).split())))
    if "summary_html" in new:
        now = replace(now, summary=_html(new["summary_html"], classes))
    if "content_html" in new:
        now = replace(now, content=_html(new["content_html"], classes))
    if "tags" in new:
        now = replace(now, tags=tuple(_tags(entry, new["tags"])))
    drop = answer.get("drop")
    reason = " ".join(legal(drop).split())[:MAX_REASON] if isinstance(drop, str) else "no reason given"
    dropped = f"{HOOK}{hook} dropped it: {reason}" if drop else ""
    return changed_to(entry, now, f"{HOOK}{hook}", classes, dropped=dropped)


def _html(html: str, classes: frozenset[str]) -> str:
    return sanitise(legal(html)[:MAX_TEXT], None, classes).strip()


def _told_fields(entry: Entry) -> dict[str, Any]:
    told = {"title": entry.title, "summary_html": entry.summary, "content_html": entry.content}
    return told | {"tags": [tag.label or tag.term for tag in entry.tags]}


def _tags(entry: Entry, names: Sequence[str]) -> Iterator[Tag]:
    """Yield the tags with some names, each once: those that the entry has keep their scheme."""
    known = {tag.label or tag.term: tag for tag in entry.tags}
    for name in dict.fromkeys(filter(None, (name_of_tag(legal(name)) for name in names[:MAX_TAGS]))):
        yield known.get(name) or Tag(term=name)
