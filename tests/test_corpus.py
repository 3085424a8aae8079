"""Real feeds, polled twice, and what comes out held against schemas and rules."""

import json
from datetime import datetime
from pathlib import Path

import jsonschema
import pytest
from lxml import etree

from tests.feed_server import FeedServer
from tests.render.checks import faults_of_atom, faults_of_ids
from tests.render.rss_profile import faults_of_rss
from tests.sample_site import ATOM, SampleSite

SHARED = Path(__file__).parents[2] / "shared"
REAL = SHARED / "corpus" / "real"
FORTY = 40

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not REAL.is_dir(), reason="the corpus of real feeds is not beside this checkout"),
]


def serve_forty(sample_site: SampleSite, publisher: FeedServer) -> None:
    """Serve forty real feeds of every size and format, ten in each of four categories."""
    found = sorted(path for path in REAL.iterdir() if path.stat().st_size < 400_000)
    chosen = found[:: len(found) // FORTY][:FORTY]
    lines = []
    for number, path in enumerate(chosen):
        kind = "application/feed+json" if path.suffix == ".json" else "application/xml"
        url = publisher.serve(f"/{path.name}", path.read_bytes(), {"Content-Type": kind}, host=f"127.0.0.{number + 2}")
        lines.append(f"  - {{url: '{url}', category: part-{number % 4}}}\n")
    sample_site.writes("publish: {entries: 30, archive_page: 20}\nsources:\n" + "".join(lines))


def test_forty_real_feeds_are_polled_twice_and_the_second_time_nothing_changes(
    sample_site: SampleSite, publisher: FeedServer
) -> None:
    serve_forty(sample_site, publisher)
    first = sample_site.poll()
    assert (first["fetched"], first["failed"]) == (FORTY, 0), [r for r in first["results"] if r["error"]]
    before = sample_site.files()
    sample_site.clock.move(hours=2)
    second = sample_site.poll()
    assert (second["not_modified"], second["new"], second["revised"]) == (FORTY, 0, 0)
    assert sample_site.files() == before


def test_what_is_published_of_them_is_valid(sample_site: SampleSite, publisher: FeedServer) -> None:
    serve_forty(sample_site, publisher)
    sample_site.poll()
    root = sample_site.folder / "public"
    atom = etree.RelaxNG(etree.parse(SHARED / "schema" / "atom-extended.rng"))
    feed = jsonschema.Draft202012Validator(json.loads((SHARED / "schema" / "jsonfeed-1.1.schema.json").read_bytes()))
    documents = sorted(root.rglob("*.atom"))
    assert len(documents) > 8, "archive pages are among them"
    for path in documents:
        tree = etree.fromstring(path.read_bytes())
        assert atom.validate(tree), f"{path}: {atom.error_log.last_error}"
        check_rules(tree)
    for path in (root / "all.json", *(root / "category").rglob("*.json")):
        feed.validate(json.loads(path.read_bytes()))


TREES = (
    REAL,
    SHARED / "corpus" / "transcoded",
    SHARED / "corpus" / "malformed",
    SHARED / "corpus" / "hostile" / "made",
)
MAX_BYTES = 3_000_000


@pytest.mark.slow
def test_what_is_published_of_the_whole_corpus_is_valid_in_every_format(
    sample_site: SampleSite, publisher: FeedServer
) -> None:
    """About a minute: every file that may be a feed, broken and hostile ones too, in sixteen categories."""
    files = (path for tree in TREES for path in tree.rglob("*") if path.is_file())
    found = sorted(path for path in files if path.stat().st_size < MAX_BYTES)
    lines = []
    for number, path in enumerate(found):
        kind = "application/feed+json" if path.suffix == ".json" else "application/xml"
        host = f"127.0.{1 + number // 250}.{number % 250 + 2}"
        url = publisher.serve(f"/{number}", path.read_bytes(), {"Content-Type": kind}, host=host)
        lines.append(f"  - {{url: '{url}', key: s{number}, category: part-{number % 16}}}\n")
    sample_site.writes("publish: {entries: 100, archive_page: 100}\nsources:\n" + "".join(lines))
    report = sample_site.poll()
    assert report["fetched"] > 200
    root = sample_site.folder / "public"
    atom = etree.RelaxNG(etree.parse(SHARED / "schema" / "atom-extended.rng"))
    feed = jsonschema.Draft202012Validator(json.loads((SHARED / "schema" / "jsonfeed-1.1.schema.json").read_bytes()))
    faults = []
    for path in sorted(root.rglob("*.atom")):
        tree = etree.fromstring(path.read_bytes(), etree.XMLParser(huge_tree=True))
        if not atom.validate(tree):
            faults.append(f"{path.name}: {atom.error_log.last_error}")
        data = path.read_bytes()
        faults += [f"{path.name}: {fault}" for fault in (*faults_of_atom(data), *faults_of_ids(data))]
        check_rules(tree)
    for path in (root / "all.json", *(root / "category").rglob("*.json")):
        faults += [f"{path.name}: {error.message[:200]}" for error in feed.iter_errors(json.loads(path.read_bytes()))]
    for path in sorted(root.rglob("*.rss")):
        faults += [f"{path.name}: {fault[:300]}" for fault in faults_of_rss(path.read_bytes())]
    assert faults == []
    assert len(list(root.rglob("*.rss"))) == 17


def check_rules(feed: etree._Element) -> None:
    """Hold a document against A1 to A19, as far as it shows by itself."""
    entries = list(feed.iterchildren(f"{ATOM}entry"))
    for name in ("id", "title", "updated", "generator", "author"):
        assert len(feed.findall(f"{ATOM}{name}")) == 1, f"A1: {name}"
    relations = [link.get("rel") for link in feed.iterchildren(f"{ATOM}link")]
    assert relations.count("self") == 1
    assert relations.count("alternate") == 1
    if entries:
        assert feed.findtext(f"{ATOM}updated") == max(str(e.findtext(f"{ATOM}updated")) for e in entries), "A7"
    ids = [entry.findtext(f"{ATOM}id") for entry in entries]
    assert len(set(ids)) == len(ids), "A5"
    for entry in entries:
        assert entry.findtext(f"{ATOM}title"), "I51"
        links = list(entry.iterchildren(f"{ATOM}link"))
        assert all(link.get("rel") and str(link.get("href")).startswith("http") for link in links), "A14, S33"
        kinds = [(link.get("type"), link.get("hreflang")) for link in links if link.get("rel") == "alternate"]
        assert len(set(kinds)) == len(kinds) == 1, "A15"
        for link in links:
            assert link.get("rel") != "enclosure" or link.get("href"), "A18"
        source = entry.find(f"{ATOM}source")
        assert source is not None, "A9"
        assert source.findtext(f"{ATOM}id")
        assert source.findtext(f"{ATOM}title")
        assert entry.find(f"{ATOM}author") is not None or source.find(f"{ATOM}author") is not None, "A11"
        for stamp in entry.iter(f"{ATOM}updated", f"{ATOM}published"):
            assert str(stamp.text).endswith("Z"), "A8"
            datetime.strptime(str(stamp.text), "%Y-%m-%dT%H:%M:%SZ")  # noqa: DTZ007 - Z was seen
        content = entry.find(f"{ATOM}content")
        assert content is None or content.get("type") in ("html", "text"), "A13"
