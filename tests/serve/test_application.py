"""Responses of the application, over real connections."""

import gzip
import hashlib
import os
import threading
from email.utils import formatdate, parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aggregator.errors import StoreError
from aggregator.render.mark import LIST_MARK
from aggregator.serve.application import LARGE_BYTES, Application, Endpoint, Reply, text_reply
from aggregator.serve.published_folder import Document, PublishedFolder
from aggregator.serve.server import WebServer
from aggregator.urls import normalise
from tests.serve.conftest import ATOM, SECRET, Client, Folder, Said

FEED = "/category/python.atom"
PAGE_POLICY = (
    "default-src 'none'; img-src https: http:; media-src https: http:; style-src 'self'; font-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
SANDBOX = "default-src 'none'; sandbox"


def answer(application: Application, method: str = "GET", path: str = FEED, **environ: str) -> Said:
    """Call the application as a WSGI server does."""
    said: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], *_: object) -> Any:
        said.append((status, headers))

    body = b"".join(application({"REQUEST_METHOD": method, "PATH_INFO": path, **environ}, start_response))
    status, headers = said[0]
    assert len({name for name, _ in headers}) == len(headers)
    return Said(int(status[:3]), {name.lower(): value for name, value in headers}, body)


# --- 200


@pytest.mark.parametrize(
    ("path", "media_type", "policy", "seconds", "foreign"),
    [
        ("/category/python.atom", "application/atom+xml; charset=utf-8", SANDBOX, 1800, "*"),
        ("/category/python.rss", "application/rss+xml; charset=utf-8", SANDBOX, 1800, "*"),
        ("/category/python.json", "application/feed+json", SANDBOX, 1800, "*"),
        ("/category/python/archive/1.atom", "application/atom+xml; charset=utf-8", SANDBOX, 1800, "*"),
        ("/all.atom", "application/atom+xml; charset=utf-8", SANDBOX, 300, "*"),
        ("/category/python.html", "text/html; charset=utf-8", PAGE_POLICY, 1800, None),
        ("/", "text/html; charset=utf-8", PAGE_POLICY, 300, None),
        ("/index.html", "text/html; charset=utf-8", PAGE_POLICY, 300, None),
        ("/entry/ab/ab0123456789abcd.html", "text/html; charset=utf-8", PAGE_POLICY, 300, None),
        ("/opml.xml", "text/x-opml; charset=utf-8", SANDBOX, 300, None),
        ("/status.json", "application/json", SANDBOX, 300, None),
        ("/style.css", "text/css; charset=utf-8", SANDBOX, 300, None),
    ],
)
def test_a70_a75_a79_a80_headers_of_a_document(
    client: Client, path: str, media_type: str, policy: str, seconds: int, foreign: str | None
) -> None:
    said = client.ask(path)
    assert said.status == 200
    assert said.headers.get("access-control-allow-origin") == foreign
    assert said.headers["content-type"] == media_type
    assert said.headers["content-security-policy"] == policy
    assert said.headers["cache-control"] == f"public, max-age={seconds}, stale-if-error=86400"
    assert said.headers["vary"] == "Accept-Encoding"
    assert said.headers["x-content-type-options"] == "nosniff"
    assert said.headers["referrer-policy"] == "no-referrer"
    assert said.headers["accept-ranges"] == "bytes"
    assert said.headers["content-length"] == str(len(said.body))
    assert said.headers["etag"] == f'"{hashlib.sha256(said.body).hexdigest()[:32]}"'
    assert "date" in said.headers
    assert "set-cookie" not in said.headers
    assert "access-control-allow-credentials" not in said.headers


def test_a_feed_that_names_a_stylesheet_may_load_it_and_nothing_else(client: Client, folder: Folder) -> None:
    styled = (
        b"<?xml version='1.0' encoding='UTF-8'?>\n<?xml-stylesheet type=\"text/css\" href=\"../feed.css\"?>\n" + ATOM
    )
    folder.publish("category/styled.atom", styled)
    said = client.ask("/category/styled.atom")
    assert said.headers["content-type"] == "application/xml; charset=utf-8"
    assert said.headers["content-security-policy"] == "default-src 'none'; style-src 'self'; sandbox"
    assert said.headers["access-control-allow-origin"] == "*"
    for name in ("category/styled.html", "feed.xml"):  # pages and the operator's own files stay what they are
        folder.publish(name, styled)
        assert "style-src 'self'; sandbox" not in client.ask(f"/{name}").headers["content-security-policy"]


