"""Fixtures for all tests."""

import gc
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from aggregator.__main__ import COLLECT_AFTER
from aggregator.app import App
from tests.examples import add_profiles
from tests.feed_server import FeedServer
from tests.ram import use_memory
from tests.sample_site import SampleSite
from tests.speedups import speed_up

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # or each program that a test starts would compile us anew
add_profiles()
speed_up()
use_memory()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that rewrites golden files; the reviewer reads the diff."""
    parser.addoption("--regold", action="store_true", help="write golden files anew; read the diff")


def pytest_collection(session: pytest.Session) -> None:
    """Have the garbage collector look for cycles as rarely as in the program."""
    gc.set_threshold(COLLECT_AFTER)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Have the garbage collector leave modules and tests alone: a million objects that stay to the end."""
    gc.freeze()


@pytest.fixture(autouse=True)
def log_as_before() -> Iterator[None]:
    """Leave the log as it was: a command that runs in this process says where it goes, and how little of it."""
    root = logging.getLogger()
    level, handlers, raises = root.level, root.handlers[:], logging.raiseExceptions
    yield
    root.setLevel(level)
    root.handlers[:] = handlers
    logging.raiseExceptions = raises


@pytest.fixture
def publisher() -> Iterator[FeedServer]:
    """Yield an HTTP server on loopback that is closed after the test."""
    with FeedServer() as publisher:
        yield publisher


@pytest.fixture
def sample_site(tmp_path: Path) -> SampleSite:
    """Return a site with feeds.yaml, store and outputs in a temporary folder."""
    return SampleSite(tmp_path)


@pytest.fixture
def site(request: pytest.FixtureRequest, tmp_path: Path) -> SampleSite:
    """Return a site in a temporary folder; its feeds.yaml is the module's `FEEDS`, if there is one."""
    site = SampleSite(tmp_path)
    yaml: str | None = getattr(request.module, "FEEDS", None)
    if yaml is not None:
        site.writes(yaml)
    return site


@pytest.fixture
def app(site: SampleSite) -> Iterator[App]:
    """Yield an open aggregator over `site`."""
    with site.opened() as app:
        yield app
