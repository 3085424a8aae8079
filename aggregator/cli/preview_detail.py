"""The newest detail that a source would ask for, asked for now: an operator wants to see whether its paths fit."""

import threading
from dataclasses import replace

from aggregator.decide.detail import merged
from aggregator.model.changes import Changes
from aggregator.model.detail import request_of, url_of
from aggregator.model.hosts import spacing_of
from aggregator.model.poll import Awaited, Failed, Gathered
from aggregator.model.settings import Settings
from aggregator.poll.pipeline import Intake, gather


def with_detail(poll: Gathered, changes: Changes, intake: Intake, settings: Settings) -> Gathered:
    """Give a poll with the detail of its newest entry that would wait for one; a notice says what came of it.

    One request, after the spacing of its host: it may be the one that was just asked (P61).
    """
    detail = poll.due.source.detail
    if detail is None or not changes.entries.waiting:
        return poll
    waiting = changes.entries.waiting[0]
    entry = next(new.entry for new in changes.entries.new if new.id == waiting.id)
    asked = dict(waiting.asked)
    url, request = url_of(detail, asked), request_of(detail, asked)
    assert url is not None
    assert request is not None
    awaits = Awaited(
        entry=waiting.id,
        link=entry.link,
        date=waiting.date,
        backfill=waiting.backfill,
        since=changes.asked_at,
        request=request,
        reading=detail.reading,
    )
    threading.Event().wait(spacing_of(waiting.host_key, settings.hosts).total_seconds())
    told = gather(replace(poll.due, url=url, host_key=waiting.host_key, validators=None, awaits=awaits), intake)
    entries = tuple(merged(one, told) if one.key == entry.key else one for one in poll.feed.entries)
    what = "article" if detail.reading.is_article else "detail"
    notices = (*poll.feed.notices, f"the {what} of {entry.title or entry.key!r} {_outcome(told)}")
    return replace(poll, feed=replace(poll.feed, entries=entries, notices=notices))


def _outcome(told: Gathered) -> str:
    if told.feed.entries:
        return "came; it is shown, the others would be asked for by polls"
    if isinstance(told.answer, Failed):
        return f"did not come: {told.answer.text}"
    return f"has nothing in it: {'; '.join(told.feed.left_out) or 'no entry'}"