def test_a71_last_modified_is_when_the_file_changed(folder: Folder, client: Client) -> None:
    folder.publish("all.atom", ATOM, modified=1_700_000_000)
    assert client.ask("/all.atom").headers["last-modified"] == "Tue, 14 Nov 2023 22:13:20 GMT"


def test_a71_last_modified_is_never_in_the_future(folder: Folder, client: Client) -> None:
    folder.publish("all.atom", ATOM, modified=4_000_000_000)
    said = client.ask("/all.atom")
    assert parsedate_to_datetime(said.headers["last-modified"]) <= parsedate_to_datetime(said.headers["date"])


def test_a76_gzip_where_it_is_welcome(client: Client) -> None:
    plain, packed = client.ask(FEED), client.ask(FEED, Accept_Encoding="br, gzip;q=0.8")
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body == ATOM
    assert packed.headers["etag"] != plain.headers["etag"]
    assert packed.headers["etag"] == f'"{hashlib.sha256(packed.body).hexdigest()[:32]}"'
    assert packed.headers["last-modified"] == plain.headers["last-modified"]
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert packed.headers["content-length"] == str(len(packed.body))
    assert "content-encoding" not in plain.headers
    assert "accept-ranges" not in packed.headers


@pytest.mark.parametrize("field", ["gzip;q=0", "identity", "deflate", "gzip;q=0.1, identity;q=0.9"])
def test_a76_plain_bytes_where_gzip_is_not_welcome(client: Client, field: str) -> None:
    said = client.ask(FEED, Accept_Encoding=field)
    assert said.body == ATOM
    assert said.headers["vary"] == "Accept-Encoding"


def test_a76_plain_bytes_where_there_is_no_twin(client: Client) -> None:
    said = client.ask("/style.css", Accept_Encoding="gzip, identity;q=0")
    assert (said.status, said.body) == (200, ATOM)


def test_a78_the_format_follows_the_url_not_accept(client: Client) -> None:
    assert client.ask(FEED, Accept="text/html").headers["content-type"].startswith("application/atom+xml")


def test_a78_a_query_changes_nothing(client: Client) -> None:
    assert client.ask(FEED + "?utm_source=reader").body == ATOM


# --- 304


@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_a73_a_304_has_the_tags_of_the_200_and_no_body(client: Client, coding: str) -> None:
    full = client.ask(FEED, Accept_Encoding=coding)
    said = client.ask(FEED, Accept_Encoding=coding, If_None_Match=full.headers["etag"])
    assert (said.status, said.body) == (304, b"")
    same = ("etag", "last-modified", "cache-control", "vary", "access-control-allow-origin")
    assert {name: said.headers[name] for name in same} == {name: full.headers[name] for name in same}
    assert "date" in said.headers
    assert not {"content-length", "content-type", "content-encoding", "transfer-encoding"} & set(said.headers)


@pytest.mark.parametrize("form", ['"{}"', 'W/"{}"', "{}", '"{}-gzip"', '""{}""', '"x", W/"{}"', "*"])
@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_a72_a_known_tag_earns_the_304(client: Client, form: str, coding: str) -> None:
    tag = client.ask(FEED, Accept_Encoding=coding).headers["etag"].strip('"')
    assert client.ask(FEED, Accept_Encoding=coding, If_None_Match=form.format(tag)).status == 304


def test_a71_the_tag_of_the_other_coding_does_not(client: Client) -> None:
    tags = {coding: client.ask(FEED, Accept_Encoding=coding).headers["etag"] for coding in ("identity", "gzip")}
    assert client.ask(FEED, Accept_Encoding="gzip", If_None_Match=tags["identity"]).status == 200
    assert client.ask(FEED, Accept_Encoding="identity", If_None_Match=tags["gzip"]).status == 200
    assert client.ask(FEED, Accept_Encoding="gzip", If_None_Match=", ".join(tags.values())).status == 304


def test_a72_the_tag_comes_before_the_date(client: Client) -> None:
    full = client.ask(FEED)
    date = full.headers["last-modified"]
    assert client.ask(FEED, If_Modified_Since=date).status == 304
    assert client.ask(FEED, If_None_Match='"other"', If_Modified_Since=date).status == 200
    assert (
        client.ask(FEED, If_None_Match=full.headers["etag"], If_Modified_Since=formatdate(0, usegmt=True)).status == 304
    )
    assert client.ask(FEED, If_Modified_Since="yesterday").status == 200


