"""`identity` and `ignore` of a source: what makes an entry the same, and which of its changes count."""

from collections.abc import Callable, Mapping

import pytest

from aggregator.config.source_keys import IGNORED
from aggregator.identify import keys
from aggregator.identify.keys import digest_of
from aggregator.model.entry import Enclosure, Entry, Person, Tag
from aggregator.urls import Url
from tests.sample_site import SampleSite, item, rss

Row = Mapping[str, str]
YAML = "publish: {formats: [json]}\nsources:\n  - {kind: file, url: feed.xml, key: one%s}\n"


@pytest.fixture
def says(sample_site: SampleSite) -> Callable[..., dict[str, object]]:
    """Return a function that polls once with settings and items, and gives the report."""

    def poll(more: str, *items: Row) -> dict[str, object]:
        sample_site.writes(YAML % more)
        (sample_site.folder / "feed.xml").write_bytes(rss(*items))
        sample_site.clock.move(hours=1)
        report = sample_site.poll()
        return {name: report[name] for name in ("new", "revised")}

    return poll


def numbered(version: int, *, start: int = 1, **fields: str) -> list[Row]:
    """Return three items with ids that are others in each version."""
    return [item(n, guid=f"{version}-{n}", **fields) for n in range(start, start + 3)]


def test_ids_that_change_are_no_news_where_the_link_is_the_identity(
    says: Callable[..., dict[str, object]], sample_site: SampleSite
) -> None:
    assert says("", *numbered(1)) == {"new": 3, "revised": 0}
    published = [one["id"] for one in sample_site.items()]
    assert says(", identity: link", *numbered(2)) == {"new": 0, "revised": 0}, "also when it is switched on"
    assert says(", identity: link", *numbered(3, title="Edited")) == {"new": 0, "revised": 3}
    assert says(", identity: link", *numbered(4, start=3, title="Edited")) == {"new": 2, "revised": 0}
    assert [one["id"] for one in sample_site.items()][2:] == published, "readers see the same entries"
    assert says("", *numbered(5, start=3, title="Edited")) == {"new": 0, "revised": 0}, "also when it is switched off"


def test_links_and_ids_that_change_are_no_news_where_the_title_is_the_identity(
    says: Callable[..., dict[str, object]], sample_site: SampleSite
) -> None:
    title = ", identity: title"
    assert says(title, *numbered(1)) == {"new": 3, "revised": 0}
    moved = [{**one, "link": f"{one['link']}?v=2"} for one in numbered(2)]
    assert says(title, *moved) == {"new": 0, "revised": 3}
    twice = [*moved, {**moved[0], "guid": "other", "link": "https://news.example/other"}]
    assert says(title, *twice)["new"] == 0, "two of one title are one"
    assert says(title, *moved, item(9, title=""))["new"] == 1, "without a title the link is the key"
    assert len(sample_site.items()) == 4


def test_what_is_ignored_makes_no_revision(says: Callable[..., dict[str, object]], sample_site: SampleSite) -> None:
    ignore = ", ignore: [content, summary, author]"
    first, other = (
        item(1, author="a@b.example (Ann)"),
        item(1, author="c@d.example (Bob)", description="Now 5 comments."),
    )
    assert says("", first) == {"new": 1, "revised": 0}
    shown = [{**one, "_aggregator": {}} for one in sample_site.items()]
    assert says(ignore, first)["new"] == 0
    assert [{**one, "_aggregator": {}} for one in sample_site.items()] == shown, "nothing looks new when it begins"
    assert says(ignore, other) == {"new": 0, "revised": 0}
    assert "at some length" in sample_site.items()[0]["content_html"]
    assert says(ignore, {**other, "title": "Corrected"}) == {"new": 0, "revised": 1}
    assert "Now 5 comments." in sample_site.items()[0]["content_html"], "it comes with the next revision"


def test_each_field_of_the_digest_can_be_ignored_by_its_name() -> None:
    assert {*IGNORED.values.replace(" or", ",").split(", ")} == keys.IGNORED.keys()
    changed = Entry(
        title="t",
        link=Url("https://e.example/"),
        content="c",
        summary="s",
        authors=(Person(name="a"),),
        tags=(Tag(term="t"),),
        enclosures=(Enclosure(url=Url("https://e.example/f.mp3")),),
    )
    assert digest_of(changed, keys.IGNORED.keys()) == digest_of(Entry())
    for name in keys.IGNORED:
        assert digest_of(changed, [name]) != digest_of(changed)
        assert digest_of(changed, keys.IGNORED.keys() - {name}) != digest_of(Entry())
