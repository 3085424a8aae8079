"""Sources at one address: which share a response, and which response says something to another source (P47, P66)."""

from dataclasses import replace
from typing import Any

import pytest

from aggregator.decide.same_address import follow, shares_an_answer
from aggregator.model.ask import Validators
from aggregator.model.entry import Digest
from aggregator.model.job import Gathered
from aggregator.model.observed import NOTHING_OBSERVED
from aggregator.model.poll import Answer, Cut, Failed, Fetched, NotModified
from aggregator.model.settings import Kind, Reading, Request, Secret, SourceKey
from tests.decide.records import FEED, NOON, SOURCE, job

TWIN = replace(SOURCE, key=SourceKey("twin"))
VALIDATORS = Validators(url=FEED, etag='"a"', last_modified=None)


@pytest.mark.parametrize(
    ("fields", "shares"),
    [
        ({}, True),
        ({"title": "T", "priority": 3}, True),
        ({"headers": (("X-A", Secret("1")),)}, False),
        ({"auth": ("u", Secret("p"))}, False),
        ({"accept": "text/html"}, False),
        ({"reading": Reading(kind=Kind.JSON)}, False),
        ({"request": Request(method="POST")}, False),
        ({"pages": 3}, True),
    ],
)
def test_who_shares_a_response(fields: dict[str, Any], shares: bool) -> None:
    assert shares_an_answer(SOURCE, replace(TWIN, **fields)) is shares


def test_names_of_headers_are_compared_without_case() -> None:
    one, other = (replace(SOURCE, headers=((name, Secret("1")),)) for name in ("X-A", "x-a"))
    assert shares_an_answer(one, other)
    assert not shares_an_answer(one, replace(SOURCE, headers=(("X-A", Secret("2")),)))


def fetched(**fields: Any) -> Fetched:
    plain = Fetched(asked_at=NOON, url=FEED, body=b"", body_digest=Digest("d"))
    return replace(plain, **fields)


def followed(answer: Answer, ours: dict[str, Any], theirs: dict[str, Any]) -> Gathered[Any] | None:
    return follow(Gathered(job(**ours), answer), job(**({"source": TWIN, "source_id": 2} | theirs)))


@pytest.mark.parametrize(
    ("answer", "ours", "theirs", "says"),
    [
        pytest.param(Failed(asked_at=NOON, code="http", text="x"), {}, {}, True, id="failure"),
        pytest.param(
            NotModified(asked_at=NOON), {"validators": VALIDATORS}, {"validators": VALIDATORS}, True, id="304"
        ),
        pytest.param(NotModified(asked_at=NOON), {"validators": VALIDATORS}, {}, False, id="304-other-validators"),
        pytest.param(fetched(), {}, {}, True, id="200"),
        pytest.param(fetched(same_body=True), {}, {}, False, id="unread"),
        pytest.param(fetched(same_body=True), {}, {"body_digest": Digest("d")}, True, id="unread-known-to-both"),
        pytest.param(Cut(asked_at=NOON), {}, {}, False, id="cut"),
        pytest.param(fetched(), {"observed": replace(NOTHING_OBSERVED, by_link=True)}, {}, False, id="by-link"),
        pytest.param(fetched(), {}, {"observed": replace(NOTHING_OBSERVED, by_text=True)}, False, id="by-text"),
        pytest.param(fetched(), {}, {"source": replace(TWIN, accept="text/html")}, False, id="another-request"),
    ],
)
def test_what_a_response_says_to_another_source(
    answer: Answer, ours: dict[str, Any], theirs: dict[str, Any], says: bool
) -> None:
    found = followed(answer, ours, theirs)
    assert (found is not None) is says
    assert found is None or found.job.source.key == "twin"


def test_a_body_that_the_other_has_read_is_the_same_to_it() -> None:
    found = followed(fetched(), {}, {"body_digest": Digest("d")})
    assert found is not None
    assert isinstance(found.answer, Fetched)
    assert found.answer.same_body
    new = followed(fetched(), {}, {"body_digest": Digest("e")})
    assert new is not None
    assert isinstance(new.answer, Fetched)
    assert not new.answer.same_body
