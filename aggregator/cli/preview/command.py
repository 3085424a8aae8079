"""Body of `preview`: what a source would publish now. Stores nothing."""

import argparse
import json
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from time import monotonic
from types import MappingProxyType

from aggregator.cli.names import matches, stored_titles, unclear
from aggregator.cli.preview.dedupe import run_dedupe
from aggregator.cli.preview.record import preview_record
from aggregator.cli.preview.text import in_words
from aggregator.cli.terminal import json_text
from aggregator.clock import utc_now
from aggregator.config import load_config
from aggregator.config.loader import read_config
from aggregator.decide.detail import merged
from aggregator.decide.poll import decide
from aggregator.dry_run.probe import listed_of, why_not_now
from aggregator.errors import ParseError, StoreError
from aggregator.fetch import Client
from aggregator.fetch.budget import Budgets
from aggregator.model.ask import Ask
from aggregator.model.changes import Changes
from aggregator.model.detail import request_of, url_of
from aggregator.model.hosts import budget_key, rule_for, ruling, spacing_of
from aggregator.model.job import Awaited, DetailJob, Gathered, SourceJob, unstored_job
from aggregator.model.known import Known, KnownCategory
from aggregator.model.poll import Answer, Failed, Fetched
from aggregator.model.preview import Preview
from aggregator.model.redactor import Redactor
from aggregator.model.settings import Category, Roster, Settings, Source
from aggregator.parse.document import parse
from aggregator.poll.pipeline import Intake, gather
from aggregator.poll.poller import user_agent_of
from aggregator.poll.secrecy import private_redactor_of
from aggregator.reader.pool import LARGE, Readers
from aggregator.store.database import Store, open_store
from aggregator.urls import BadUrl, host_of, normalise


def with_detail(poll: Gathered[SourceJob], changes: Changes, intake: Intake, settings: Settings) -> Gathered[SourceJob]:
    """Return a poll with the detail of its newest entry that would wait for one. A notice reports the outcome.

    Sends one request, after the spacing of its host, which may be the host of the source (P61).
    """
    detail = poll.job.source.detail
    if detail is None or not changes.entries.waiting:
        return poll
    waiting = changes.entries.waiting[0]
    entry = next(new.entry for new in changes.entries.new if new.id == waiting.id)
    asked = dict(waiting.asked)
    url, request = url_of(detail, asked), request_of(detail, asked)
    assert url is not None
    assert request is not None
    job = DetailJob(
        source=poll.job.source,
        source_id=poll.job.source_id,
        awaited=Awaited(
            id=waiting.id,
            link=entry.link,
            date=waiting.date,
            backfill=waiting.backfill,
            since=changes.asked_at,
        ),
        url=url,
        host_key=waiting.host_key,
        request=request,
        reading=detail.reading,
        claim=poll.job.claim,
    )
    spacing = spacing_of(waiting.host_key, ruling(waiting.host_key, settings.hosts))
    threading.Event().wait(spacing.total_seconds())
    told = gather(job, intake)
    entries = tuple(merged(one, told) if one.key == entry.key else one for one in poll.feed.entries)
    what = "article" if detail.reading.is_article else "detail"
    notices = (*poll.feed.notices, f"the {what} of {entry.title or entry.key!r} {_outcome(told)}")
    return replace(poll, feed=replace(poll.feed, entries=entries, notices=notices))