def test_a72_a_changed_file_is_sent_to_who_knew_the_old_one(folder: Folder, client: Client) -> None:
    tag = client.ask(FEED).headers["etag"]
    folder.publish("category/python.atom", b"new")
    said = client.ask(FEED, If_None_Match=tag)
    assert (said.status, said.body) == (200, b"new")


def test_a72_if_match_of_an_older_version_is_a_412(client: Client) -> None:
    tag = client.ask(FEED).headers["etag"]
    assert client.ask(FEED, If_Match=tag).status == 200
    assert client.ask(FEED, If_Match='"other"').status == 412


# --- ranges


@pytest.mark.parametrize(
    ("field", "start", "stop"), [("bytes=0-9", 0, 10), ("bytes=4000-", 4000, None), ("bytes=-5", -5, None)]
)
def test_a77_a_single_range(client: Client, field: str, start: int, stop: int | None) -> None:
    said = client.ask(FEED, Range=field, Accept_Encoding="gzip")
    part = ATOM[start:stop]
    first = ATOM.index(part) if start >= 0 else len(ATOM) + start
    assert (said.status, said.body) == (206, part)
    assert said.headers["content-range"] == f"bytes {first}-{first + len(part) - 1}/{len(ATOM)}"
    assert said.headers["content-length"] == str(len(part))
    assert said.headers["etag"] == client.ask(FEED).headers["etag"]
    assert "content-encoding" not in said.headers


def test_a77_the_parts_make_the_whole(client: Client) -> None:
    tag = client.ask(FEED).headers["etag"]
    parts = [client.ask(FEED, Range=f"bytes={at}-{at + 999}", If_Range=tag) for at in range(0, len(ATOM), 1000)]
    assert {part.status for part in parts} == {206}
    assert b"".join(part.body for part in parts) == ATOM


def test_a77_a_range_outside_is_a_416(client: Client) -> None:
    said = client.ask(FEED, Range=f"bytes={len(ATOM)}-")
    assert said.status == 416
    assert said.headers["content-range"] == f"bytes */{len(ATOM)}"


@pytest.mark.parametrize("field", ["bytes=0-1,3-4", "bytes=5-4", "lines=0-1", "bytes=x"])
def test_a77_other_ranges_give_the_whole(client: Client, field: str) -> None:
    said = client.ask(FEED, Range=field)
    assert (said.status, said.body) == (200, ATOM)


def test_a77_if_range_of_another_version_gives_the_whole(client: Client) -> None:
    packed = client.ask(FEED, Accept_Encoding="gzip")
    for field in (packed.headers["etag"], '"other"', packed.headers["last-modified"]):
        said = client.ask(FEED, Range="bytes=0-1", If_Range=field, Accept_Encoding="gzip")
        assert said.status == 200
        assert gzip.decompress(said.body) == ATOM


def test_a77_a_304_comes_before_a_range(client: Client) -> None:
    tag = client.ask(FEED).headers["etag"]
    assert client.ask(FEED, Range="bytes=0-1", If_None_Match=tag).status == 304


# --- methods


VALUES = st.sampled_from(
    ["gzip", "gzip;q=0", "*", "TAG", "GZIP", "W/TAG", '"x"', "bytes=0-9", "bytes=9999-", "bytes=0-1,2-3", "DATE", "x"]
)
FIELDS = "HTTP_ACCEPT_ENCODING HTTP_IF_NONE_MATCH HTTP_IF_MODIFIED_SINCE HTTP_IF_MATCH HTTP_IF_UNMODIFIED_SINCE".split()
PATHS = [FEED, "/", "/style.css", "/status.json", "/nothing.atom", "/healthz", "/" + "a" * 9000]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.sampled_from(PATHS), fields=st.dictionaries(st.sampled_from(FIELDS), VALUES), ranged=VALUES)
def test_a74_head_is_get_without_its_body(
    application: Application, path: str, fields: dict[str, str], ranged: str
) -> None:
    full = answer(application)
    packed = answer(application, HTTP_ACCEPT_ENCODING="gzip")
    words = {"TAG": full.headers["etag"], "GZIP": packed.headers["etag"], "DATE": full.headers["last-modified"]}
    fields = {name: words.get(value, value.replace("TAG", words["TAG"])) for name, value in fields.items()}
    get = answer(application, "GET", path, **fields)
    head = answer(application, "HEAD", path, **fields, HTTP_RANGE=ranged)  # RFC 9110, section 14.2: GET only
    assert (head.status, head.headers, head.body) == (get.status, get.headers, b"")
    if get.status == 304:
        assert not get.body
    else:
        assert get.headers["content-length"] == str(len(get.body))


