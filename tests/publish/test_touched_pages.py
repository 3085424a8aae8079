"""What a publication touches: nothing if nothing happened, and after a day of real revisions only what shows them."""

import json
import re
from pathlib import Path

import pytest

from tests.feed_server import FeedServer, Reply
from tests.sample_site import SampleSite

REVISIONS = Path(__file__).parents[3] / "shared" / "corpus" / "revisions"
SEQUENCES = ("DIYgod__atom", "danielhochboim__public-index", "leontloveless__feeds-claude")
EVERYWHERE = re.compile(r"(all|index|latest(-\d+)?|404|410|sitemap|status|sources|opml)\.\w+")

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not REVISIONS.is_dir(), reason="the corpus of revisions is not beside this checkout"),
]


def written(site: SampleSite) -> dict[str, tuple[int, int]]:
    """Return when each published file was written last, and which it is, by its path."""
    public = site.folder / "public"
    files = [path for path in public.rglob("*") if path.is_file() and path.suffix != ".gz"]
    return {str(path.relative_to(public)): (path.stat().st_mtime_ns, path.stat().st_ino) for path in files}


def texts(site: SampleSite, feed: str) -> dict[str, str]:
    """Return what each entry of a feed says, by its id."""
    items = json.loads(site.published(feed))["items"]
    return {item["id"]: json.dumps(item, sort_keys=True) for item in items}


def test_a_day_of_revisions_touches_only_pages_whose_stories_changed(
    publisher: FeedServer, sample_site: SampleSite
) -> None:
    versions = {name: sorted((REVISIONS / name).glob("*.xml"))[:4] for name in SEQUENCES}
    urls = {
        name: publisher.says(f"/{name}", *(Reply(200, path.read_bytes()) for path in paths))
        for name, paths in versions.items()
    }
    names = dict(zip("abc", SEQUENCES, strict=True))
    sources = "".join(f"  - {{url: '{urls[name]}', key: {key}, category: {key}}}\n" for key, name in names.items())
    sample_site.writes(
        "publish: {formats: [atom, json, html], entries: 20, archive_page: 10}\n"
        f"defaults: {{dedupe: off}}\nsources:\n{sources}"
    )
    sample_site.poll()
    sample_site.clock.move(hours=1)
    with sample_site.opened() as app:
        before = written(sample_site)
        app.publisher.publish(everything=True)
        app.publisher.publish(everything=True)
    assert {path for path, when in written(sample_site).items() if before[path] != when} <= {
        "status.json",
        "status.html",
    }
    changed = 0
    for hour in range(2, 5):
        for key in names:  # one source at a time
            before, said = written(sample_site), texts(sample_site, f"category/{key}.json")
            sample_site.clock.move(hours=hour)
            report = sample_site.poll([key])
            touched = {path for path, when in written(sample_site).items() if before.get(path) != when}
            others = {path for path in touched if not EVERYWHERE.fullmatch(path) and not path.startswith("entry/")}
            own = re.compile(rf"category/{key}[./]|source/{key}\.")
            assert {path for path in others if not own.match(path)} == set(), "another category"
            now = texts(sample_site, f"category/{key}.json")
            news = {story for story, text in now.items() if said.get(story) != text}
            entries = {path for path in touched if path.startswith("entry/")}
            assert len(entries) <= report["new"] + report["revised"] + len(said.keys() - now.keys())
            changed += len(news)
            if not report["new"] + report["revised"]:
                assert touched <= {"status.json", "status.html"}, "nothing happened"
    assert changed
