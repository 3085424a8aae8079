"""The real nginx over the published folder, with the configuration of docs/nginx.md: it answers as we do."""

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path

import pytest

from aggregator.serve.application import Application, Endpoint, text_reply
from aggregator.serve.published import PublishedState
from aggregator.serve.published_folder import PublishedFolder
from aggregator.serve.server import WebServer
from tests.feed_server import FeedServer, Reply
from tests.patience import PATIENCE
from tests.ports import free_port
from tests.programs.program import Program
from tests.sample_site import SampleSite, item, rss

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin")
PAGE = Path(__file__).parents[2] / "docs" / "nginx.md"
OURSELVES = {
    "date",
    "server",
    "connection",
    "etag",
}  # of a server, not of a document; tags are compared by what they do
WITHDRAWN = "entry/ab/ab0123456789abcd.html"
REMOVED = ("category/removed.atom", "category/removed.html", "category/removed/archive/1.json")
FORGOTTEN = "category/forgotten.atom"
YAML = """
site: {{base_url: "https://planet.example.org/"}}
publish: {{archive_page: 10, entries: 10, hub: "https://hub.example.org/"}}
categories: {{python: {{title: Python}}}}
defaults: {{initial: 60}}
sources: [{{url: '{url}', category: python}}]
"""

pytestmark = [pytest.mark.service, pytest.mark.skipif(NGINX is None, reason="there is no nginx")]