def test_a74_head_over_a_kept_connection(client: Client) -> None:
    get = client.ask(FEED, Accept_Encoding="gzip")
    for _ in range(3):
        head = client.ask(FEED, "HEAD", Accept_Encoding="gzip")
        assert head.status == 200
        assert {**head.headers, "date": ""} == {**get.headers, "date": ""}
    assert client.connections == 1


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "PROPFIND", "GETX"])
@pytest.mark.parametrize("path", [FEED, "/nothing", "/healthz"])
def test_a74_s57_other_methods_are_a_405(client: Client, method: str, path: str) -> None:
    said = client.ask(path, method)
    assert said.status == 405
    assert said.headers["allow"] == "GET, HEAD"
    assert said.headers["content-security-policy"] == SANDBOX


def test_s67_bodies_are_refused(application: Application) -> None:
    assert answer(application, CONTENT_LENGTH="0").status == 200
    assert answer(application, CONTENT_LENGTH="").status == 200
    assert answer(application, CONTENT_LENGTH="10").status == 413
    assert answer(application, "GET", "/healthz", CONTENT_LENGTH="1").status == 413


def test_s67_a_request_line_over_8_kib_is_a_414(client: Client) -> None:
    assert client.ask(FEED + "?" + "a" * (8192 - len(FEED) - 1)).status == 200
    assert client.ask(FEED + "?" + "a" * 8192).status == 414


# --- names

TRAVERSALS = [
    *("/../secret.atom", "/..", "/.", "/./../secret.atom", "/category/../../secret.atom", "/category/../index.html"),
    *(
        "/%2e%2e/secret.atom",
        "/%2e%2e%2fsecret.atom",
        "/..%2fsecret.atom",
        "/%2e%2e%5csecret.atom",
        "/.%2e/secret.atom",
    ),
    *(
        "/%252e%252e/secret.atom",
        "/%25252e%25252e%25252fsecret.atom",
        "/..%252fsecret.atom",
        "/%2e%2e%2f%2e%2e%2fetc/passwd",
    ),
    *(
        "/..\\secret.atom",
        "\\..\\secret.atom",
        "/..%5c..%5csecret.atom",
        "/category\\..\\..\\secret.atom",
        "/%5c..%5cetc",
    ),
    *(
        "//../secret.atom",
        "///secret.atom",
        "//etc/passwd",
        "//secret.atom",
        "/.//secret.atom",
        "/category//../secret.atom",
    ),
    *(
        "/etc/passwd",
        "/%2fetc/passwd",
        "/%2fetc%2fpasswd",
        "file:///etc/passwd",
        "http://x/../secret.atom",
        "http://x//etc/passwd",
    ),
    *(
        "/all.atom%00.html",
        "/%00",
        "/all.atom%00",
        "/..%00/secret.atom",
        "/category/python%00.atom",
        "/secret.atom%00.atom",
    ),
    *(
        "/%c0%ae%c0%ae/secret.atom",
        "/%c0%af..%c0%afsecret.atom",
        "/%e0%80%ae%e0%80%ae/secret.atom",
        "/%u002e%u002e/secret.atom",
    ),
    *(
        "/%c1%9csecret.atom",
        "/%f0%80%80%ae/secret.atom",
        "/%ef%bc%8e%ef%bc%8e/secret.atom",
        "/%uff0e%uff0e/secret.atom",
    ),
    *(
        "/..;/secret.atom",
        "/..;a=b/secret.atom",
        "/category/..;/..;/secret.atom",
        "/%2e%2e;/secret.atom",
        "/....//secret.atom",
    ),
    *("/.../secret.atom", "/..././secret.atom", "/....%2f%2fsecret.atom", "/%20../secret.atom", "/..%20/secret.atom"),
    *(
        "/..%0a/secret.atom",
        "/..%0d%0asecret.atom",
        "/all.atom%0a",
        "/all.atom%0d%0aX-Evil:%20yes",
        "/..%09/secret.atom",
    ),
    *("/.hidden.atom", "/category/.hidden.atom", "/.git/config", "/.tmp-1", "/all.atom.gz", "/all.atom~", "/all.atom/"),
    *(
        "/link.atom",
        "/category/link.atom",
        "/category/linked/archive/1.atom",
        "/entry/cd/cd0123456789abcd.html",
        "/all.rss",
    ),
    *(
        "/C:/secret.atom",
        "/c:%5csecret.atom",
        "/%5c%5cserver%5cshare",
        "/~root/secret.atom",
        "/proc/self/environ",
        "/dev/zero",
    ),
    *(
        "/category/" + "../" * 40 + "etc/passwd",
        "/category/" + "a" * 65 + ".atom",
        "/" + "%2e%2e%2f" * 200,
        "/category/x" + "/" * 500,
    ),
]


