"""Fixtures for all tests."""

import gc
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from aggregator.__main__ import COLLECT_AFTER
from aggregator.app import App
from aggregator.store import database
from aggregator.store.database import backend_of
from tests.examples import add_profiles
from tests.feed_server import FeedServer
from tests.programs.postgres import postgres, postgres_programs
from tests.ram import use_memory
from tests.sample_site import SampleSite
from tests.speedups import speed_up
from tests.stores import TEMPLATE, Server, url_of, using

ON_BOTH = ("tests.store.", "tests.decide.", "tests.publish.", "tests.test_newsroom")

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # or each program that a test starts would compile us anew
add_profiles()
speed_up()
use_memory()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that rewrites golden files; the reviewer reads the diff."""
    parser.addoption("--regold", action="store_true", help="write golden files anew; read the diff")


def pytest_collection(session: pytest.Session) -> None:
    """Have the garbage collector look for cycles more rarely than in the program: here more objects stay."""
    gc.set_threshold(5 * COLLECT_AFTER)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Have the garbage collector leave modules and tests alone: a million objects that stay to the end."""
    gc.freeze()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests of what depends on the store on both databases, unless the module is `only_sqlite`."""
    name = metafunc.module.__name__
    is_bound = any(mark.name == "only_sqlite" for mark in metafunc.definition.iter_markers())
    if name.startswith(ON_BOTH) and "tmp_path" in metafunc.fixturenames and not is_bound:
        kinds = ["sqlite", pytest.param("postgresql", marks=pytest.mark.service)]
        metafunc.parametrize("store_kind", kinds, indirect=True)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """Yield a PostgreSQL server with a database of the tables of a new store."""
    programs = postgres_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    with postgres(programs) as url:
        server = Server(url)
        backend = backend_of(server.make(TEMPLATE, template="template0"))
        database._migrate(backend)  # noqa: SLF001 - as opening a store does
        with backend.migrating() as connection:
            connection.exec_driver_sql("DELETE FROM alembic_version")
        backend.close()
        yield server


@pytest.fixture(autouse=True)
def store_kind(request: pytest.FixtureRequest) -> Iterator[str]:
    """Yield the database that the stores of the test are in: sqlite or postgresql."""
    kind: str = getattr(request, "param", "sqlite")
    if kind == "sqlite":
        yield kind
    else:
        with using(request.getfixturevalue("postgresql")):
            yield kind


@pytest.fixture
def store_url(store_kind: str, tmp_path: Path) -> str:
    """Return the URL of a store that does not exist yet."""
    return url_of(tmp_path)


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
