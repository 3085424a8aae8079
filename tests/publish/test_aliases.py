"""Old addresses, and the operator's own files beside our outputs (S51, A31, R30)."""

import gzip
import logging
import os
from collections.abc import Mapping
from contextlib import closing
from email.message import Message
from http.client import HTTPConnection
from pathlib import Path

import pytest

from aggregator.errors import StrangerInTheWay
from tests.bucket import ObjectService
from tests.desk import FakeSource, said
from tests.newsroom import SampleSite
from tests.running import Running

ONE = "\nsources: [{key: a, url: 'https://a.example/', category: a}]\n"
ALIASES = "publish: {aliases: {atom.xml: all.atom, Feed/rss: category/a.rss, lost.xml: category/none.atom}}" + ONE
STATIC = "publish: {static: static}" + ONE


@pytest.fixture
def room(tmp_path: Path) -> SampleSite:
    (tmp_path / "static").mkdir()
    return SampleSite(tmp_path)


def begin(room: SampleSite, yaml: str) -> None:
    room.writes(yaml)
    with room.opened() as app:
        FakeSource(app).says("a", said("a"))
        app.publish()


def again(room: SampleSite, yaml: str, *, says: str = "", everything: bool = False) -> tuple[str, ...]:
    """Publish once more, and give what changed."""
    room.writes(yaml)
    room.clock.move(minutes=5)
    with room.opened() as app:
        if says:
            FakeSource(app).says("a", said(says))
        return tuple(path for path in app.publish(everything=everything).changed if not path.startswith("status."))


# --- aliases


def test_an_alias_is_a_copy_with_a_twin_of_its_own(room: SampleSite) -> None:
    begin(room, ALIASES)
    root = room.folder / "public"
    for alias, target in (("atom.xml", "all.atom"), ("Feed/rss", "category/a.rss")):
        assert room.published(alias) == room.published(target)
        assert gzip.decompress(room.published(f"{alias}.gz")) == room.published(target)
        assert not (root / alias).is_symlink()
    assert not (root / "lost.xml").exists()


def test_a31_an_alias_moves_with_its_target_and_only_then(room: SampleSite) -> None:
    begin(room, ALIASES)
    before = room.files()
    assert again(room, ALIASES) == ()
    assert room.files() == before
    assert {"atom.xml", "Feed/rss"} <= set(again(room, ALIASES, says="b"))
    assert room.published("atom.xml") == room.published("all.atom")


def test_an_alias_goes_with_its_line_or_its_target(room: SampleSite) -> None:
    begin(room, ALIASES)
    assert again(room, "publish: {aliases: {atom.xml: all.atom}}" + ONE) == ("Feed/rss",)
    assert not (room.folder / "public" / "Feed" / "rss").exists()
    assert not (room.folder / "public" / "Feed" / "rss.gz").exists()
    assert "atom.xml" in again(room, "publish: {aliases: {x: all.atom}}" + ONE)
    assert room.published("x") == room.published("all.atom")


def test_an_alias_is_never_written_over_somebody_elses_file(room: SampleSite) -> None:
    begin(room, STATIC)
    room.writes(ALIASES)
    (room.folder / "public" / "atom.xml").write_text("mine")
    with room.opened() as app:
        FakeSource(app).says("a", said("a2"))
        with pytest.raises(StrangerInTheWay, match=r"atom\.xml"):
            app.publish()
    assert room.published("atom.xml") == b"mine"
    assert room.published("all.atom").startswith(b"<?xml"), "it harms no output"


def test_a_missing_target_is_named_once(room: SampleSite, caplog: pytest.LogCaptureFixture) -> None:
    room.writes(ALIASES)
    with caplog.at_level(logging.WARNING), room.opened() as app:
        app.publish()
        app.publish()
    said = [record for record in caplog.records if record.message == "skip_copy"]
    assert [(record.__dict__["output"], record.__dict__["why"]) for record in said] == [
        ("lost.xml", "category/none.atom is not published")
    ]


# --- static