@pytest.mark.parametrize("target", TRAVERSALS)
def test_s51_a78_no_spelling_leads_out_or_is_echoed(folder: Folder, client: Client, target: str) -> None:
    for place in (folder.root, folder.root / "category"):
        (place / ".hidden.atom").write_bytes(SECRET)
        (place / "link.atom").symlink_to(folder.root.parent / "secret.atom")
    (folder.root / "all.rss").symlink_to("/etc/passwd")
    (folder.root / "entry" / "cd").symlink_to(folder.root.parent)
    (folder.root / "category" / "linked").symlink_to(folder.root.parent)
    (folder.root.parent / "archive").mkdir()
    for name in ("archive/1.atom", "cd0123456789abcd.html"):
        (folder.root.parent / name).write_bytes(SECRET)
    said = client.ask(target)
    assert said.status in (400, 404)
    if said.body or said.status == 404:  # granian answers 400 with an empty body
        assert said.body in (b"Not Found\n", b"Bad Request\n")
        assert said.headers["content-security-policy"] == SANDBOX
        assert said.headers["x-content-type-options"] == "nosniff"
    assert "x-evil" not in said.headers
    assert client.ask(FEED).status == 200


def test_s51_there_are_many_spellings() -> None:
    assert len(set(TRAVERSALS)) >= 60


@pytest.mark.parametrize(
    "target", ["/%61ll.atom", "/category/%70ython.atom", "http://elsewhere.example/all.atom", "//all.atom"]
)
def test_s51_spellings_of_a_name_that_there_is_give_that_document(client: Client, target: str) -> None:
    assert client.ask(target).body == ATOM


def test_a78_browsers_get_the_published_page_of_an_error(folder: Folder, application: Application) -> None:
    for status in (404, 410, 500):
        folder.publish(f"{status}.html", b"<p>in our frame</p>", twin=False)
    folder.publish("gone.txt", f"{LIST_MARK}\ncategory/python.html\n404=entry/ab/ab0123456789abcd.html\n".encode())
    for path, status in (("/nowhere", 404), ("/entry/ab/ab0123456789abcd.html", 404), ("/category/python.html", 410)):
        said = answer(application, path=path, HTTP_ACCEPT="text/html,*/*;q=0.8")
        assert (said.status, said.body) == (status, b"<p>in our frame</p>")
        assert said.headers["content-type"] == "text/html; charset=utf-8"
        assert said.headers["cache-control"] == "no-store"
        assert said.headers["x-robots-tag"] == "noindex"
        plain = answer(application, path=path, HTTP_ACCEPT="*/*")
        assert (plain.status, plain.headers["content-type"]) == (status, "text/plain; charset=utf-8")
    assert answer(application, path="/404.html").status == 200
    assert answer(application, "POST", "/nowhere", HTTP_ACCEPT="text/html").status == 405


@pytest.mark.parametrize("path", ["/feed", "/feed/", "/rss", "/rss/", "/atom.xml", "/index.xml"])
def test_where_people_look_for_feeds_leads_to_the_one_over_everything(
    folder: Folder, application: Application, path: str
) -> None:
    said = answer(application, path=path)
    assert (said.status, said.headers["location"]) == (301, "/all.atom")
    (folder.root / "all.atom").unlink()
    assert answer(application, path=path).status == 404
    folder.publish("all.json", b"{}")
    assert answer(application, path=path).headers["location"] == "/all.json"


