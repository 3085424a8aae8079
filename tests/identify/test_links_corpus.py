"""Links of labelled pairs: those that differ in nothing but noise are one, those that differ in one thing are two."""

import json
from pathlib import Path

import pytest

from aggregator.urls import match_url, normalise_link

PAIRS = Path(__file__).parents[3] / "shared" / "dedup" / "pairs.json"
KINDS = ("link differs only", "tracking parameters", "http/https, www, slash, port")

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not PAIRS.is_file(), reason="the labelled pairs are not beside this checkout"),
]


def test_i36_labelled_links() -> None:
    wrong, seen = [], 0
    for pair in json.loads(PAIRS.read_bytes()):
        if pair["kind"].startswith(KINDS):
            seen += 1
            one, other = (match_url(normalise_link(pair[side]["link"])) for side in "ab")
            if (one == other) != (pair["label"] == "same"):
                wrong.append((pair["id"], one, other))
    assert seen > 30
    assert wrong == []
