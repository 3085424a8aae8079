"""`/search` and `/search.json`: search over public stories (S57).

Limited are: the length of a query, its time, the number of queries at the same time (so that feeds are served
meanwhile), and the queries of each client per minute.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from gzip import compress
from http import HTTPStatus
from logging import getLogger
from time import monotonic
from urllib.parse import parse_qs
from wsgiref.types import WSGIEnvironment

from aggregator.errors import AggregatorError
from aggregator.model.story import Publication
from aggregator.render.search_page import DAYS, Answer, Choice
from aggregator.search.index import SearchTimeout
from aggregator.search.query import MAX_LENGTH, Query, parse_query
from aggregator.serve.application import PAGE_POLICY, SANDBOX, Endpoint, Reply, error_reply
from aggregator.serve.negotiation import wants_gzip
from aggregator.serve.rate import RateLimit

log = getLogger(__name__)

LIMIT = 50  # stories on a page of results
MAX_PAGE = 20  # pages of results
SECONDS = 1.0  # per query
MAX_PARALLEL = 2  # queries at the same time
PER_MINUTE = 60  # queries of one client
NUMBERS = ("days", "page")  # parameters with a number
RETRY = ("Retry-After", "30")


@dataclass(frozen=True, slots=True)
class Format:
    """One of the two formats of a response."""

    media_type: str
    policy: str
    render: "Render"


Render = Callable[[str, Sequence[str], Sequence[Publication], Answer, Choice], bytes]


def search(
    find: Callable[[Query, Choice, int, float], Sequence[Publication]],
    *,
    page: Render,
    record: Render,
    steady: Callable[[], float] = monotonic,
) -> dict[str, Endpoint]:
    """Return the endpoints by path.

    Args:
        find: returns public results; arguments: query, choice, the largest number of results, time limit in seconds.
        page: renders HTML; arguments: the query text, its terms, the results, how the search ended, and the choice.
        record: renders JSON; the same arguments.
        steady: monotonic time in seconds.
    """
    limit = RateLimit(PER_MINUTE, steady=steady)
    slots = threading.BoundedSemaphore(MAX_PARALLEL)
    formats = {
        "/search": Format("text/html; charset=utf-8", PAGE_POLICY, page),
        "/search.json": Format("application/json", SANDBOX, record),
    }

    def answer_in(format_: Format) -> Callable[[WSGIEnvironment], Reply]:
        def answer(environ: WSGIEnvironment) -> Reply:
            query, choice = _asked(environ)
            if query.match and not limit.allows(environ.get("REMOTE_ADDR", "")):
                return error_reply(HTTPStatus.TOO_MANY_REQUESTS, RETRY)
            if not slots.acquire(blocking=False):
                return error_reply(HTTPStatus.SERVICE_UNAVAILABLE, ("Retry-After", "2"))
            try:
                reply = answer_query(query, choice, format_)
            finally:
                slots.release()
            return _compressed(reply) if wants_gzip(environ.get("HTTP_ACCEPT_ENCODING")) else reply

        return answer

    def answer_query(query: Query, choice: Choice, format_: Format) -> Reply:
        status, found = HTTPStatus.OK, ()  # type: tuple[HTTPStatus, Sequence[Publication]]
        try:
            if not query.match:
                how = Answer.NOT_ASKED
            else:
                found = find(query, choice, LIMIT + 1, SECONDS)
                is_part = len(found) > LIMIT or choice.page > 1
                how = Answer.NEWEST if is_part else Answer.FOUND if found else Answer.NOTHING
                choice = replace(choice, has_more=len(found) > LIMIT and choice.page < MAX_PAGE)
            terms = [" ".join(term) if term[0].isascii() else "".join(term) for term in query.terms]
            body = format_.render(query.text, terms, found[:LIMIT], how, choice)
        except SearchTimeout:
            status = HTTPStatus.SERVICE_UNAVAILABLE
            body = format_.render(query.text, (), (), Answer.SLOW, choice)
        except AggregatorError as error:
            log.warning("fail_search", extra={"error": str(error)})
            return error_reply(HTTPStatus.SERVICE_UNAVAILABLE)
        headers = (
            ("Content-Type", format_.media_type),
            ("Cache-Control", "no-store"),
            ("Content-Security-Policy", format_.policy),
            ("X-Robots-Tag", "noindex"),
            ("Vary", "Accept-Encoding"),
        )
        return Reply(status, headers, body)

    return {path: Endpoint(answer_in(format_)) for path, format_ in formats.items()}


def _asked(environ: WSGIEnvironment) -> tuple[Query, Choice]:
    try:
        fields = parse_qs(environ.get("QUERY_STRING", ""), max_num_fields=10)
    except ValueError:
        fields = {}
    said = {name: values[0][:MAX_LENGTH] for name, values in fields.items()}
    days, page = (int(text) if text.isascii() and text.isdigit() else 0 for text in (said.get(n, "") for n in NUMBERS))
    choice = Choice(
        category=said.get("in", ""),
        source=said.get("source", ""),
        days=days if days in DAYS else 0,
        page=min(max(page, 1), MAX_PAGE),
    )
    return parse_query(said.get("q", "")), choice


def _compressed(reply: Reply) -> Reply:
    return replace(reply, headers=(*reply.headers, ("Content-Encoding", "gzip")), body=compress(reply.body, mtime=0))