def test_static_files_are_copied_as_they_are(room: SampleSite) -> None:
    static = room.folder / "static"
    (static / ".well-known").mkdir()
    (static / "img").mkdir()
    contents = {
        "CNAME": b"planet.example.org\r\n",
        "robots.txt": b"User-agent: *\n",
        "img/logo.png": bytes(range(256)),
        ".nojekyll": b"",
        ".well-known/security.txt": b"Contact: mailto:ops@example.org\n",
    }
    for name, data in contents.items():
        (static / name).write_bytes(data)
    begin(room, STATIC)
    for name, data in contents.items():
        assert room.published(name) == data
        assert not (room.folder / "public" / f"{name}.gz").exists()


def test_a31_static_files_are_recopied_when_they_change_and_go_when_they_do(room: SampleSite) -> None:
    static = room.folder / "static"
    (static / "robots.txt").write_text("one")
    (static / "CNAME").write_text("host")
    begin(room, STATIC)
    before = room.files()
    assert again(room, STATIC) == ()
    assert room.files() == before
    (static / "robots.txt").write_text("two")
    assert again(room, STATIC) == ("robots.txt",)
    (static / "robots.txt").unlink()
    assert again(room, STATIC) == ("robots.txt",)
    assert not (room.folder / "public" / "robots.txt").exists()
    assert again(room, "publish: {}" + ONE) == ("CNAME",)
    assert not (room.folder / "public" / "CNAME").exists()


def test_static_files_are_taken_up_by_the_same_process(room: SampleSite) -> None:
    (room.folder / "static" / "a.txt").write_text("one")
    room.writes(STATIC)
    with room.opened() as app:
        app.publish()
        (room.folder / "static" / "a.txt").write_text("two")
        (room.folder / "static" / "b.txt").write_text("new")
        app.publish()
        assert (room.published("a.txt"), room.published("b.txt")) == (b"two", b"new")


def test_a_folder_that_is_gone_for_a_while_takes_nothing_with_it(room: SampleSite) -> None:
    (room.folder / "static" / "CNAME").write_text("host")
    room.writes(STATIC)
    with room.opened() as app:
        app.publish()
        (room.folder / "static").rename(room.folder / "unmounted")
        app.publish()
        assert room.published("CNAME") == b"host"


def test_s51_no_symbolic_link_is_followed_and_no_odd_name_copied(
    room: SampleSite, caplog: pytest.LogCaptureFixture
) -> None:
    static, secret = room.folder / "static", room.folder / "secret.txt"
    secret.write_text("secret")
    (room.folder / "private").mkdir()
    (room.folder / "private" / "key.txt").write_text("secret")
    (static / "link.txt").symlink_to(secret)
    (static / "folder").symlink_to(room.folder / "private")
    (static / "a b.txt").write_text("blank")
    (static / "x.txt.gz").write_text("twin")
    (static / "good.txt").write_text("good")
    os.mkfifo(static / "pipe")
    (static / ".env").write_text("secret")
    with caplog.at_level(logging.WARNING):
        begin(room, STATIC)
    root = room.folder / "public"
    names = {"link.txt", "folder", "a b.txt", "x.txt.gz", "pipe"}
    assert not any((root / name).exists() for name in (*names, ".env"))
    assert room.published("good.txt") == b"good"
    assert {r.__dict__["output"] for r in caplog.records if r.message == "skip_copy"} == names


def test_s51_a_link_in_the_published_folder_is_not_followed(room: SampleSite) -> None:
    (room.folder / "elsewhere").mkdir()
    (room.folder / "public").mkdir()
    (room.folder / "public" / "img").symlink_to(room.folder / "elsewhere")
    (room.folder / "static" / "img").mkdir()
    (room.folder / "static" / "img" / "a.png").write_text("x")
    room.writes(STATIC)
    with room.opened() as app:
        assert "img/a.png" in app.publish().failed
    assert list((room.folder / "elsewhere").iterdir()) == []


def test_what_comes_in_our_way_later_is_passed_over(room: SampleSite) -> None:
    room.writes(STATIC)
    with room.opened() as app:
        FakeSource(app).says("a", said("a"))
        (room.folder / "static" / "index.html").write_text("mine")
        (room.folder / "static" / "category").mkdir()
        (room.folder / "static" / "category" / "a.atom").write_text("mine")
        app.publish()
    assert b"mine" not in room.published("index.html") + room.published("category/a.atom")


