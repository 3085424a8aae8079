"""Publishing to somebody else's S3 service: moto, as a process of its own."""

import gzip
import json
import os
import shutil
import sys
import urllib.request
from collections.abc import Iterator
from http.client import HTTPResponse
from pathlib import Path

import pytest

from tests.bucket import ENVIRON
from tests.feed_server import FeedServer, Reply
from tests.patience import PATIENCE
from tests.ports import free_port
from tests.programs.program import Program
from tests.running import Running
from tests.sample_site import LOOPBACK, SampleSite, item, rss

MOTO = Path("/usr/lib/python3/dist-packages/moto")
YAML = """
site: {{base_url: 'https://planet.example/'}}
publish: {{to: 's3://planet/site'}}
sources: [{{url: '{url}', category: python}}]
"""

CORS = MOTO.parent / "flask_cors"  # which moto's server imports
pytestmark = [
    pytest.mark.service,
    pytest.mark.skipif(not (MOTO.exists() and CORS.exists()), reason="there is no moto with its server"),
]


def ask(url: str, method: str = "GET") -> HTTPResponse:
    """Send a request to the service itself, whose bucket is readable for all."""
    answer: HTTPResponse = urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=PATIENCE)
    return answer


@pytest.fixture
def endpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Start the service, with an empty bucket."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    python = shutil.which("python3", path="/usr/bin")
    assert python is not None
    program = Program([python, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], tmp_path)

    def is_ready() -> bool:
        try:
            return ask(f"{url}/moto-api/").status == 200
        except OSError:
            return False

    program.start(is_ready)
    for name, value in zip(ENVIRON, ("KEY", "secret", "us-east-1", url), strict=True):
        monkeypatch.setenv(name, value)
    request = urllib.request.Request(f"{url}/planet", method="PUT", headers={"x-amz-acl": "public-read-write"})
    urllib.request.urlopen(request, timeout=PATIENCE).close()
    yield url
    program.kill()


def test_a75_a76_serve_publishes_to_s3_and_serves_its_own_endpoints(
    endpoint: str, tmp_path: Path, publisher: FeedServer
) -> None:
    url = publisher.says("/feed.xml", Reply(200, rss(item(1))), Reply(304))
    with Running(tmp_path, LOOPBACK + YAML.format(url=url)) as running:

        def names() -> set[str]:
            listed = ask(f"{endpoint}/planet?list-type=2&prefix=site/").read().decode()
            return {part.partition("</Key>")[0] for part in listed.split("<Key>")[1:]}

        running.wait_for(lambda: {"site/category/python.atom", "site/status.json"} <= names())
        running.wait_for(lambda: running.get("readyz")[0] == 200)
        assert running.get("")[0] == running.get("category/python.atom")[0] == 404
        code, seconds = running.stop()
        assert (code, seconds < 10) == (0, True)
    assert not [name for name in names() if name.endswith(".gz")]
    with ask(f"{endpoint}/planet/site/category/python.atom") as said:
        assert said.headers["Content-Type"] == "application/atom+xml; charset=utf-8"
        assert said.headers["Content-Encoding"] == "gzip"
        assert said.headers["Cache-Control"] == "public, max-age=450, stale-if-error=86400"
        assert b"Title 1" in gzip.decompress(said.read())


def test_a31_a_second_run_puts_nothing(endpoint: str, tmp_path: Path, publisher: FeedServer) -> None:
    url = publisher.says("/feed.xml", Reply(200, rss(item(1))))
    (tmp_path / "feeds.yaml").write_text(LOOPBACK + YAML.format(url=url), encoding="utf-8")
    keys = {name: os.environ[name] for name in ENVIRON}
    command = [sys.executable, "-m", "aggregator", "-q", "-c", str(tmp_path / "feeds.yaml"), "poll", "--all", "--json"]
    first = json.loads(Program(command, tmp_path, environ=keys).run())["published"]
    assert "category/python.atom" in first
    before = ask(f"{endpoint}/planet/site/category/python.atom", "HEAD").headers["Last-Modified"]
    assert json.loads(Program(command, tmp_path, environ=keys).run())["published"] == []
    assert ask(f"{endpoint}/planet/site/category/python.atom", "HEAD").headers["Last-Modified"] == before


def test_a35_many_objects_put_at_once_are_what_a_folder_would_have(
    endpoint: str, sample_site: SampleSite, publisher: FeedServer
) -> None:
    url = publisher.says("/feed.xml", Reply(200, rss(*(item(n) for n in range(60)))))
    to_bucket = YAML.format(url=url).replace("{to: 's3://planet/site'}", "{to: 's3://planet/site', gzip: false}")
    sample_site.writes(to_bucket.replace("gzip: false", "gzip: false, entries: 10, archive_page: 10"))
    sample_site.poll()
    sample_site.writes(
        to_bucket.replace("to: 's3://planet/site', gzip: false", "gzip: false, entries: 10, archive_page: 10")
    )
    with sample_site.opened() as app:
        assert app.publisher.publish().failed == ()
    in_folder = {path: data for path, (data, *_) in sample_site.files().items()}
    assert len([path for path in in_folder if path.startswith("entry/")]) == 50
    in_bucket = {path: ask(f"{endpoint}/planet/site/{path}").read() for path in in_folder}
    assert in_bucket == in_folder
