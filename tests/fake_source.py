"""Documents as if they had been fetched and read: for tests of deciding, storing and publishing without a network."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from aggregator.app import App
from aggregator.clean.text import plain_text
from aggregator.identify.keys import identify, identify_again
from aggregator.model.changes import Changes
from aggregator.model.entry import Digest, Entry, Feed
from aggregator.model.job import Gathered, SourceJob
from aggregator.model.poll import Failed, Fetched, NotModified
from aggregator.poll.pipeline import settle
from aggregator.urls import normalise_link


def said(
    number: int | str,
    *,
    title: str | None = None,
    text: str | None = None,
    own_id: str | None = None,
    link: str | None = "",
    published: datetime | None = None,
    updated: datetime | None = None,
) -> Entry:
    """Return a cleaned entry with texts made from its number; `link=None` leaves the link out."""
    content = text or f"<p>This is what item {number} says at some length, so that it can be told from all others.</p>"
    return Entry(
        id=own_id or f"item-{number}",
        title=f"Title {number}" if title is None else title,
        link=None if link is None else normalise_link(link or f"https://news.example/{number}"),
        content=content,
        text=plain_text(content),
        published=published,
        updated=updated,
    )


class FakeSource:
    """Claims sources of a world and settles what they say."""

    def __init__(self, app: App) -> None:
        self.app = app
        self._bodies = 0

    def claim(self, key: str) -> SourceJob:
        """Claim a source, due or not."""
        with self.app.store.begin() as tx:
            (waiting,) = tx.schedule.named([key])
            (job,) = tx.claims.claim([waiting], self.app.clock(), self.app.in_force.roster.sources)
        return job

    def says(self, key: str, *entries: Entry, **feed: object) -> Changes:
        """Settle a document with these entries as the response of a source."""
        (changes,) = self.settles(self.brings(key, *entries, **feed))
        return changes

    def brings(self, key: str, *entries: Entry, **feed: object) -> Gathered[SourceJob]:
        """Return a poll of a source with these entries, to be settled."""
        self._bodies += 1
        job = self.claim(key)
        facts: dict[str, Any] = {"title": f"Feed {key}"} | feed
        document = identify(Feed(format="rss 2.0", entries=numbered(entries), **facts))
        document = identify_again(document, by_link=job.observed.by_link, by_text=job.observed.by_text)
        answer = Fetched(
            asked_at=self.app.clock(), url=job.url, body=b"", body_digest=Digest(f"body {self._bodies}"), etag='"x"'
        )
        return Gathered(job, answer, document)

    def settles(self, *polls: Gathered[SourceJob]) -> list[Changes]:
        """Settle polls in one group."""
        return [one for one in settle(polls, self.app.poller.ports) if isinstance(one, Changes)]

    def unchanged(self, keys: Sequence[str]) -> list[Changes]:
        """Settle a 304 of each source, in one group."""
        return self.settles(*(Gathered(self.claim(key), NotModified(asked_at=self.app.clock())) for key in keys))

    def fails(self, key: str, code: str = "timeout") -> Changes:
        """Settle a failed poll of a source."""
        answer = Failed(asked_at=self.app.clock(), code=code, text="it failed", status=None)
        (changes,) = settle([Gathered(self.claim(key), answer)], self.app.poller.ports)
        assert isinstance(changes, Changes)
        return changes


def numbered(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Return the entries with their positions in the document."""
    return tuple(replace(entry, position=place) for place, entry in enumerate(entries))