def test_somebody_elses_file_stays_and_the_same_bytes_are_taken_for_ours(room: SampleSite) -> None:
    (room.folder / "public").mkdir()
    (room.folder / "public" / "CNAME").write_text("host")
    (room.folder / "static" / "CNAME").write_text("host")
    begin(room, STATIC)
    (room.folder / "public" / "mine.txt").write_text("mine")
    (room.folder / "static" / "mine.txt").write_text("other")
    room.writes(STATIC)
    with room.opened() as app, pytest.raises(StrangerInTheWay, match=r"mine\.txt"):
        app.publish()
    assert room.published("mine.txt") == b"mine"


def test_a_file_that_becomes_a_folder(room: SampleSite) -> None:
    (room.folder / "static" / "about").write_text("a file")
    begin(room, STATIC)
    (room.folder / "static" / "about").unlink()
    (room.folder / "static" / "about").mkdir()
    (room.folder / "static" / "about" / "us.html").write_text("a page")
    assert again(room, STATIC) == ("about", "about/us.html")
    assert room.published("about/us.html") == b"a page"


# --- under serve


def ask(running: Running, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, bytes, Message]:
    """Ask for a path as it is written; give status, body and headers."""
    with closing(HTTPConnection("127.0.0.1", running.port, timeout=10)) as connection:
        connection.request("GET", f"/{path}", headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.headers


def test_serve_gives_copies_their_type_tags_and_twin(tmp_path: Path) -> None:
    static = tmp_path / "static"
    (static / "about").mkdir(parents=True)
    (static / ".well-known").mkdir()
    for name in ("robots.txt", "about/index.html", "CNAME", "logo.svg", ".well-known/security.txt"):
        (static / name).write_text(f"<p>{name}</p>")
    (tmp_path / "a.xml").write_text("<rss version='2.0'><channel><title>A</title></channel></rss>")
    yaml = (
        "publish: {static: static, aliases: {atom.xml: all.atom, old/feed: category/a.json}}\n"
        "sources: [{kind: file, key: a, url: a.xml, category: a}]\n"
    )
    with Running(tmp_path, yaml) as running:
        running.wait_for(lambda: running.get("atom.xml")[0] == 200)

        def kind(path: str) -> tuple[int, str | None, str | None]:
            status, _, headers = ask(running, path)
            return status, headers.get("Content-Type"), headers.get("Access-Control-Allow-Origin")

        assert kind("atom.xml") == (200, "application/atom+xml; charset=utf-8", "*")
        assert kind("old/feed") == (200, "application/feed+json", "*")
        assert kind("robots.txt") == (200, "text/plain; charset=utf-8", None)
        assert kind("CNAME") == (200, "text/plain; charset=utf-8", None)
        assert kind("about/") == kind("about/index.html") == (200, "text/html; charset=utf-8", None)
        assert kind("logo.svg") == (200, "image/svg+xml", None)
        assert kind(".well-known/security.txt")[0] == 200
        for path in ("static/robots.txt", "robots.txt/", "about", "../feeds.yaml", "%2e%2e/feeds.yaml", "atom.xml.gz"):
            assert kind(path)[0] == 404, path
        assert running.get("atom.xml")[1] == running.get("all.atom")[1]
        tag = ask(running, "atom.xml")[2]["ETag"]
        assert ask(running, "atom.xml", {"If-None-Match": tag})[0] == 304
        assert ask(running, "atom.xml", {"Accept-Encoding": "gzip"})[2].get("Content-Encoding") == "gzip"


# --- in a bucket


def test_a_bucket_has_copies_with_the_type_of_what_they_are_copies_of(
    room: SampleSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    (room.folder / "static" / "CNAME").write_text("host")
    publish = "publish: {to: 's3://planet/site', static: static, aliases: {feed.xml: all.rss}}"
    with ObjectService() as service:
        for name, value in service.environ.items():
            monkeypatch.setenv(name, value)
        begin(room, f"site: {{base_url: 'https://planet.example/'}}\n{publish}{ONE}")
        alias, target, own = (service.objects[f"site/{name}"] for name in ("feed.xml", "all.rss", "CNAME"))
    assert alias.body == target.body
    assert alias.headers == target.headers
    assert alias.headers["content-type"] == "application/rss+xml; charset=utf-8"
    assert (own.body, own.headers["content-type"]) == (b"host", "text/plain; charset=utf-8")
    assert "content-encoding" not in own.headers
