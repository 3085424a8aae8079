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
from tests.fake_source import FakeSource, said
from tests.patience import PATIENCE
from tests.running import Running
from tests.sample_site import SampleSite

ONE = "\nsources: [{key: a, url: 'https://a.example/', category: a}]\n"
ALIASES = "publish: {aliases: {atom.xml: all.atom, Feed/rss: category/a.rss, lost.xml: category/none.atom}}" + ONE
STATIC = "publish: {static: static}" + ONE


@pytest.fixture
def site(tmp_path: Path) -> SampleSite:
    (tmp_path / "static").mkdir()
    return SampleSite(tmp_path)


def begin(site: SampleSite, yaml: str) -> None:
    site.writes(yaml)
    with site.opened() as app:
        FakeSource(app).says("a", said("a"))
        app.publisher.publish()


def again(site: SampleSite, yaml: str, *, says: str = "", everything: bool = False) -> tuple[str, ...]:
    """Publish once more, and give what changed."""
    site.writes(yaml)
    site.clock.move(minutes=5)
    with site.opened() as app:
        if says:
            FakeSource(app).says("a", said(says))
        return tuple(
            path for path in app.publisher.publish(everything=everything).changed if not path.startswith("status.")
        )


# --- aliases


def test_an_alias_is_a_copy_with_a_twin_of_its_own(site: SampleSite) -> None:
    begin(site, ALIASES)
    root = site.folder / "public"
    for alias, target in (("atom.xml", "all.atom"), ("Feed/rss", "category/a.rss")):
        assert site.published(alias) == site.published(target)
        assert gzip.decompress(site.published(f"{alias}.gz")) == site.published(target)
        assert not (root / alias).is_symlink()
    assert not (root / "lost.xml").exists()


def test_a31_an_alias_moves_with_its_target_and_only_then(site: SampleSite) -> None:
    begin(site, ALIASES)
    before = site.files()
    assert again(site, ALIASES) == ()
    assert site.files() == before
    assert {"atom.xml", "Feed/rss"} <= set(again(site, ALIASES, says="b"))
    assert site.published("atom.xml") == site.published("all.atom")


def test_an_alias_goes_with_its_line_or_its_target(site: SampleSite) -> None:
    begin(site, ALIASES)
    assert again(site, "publish: {aliases: {atom.xml: all.atom}}" + ONE) == ("Feed/rss",)
    assert not (site.folder / "public" / "Feed" / "rss").exists()
    assert not (site.folder / "public" / "Feed" / "rss.gz").exists()
    assert "atom.xml" in again(site, "publish: {aliases: {x: all.atom}}" + ONE)
    assert site.published("x") == site.published("all.atom")


def test_an_alias_is_never_written_over_somebody_elses_file(site: SampleSite) -> None:
    begin(site, STATIC)
    site.writes(ALIASES)
    (site.folder / "public" / "atom.xml").write_text("mine")
    with site.opened() as app:
        FakeSource(app).says("a", said("a2"))
        with pytest.raises(StrangerInTheWay, match=r"atom\.xml"):
            app.publisher.publish()
    assert site.published("atom.xml") == b"mine"
    assert site.published("all.atom").startswith(b"<?xml"), "it harms no output"


def test_a_missing_target_is_named_once(site: SampleSite, caplog: pytest.LogCaptureFixture) -> None:
    site.writes(ALIASES)
    with caplog.at_level(logging.WARNING), site.opened() as app:
        app.publisher.publish()
        app.publisher.publish()
    said = [record for record in caplog.records if record.message == "skip_copy"]
    assert [(record.__dict__["output"], record.__dict__["why"]) for record in said] == [
        ("lost.xml", "category/none.atom is not published")
    ]


# --- static


def test_static_files_are_copied_as_they_are(site: SampleSite) -> None:
    static = site.folder / "static"
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
    begin(site, STATIC)
    for name, data in contents.items():
        assert site.published(name) == data
        assert not (site.folder / "public" / f"{name}.gz").exists()


def test_a31_static_files_are_recopied_when_they_change_and_go_when_they_do(site: SampleSite) -> None:
    static = site.folder / "static"
    (static / "robots.txt").write_text("one")
    (static / "CNAME").write_text("host")
    begin(site, STATIC)
    before = site.files()
    assert again(site, STATIC) == ()
    assert site.files() == before
    (static / "robots.txt").write_text("two")
    assert again(site, STATIC) == ("robots.txt",)
    (static / "robots.txt").unlink()
    assert again(site, STATIC) == ("robots.txt",)
    assert not (site.folder / "public" / "robots.txt").exists()
    assert again(site, "publish: {}" + ONE) == ("CNAME",)
    assert not (site.folder / "public" / "CNAME").exists()


