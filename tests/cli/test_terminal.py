"""Tests of numbers with their nouns."""

import pytest

from aggregator.cli.terminal import counted


@pytest.mark.parametrize(
    ("count", "names", "words"),
    [
        (0, ("source",), "0 sources"),
        (1, ("source",), "1 source"),
        (1200, ("source",), "1,200 sources"),
        (1, ("new entry", "new entries"), "1 new entry"),
        (2, ("new entry", "new entries"), "2 new entries"),
    ],
)
def test_counted(count: int, names: tuple[str, ...], words: str) -> None:
    assert counted(count, *names) == words
