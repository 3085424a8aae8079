"""A newsroom's state is lost and comes back: categories that items named, entries that had details."""

import shutil
from collections.abc import Mapping

import pytest

from aggregator.config import load_config
from aggregator.model.known import EntryState
from aggregator.restore.restore import read_site, restore
from tests.feed_server import FeedServer, Reply
from tests.sample_site import ATOM, SampleSite, shows_states
from tests.test_newsroom_details import YAML, asked, item, listed, states, text

SITE = (
    "site: {base_url: 'https://news.example/', language: zh-CN}\n"
    "publish: {entries: 10, archive_page: 10, jekyll: {to: site/_posts}}\n"
    "categories: {rmrb: {was: 人民日报, title: 人民日报, slug: people}}\n"
)
PAPERS = ("大众日报", "重庆日报", "人民日报", "Daily News")


class Desk:
    """A newsroom whose list is polled, with a paper for each item and a text behind each."""

    def __init__(self, site: SampleSite, publisher: FeedServer, *, dated: bool) -> None:
        self.site, self.publisher = site, publisher
        self.numbers = list(range(30))
        self.serve()
        yaml = YAML.format(url=publisher.url("/list"), base=publisher.url("")) + "    initial: 5000\n"
        if dated:
            yaml = yaml.replace("summary: digest", "summary: digest, published: showtime")
        site.writes(SITE + yaml)
        for number in range(40):
            publisher.says(f"/text?id=NW{number}", text(number))

    def serve(self) -> None:
        """Serve the list with its current items, newest first."""
        items = [
            item(n, **{"from": PAPERS[n % 4]}, showtime=f"2026-03-0{1 + n // 20} {n % 20:02}:00:00")
            for n in reversed(self.numbers)
        ]
        self.publisher.says("/list", listed(*items))

    def poll(self) -> dict[str, object]:
        """Poll a while later."""
        self.site.clock.move(minutes=20)
        return self.site.poll()

    def lose(self) -> None:
        """Lose the state."""
        shutil.rmtree(self.site.folder / "var")

    def restore(self) -> tuple[str, ...]:
        """Bring the state back from the folder; give the outputs and posts that changed by it."""
        settings = load_config(self.site.folder / "feeds.yaml", {})
        restored = read_site("public", settings, self.site.clock, folder=self.site.folder)
        app = restore(restored, settings, self.site.clock)
        try:
            published = app.publisher.publish(everything=True, take_over=True)
            assert published.failed == ()
            return published.changed + published.posts
        finally:
            app.close()

    def documents(self) -> Mapping[str, bytes]:
        """Return every document and post, without those about the state of sources."""
        root = self.site.folder
        files = [*(root / "public").rglob("*"), *(root / "site").rglob("*")]
        return {
            str(path.relative_to(root)): path.read_bytes()
            for path in files
            if path.is_file() and not shows_states(path) and ".opml" not in path.suffixes
        }


@pytest.fixture(params=[False, True], ids=["undated", "dated"])
def fake_source(sample_site: SampleSite, publisher: FeedServer, request: pytest.FixtureRequest) -> Desk:
    fake_source = Desk(sample_site, publisher, dated=request.param)
    fake_source.poll()
    fake_source.numbers += [30, 31]
    fake_source.serve()
    fake_source.poll()
    return fake_source


def test_what_items_named_comes_back_byte_for_byte(fake_source: Desk) -> None:
    before = fake_source.documents()
    assert {path.name for path in (fake_source.site.folder / "public/category").glob("*.atom")} == {
        "dazhongribao.atom", "zhongqingribao.atom", "people.atom", "daily-news.atom",
    }  # fmt: skip
    fake_source.lose()
    fake_source.restore()
    assert fake_source.documents() == before
    told = len(asked(fake_source.publisher))
    report = fake_source.poll()
    assert (report["new"], report["revised"], report["posts"]) == (0, 0, [])
    assert fake_source.documents() == before
    assert len(asked(fake_source.publisher)) == told, "no article is asked for twice"


def test_what_comes_after_the_loss_enters_its_paper_once(fake_source: Desk) -> None:
    fake_source.lose()
    fake_source.restore()
    fake_source.numbers += [32, 33, 34, 35]
    fake_source.serve()
    assert fake_source.poll()["new"] == 4
    assert states(fake_source.site) == {EntryState.PUBLISHED: 36}
    assert fake_source.site.titles("category/people.atom")[0] == "标题 34"
    public = fake_source.site.folder / "public"
    for path in public.rglob("*.atom"):
        found = [entry.findtext(f"{ATOM}id") for entry in fake_source.site.entries(str(path.relative_to(public)))]
        assert len(found) == len(set(found)), path
    posts = [path.name for path in (fake_source.site.folder / "site/_posts").iterdir()]
    assert len(posts) == len(set(posts)) == 36


def test_a_category_renamed_meanwhile_keeps_slug_ids_and_archive(fake_source: Desk) -> None:
    before = {path: items for path in ("people", "people/archive/1") if (items := _ids(fake_source.site, path))}
    fake_source.lose()
    feeds = fake_source.site.folder / "feeds.yaml"
    renamed = feeds.read_text().replace("{rmrb: {was: 人民日报,", "{daily: {was: [rmrb, 人民日报],")
    feeds.write_text(renamed.replace(", slug: people", ""))
    fake_source.restore()
    assert fake_source.poll()["new"] == 0
    assert {path: _ids(fake_source.site, path) for path in before} == before
    assert len(list((fake_source.site.folder / "public/category").glob("*.atom"))) == 4


def test_an_entry_that_waited_for_its_detail_is_published_after_the_loss(
    sample_site: SampleSite, publisher: FeedServer
) -> None:
    """It is older than the newest that was published, as is what `initial` left out; only the latter stays so."""
    fake_source = Desk(sample_site, publisher, dated=True)
    feeds = sample_site.folder / "feeds.yaml"
    feeds.write_text(feeds.read_text(encoding="utf-8").replace("initial: 5000", "initial: 4"), encoding="utf-8")
    fake_source.poll()
    publisher.says("/text?id=NW30", Reply(404))
    fake_source.numbers += [30, 31]
    fake_source.serve()
    fake_source.poll()
    assert states(sample_site) == {EntryState.KNOWN: 26, EntryState.PUBLISHED: 5, EntryState.WAITING: 1}
    fake_source.lose()
    fake_source.restore()
    publisher.says("/text?id=NW30", text(30))
    fake_source.numbers += [32]
    fake_source.serve()
    assert fake_source.poll()["new"] == 2
    assert states(sample_site) == {EntryState.KNOWN: 26, EntryState.PUBLISHED: 7}
    assert "标题 30" in sample_site.titles("all.atom")


def test_an_entry_that_waited_is_published_also_where_only_one_had_been(
    sample_site: SampleSite, publisher: FeedServer
) -> None:
    fake_source = Desk(sample_site, publisher, dated=True)
    fake_source.numbers = [30, 31]
    fake_source.serve()
    publisher.says("/text?id=NW30", Reply(404))
    fake_source.poll()
    assert states(sample_site) == {EntryState.PUBLISHED: 1, EntryState.WAITING: 1}
    fake_source.lose()
    fake_source.restore()
    publisher.says("/text?id=NW30", text(30))
    assert fake_source.poll()["new"] == 1
    assert states(sample_site) == {EntryState.PUBLISHED: 2}


def _ids(site: SampleSite, path: str) -> list[str]:
    file = site.folder / "public/category" / f"{path}.json"
    return [item["id"] for item in site.items(f"category/{path}.json")] if file.exists() else []