def test_a78_s41_unknown_names_are_a_404_that_says_nothing(client: Client) -> None:
    said = client.ask("/%3Cscript%3Ealert(1)%3C/script%3E.atom")
    assert (said.status, said.body) == (404, b"Not Found\n")
    assert said.headers["content-type"] == "text/plain; charset=utf-8"
    assert said.headers["content-security-policy"] == SANDBOX
    assert said.headers["referrer-policy"] == "no-referrer"
    assert said.headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in said.headers


def test_a82_neither_host_nor_forwarded_fields_matter(client: Client) -> None:
    plain = client.ask("/nothing")
    odd = client.ask(
        "/nothing", X_Forwarded_Host="evil.example", X_Forwarded_Prefix="/evil", Forwarded="host=evil.example"
    )
    assert {**plain.headers, "date": ""} == {**odd.headers, "date": ""}
    assert plain.body == odd.body


# --- below the path of base_url


@pytest.fixture
def planet(published: PublishedFolder) -> Application:
    base_url = normalise("https://example.org/my%20planet/")
    return Application(published, health=lambda: True, ready=lambda: True, base_url=base_url)


@pytest.mark.parametrize("path", ["/my planet/category/python.atom", "/category/python.atom", "/my planet/", "/"])
def test_a82_files_are_below_the_path_of_base_url_and_at_the_root(planet: Application, path: str) -> None:
    assert answer(planet, path=path).body == ATOM


@pytest.mark.parametrize("path", ["/my planet/healthz", "/healthz"])
def test_r57_so_are_the_checks(planet: Application, path: str) -> None:
    assert answer(planet, path=path).body == b"ok\n"


@pytest.mark.parametrize(
    "path", ["/my planetary/all.atom", "/other/all.atom", "/my planet/my planet/all.atom", "/my planet/../all.atom"]
)
def test_a78_other_paths_are_not(planet: Application, path: str) -> None:
    assert answer(planet, path=path).status == 404


def test_a82_the_bare_path_leads_to_the_page(planet: Application) -> None:
    said = answer(planet, path="/my planet", HTTP_HOST="evil.example")
    assert said.status == 301
    assert said.headers["location"] == "/my%20planet/"


def test_a_path_that_is_a_name_of_ours_hides_nothing(published: PublishedFolder) -> None:
    application = Application(published, health=bool, ready=bool, base_url=normalise("https://example.org/category/"))
    for path in ("/category/python.atom", "/category/category/python.atom", "/category/all.atom", "/all.atom"):
        assert answer(application, path=path).body == ATOM


# --- health checks and other endpoints


def test_r57_checks_say_what_they_are_told(published: PublishedFolder) -> None:
    well = {"health": True, "ready": False}
    application = Application(published, health=lambda: well["health"], ready=lambda: well["ready"])
    for path, status, body in (("/healthz", 200, b"ok\n"), ("/readyz", 503, b"Service Unavailable\n")):
        said = answer(application, path=path)
        assert (said.status, said.body) == (status, body)
        assert said.headers["cache-control"] == "no-store"
    well.update(health=False, ready=True)
    assert answer(application, path="/healthz").status == 503
    assert answer(application, path="/readyz").status == 200


def test_r57_r69_a_store_that_is_gone_fails_the_check_and_no_file(published: PublishedFolder) -> None:
    def ready() -> bool:
        raise StoreError("/var/lib/secret.db is corrupt")

    application = Application(published, health=lambda: True, ready=ready)
    said = answer(application, path="/readyz")
    assert (said.status, said.body) == (503, b"Service Unavailable\n")
    assert answer(application).status == 200


def test_further_endpoints_answer_at_their_paths(published: PublishedFolder) -> None:
    def echo(environ: dict[str, Any]) -> Reply:
        return text_reply(HTTPStatus.ACCEPTED, environ["REQUEST_METHOD"], ("Link", "<https://hub.example/>; rel=hub"))

    endpoints = {"/metrics": Endpoint(echo), "/websub/": Endpoint(echo, methods=("GET", "POST"), takes_body=True)}
    application = Application(published, health=bool, ready=bool, endpoints=endpoints)
    assert answer(application, path="/metrics").body == b"GET\n"
    assert answer(application, path="/metrics/x").status == 404
    assert answer(application, "POST", "/metrics").headers["allow"] == "GET, HEAD"
    for path in ("/websub/", "/websub/a/b"):
        said = answer(application, "POST", path, CONTENT_LENGTH="5")
        assert (said.status, said.body) == (202, b"POST\n")
        assert said.headers["x-content-type-options"] == "nosniff"
    assert answer(application, "PUT", "/websub/").headers["allow"] == "GET, POST"
    assert answer(application, path="/websub").status == 404


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: b", "a\nb", "a\0b", "a\x85b", "ü"])
def test_s42_header_values_hold_no_line_ends(value: str) -> None:
    with pytest.raises(ValueError, match="Location"):
        Reply(HTTPStatus.FOUND, (("Location", value),))


