"""Fixtures for all tests."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.newsroom import Newsroom
from tests.publisher import Publisher

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # or each program that a test starts would compile us anew


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that rewrites golden files; the reviewer reads the diff."""
    parser.addoption("--regold", action="store_true", help="write golden files anew; read the diff")


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    """Give a publisher on loopback that ends with the test."""
    with Publisher() as publisher:
        yield publisher


@pytest.fixture
def newsroom(tmp_path: Path) -> Newsroom:
    """Give a whole aggregator in a temporary folder."""
    return Newsroom(tmp_path)
