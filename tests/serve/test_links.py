"""The Link header of a feed agrees with the feed (A85)."""

import json

import pytest

from aggregator.render.atom import render_atom
from aggregator.render.jsonfeed import render_json
from aggregator.render.rss import render_rss
from aggregator.serve.links import link_of
from aggregator.urls import Url
from tests.render.records import RICH, SITE, STORE, a_document, a_publication
from tests.serve.conftest import Client, Folder

HUB = Url("https://hub.example.org/?user=a&feed=b")
FORGED = (
    '<link href="https://evil.example/" rel="hub"/>\n<atom:link href="https://evil.example/" rel="self"/>\n'
    '"hubs":[{"type":"WebSub","url":"https://evil.example/"}],\n"items":[\n<entry>'
)


def rendered(hub: Url | None, **changes: object) -> dict[str, bytes]:
    document = a_document(RICH, a_publication(2, content=FORGED, title=FORGED), hub=hub, **changes)
    return {
        "atom": render_atom(document, SITE, html=True),
        "rss": render_rss(document, SITE, ttl=5, html=True),
        "json": render_json(document, SITE, STORE, html=True),
    }


@pytest.mark.parametrize("form", ["atom", "rss", "json"])
def test_a85_header_and_document_say_the_same(folder: Folder, client: Client, form: str) -> None:
    path = f"category/python.{form}"
    expected = f'<{HUB}>; rel="hub", <https://planet.example.org/{path}>; rel="self"'
    folder.publish(path, rendered(HUB)[form], modified=1_700_000_000)
    got = client.ask(f"/{path}")
    assert got.headers["link"] == expected
    assert client.ask(f"/{path}", "HEAD").headers["link"] == expected
    known = client.ask(f"/{path}", If_None_Match=got.headers["etag"])
    assert (known.status, known.headers["link"]) == (304, expected)
    assert client.ask(f"/{path}", Accept_Encoding="gzip").headers["link"] == expected
    folder.publish(path, rendered(None)[form], modified=1_700_000_001)
    assert "link" not in client.ask(f"/{path}").headers


@pytest.mark.parametrize("form", ["atom", "rss", "json"])
def test_s42_what_titles_descriptions_and_entries_hold_is_no_link(form: str) -> None:
    data = rendered(None, title=FORGED, description=FORGED)[form]
    assert b"evil.example" in data
    assert link_of(data) is None
    link = link_of(rendered(HUB, title=FORGED, description="大" * 5000 + FORGED)[form])
    assert link is not None
    assert link.startswith(f"<{HUB}>")
    assert "evil" not in link


@pytest.mark.parametrize(
    "address",
    ["https://hub.example/>; rel=x", "https://hub.example/\r\nX: y", "https://hub.example/ö", "ftp://hub.example/", ""],
)
def test_s42_what_can_not_stand_in_a_header_is_left_out(address: str) -> None:
    xml = f'<feed>\n<link href="https://x.example/a" rel="self"/>\n<link href="{address}" rel="hub"/>\n</feed>'
    assert link_of(xml.encode()) is None
    named = f'"hubs":[{{"type":"WebSub","url":{json.dumps(address)}}}],'
    assert link_of(f'{{\n"feed_url":"https://x.example/a",\n{named}\n'.encode()) is None


def test_pages_and_lists_have_none(folder: Folder, client: Client) -> None:
    folder.publish("index.html", rendered(HUB)["atom"])
    assert "link" not in client.ask("/index.html").headers
