"""move-store: a planet goes on from PostgreSQL where its file of SQLite stood."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from aggregator.model.correction import Act
from tests.command import aggregator
from tests.fake_source import FakeSource, said
from tests.rows import change, rows
from tests.sample_site import SampleSite
from tests.stores import Server, engine_of, using
from tests.twin import ask

YAML = """publish: {entries: 10, archive_page: 10, jekyll: {to: site/_posts}}
sources:
  - {key: a, url: 'https://a.example/', category: x, initial: 100}
  - {key: b, url: 'https://b.example/', category: [x, y]}
  - {key: secret, url: 'https://c.example/?token=0123456789abcdef', category: y, private: true}
"""
pytestmark = [pytest.mark.service, pytest.mark.only_sqlite]  # not run twice


@pytest.fixture
def server(postgresql: Server) -> Iterator[Server]:
    yield postgresql
    postgresql.drop()


def lived(folder: Path) -> SampleSite:
    """Return a planet with archive pages, posts, a correction of each kind and a private source."""
    site = SampleSite(folder)
    folder.mkdir()
    site.writes(YAML)
    with site.opened() as app:
        source = FakeSource(app)
        source.says("a", *(said(number) for number in range(35)))
        source.says("b", *(said(number) for number in range(33, 38)))
        source.says("secret", said("s1"), said("s2"))
        app.publisher.publish()
        site.clock.move(hours=1)
        source.says("a", said(36, title="Title 36, corrected"), said(34, text="<p>Another text.</p>"))
        for number in (3, 7):
            ask(app, Act.RETRACT, story=number, undo=False)
        ask(app, Act.MERGE, story=5, other=6)
        app.publisher.publish()
    return site


def goes_on(site: SampleSite) -> dict[str, bytes]:
    site.clock.move(days=1)
    with site.opened() as app:
        source = FakeSource(app)
        source.says("a", *(said(number) for number in range(34, 45)))
        source.says("b", said(36), said(44), said("alone"))
        ask(app, Act.RETRACT, story=3, undo=True)
        app.publisher.publish()
        app.publisher.publish(everything=True)
    posts = {str(path.relative_to(site.folder)): path.read_bytes() for path in (site.folder / "site").rglob("*.*")}
    return site.outputs() | posts


def test_a_planet_goes_on_as_if_nothing_had_happened(server: Server, tmp_path: Path) -> None:
    stays = lived(tmp_path / "stays")
    change(stays.folder, "UPDATE entry SET key = 'of an old restore' || char(0) WHERE story_id = 7")
    with stays.opened() as app:
        app.publisher.publish(everything=True)
    moves = stays.copied(tmp_path / "moves")
    before = moves.files()
    url = server.empty(moves.folder)
    done = aggregator("-c", str(moves.folder / "feeds.yaml"), "move-store", url)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"tables moved, and compared. Now write store: {url} into feeds.yaml" in done.stdout
    with using(server):
        with moves.opened() as app:
            app.publisher.publish(everything=True)
        assert moves.files() == before, "not one file was written again"
        of_server = goes_on(moves)
        assert rows(moves.folder, "SELECT key FROM entry WHERE story_id = 7") == [("of an old restore\n",)]
        numbers = rows(moves.folder, "SELECT next_entry, next_story, dirty FROM store")
    assert of_server == goes_on(stays)
    assert numbers == rows(stays.folder, "SELECT next_entry, next_story, dirty FROM store")


def test_a_target_that_is_not_empty_and_one_that_differs_stay_as_they_were(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = lived(tmp_path / "site")
    config = str(site.folder / "feeds.yaml")
    url = server.empty(site.folder)
    count = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
    with monkeypatch.context() as patch:
        patch.setattr(
            "aggregator.store.moving._summed", lambda rows, seen=[]: (len(list(rows)), seen.append(1) or len(seen))
        )
        done = aggregator("-c", config, "move-store", url)
    assert (done.returncode, "differs after the copy; nothing was written" in done.stderr) == (3, True), done.stderr
    engine = engine_of(url)
    with engine.connect() as connection:
        assert connection.exec_driver_sql(count).scalar_one() == 0
    engine.dispose()
    assert aggregator("-c", config, "move-store", url).returncode == 0
    done = aggregator("-c", config, "move-store", url)
    assert (done.returncode, "is not empty; nothing was written" in done.stderr) == (3, True), done.stderr
    for wrong in ("sqlite:///b.db", "mysql://h/d", "postgresql://u:${UNSET}@h/d"):
        assert aggregator("-c", config, "move-store", wrong).returncode == 2
