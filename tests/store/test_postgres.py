"""A store on PostgreSQL: what opening it refuses, its two locks, faults of the server, and values it can't take."""

import json
import os
import random
import string
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from traceback import format_exception
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from aggregator.cli.poll import OneShot
from aggregator.errors import DiskFailed, LockHeld, NoStore, StoreError
from aggregator.store.database import Store, backend_of, open_store
from aggregator.store.schema import metadata, robots
from aggregator.urls import Url
from tests.command import aggregator
from tests.fake_source import FakeSource, said
from tests.feed_server import FeedServer
from tests.rows import change, connected, rows
from tests.sample_site import SampleSite, item, rss
from tests.stores import Server, using

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
pytestmark = [pytest.mark.service, pytest.mark.only_sqlite]  # not run twice


@pytest.fixture
def server(postgresql: Server) -> Iterator[Server]:
    """Yield the server; sites of the test are on it."""
    with using(postgresql):
        yield postgresql


@pytest.fixture
def url(server: Server, tmp_path: Path) -> str:
    """Return the URL of a database without tables."""
    return server.make("empty", template="template0")


def test_a_new_store_has_the_tables_that_the_code_knows(server: Server, tmp_path: Path) -> None:
    store = open_store(server.of(tmp_path), now=NOON)
    ignored = {"uq_story_atom_id"}  # unique by a hash index
    with connected(store) as connection:
        found = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": False}), metadata)
        texts = "SELECT count(*) FROM information_schema.columns WHERE table_schema = 'public' AND data_type = 'text'"
        plain = connection.execute(text(f"{texts} AND collation_name IS DISTINCT FROM 'C'")).scalar_one()
        small = (
            "SELECT count(*) FROM information_schema.columns WHERE table_schema = 'public' AND data_type = 'integer'"
        )
        assert (plain, connection.execute(text(small)).scalar_one()) == (0, 0)
    store.close()
    assert [each for each in found if getattr(each[1], "name", None) not in ignored] == []


def test_r27_a_second_process_is_told_who_holds_the_store(server: Server, tmp_path: Path) -> None:
    url = server.of(tmp_path)
    with pytest.raises(NoStore, match="there is no store in postgresql://"):
        open_store(url, now=NOON, writes=False)
    first = open_store(url, now=NOON, command="serve")
    with pytest.raises(LockHeld, match=rf"serve, process {os.getpid()} on .+, since 2026-03-04T12:00:00Z"):
        open_store(url, now=NOON, command="poll")
    open_store(url, now=NOON, writes=False).close()  # commands that only read work beside it
    first.close()
    open_store(url, now=NOON, command="poll").close()


def test_a_database_that_does_not_fit_is_refused_in_one_sentence(server: Server, url: str, tmp_path: Path) -> None:
    server.run("DROP ROLE IF EXISTS weak", "CREATE ROLE weak LOGIN")
    latin = server.make("latin", template="template0", more="ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'")
    foreign = server.make("foreign", template="template0")
    with psycopg.connect(foreign) as connection:
        connection.execute("CREATE TABLE entry (id int)")
    weak = url.replace("test@", "weak@")
    for place, why in (
        (latin, "the database has the encoding LATIN1; make one with CREATE DATABASE … ENCODING 'UTF8'"),
        (foreign, "the database has tables of another program; make an empty one"),
        (weak, 'weak may not create tables; its owner should run GRANT CREATE ON SCHEMA public TO "weak"'),
        (server.url("nowhere"), 'database "nowhere" does not exist'),
        ("postgresql://test@127.0.0.1:1/a", "its server can't be reached: start it, or check the address"),
    ):
        (tmp_path / "feeds.yaml").write_text(
            f"store: {place}\nsources: [{{kind: file, url: a.xml}}]\n", encoding="utf-8"
        )
        done = aggregator("-c", str(tmp_path / "feeds.yaml"), "poll")
        assert (done.returncode, len(done.stderr.splitlines())) == (3, 1), done.stderr
        assert why in done.stderr
        assert "://" in done.stderr


def test_a_copy_is_made_by_postgresqls_programs(server: Server, tmp_path: Path) -> None:
    store = open_store(server.of(tmp_path), now=NOON)
    with pytest.raises(StoreError, match=r"pg_dump --format=custom --file=\S+/a\.dump postgresql://"):
        store.back_up(tmp_path / "a.dump")
    store.close()
    with pytest.raises(StoreError, match=r"pg_restore --no-owner --dbname=postgresql://.+ SET adopts = true"):
        backend_of(server.of(tmp_path)).restore(tmp_path / "a.dump", NOON)


