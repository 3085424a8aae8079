"""A store that was restored, and the outputs of another time that it finds (R31, R32)."""

import json
import os
import shutil
import sys
import warnings
from collections.abc import Callable

import pytest

from aggregator.config import load_config
from aggregator.errors import StrangerInTheWay
from aggregator.restore.restore import read_site, restore
from aggregator.store.database import backend_of
from tests.feed_server import FeedServer
from tests.sample_site import KILLED, SampleSite, item, rss

SHAPE = "publish: {formats: [atom, json, html], entries: 10, archive_page: 10, aliases: {old.xml: all.atom}}\n"


class Site:
    """A site with one source, which a backup was made of before five more entries came."""

    def __init__(self, sample_site: SampleSite, publisher: FeedServer) -> None:
        self.sample_site, self.publisher = sample_site, publisher
        self.items = [item(n) for n in range(20)]
        url = self.serve()
        sample_site.writes(f"{SHAPE}sources: [{{key: a, url: '{url}', category: news, initial: 40}}]\n")
        sample_site.poll()
        self.copy = sample_site.folder / "copy.db"
        with sample_site.opened() as app:
            app.store.back_up(self.copy)
        self.items += [item(n) for n in range(20, 25)]
        self.serve()
        self.poll()

    def serve(self) -> str:
        return self.publisher.serve("/a", rss(*reversed(self.items)))

    def poll(self) -> None:
        self.sample_site.clock.move(hours=1)
        assert self.sample_site.poll()["failed"] == 0

    def publish(self) -> tuple[str, ...]:
        with self.sample_site.opened() as app:
            published = app.publisher.publish()
            assert (published.failed, published.waiting) == ((), False)
            return published.changed

    def restore_backup(self) -> None:
        shutil.rmtree(self.sample_site.folder / "var", ignore_errors=True)
        backend_of(load_config(self.sample_site.folder / "feeds.yaml", {}).store).restore(
            self.copy, self.sample_site.clock()
        )

    def restore_site(self) -> None:
        settings = load_config(self.sample_site.folder / "feeds.yaml", {})
        restored = read_site("public", settings, self.sample_site.clock, folder=self.sample_site.folder)
        app = restore(restored, settings, self.sample_site.clock)
        try:
            app.publisher.publish(everything=True, take_over=True)
        finally:
            app.close()

    def pages(self) -> dict[str, bytes]:
        root = self.sample_site.folder / "public"
        return {str(path.relative_to(root)): path.read_bytes() for path in (root / "entry").rglob("*.html")}

    def is_adopting(self) -> bool:
        with self.sample_site.opened() as app, app.store.read() as tx:
            return tx.files.is_adopting()


@pytest.fixture
def site(sample_site: SampleSite, publisher: FeedServer) -> Site:
    return Site(sample_site, publisher)