# --- files that change, or can't be read


def test_r69_a_file_that_cannot_be_read_is_a_503(
    folder: Folder, application: Application, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def read(*_: object) -> bytes:
        raise OSError(5, "Input/output error", str(folder.root))

    monkeypatch.setattr(Document, "read", read)
    said = answer(application)
    assert (said.status, said.body) == (503, b"Service Unavailable\n")
    assert [record.message for record in caplog.records] == ["fail_read"]


def test_a78_nothing_is_published_yet(tmp_path: Path) -> None:
    application = Application(PublishedFolder(tmp_path / "later", lambda _: 300), health=bool, ready=bool)
    assert answer(application, path="/").status == 404


def test_a_page_that_gone_txt_lists_is_a_410_with_its_note(folder: Folder, client: Client) -> None:
    page = "/entry/ab/ab0123456789abcd.html"
    assert client.ask(page).status == 200
    folder.replace("gone.txt", b"category/python.html\nentry/ab/ab0123456789abcd.html\n")
    said = client.ask(page, If_None_Match="*")
    assert (said.status, said.body, said.headers["cache-control"]) == (410, ATOM, "no-store")
    assert said.headers["content-security-policy"] == PAGE_POLICY
    assert client.ask("/category/python.html").body == b"This category is no longer published here.\n", "A44"
    folder.replace("gone.txt", b"")
    assert client.ask(page).status == 200, "it came back"


def test_r30_readers_get_whole_versions_while_files_are_replaced(folder: Folder, server: WebServer) -> None:
    stop = threading.Event()
    faults: list[object] = []

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            folder.publish("category/python.atom", b"%06d" % number * 20_000)

    def read(coding: str) -> None:
        client, versions = Client(server.address), set()
        for _ in range(150):
            said = client.ask(FEED, Accept_Encoding=coding)
            body = gzip.decompress(said.body) if said.headers.get("content-encoding") else said.body
            versions.add(body[:6])
            if said.headers["etag"] != f'"{hashlib.sha256(said.body).hexdigest()[:32]}"' or body != body[:6] * 20_000:
                faults.append(said.headers)
            again = client.ask(FEED, Accept_Encoding=coding, If_None_Match=said.headers["etag"])
            if again.status == 200 and again.headers["etag"] == said.headers["etag"]:
                faults.append(again.headers)
        client.close()
        if len(versions) < 2 or client.connections != 1:
            faults.append((versions, client.connections))

    folder.publish("category/python.atom", b"%06d" % 0 * 20_000)
    threads = [threading.Thread(target=read, args=(coding,)) for coding in ("identity", "gzip", "identity", "gzip")]
    writer = threading.Thread(target=write)
    for thread in (writer, *threads):
        thread.start()
    for thread in threads:
        thread.join()
    stop.set()
    writer.join()
    assert not faults


def test_a70_a77_a_large_document_is_the_same_in_whole_in_part_and_without_its_body(
    folder: Folder, client: Client
) -> None:
    body = os.urandom(LARGE_BYTES * 5)
    folder.publish("all.atom", body)
    whole = client.ask("/all.atom")
    assert (whole.status, whole.body) == (200, body)
    assert client.ask("/all.atom", "HEAD").headers["content-length"] == str(len(body))
    part = client.ask("/all.atom", Range=f"bytes=7-{LARGE_BYTES * 4}")
    assert (part.status, part.body) == (206, body[7 : LARGE_BYTES * 4 + 1])
    assert gzip.decompress(client.ask("/all.atom", Accept_Encoding="gzip").body) == body
    assert client.ask("/all.atom", If_None_Match=whole.headers["etag"]).status == 304
    assert client.connections == 1
