"""No document harms: none raises beyond the tree of errors, hangs, or comes out unsafe (I12, S11 to S15, S30)."""

import json
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.fuzz.cases import Case
from tests.fuzz.documents import documents, json_feeds
from tests.fuzz.hunt import Hunt, case_of
from tests.fuzz.mutations import WAYS
from tests.fuzz.reducer import reduced
from tests.fuzz.sandbox_runner import SandboxRunner
from tests.fuzz.seeds import GOLDEN, seeds_of
from tests.fuzz.verdict import Finding, judge

SEEDS = seeds_of([GOLDEN])
CASES = 2500  # about a minute
relaxed = settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.too_slow])


def hunted(cases: int, seed: int, kept: Path | None = None) -> Hunt:
    hunt = Hunt(SEEDS, seed, kept)
    hunt.run(lambda: hunt.cases < cases, lambda line: None)
    return hunt


def told(finding: Finding | None) -> str:
    return f"{finding.signature}: {finding.detail}" if finding else ""


def test_a_hundred_spoiled_feeds_harm_nobody(tmp_path: Path) -> None:
    assert hunted(100, 7, tmp_path).smallest == {}


@pytest.mark.slow
def test_thousands_of_spoiled_feeds_harm_nobody(tmp_path: Path) -> None:
    assert hunted(CASES, 8, tmp_path).smallest == {}


@relaxed
@given(documents())
def test_documents_like_feeds_harm_nobody(case: Case) -> None:
    assert told(judge(case)) == ""


@relaxed
@given(json_feeds())
def test_documents_like_json_feeds_harm_nobody(feed: object) -> None:
    assert told(judge(Case(body=json.dumps(feed).encode()))) == ""


def test_a_seed_gives_the_same_cases() -> None:
    assert [case_of(n, 3, SEEDS) for n in range(20)] == [case_of(n, 3, SEEDS) for n in range(20)]
    assert case_of(0, 3, SEEDS) != case_of(0, 4, SEEDS)


@given(st.sampled_from(WAYS), st.binary(max_size=60), st.binary(max_size=60), st.integers())
def test_any_document_can_be_spoiled(way: object, one: bytes, other: bytes, seed: int) -> None:
    assert callable(way)
    assert isinstance(way(Random(seed), one, other), bytes)


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_what_shows_a_fault_is_made_as_small_as_it_can_be(before: bytes, after: bytes) -> None:
    assert reduced(before + b"fault" + after, lambda data: b"fault" in data) == b"fault"


def test_what_ends_or_holds_up_the_process_is_found() -> None:
    body = b"<rss version='2.0'><channel>" + b"<item><title>x</title></item>" * 4000
    with SandboxRunner(patience=0.01) as sandbox_runner:
        assert sandbox_runner.judge(Case(body=body)) == Finding("hang")
    with SandboxRunner() as sandbox_runner:
        assert sandbox_runner.judge(Case(body=b"<rss version='2.0'><channel/></rss>")) is None
        assert sandbox_runner.process is not None
        sandbox_runner.process.kill()
        found = sandbox_runner.judge(Case(body=body))
        assert found is not None
        assert found.signature == "the process ended with -9"
        assert sandbox_runner.judge(Case(body=b"<rss version='2.0'><channel/></rss>")) is None, "another one goes on"
