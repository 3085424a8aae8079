"""Further documents of one poll: earlier pages of a feed at its first poll, pages of a list, sitemaps of an index.

Each is one more request to the same host, under its budget, one after the other (I28, R45, S70).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from time import monotonic
from typing import Final

from aggregator.identify.keys import key_form
from aggregator.model.ask import Ask
from aggregator.model.entry import Entry, Feed
from aggregator.model.job import SourceJob
from aggregator.model.paging import page_after, places_in
from aggregator.model.poll import Answer, Aside, Cut, Failed, asides_of
from aggregator.model.settings import Request
from aggregator.model.window import NO_LISTING
from aggregator.urls import BadUrl, Url, host_key_of

MAX_SITEMAPS: Final = 10  # largest number of sitemaps of an index in one poll
OVERLAP: Final = timedelta(days=1)  # a sitemap that changed up to so long before the last poll is read again
MAX_SECONDS: Final = 300.0  # after which no further document of a poll is fetched: other polls need the worker
MAX_ENTRIES: Final = 50_000  # limit for all documents together
ENDED: Final = frozenset({404, 410})  # statuses of a page beyond the last one

FetchPage = Callable[[Ask], tuple[Answer, Feed | None]]


@dataclass(slots=True)
class _Pagination:
    """The documents of a poll that were read so far."""

    job: SourceJob
    parts: list[Feed]  # the poll's own document, and further ones
    asides: list[Aside] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    met: list[Url] = field(default_factory=list)  # addresses of other documents (S44)
    broke_off: bool = False

    def ask(self, url: Url, request: Request | None = None) -> Ask:
        """Return the request for another document; None: the same request at another address."""
        ask = replace(self.job.ask(), url=url, validators=None, body_digest=None, window=None, is_further=True)
        return ask if request is None else replace(ask, request=request)

    @property
    def is_full(self) -> bool:
        """True if there are as many entries as a poll may bring."""
        limit = min(self.job.reading.limit or MAX_ENTRIES, MAX_ENTRIES)
        return sum(len(part.entries) for part in self.parts) >= limit


def has_further(job: SourceJob, feed: Feed) -> bool:
    """Return whether a document leads to others that this poll reads too."""
    if job.source.paging is not None:
        return bool(job.source.pages and feed.entries) and _leads_on(job, feed)
    return bool(feed.more) or bool(job.source.pages and feed.older and not job.stored_before)


def with_further(
    job: SourceJob, feed: Feed, fetch: FetchPage, *, is_spent: bool = False, steady: Callable[[], float] = monotonic
) -> tuple[Feed, tuple[Aside, ...], tuple[Url, ...]]:
    """Fetch further documents, and return all as one.

    What was read before one of them fails is kept. Where that leaves a gap before known entries, `gap` says so.

    Args:
        job: the poll.
        feed: its own document.
        fetch: fetches and reads another document; returns no feed if that failed.
        is_spent: the rate limit of the host is used up (P37).
        steady: returns the time in seconds.

    Returns:
        All entries as one document, at most `limit`; the responses; and the addresses that redirects led to, or that
            the documents name as theirs or as that of an earlier one.
    """
    way = _Pagination(job, [feed])
    wanted = _sitemaps(way) if feed.more else _pages(way) if job.source.paging is None else _list_pages(way)
    end = steady() + MAX_SECONDS
    for ask in wanted:
        if is_spent or steady() > end:
            why = "its host's limit for us is used up" if is_spent else f"there are too many for {MAX_SECONDS:g} s"
            way.notices.append(f"its further documents were not all read: {why}")
            way.broke_off = True
            break
        answer, part = fetch(ask)
        is_spent = answer.hints.exhausted is not None
        way.asides += asides_of(job.host_key, answer)
        way.met += answer.met
        if part is not None:
            way.met += [part.self_link] if part.self_link is not None else []
            way.parts.append(part)
            if way.is_full:
                break
        elif isinstance(answer, Cut):
            way.notices.append("its further documents were not all read: its host had no room")
            way.broke_off = True
            break
        elif not _is_end(job, answer):
            said = answer.text if isinstance(answer, Failed) else "it answers 304, to no validator"
            way.notices.append(f"a further document could not be read: {said[:200]}")
            way.broke_off = not feed.more
            if not feed.more:
                break
    rest = way.parts[1:]
    entries = _merged(way.parts)
    document = replace(
        feed,
        entries=entries[: job.reading.limit],
        listing=NO_LISTING,  # of several documents there is none
        title=feed.title or next((part.title for part in rest if part.title), ""),
        notices=tuple(dict.fromkeys((*feed.notices, *way.notices, *(each for part in rest for each in part.notices)))),
        left_out=(*feed.left_out, *(each for part in rest for each in part.left_out)),
        gap=way.notices[-1] if way.broke_off and job.source.paging is not None and job.stored_before else None,
    )
    return document, tuple(way.asides), tuple(way.met)


def _sitemaps(way: _Pagination) -> Iterator[Ask]:
    """Yield requests for the sitemaps of an index that have changed since the last poll, on the same host (S70)."""
    job, feed = way.job, way.parts[0]
    since = job.health.succeeded_at - OVERLAP if job.stored_before and job.health.succeeded_at else None
    own = host_key_of(job.url)
    found = [url for url, when in feed.more if since is None or when is None or when >= since]
    here = [url for url in dict.fromkeys(found) if host_key_of(url) == own]
    if len(here) < len(set(found)):
        way.notices.append("sitemaps of other hosts are not read; name them as sources")
    if len(here) > MAX_SITEMAPS:
        way.notices.append(f"{len(here)} sitemaps, of which the first {MAX_SITEMAPS} were read")
    yield from map(way.ask, here[:MAX_SITEMAPS])


def _pages(way: _Pagination) -> Iterator[Ask]:
    """Yield requests that follow `prev-archive` or `next` from document to document, on the same host."""
    job = way.job
    own, seen = host_key_of(job.url), {job.url}
    for read in range(1, job.source.pages + 1):
        url = way.parts[-1].older
        if url is None or url in seen or host_key_of(url) != own or way.is_full:
            return
        seen.add(url)
        way.met.append(url)
        yield way.ask(url)
        if len(way.parts) == read:
            return


def _list_pages(way: _Pagination) -> Iterator[Ask]:
    """Yield requests for the pages of a list, until one has known entries, or nothing new, or is the last.

    Each page is requested once, and a page that brings nothing that the pages before did not have ends the list:
    otherwise it could go on for ever.
    """
    job, paging = way.job, way.job.source.paging
    assert paging is not None
    asked = {(job.url, _body_of(job.source.request))}
    met = {entry.key for entry in way.parts[0].entries}
    for read in range(1, job.source.pages + 1):
        page = way.parts[-1]
        if way.is_full or not _leads_on(job, page):
            return
        try:
            following = page_after(
                paging, job.source.request, read, page.following, configured=job.source.url, used=job.url
            )
        except BadUrl as error:
            way.notices.append(f"what next: finds is no address of a page: it {error}")
            return
        if following is None:
            return
        url, request = following
        if paging.follows and host_key_of(url) != host_key_of(job.url):
            way.notices.append("its next page lies on another host, which is not asked; name that as a source")
            return
        if (url, _body_of(request)) in asked:
            return
        asked.add((url, _body_of(request)))
        yield way.ask(url, request)
        if len(way.parts) == read:
            return
        keys = {entry.key for entry in way.parts[-1].entries}
        if keys <= met:
            return
        met |= keys
    if job.stored_before and _leads_on(job, way.parts[-1]):
        way.notices.append(f"nothing known in {job.source.pages + 1} pages: entries may be missing; raise pages:")


def _body_of(request: Request) -> str:
    return str.__str__(request.body or "")


def _is_end(job: SourceJob, answer: Answer) -> bool:
    """Return whether a missing page lies beyond the last one: lists that count pages do not say how many there are."""
    paging = job.source.paging
    if paging is None or not isinstance(answer, Failed) or answer.status not in ENDED:
        return False
    return "page" in places_in(str.__str__(paging.url)) | places_in(str.__str__(paging.body or ""))


def _leads_on(job: SourceJob, page: Feed) -> bool:
    """Return whether there may be new entries on the page after this one.

    There may be at a first poll. Later, a page with a known entry ends the list, unless known entries stand only at its
    top and are the smaller part: some lists pin entries there.
    """
    if not job.stored_before:
        return True
    news = [key_form(entry.key) not in job.known for entry in page.entries]
    if not any(news):
        return False
    first = news.index(True)
    return 2 * first < len(news) and all(news[first:])


def _merged(feeds: Sequence[Feed]) -> tuple[Entry, ...]:
    """Return all entries, each key once, with positions in order."""
    found: dict[str, Entry] = {}
    for feed in feeds:
        for entry in feed.entries:
            found.setdefault(entry.key, entry)
    return tuple(replace(entry, position=place) for place, entry in enumerate(found.values()))