def test_static_files_are_taken_up_by_the_same_process(site: SampleSite) -> None:
    (site.folder / "static" / "a.txt").write_text("one")
    site.writes(STATIC)
    with site.opened() as app:
        app.publisher.publish()
        (site.folder / "static" / "a.txt").write_text("two")
        (site.folder / "static" / "b.txt").write_text("new")
        app.publisher.publish()
        assert (site.published("a.txt"), site.published("b.txt")) == (b"two", b"new")


def test_a_folder_that_is_gone_for_a_while_takes_nothing_with_it(site: SampleSite) -> None:
    (site.folder / "static" / "CNAME").write_text("host")
    site.writes(STATIC)
    with site.opened() as app:
        app.publisher.publish()
        (site.folder / "static").rename(site.folder / "unmounted")
        app.publisher.publish()
        assert site.published("CNAME") == b"host"


def test_s51_no_symbolic_link_is_followed_and_no_odd_name_copied(
    site: SampleSite, caplog: pytest.LogCaptureFixture
) -> None:
    static, secret = site.folder / "static", site.folder / "secret.txt"
    secret.write_text("secret")
    (site.folder / "private").mkdir()
    (site.folder / "private" / "key.txt").write_text("secret")
    (static / "link.txt").symlink_to(secret)
    (static / "folder").symlink_to(site.folder / "private")
    (static / "a b.txt").write_text("blank")
    (static / "x.txt.gz").write_text("twin")
    (static / "good.txt").write_text("good")
    os.mkfifo(static / "pipe")
    (static / ".env").write_text("secret")
    with caplog.at_level(logging.WARNING):
        begin(site, STATIC)
    root = site.folder / "public"
    names = {"link.txt", "folder", "a b.txt", "x.txt.gz", "pipe"}
    assert not any((root / name).exists() for name in (*names, ".env"))
    assert site.published("good.txt") == b"good"
    assert {r.__dict__["output"] for r in caplog.records if r.message == "skip_copy"} == names


def test_s51_a_link_in_the_published_folder_is_not_followed(site: SampleSite) -> None:
    (site.folder / "elsewhere").mkdir()
    (site.folder / "public").mkdir()
    (site.folder / "public" / "img").symlink_to(site.folder / "elsewhere")
    (site.folder / "static" / "img").mkdir()
    (site.folder / "static" / "img" / "a.png").write_text("x")
    site.writes(STATIC)
    with site.opened() as app:
        assert "img/a.png" in app.publisher.publish().failed
    assert list((site.folder / "elsewhere").iterdir()) == []


def test_what_comes_in_our_way_later_is_passed_over(site: SampleSite) -> None:
    site.writes(STATIC)
    with site.opened() as app:
        FakeSource(app).says("a", said("a"))
        (site.folder / "static" / "index.html").write_text("mine")
        (site.folder / "static" / "category").mkdir()
        (site.folder / "static" / "category" / "a.atom").write_text("mine")
        app.publisher.publish()
    assert b"mine" not in site.published("index.html") + site.published("category/a.atom")


def test_somebody_elses_file_stays_and_the_same_bytes_are_taken_for_ours(site: SampleSite) -> None:
    (site.folder / "public").mkdir()
    (site.folder / "public" / "CNAME").write_text("host")
    (site.folder / "static" / "CNAME").write_text("host")
    begin(site, STATIC)
    (site.folder / "public" / "mine.txt").write_text("mine")
    (site.folder / "static" / "mine.txt").write_text("other")
    site.writes(STATIC)
    with site.opened() as app, pytest.raises(StrangerInTheWay, match=r"mine\.txt"):
        app.publisher.publish()
    assert site.published("mine.txt") == b"mine"


def test_a_file_that_becomes_a_folder(site: SampleSite) -> None:
    (site.folder / "static" / "about").write_text("a file")
    begin(site, STATIC)
    (site.folder / "static" / "about").unlink()
    (site.folder / "static" / "about").mkdir()
    (site.folder / "static" / "about" / "us.html").write_text("a page")
    assert again(site, STATIC) == ("about", "about/us.html")
    assert site.published("about/us.html") == b"a page"


# --- under serve


def ask(running: Running, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, bytes, Message]:
    """Ask for a path as it is written; give status, body and headers."""
    with closing(HTTPConnection("127.0.0.1", running.port, timeout=PATIENCE)) as connection:
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
    site: SampleSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    (site.folder / "static" / "CNAME").write_text("host")
    publish = "publish: {to: 's3://planet/site', static: static, aliases: {feed.xml: all.rss}}"
    with ObjectService() as service:
        for name, value in service.environ.items():
            monkeypatch.setenv(name, value)
        begin(site, f"site: {{base_url: 'https://planet.example/'}}\n{publish}{ONE}")
        alias, target, own = (service.objects[f"site/{name}"] for name in ("feed.xml", "all.rss", "CNAME"))
    assert alias.body == target.body
    assert alias.headers == target.headers
    assert alias.headers["content-type"] == "application/rss+xml; charset=utf-8"
    assert (own.body, own.headers["content-type"]) == (b"host", "text/plain; charset=utf-8")
    assert "content-encoding" not in own.headers
