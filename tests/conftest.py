"""Fixtures for all tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.newsroom import Newsroom
from tests.publisher import Publisher


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    """Give a publisher on loopback that ends with the test."""
    with Publisher() as publisher:
        yield publisher


@pytest.fixture
def newsroom(tmp_path: Path) -> Newsroom:
    """Give a whole aggregator in a temporary folder."""
    return Newsroom(tmp_path)