def test_a_store_goes_on_after_a_restart_of_the_server_and_holds_its_lock(server: Server, tmp_path: Path) -> None:
    store = open_store(server.of(tmp_path), now=NOON, command="serve")
    for text_of_config in ("before", "after"):
        with store.begin() as tx:
            tx.store_row.keep_config(text_of_config, "feeds.yaml", NOON)
        server.end_sessions(tmp_path)
    assert store.is_there()
    with store.read() as tx:
        assert tx.store_row.last_good_config() == "after"
    with pytest.raises(LockHeld, match="serve, process"):
        open_store(server.of(tmp_path), now=NOON)
    store.close()


def test_who_lost_the_lock_to_another_process_writes_no_more(server: Server, tmp_path: Path) -> None:
    lost = open_store(server.of(tmp_path), now=NOON, command="serve")
    server.end_sessions(tmp_path)
    other = open_store(server.of(tmp_path), now=NOON, command="poll")
    assert not lost.is_there()
    with pytest.raises(LockHeld, match="poll, process"), lost.begin():
        pass
    with lost.read() as tx:
        assert tx.store_row.last_good_config() is None
    lost.close()
    other.close()


def test_a_server_that_goes_away_in_a_transaction_is_at_fault_and_nothing_is_half_written(
    server: Server, tmp_path: Path
) -> None:
    store = open_store(server.of(tmp_path), now=NOON)
    with pytest.raises(DiskFailed, match=r"its server is stopping or starting.+terminating connection"):
        write_and_lose(store, server, tmp_path)
    server.allow(tmp_path, connections=False)
    with pytest.raises(DiskFailed, match="is not currently accepting connections"), store.read():
        pass
    assert store.is_there(), "it may come back"
    server.allow(tmp_path, connections=True)
    with store.begin() as tx:
        assert tx.store_row.last_good_config() is None
    store.close()


def write_and_lose(store: Store, server: Server, folder: Path) -> None:
    with store.begin() as tx:
        tx.store_row.keep_config("half", "feeds.yaml", NOON)
        server.end_sessions(folder)
        tx.store_row.last_good_config()


def test_a_poll_ends_when_the_server_is_away_and_the_next_one_brings_all(server: Server, tmp_path: Path) -> None:
    site = SampleSite(tmp_path)
    (tmp_path / "a.xml").write_bytes(rss(item(1), item(2)))
    site.writes("sources: [{kind: file, url: a.xml, key: a}]")
    with site.opened() as app:
        server.allow(tmp_path, connections=False)
        shot = OneShot(app)
        with pytest.raises(DiskFailed, match="not currently accepting"):
            shot.poll((), everything=True, limit=timedelta(0))
    done = aggregator("-c", str(tmp_path / "feeds.yaml"), "poll", "--all")
    assert (done.returncode, len(done.stderr.splitlines())) == (3, 1), done.stderr
    server.allow(tmp_path, connections=True)
    assert site.poll()["new"] == 2


def test_s44_an_error_of_the_database_quotes_no_values(server: Server, tmp_path: Path) -> None:
    store = open_store(server.of(tmp_path), now=NOON)
    secret = "9f8e" * 4
    rows_of_one_key = [{"origin": secret, "asked_at": NOON, "rules": [], "delay": 1}] * 2
    with pytest.raises(IntegrityError) as raised, connected(store, writes=True) as connection:
        connection.execute(robots.insert(), rows_of_one_key)
    assert "duplicate key" in str(raised.value)
    assert secret not in "".join(format_exception(raised.value))
    store.close()


def test_without_the_extra_the_message_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.delitem(sys.modules, "aggregator.store.postgres", raising=False)
    yaml = "store: postgresql://h/d\nsources: [{kind: file, url: a.xml}]\n"
    (tmp_path / "feeds.yaml").write_text(yaml, encoding="utf-8")
    (tmp_path / "a.xml").write_bytes(rss(item(1)))
    done = aggregator("-c", str(tmp_path / "feeds.yaml"), "poll")
    assert (done.returncode, len(done.stderr.splitlines())) == (3, 1), done.stderr
    assert "a store on PostgreSQL needs the extra postgres; install it: " in done.stderr


