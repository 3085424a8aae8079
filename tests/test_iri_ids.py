"""Ids with letters beyond ASCII stay what they are, from the source to every format and back (A4; RFC 3987)."""

import shutil

import pytest
from lxml import etree

from aggregator.cli import main
from tests.feed_server import FeedServer
from tests.rows import change
from tests.sample_site import ATOM, SampleSite

IRIS = [
    "http://e.org/ä",
    "https://пример.example/новости?q=да#раздел",
    "tag:bücher.example,2020:大众",
    "http://e.org/a\u0308",
]
KINDS = ["atom", "rss", "json"]


def written(kind: str, ids: list[str]) -> str:
    """Return a feed of one format with these ids."""
    if kind == "atom":
        entries = (
            f"<entry><id>{one}</id><title>{n}</title><updated>2026-03-0{n}T00:00:00Z</updated></entry>"
            for n, one in enumerate(ids, start=1)
        )
        return f'<feed xmlns="http://www.w3.org/2005/Atom"><id>tag:e.org,2020:ä</id>{"".join(entries)}</feed>'
    if kind == "rss":
        items = (f'<item><guid isPermaLink="false">{one}</guid><title>{n}</title></item>' for n, one in enumerate(ids))
        return f'<rss version="2.0"><channel><title>t</title>{"".join(items)}</channel></rss>'
    quoted = (f'{{"id": "{one}", "content_text": "{n}"}}' for n, one in enumerate(ids))
    return f'{{"version": "https://jsonfeed.org/version/1.1", "title": "t", "items": [{", ".join(quoted)}]}}'


def published(site: SampleSite) -> dict[str, set[str]]:
    """Return the ids in each format."""
    path = "category/general"
    guids = etree.fromstring(site.published(f"{path}.rss")).iterfind("channel/item/guid")
    return {
        "atom": {str(entry.findtext(f"{ATOM}id")) for entry in site.entries(f"{path}.atom")},
        "rss": {str(guid.text) for guid in guids},
        "json": {str(one["id"]) for one in site.items(f"{path}.json")},
    }


@pytest.mark.parametrize("kind", KINDS)
def test_a4_iris_are_published_byte_for_byte(sample_site: SampleSite, publisher: FeedServer, kind: str) -> None:
    sample_site.writes(f"sources: ['{publisher.serve('/feed', written(kind, IRIS).encode())}']\n")
    assert sample_site.poll()["new"] == len(IRIS)
    assert published(sample_site) == {kind: set(IRIS) for kind in KINDS}
    before = sample_site.files()
    sample_site.clock.move(hours=1)
    assert (sample_site.poll()["new"], sample_site.files()) == (0, before)


def test_a4_a_restore_from_the_site_and_a_retraction_know_iris(sample_site: SampleSite, publisher: FeedServer) -> None:
    url = publisher.serve("/feed", written("atom", IRIS).encode())
    sample_site.writes(f"sources: [{{url: '{url}', key: e}}]\n")
    sample_site.poll()
    shutil.rmtree(sample_site.folder / "var")
    command = ["-q", "-c", str(sample_site.folder / "feeds.yaml")]
    assert main([*command, "restore", "--from-site", str(sample_site.folder / "public")], {}) == 0
    assert sample_site.poll()["new"] == 0
    assert published(sample_site) == {kind: set(IRIS) for kind in KINDS}
    assert main([*command, "retract", IRIS[0]], {}) == 0
    assert published(sample_site) == {kind: set(IRIS[1:]) for kind in KINDS}
    [grave] = etree.fromstring(sample_site.published("category/general.atom")).iterfind("{*}deleted-entry")
    assert grave.get("ref") == IRIS[0]


def test_a4_what_was_published_with_a_minted_id_keeps_it(sample_site: SampleSite, publisher: FeedServer) -> None:
    """Earlier versions minted the id of an entry whose own was an IRI."""
    url = publisher.serve("/feed", written("atom", IRIS[:2]).encode())
    sample_site.writes(f"sources: ['{url}']\n")
    sample_site.poll()
    minted = "urn:uuid:60a76c80-d399-51d9-b93c-0003939e0af6"
    change(sample_site.folder, "UPDATE story SET atom_id = :minted WHERE atom_id = :own", minted=minted, own=IRIS[0])
    publisher.serve("/feed", written("atom", IRIS[:3]).replace("<title>1<", "<title>one<").encode())
    sample_site.clock.move(hours=1)
    report = sample_site.poll()
    assert (report["new"], report["revised"]) == (1, 1)
    assert published(sample_site) == {kind: {minted, *IRIS[1:3]} for kind in KINDS}