def killed(does: Callable[[], object], events: int, event: str) -> bool:
    """Do something in another process, which ends before one event more than so many; tell whether it did."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the test runner has threads; the child needs none
        child = os.fork()
    if not child:
        left, code = [events], 1

        def end_at_last(heard: str, _: object) -> None:
            if heard == event:
                left[0] -= 1
                if left[0] < 0:
                    os._exit(KILLED)

        try:
            sys.addaudithook(end_at_last)
            does()
            code = 0
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, KILLED)
    return code == KILLED


def test_r62_after_an_older_backup_what_comes_again_is_published_over_what_stands_there(site: Site) -> None:
    before = site.pages()
    site.restore_backup()
    site.publish()
    assert site.pages().keys() == before.keys(), "what the backup does not know stays where it is until it comes again"
    site.poll()
    assert site.sample_site.titles("category/news.atom")[:5] == [f"Title {n}" for n in range(24, 19, -1)]
    assert site.pages().keys() == before.keys()
    assert not site.is_adopting()


def test_r62_an_older_backup_goes_on_at_once_with_a_poll(site: Site) -> None:
    site.restore_backup()
    site.poll()
    assert len(site.sample_site.titles("all.atom")) == len(set(site.sample_site.titles("all.atom")))
    assert "Title 24" in site.sample_site.titles("category/news.atom")


def test_an_alias_of_after_the_backup_is_taken_over_too(site: Site) -> None:
    feeds = site.sample_site.folder / "feeds.yaml"
    feeds.write_text(feeds.read_text("utf-8").replace("{old.xml:", "{older.xml: all.json, old.xml:"), "utf-8")
    site.publish()
    site.restore_backup()
    site.poll()
    assert site.sample_site.published("older.xml") == site.sample_site.published("all.json")


def test_a_strangers_file_is_not_touched_after_a_restore(site: Site) -> None:
    public = site.sample_site.folder / "public"
    page = public / next(path for path, data in site.pages().items() if b"<title>Title 24" in data)
    page.with_name(f"{page.name}.gz").unlink(missing_ok=True)
    page.write_bytes(b"<h1>Somebody else's</h1>")
    (public / "notes.html").write_text('<meta name="generator" content="aggregator">', "utf-8")
    site.restore_backup()
    site.publish()
    with pytest.raises(StrangerInTheWay) as met:
        site.poll()
    assert not met.value.ours
    assert page.read_bytes() == b"<h1>Somebody else's</h1>"
    with site.sample_site.opened() as app, app.store.read() as tx:
        assert not tx.files.listed(["notes.html"]), "a mark alone makes no output of ours"


def test_a_store_that_was_not_restored_takes_nothing_over(site: Site) -> None:
    with site.sample_site.opened() as app:
        with app.store.begin() as tx:
            tx.files.unlist(["category/news.atom"])
        with pytest.raises(StrangerInTheWay):
            app.publisher.publish(everything=True)


@pytest.mark.parametrize("files", [0, 1, 3, 9, 20])
def test_r2_a_restore_from_the_site_that_is_killed_while_it_publishes_goes_on(site: Site, files: int) -> None:
    public = site.sample_site.folder / "public"
    shutil.copytree(public, site.sample_site.folder / "older")
    site.items.append(item(25))
    site.serve()
    site.poll()
    shutil.copytree(
        site.sample_site.folder / "older", public, dirs_exist_ok=True
    )  # no feed lists the page of the newest
    for path in public.rglob("*.html"):  # so that there is something to put in place
        path.write_bytes(path.read_bytes() + b"<!-- an older look -->")
    before = site.sample_site.titles("category/news.atom")
    shutil.rmtree(site.sample_site.folder / "var")
    assert killed(site.restore_site, files, "os.rename")
    site.publish()
    assert site.sample_site.titles("category/news.atom") == before
    assert sum(b"an older look" in data for data in site.pages().values()) == 1
    site.poll()
    assert site.sample_site.titles("category/news.atom")[0] == "Title 25"
    assert not any(b"an older look" in data for data in site.pages().values())
    assert not site.is_adopting()


def test_r2_a_backup_is_never_in_place_without_the_word_that_it_was_restored(site: Site) -> None:
    shutil.rmtree(site.sample_site.folder / "var")
    assert killed(site.restore_backup, 0, "os.rename")
    assert not (site.sample_site.folder / "var" / "aggregator.db").exists()
    assert not killed(site.restore_backup, 1, "os.rename")
    assert site.is_adopting()
    site.poll()
    assert not site.is_adopting()


def test_r2_a_publication_after_a_backup_that_is_killed_goes_on(site: Site) -> None:
    feeds = site.sample_site.folder / "feeds.yaml"
    feeds.write_text("site: {title: Another}\n" + feeds.read_text("utf-8"), "utf-8")
    site.restore_backup()
    assert site.sample_site.dies_publishing(2)
    assert site.is_adopting()
    site.poll()
    assert "Title 24" in site.sample_site.titles("category/news.atom")
    assert json.loads(site.sample_site.published("status.json"))["alarms"] == []