def test_one_poll_that_cannot_be_stored_fails_alone_and_why_says_so(server: Server, tmp_path: Path) -> None:
    site = SampleSite(tmp_path)
    keys = ("title", "link", "good")
    site.writes("sources:\n" + "".join(f"  - {{key: {key}, url: 'https://{key}.example/'}}\n" for key in keys))
    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.settles(*(fake_source.brings(key, said(f"{key}-1")) for key in keys))
        changes = fake_source.settles(
            fake_source.brings("title", said(2, title="no text of PostgreSQL has a \0")),
            fake_source.brings("link", replace(said(3), link=Url("https://link.example/\0"))),
            fake_source.brings("good", said(4)),
        )
    assert [change.update.code for change in changes] == ["internal", "internal", None]
    assert rows(tmp_path, "SELECT own_id FROM entry ORDER BY id")[3:] == [("item-4",)]
    for key in keys[:2]:
        done = aggregator("-c", str(tmp_path / "feeds.yaml"), "why", key)
        assert "the store can't hold what it brought: PostgreSQL text fields cannot contain NUL" in done.stdout, (
            done.stdout
        )


LONG = "".join(random.Random(7).choices(string.ascii_letters + string.digits, k=4096))
SCRIPTS = [
    *"Ελληνικά Русский עברית العربية हिन्दी ไทย 한국어 日本語 中文 ქართული አማርኛ 𐍈𒀀𓂀🦉 e\u0301 \u202eback".split(),
    "ﬁ ẞ ı İ",
    "tab\tand\nline",
    "'\"\\ %s %(a)s :name ? $1 -- ; {}",
]
LARGE: dict[str, Any] = {"mime_type": "audio/mpeg", "size_in_bytes": 1 << 40, "duration_in_seconds": 1 << 40}


def nul(number: int) -> dict[str, Any]:
    text = {"title": "a\0b", "content_text": f"{number}\0 text"}
    return {"id": f"nul \0 {number}", "url": f"https://e.example/{number}\0"} | text


def script(place: int, name: str) -> dict[str, Any]:
    more = {"title": name, "tags": [name], "authors": [{"name": name}], "content_html": f"<p>{name} and more</p>"}
    sound = {"url": f"https://e.example/{place}.mp3"} | LARGE
    return {"id": f"urn:{name}", "url": f"https://e.example/{name}", "attachments": [sound]} | more


HOSTILE = {
    "version": "https://jsonfeed.org/version/1.1",
    "title": "NUL \0 in a title",
    "items": [
        *map(nul, range(2)),
        {"id": f"urn:long:{LONG}", "url": f"https://e.example/{LONG}", "title": LONG, "content_text": "Long."},
        *(script(place, name) for place, name in enumerate(SCRIPTS)),
    ],
}


def test_what_real_feeds_send_gives_the_same_bytes_from_both_databases(
    postgresql: Server, tmp_path: Path, publisher: FeedServer
) -> None:
    items = (
        item(1, link=f"https://news.example/{LONG}", guid=LONG),
        item(2, guid=f"tag:{LONG}", title="\U0001f989" * 900),
    )
    rss_url = publisher.serve("/rss", rss(*items, link=f"https://news.example/{LONG}"), {"ETag": f'"{LONG}"'})
    json_url = publisher.serve(
        f"/json?{LONG[:3000]}", json.dumps(HOSTILE).encode(), {"Content-Type": "application/feed+json"}
    )
    yaml = f"sources:\n  - {{key: a, url: '{rss_url}', category: x}}\n  - {{key: b, url: '{json_url}', category: x}}\n"

    def lived(name: str) -> dict[str, bytes]:
        site = SampleSite(tmp_path / name)
        site.folder.mkdir()
        site.writes("categories: {x: {title: X}}\n" + yaml)
        with site.opened():
            pass
        change(site.folder, "UPDATE store SET uuid = '6f1c2f0a-6b5e-4b0e-9d0e-0a4c7a3b9d11'")
        change(site.folder, "UPDATE category SET feed_id = 'urn:x'")
        for _ in range(2):
            assert site.poll()["failed"] == 0
            site.clock.move(hours=3)
        return site.outputs()

    with_files = lived("sqlite")
    with using(postgresql):
        with_server = lived("postgresql")
    assert with_files.keys() == with_server.keys()
    assert [path for path, data in with_files.items() if data != with_server[path]] == []
    assert len(json.loads(with_files["category/x.json"])["items"]) == 2 + 2 + 1 + len(SCRIPTS)
