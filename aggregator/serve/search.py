"""`/search` and `/search.json`: what anyone may see of what is stored, by its words (S57).

A question has a length, an answer a time; few are worked on at once, so that feeds are served all the while; and nobody
asks more than once a second for long.
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
from aggregator.serve.application import PAGE_POLICY, SANDBOX, Endpoint, Reply, refusal
from aggregator.serve.rate import RateLimit

log = getLogger(__name__)

LIMIT = 50  # stories
SECONDS = 1.0  # for a question
AT_ONCE = 2  # questions under work
A_MINUTE = 60  # questions of one client
RETRY = ("Retry-After", "30")
POLICY = PAGE_POLICY.replace("form-action 'none'", "form-action 'self'")


@dataclass(frozen=True, slots=True)
class Form:
    """One of the two forms of an answer."""

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
    """Make the endpoints.

    Args:
        find: gives what anyone may see; takes the question, how many at most, and seconds.
        page: renders HTML of: the question, its words, what was found, and how it ended.
        record: renders JSON of the same.
        steady: tells the time in seconds.
    """
    limit = RateLimit(A_MINUTE, steady=steady)
    room = threading.BoundedSemaphore(AT_ONCE)
    forms = {
        "/search": Form("text/html; charset=utf-8", POLICY, page),
        "/search.json": Form("application/json", SANDBOX, record),
    }

    def answer_in(form: Form) -> Callable[[WSGIEnvironment], Reply]:
        def answer(environ: WSGIEnvironment) -> Reply:
            query = _asked(environ)
            if query.match and not limit.lets_pass(environ.get("REMOTE_ADDR", "")):
                return refusal(HTTPStatus.TOO_MANY_REQUESTS, RETRY)
            if not room.acquire(blocking=False):
                return refusal(HTTPStatus.SERVICE_UNAVAILABLE, ("Retry-After", "2"))
            try:
                return _answered(query, form)
            finally:
                room.release()

        return answer

    def _answered(query: Query, form: Form) -> Reply:
        status, found = HTTPStatus.OK, ()  # type: tuple[HTTPStatus, Sequence[Publication]]
        try:
            if not query.match:
                how = Answer.NOT_ASKED
            else:
                found = find(query, LIMIT + 1, SECONDS)
                how = Answer.NEWEST if len(found) > LIMIT else Answer.FOUND if found else Answer.NOTHING
            terms = [" ".join(term) if term[0].isascii() else "".join(term) for term in query.terms]
            body = form.render(query.text, terms, found[:LIMIT], how)
        except SearchTimeout:
            status = HTTPStatus.SERVICE_UNAVAILABLE
            body = form.render(query.text, (), (), Answer.SLOW)
        except AggregatorError as error:
            log.warning("fail_search", extra={"error": str(error)})
            return refusal(HTTPStatus.SERVICE_UNAVAILABLE)
        headers = (
            ("Content-Type", form.media_type),
            ("Cache-Control", "no-store"),
            ("Content-Security-Policy", form.policy),
            ("X-Robots-Tag", "noindex"),
        )
        return Reply(status, headers, body)

    return {path: Endpoint(answer_in(form)) for path, form in forms.items()}


def _asked(environ: WSGIEnvironment) -> Query:
    try:
        fields = parse_qs(environ.get("QUERY_STRING", ""), max_num_fields=10)
    except ValueError:
        fields = {}
    return parse_query(fields.get("q", [""])[0])