def _outcome(told: Gathered[DetailJob]) -> str:
    if told.feed.entries:
        return "was fetched and is shown; polls would fetch the others"
    if isinstance(told.answer, Failed):
        return f"could not be fetched: {told.answer.text}"
    return f"is empty: {'; '.join(told.feed.left_out) or 'no entry'}"


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Print a preview. Exit code 1 if the source could not be read."""
    if options.dedupe is not None:
        return run_dedupe(options, environ)
    settings, source = _found(options, environ)
    if source is None:
        keys = matches(options.source, settings.sources, lambda: stored_titles(settings))
        if len(keys) != 1:
            near = "write a title or a key of its sources, a URL with https://, or a file's path"
            print(f"aggregator: {unclear(options.source, keys, settings, options.config, near)}", file=sys.stderr)
            return 2
        source = next(each for each in settings.sources if each.key == keys[0])
    now = utc_now()
    with _opened(settings, now) as store:
        due, wait = _due(source, settings, store, now)
        if wait:
            print(f"aggregator: {source.key} {wait}", file=sys.stderr)
            return 1
        preview = _preview(due, settings, store)
    record = preview_record(preview)
    if source.private:
        poll = preview.poll
        record = private_redactor_of(poll.job, poll.answer, poll.feed).record(record)
    print(json_text(record) if options.json else in_words(record, settings.site.timezone))
    return 1 if preview.changes.update.code else 0


def _found(options: argparse.Namespace, environ: Mapping[str, str]) -> tuple[Settings, Source | None]:
    """Return settings and the named source, or None. A URL or a file that no source has needs no feeds.yaml."""
    name = options.source
    stranger = _stranger(name)
    if stranger is not None and not options.config.exists():
        return stranger, stranger.sources[0]
    settings = listed_of(load_config(options.config, environ), utc_now())
    same = [each for each in settings.sources if name == each.key or each.url == _normal(name)]
    same += [each for each in settings.sources if stranger and each.url == stranger.sources[0].url]
    if same:
        return settings, same[0]
    if stranger is None:
        return settings, None
    source = stranger.sources[0]
    rule = rule_for(host_of(source.url), settings.hosts)
    settings = replace(settings, secrets=settings.secrets | stranger.secrets)  # a password in the URL
    return settings, replace(source, allow_private=rule is not None and rule.allow_private)


def _stranger(name: str) -> Settings | None:
    """Return settings with a URL or a file as their only source; None if the name is neither."""
    literal = name.replace("${", "$${")
    if _normal(name) is not None:
        return read_config(json.dumps({"sources": [literal]}).encode(), Path("feeds.yaml"), {})
    path = Path(name)
    if path.is_file():
        said = {"sources": [{"kind": "file", "url": path.name.replace("${", "$${")}]}
        return read_config(json.dumps(said).encode(), path.parent / "feeds.yaml", {})
    return None


def _normal(text: str) -> str | None:
    try:
        return normalise(text)
    except BadUrl:
        return None


@contextmanager
def _opened(settings: Settings, now: datetime) -> Iterator[Store]:
    """Open the store for reading; if there is none, a temporary empty one."""
    with tempfile.TemporaryDirectory(prefix="aggregator-") as folder:
        empty = f"sqlite:///{folder}/empty.db"
        try:
            is_empty = not settings.path.exists()
            store = open_store(empty if is_empty else settings.store, now=now, command="preview", writes=is_empty)
        except StoreError as error:
            print(f"aggregator: {error}; so everything looks new here", file=sys.stderr)
            store = open_store(empty, now=now, command="preview")
        try:
            yield store
        finally:
            store.close()


def _due(source: Source, settings: Settings, store: Store, now: datetime) -> tuple[SourceJob, str | None]:
    """Return the job of a poll, without validators, and the reason why the source must not be fetched now (P69)."""
    with store.read() as tx:
        known = tx.claims.look_up(source)
        waiting = tx.schedule.named([source.key]) if known else []
    if known is None:
        host_key = budget_key(source.url, settings.hosts)
        return unstored_job(source, host_key, now), None
    due = replace(known, validators=None, body_digest=None)
    return due, why_not_now(source, next(iter(waiting), None), now)


def _preview(due: SourceJob, settings: Settings, store: Store) -> Preview:
    """Fetch, read and decide as a poll does, and return what it would have stored."""
    redactor = Redactor.of(settings)
    readers = Readers()
    answers: list[Answer] = []
    budgets = Budgets(settings.hosts, monotonic)
    client = Client(
        user_agent=user_agent_of(settings.site),
        clock=utc_now,
        hosts=settings.hosts,
        proxy=settings.proxy,
        passage=budgets.passage,  # further documents and robots.txt keep their distance, as in a poll (P61)
    )
    budgets.take(due.id, due.host_key)

    def fetch(ask: Ask) -> Answer:
        answers.append(client.fetch(ask))
        return answers[-1]

    def keep(ask: Ask) -> None:
        """Keep the body in memory: it is read again for the dates."""

    try:
        with client:
            intake = Intake(fetch=fetch, release=keep, read=readers.read, redactor=lambda: redactor, clock=utc_now)
            budgets.leave(due.id)
            poll = gather(due, intake)
            budgets.finish(due.id)
            roster = _roster(settings, due.source)
            with store.read() as tx:
                known = _with_categories(tx.known(due, poll.feed, poll.answer.asked_at), due.source, roster)
            changes = decide(poll, known, roster)
            poll = with_detail(poll, changes, intake, settings)
    finally:
        readers.close()
    return Preview(poll=poll, known=known, changes=changes, written=_written(answers, poll, due.source))


def _roster(settings: Settings, source: Source) -> Roster:
    """Return sources and categories, with those that an unknown source adds."""
    roster = Roster.of(settings)
    made = {key: Category(key=key, title=key, declared=False) for key in source.places}
    return replace(roster, sources={**roster.sources, source.key: source}, categories=made | dict(roster.categories))


def _with_categories(known: Known, source: Source, roster: Roster) -> Known:
    """Return what the store knows, with the categories that a poll of the source would create."""
    named = [key for key, one in roster.categories.items() if one.declared] if source.reading.filing else []
    missing = [key for key in dict.fromkeys((*source.places, *named)) if key not in known.categories]
    made = {key: KnownCategory(id=-place, key=key, slug=key) for place, key in enumerate(missing, 1)}
    return replace(known, categories=MappingProxyType({**known.categories, **made}))


def _written(answers: list[Answer], poll: Gathered[SourceJob], source: Source) -> Mapping[int, str]:
    """Return the dates of entries as written, by position; empty for a large body, which another process read."""
    for answer in answers:
        if isinstance(answer, Fetched) and len(answer.body) <= LARGE and poll.feed.entries:
            try:
                raw = parse(answer, source.reading)
            except ParseError:
                continue
            return {entry.position: said for entry in raw.entries if (said := entry.published or entry.updated)}
    return {}