@dataclass
class Said:
    """An answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Web:
    """A server on loopback."""

    port: int

    def ask(self, path: str, method: str = "GET", **fields: str) -> Said:
        """Send a request; `If_None_Match=…` is the header field of that name."""
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)) as connection:
            connection.request(method, path, headers={name.replace("_", "-"): value for name, value in fields.items()})
            answer = connection.getresponse()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            assert len(headers) == len(set(answer.getheaders())), "no header says two things"
            return Said(answer.status, headers, answer.read())


@pytest.fixture
def folder(sample_site: SampleSite, publisher: FeedServer) -> Path:
    """Return the published folder of a planet, with archive pages."""
    url = publisher.says("/feed.xml", Reply(200, rss(*(item(n) for n in range(45)))))
    sample_site.writes(YAML.format(url=url))
    sample_site.poll()
    return sample_site.folder / "public"


@pytest.fixture
def ours(sample_site: SampleSite, folder: Path) -> Iterator[Web]:
    """Yield our own server over that folder."""
    with sample_site.opened("serve") as app:
        app.publisher.publish()
        form = text_reply(HTTPStatus.OK, "a form", ("X-Form", "ours"))
        endpoints = {"/search": Endpoint(lambda _: form)}
        published = PublishedState(app.store, app.in_force)
        application = Application(
            PublishedFolder(folder, published.max_age, copy_of=published.copy_of),
            health=bool,
            ready=bool,
            endpoints=endpoints,
        )
        server = WebServer(application, "127.0.0.1", 0)
        server.start()
        yield Web(server.address[1])
        server.stop()


@pytest.fixture
def limits() -> bool:
    """Return whether nginx limits the rate of requests."""
    return False


@pytest.fixture
def theirs(tmp_path: Path, folder: Path, ours: Web, limits: bool) -> Iterator[Web]:
    """Yield nginx over that folder, with the documented configuration, and one withdrawn story."""
    assert NGINX is not None
    shown = re.search(r"```nginx\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    assert shown is not None
    gone = tmp_path / "gone.map"
    (folder / "gone.txt").write_text("\n".join((WITHDRAWN, *REMOVED, f"404={FORGOTTEN}", "")), encoding="utf-8")
    typed = re.search(r"```sh\n +(sed .*) > /srv/planet/gone.map && nginx", PAGE.read_text(encoding="utf-8"))
    assert typed is not None
    made = subprocess.run(
        typed[1].replace("/srv/planet/public", str(folder)), shell=True, check=True, capture_output=True
    )
    gone.write_bytes(made.stdout)
    port = free_port()
    site = shown[1].replace("listen 80;", f"listen 127.0.0.1:{port};").replace("    listen [::]:80;\n", "")
    site = site.replace("/srv/planet/public", str(folder)).replace("# include /srv/planet/gone.map", f"include {gone}")
    site = site.replace("    # ~^/(all|", "    ~^/(all|")  # the hub
    search = re.search(r"```nginx\n( +location ~ .*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    assert search is not None
    proxied = search[1].replace("127.0.0.1:8080", f"127.0.0.1:{ours.port}")
    site = site.replace("    location / {", f"{proxied}\n    location / {{")
    if limits:
        blocks = re.findall(r"```nginx\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
        around, within = (block for block in blocks if "limit_req" in block)
        for shown_so, slower in (("600r/m", "1r/m"), ("burst=600", "burst=2")):
            assert shown_so in around + within
            around, within = around.replace(shown_so, slower), within.replace(shown_so, slower)
        site = around + site.replace("    location / {", f"{within}    location / {{")
    rest = " ".join(f"{name}_temp_path {tmp_path};" for name in "client_body proxy fastcgi uwsgi scgi".split())
    config = tmp_path / "nginx.conf"
    config.write_text(
        f"daemon off; user root; worker_processes 1; pid {tmp_path}/nginx.pid; error_log stderr warn;\n"
        f"events {{}}\nhttp {{ access_log off; {rest}\n{site}\n}}\n",
        encoding="utf-8",
    )
    web = Web(port)
    program = Program([NGINX, "-e", "stderr", "-p", str(tmp_path), "-c", str(config)], tmp_path)

    def is_ready() -> bool:
        try:
            return web.ask("/").status == 200
        except ConnectionRefusedError:
            return False

    program.start(is_ready)
    yield web
    program.stop(within=10)


def differing(ours: Said, theirs: Said) -> dict[str, tuple[str | None, str | None]]:
    names = (set(ours.headers) | set(theirs.headers)) - OURSELVES
    return {
        n: (ours.headers.get(n), theirs.headers.get(n)) for n in names if ours.headers.get(n) != theirs.headers.get(n)
    }


def test_a70_to_a80_nginx_says_of_every_file_what_we_say(ours: Web, theirs: Web, folder: Path) -> None:
    files = (path for path in folder.rglob("*") if path.suffix not in (".gz", ".txt") and path.is_file())
    names = sorted(str(path.relative_to(folder)) for path in files)
    assert {"all.atom", "category/python.json", "category/python/archive/1.atom", "status.json"} <= {*names}
    paths = ["/", *(f"/{name}" for name in names)]
    for path in paths:
        for coding in ("gzip", "identity"):
            mine, other = ours.ask(path, Accept_Encoding=coding), theirs.ask(path, Accept_Encoding=coding)
            assert (mine.status, mine.body) == (other.status, other.body) == (200, other.body), path
            assert other.headers["etag"].startswith('"'), "a strong tag"
            ranges = {"accept-ranges"} if coding == "gzip" else set()  # nginx gives parts of the packed bytes too
            assert differing(mine, other).keys() <= ranges, path
            for field in ("If-None-Match", "If-Modified-Since"):
                known = {
                    web: {field: said.headers["etag" if field == "If-None-Match" else "last-modified"]}
                    for web, said in (("ours", mine), ("theirs", other))
                }
                mine_known = ours.ask(path, Accept_Encoding=coding, **known["ours"])
                their_known = theirs.ask(path, Accept_Encoding=coding, **known["theirs"])
                assert mine_known.status == their_known.status == 304, (path, field)
                assert differing(mine_known, their_known) == {}, path
        head, their_head = ours.ask(path, "HEAD"), theirs.ask(path, "HEAD")
        assert (head.body, their_head.body) == (b"", b"")
        assert differing(head, their_head) == {}


def test_a71_tags_differ_by_coding(theirs: Web) -> None:
    tags = [theirs.ask("/all.atom", Accept_Encoding=coding).headers["etag"] for coding in ("gzip", "identity")]
    assert tags[0] != tags[1]
    assert theirs.ask("/all.atom", Accept_Encoding="gzip", If_None_Match=tags[1]).status == 200


def test_a72_a_date_later_than_the_change_earns_the_304(ours: Web, theirs: Web) -> None:
    for web in (ours, theirs):
        assert web.ask("/all.atom", If_Modified_Since=formatdate(4_000_000_000, usegmt=True)).status == 304
        assert web.ask("/all.atom", If_Modified_Since="some day").status == 200


def test_a77_parts(ours: Web, theirs: Web) -> None:
    for field in ("bytes=0-9", "bytes=-7", "bytes=5-", "bytes=0-1,4-5"):
        mine, other = ours.ask("/all.atom", Range=field), theirs.ask("/all.atom", Range=field)
        assert (mine.status, mine.body) == (other.status, other.body), field
        assert differing(mine, other).keys() <= {"accept-ranges"}, field
    mine, other = ours.ask("/all.atom", Range="bytes=9999999-"), theirs.ask("/all.atom", Range="bytes=9999999-")
    assert (mine.status, mine.body) == (other.status, other.body) == (416, b"Requested Range Not Satisfiable\n")
    assert mine.headers["content-range"] == other.headers["content-range"]
    stale = {"Range": "bytes=0-9", "If_Range": '"another"'}
    assert ours.ask("/all.atom", **stale).status == theirs.ask("/all.atom", **stale).status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/nothing.atom",
        "/category",
        "/category/",
        "/entry/",
        "/category/python.atom.gz",
        "/.hidden",
        "/category/../../draft",
    ],
)
def test_a78_what_is_not_there_is_the_same_404(ours: Web, theirs: Web, path: str, folder: Path) -> None:
    (folder / ".hidden").write_bytes(b"half a file")
    mine, other = ours.ask(path), theirs.ask(path)
    if path.count("..") == 2:
        assert (mine.status, other.status) == (404, 400)
    else:
        assert (mine.status, mine.body) == (other.status, other.body) == (404, b"Not Found\n")
        assert differing(mine, other) == {}


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_a74_other_methods_are_a_405(ours: Web, theirs: Web, method: str) -> None:
    mine, other = ours.ask("/all.atom", method), theirs.ask("/all.atom", method)
    assert mine.status == other.status == 405
    assert differing(mine, other) == {}


def test_a_withdrawn_story_is_gone_and_its_page_says_so(folder: Path, ours: Web, theirs: Web) -> None:
    page = folder / WITHDRAWN
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_bytes(b"<p>withdrawn</p>")
    mine, other = ours.ask(f"/{WITHDRAWN}"), theirs.ask(f"/{WITHDRAWN}")
    assert (mine.status, mine.body) == (other.status, other.body) == (410, b"<p>withdrawn</p>")
    assert differing(mine, other).keys() <= {
        "last-modified",
        "accept-ranges",
    }
    assert mine.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", REMOVED)
def test_a44_a_removed_category_is_gone_and_a_line_says_so(path: str, folder: Path, ours: Web, theirs: Web) -> None:
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"all that it was\n" * 1000)
    for method in ("GET", "HEAD"):
        for fields in ({}, {"Accept_Encoding": "gzip"}, {"Range": "bytes=0-5"}, {"If_None_Match": "*"}):
            mine, other = ours.ask(f"/{path}", method, **fields), theirs.ask(f"/{path}", method, **fields)
            told = b"This category is no longer published here.\n" if method == "GET" else b""
            assert (mine.status, mine.body) == (other.status, other.body) == (410, told), (method, fields)
            assert differing(mine, other) == {}, (method, fields)


def test_a44_a_category_removed_long_ago_is_not_found(folder: Path, ours: Web, theirs: Web) -> None:
    (folder / FORGOTTEN).write_bytes(b"<feed/>")
    mine, other = ours.ask(f"/{FORGOTTEN}"), theirs.ask(f"/{FORGOTTEN}")
    assert (mine.status, mine.body) == (other.status, other.body) == (404, b"Not Found\n")


def test_a80_search_is_passed_on_with_its_own_header_fields(ours: Web, theirs: Web) -> None:
    mine, other = ours.ask("/search?q=a"), theirs.ask("/search?q=a")
    assert (other.status, other.body, other.headers["x-form"]) == (200, b"a form\n", "ours")
    assert differing(mine, other) == {}


@pytest.mark.parametrize(
    ("path", "at", "kind"),
    [
        (".well-known/security.txt", "/.well-known/security.txt", "text/plain; charset=utf-8"),
        ("docs/index.html", "/docs/", "text/html; charset=utf-8"),
        ("logo.webp", "/logo.webp", "image/webp"),
    ],
)
def test_files_of_the_operators_are_there_too(folder: Path, theirs: Web, path: str, at: str, kind: str) -> None:
    (folder / path).parent.mkdir(exist_ok=True)
    (folder / path).write_bytes(b"static")
    said = theirs.ask(at)
    assert (said.status, said.headers["content-type"], said.body) == (200, kind, b"static")


@pytest.mark.parametrize("fields", [{"If_Match": '"another"'}, {"If_Unmodified_Since": formatdate(0, usegmt=True)}])
def test_a72_what_must_not_have_changed_and_has_is_the_same_412(ours: Web, theirs: Web, fields: dict[str, str]) -> None:
    mine, other = ours.ask("/all.atom", **fields), theirs.ask("/all.atom", **fields)
    assert (mine.status, mine.body) == (other.status, other.body) == (412, b"Precondition Failed\n")
    assert differing(mine, other) == {}


@pytest.mark.parametrize("limits", [True])
def test_a81_who_asks_too_often_is_told_when_to_come_back(theirs: Web, limits: bool) -> None:
    said = [theirs.ask("/all.atom") for _ in range(4)]  # the first of all was that of the start
    assert limits
    assert [one.status for one in said] == [200, 200, 429, 429]
    assert said[-1].headers["retry-after"] == "60"
    assert said[-1].headers["cache-control"] == "no-store"
    assert said[-1].body == b"Too Many Requests\n"
    assert "retry-after" not in said[0].headers
