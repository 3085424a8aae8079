"""`/search` and `/search.json`: search over public stories (S57).

Limited are: the length of a query, its time, the number of queries at the same time (so that feeds are served
meanwhile), and the queries of each client per minute.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from logging import getLogger
from time import monotonic
from urllib.parse import parse_qs
from wsgiref.types import WSGIEnvironment

from aggregator.errors import AggregatorError
from aggregator.model.story import Publication
from aggregator.render.search_page import Answer
from aggregator.search.index import SearchTimeout
from aggregator.search.query import Query, parse_query
from aggregator.serve.application import PAGE_POLICY, SANDBOX, Endpoint, Reply, error_reply
from aggregator.serve.rate import RateLimit

log = getLogger(__name__)

LIMIT = 50  # stories
SECONDS = 1.0  # per query
MAX_PARALLEL = 2  # queries at the same time
PER_MINUTE = 60  # queries of one client
RETRY = ("Retry-After", "30")
POLICY = PAGE_POLICY.replace("form-action 'none'", "form-action 'self'")


@dataclass(frozen=True, slots=True)
class Format:
    """One of the two formats of a response."""

    media_type: str
    policy: str
    render: Callable[[str, Sequence[str], Sequence[Publication], Answer], bytes]


def search(
    find: Callable[[Query, int, float], Sequence[Publication]],
    *,
    page: Callable[[str, Sequence[str], Sequence[Publication], Answer], bytes],
    record: Callable[[str, Sequence[str], Sequence[Publication], Answer], bytes],
    steady: Callable[[], float] = monotonic,
) -> dict[str, Endpoint]:
    """Return the endpoints by path.

    Args:
        find: returns public results; arguments: query, the largest number of results, time limit in seconds.
        page: renders HTML; arguments: the query text, its terms, the results, and how the search ended.
        record: renders JSON; the same arguments.
        steady: monotonic time in seconds.
    """
    limit = RateLimit(PER_MINUTE, steady=steady)
    slots = threading.BoundedSemaphore(MAX_PARALLEL)
    formats = {
        "/search": Format("text/html; charset=utf-8", POLICY, page),
        "/search.json": Format("application/json", SANDBOX, record),
    }

    def answer_in(format_: Format) -> Callable[[WSGIEnvironment], Reply]:
        def answer(environ: WSGIEnvironment) -> Reply:
            query = _query_of(environ)
            if query.match and not limit.allows(environ.get("REMOTE_ADDR", "")):
                return error_reply(HTTPStatus.TOO_MANY_REQUESTS, RETRY)
            if not slots.acquire(blocking=False):
                return error_reply(HTTPStatus.SERVICE_UNAVAILABLE, ("Retry-After", "2"))
            try:
                return answer_query(query, format_)
            finally:
                slots.release()

        return answer

    def answer_query(query: Query, format_: Format) -> Reply:
        status, found = HTTPStatus.OK, ()  # type: tuple[HTTPStatus, Sequence[Publication]]
        try:
            if not query.match:
                how = Answer.NOT_ASKED
            else:
                found = find(query, LIMIT + 1, SECONDS)
                how = Answer.NEWEST if len(found) > LIMIT else Answer.FOUND if found else Answer.NOTHING
            terms = [" ".join(term) if term[0].isascii() else "".join(term) for term in query.terms]
            body = format_.render(query.text, terms, found[:LIMIT], how)
        except SearchTimeout:
            status = HTTPStatus.SERVICE_UNAVAILABLE
            body = format_.render(query.text, (), (), Answer.SLOW)
        except AggregatorError as error:
            log.warning("fail_search", extra={"error": str(error)})
            return error_reply(HTTPStatus.SERVICE_UNAVAILABLE)
        headers = (
            ("Content-Type", format_.media_type),
            ("Cache-Control", "no-store"),
            ("Content-Security-Policy", format_.policy),
            ("X-Robots-Tag", "noindex"),
        )
        return Reply(status, headers, body)

    return {path: Endpoint(answer_in(format_)) for path, format_ in formats.items()}


def _query_of(environ: WSGIEnvironment) -> Query:
    try:
        fields = parse_qs(environ.get("QUERY_STRING", ""), max_num_fields=10)
    except ValueError:
        fields = {}
    return parse_query(fields.get("q", [""])[0])
