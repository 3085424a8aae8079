"""Migrations of a store with data from each released schema to the current one (R60, R61)."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from aggregator.model.correction import Act
from aggregator.poll.maintenance import Maintenance
from aggregator.store import database
from aggregator.store.schema import metadata
from tests.fake_source import FakeSource, said
from tests.sample_site import SampleSite
from tests.twin import ask

pytestmark = pytest.mark.only_sqlite

YAML = "publish: {entries: 10, archive_page: 10}\nsources: [{key: one, url: 'https://one.example/', initial: 200}]\n"


def as_of(released: str, path: Path) -> None:
    """Convert a database to the schema of a release, with the data of the columns that this schema has."""
    newer = path.with_name("newer.db")
    path.rename(newer)
    config = Config()
    config.set_main_option("script_location", str(Path(database.__file__).parent / "migrations"))
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, released)
    engine.dispose()
    with closing(sqlite3.connect(path)) as old:
        tables = [name for (name,) in old.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        old.execute("ATTACH ? AS newer", [str(newer)])
        for table in tables:
            if table != "alembic_version":
                columns = ", ".join(f'"{row[1]}"' for row in old.execute(f"PRAGMA main.table_info('{table}')"))
                old.execute(f'INSERT INTO main."{table}" ({columns}) SELECT {columns} FROM newer."{table}"')
        old.commit()
    newer.unlink()


@pytest.mark.parametrize("released", ["0001", "0002", "0003", "0004"])
def test_r61_a_store_of_an_older_schema_goes_on_where_it_was(tmp_path: Path, released: str) -> None:
    site = SampleSite(tmp_path)
    site.writes(YAML)
    with site.opened() as app:
        FakeSource(app).says("one", *(said(number) for number in range(35)))
        app.publisher.publish()
    before, path = site.files(), site.folder / "var/aggregator.db"
    as_of(released, path)
    with site.opened() as app:
        app.publisher.publish(everything=True)
        assert site.files() == before
        site.clock.move(minutes=10)  # entries of one moment are ordered by their ids
        FakeSource(app).says("one", said(36), *(said(number) for number in range(35)))
        app.publisher.publish()
    assert site.titles()[0] == "Title 36"
    assert path.with_name(f"{path.name}.before-{database.HEAD}-from-{released}").exists()
    check_schema(path)


@pytest.mark.parametrize("released", ["0001", "0002", "0003", "0004"])
def test_a7_feeds_of_an_older_schema_go_on_from_what_they_said(tmp_path: Path, released: str) -> None:
    site = SampleSite(tmp_path)
    site.writes(YAML)
    with site.opened() as app:
        FakeSource(app).says("one", *(said(number) for number in range(25)))
        app.publisher.publish()
        with app.store.read() as tx:
            (row,) = tx.categories.rows()
            story = tx.documents.publications(row.id, None)[0].story
        site.clock.move(hours=1)
        ask(app, Act.RETRACT, story=story, undo=False)
        app.publisher.publish()
    said_so = b"  <updated>2026-03-04T13:00:00Z</updated>"
    assert said_so in site.published("category/general.atom")
    as_of(released, site.folder / "var/aggregator.db")
    site.clock.move(days=31)
    with site.opened() as app:
        assert Maintenance(app.store, app.clock).end_tombstones() == 1
        app.publisher.publish()
    feed = site.published("category/general.atom")
    assert b"deleted-entry" not in feed
    assert said_so in feed
    check_schema(site.folder / "var/aggregator.db")


def check_schema(path: Path) -> None:
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()
