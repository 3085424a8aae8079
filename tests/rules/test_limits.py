"""`limit` of a source, of all, and of a category."""

import pytest

from aggregator.cli import main
from aggregator.model.event import Code
from aggregator.model.known import EntryState
from aggregator.model.settings import SourceKey
from aggregator.poll.corrections import run_pending_requests
from tests.feed_server import FeedServer, Reply
from tests.sample_site import SampleSite, item, rss
from tests.test_newsroom_details import YAML, listed, text
from tests.test_newsroom_details import item as record


def news(*numbers: int, **fields: str) -> bytes:
    """Return a feed with these items, each dated by its number as a day."""
    return rss(*(item(number, pubDate=f"Mon, 0{number} Feb 2026 10:00:00 GMT", **fields) for number in numbers))


def states(site: SampleSite, key: str = "a") -> dict[EntryState, int]:
    with site.opened() as app, app.store.read() as tx:
        return tx.trail.entry_states(SourceKey(key))


def ruled(site: SampleSite) -> None:
    """Apply edited rules to stored entries, as `publish --rules` does."""
    with site.opened() as app:
        with app.store.begin() as tx:
            tx.corrections.file("rules", {}, site.clock())
        run_pending_requests(app.store, app.in_force.roster, app.clock)
        app.publisher.publish()


def said(site: SampleSite, capsys: pytest.CaptureFixture[str], *command: str) -> str:
    assert main(["-c", str(site.folder / "feeds.yaml"), *command], {}) == 0
    return capsys.readouterr().out


def test_a_category_takes_the_newest_of_a_poll_and_why_says_so_of_the_others(
    publisher: FeedServer, sample_site: SampleSite, capsys: pytest.CaptureFixture[str]
) -> None:
    url = publisher.says("/a", Reply(200, news(1)), Reply(200, news(5, 4, 3, 2, 1)), Reply(200, news(6, 5, 4, 3, 2)))
    sample_site.writes(
        f"categories: {{few: {{limit: 2}}}}\nsources: [{{key: a, url: '{url}', category: [few, many]}}]\n"
    )
    sample_site.poll()
    sample_site.clock.move(hours=1)
    assert sample_site.poll()["new"] == 4
    assert sample_site.titles("category/few.atom") == ["Title 5", "Title 4", "Title 1"]
    assert sample_site.titles("category/many.atom") == [f"Title {number}" for number in (5, 4, 3, 2, 1)]
    why = said(sample_site, capsys, "why", "https://news.example/3")
    assert "was kept out of few: limit 2" in why
    assert "few: limit 2" in said(sample_site, capsys, "status", "a")
    sample_site.clock.move(hours=1)
    assert sample_site.poll()["new"] == 1
    assert sample_site.titles("category/few.atom") == ["Title 6", "Title 5", "Title 4", "Title 1"]


def test_what_stands_nowhere_by_a_limit_is_known_and_no_edit_brings_it(
    publisher: FeedServer, sample_site: SampleSite, capsys: pytest.CaptureFixture[str]
) -> None:
    url = publisher.says("/a", Reply(200, news(5, 4, 3, 2, 1)))
    yaml = f"sources: [{{key: a, url: '{url}', category: few, exclude: [{{title: 'Title 5'}}]}}]\n"
    sample_site.writes(f"categories: {{few: {{limit: 2}}}}\n{yaml}")
    assert sample_site.poll()["new"] == 3
    assert sample_site.titles("category/few.atom") == ["Title 4", "Title 3"], "of those that the rules let pass"
    assert states(sample_site) == {EntryState.REJECTED: 1, EntryState.PUBLISHED: 2, EntryState.KNOWN: 2}
    assert "was kept out of few: limit 2" in said(sample_site, capsys, "why", "https://news.example/1")
    sample_site.writes(yaml.replace(", exclude: [{title: 'Title 5'}]", ""))
    ruled(sample_site)
    sample_site.clock.move(hours=1)
    assert sample_site.poll()["new"] == 0
    assert sample_site.titles("category/few.atom") == ["Title 5", "Title 4", "Title 3"]


def test_a_route_is_limited_too_and_edited_rules_leave_it_so(publisher: FeedServer, sample_site: SampleSite) -> None:
    url = publisher.says("/a", Reply(200, news(3, 2, 1)))
    yaml = f"sources: [{{key: a, url: '{url}', category: many, route: [{{when: {{title: Title}}, to: few}}]}}]\n"
    sample_site.writes(f"categories: {{few: {{limit: 1}}}}\n{yaml}")
    sample_site.poll()
    assert sample_site.titles("category/few.atom") == ["Title 3"]
    with sample_site.opened() as app, app.store.read() as tx:
        steps = tx.trail.source_steps(SourceKey("a"), [Code.ROUTE_ENTRY], 9)
    assert len(steps) == 1, "what did not go there is not said to have gone"
    ruled(sample_site)
    assert sample_site.titles("category/few.atom") == ["Title 3"]
    assert len(sample_site.titles("category/many.atom")) == 3


def test_each_source_counts_by_itself(publisher: FeedServer, sample_site: SampleSite) -> None:
    feeds = [publisher.serve(f"/{key}", rss(*(item(f"{key}{n}") for n in range(3)))) for key in ("a", "b")]
    sources = ", ".join(f"{{url: '{url}', category: few}}" for url in feeds)
    sample_site.writes(f"categories: {{few: {{limit: 1}}}}\nsources: [{sources}]\n")
    sample_site.poll()
    assert sorted(sample_site.titles("category/few.atom")) == ["Title a0", "Title b0"]


def test_what_waits_for_its_detail_is_limited_as_it_comes(publisher: FeedServer, sample_site: SampleSite) -> None:
    """A place that it had not then is none later, when it is published alone."""
    url = publisher.says("/list", listed(*(record(n) for n in (4, 3, 2, 1))))
    for number in (1, 2, 3, 4):
        publisher.says(f"/text?id=NW{number}", text(number))
    yaml = YAML.format(url=url, base=publisher.url("")).replace('category: "{from}"', 'category: ["{from}", few, two]')
    sample_site.writes(f"categories: {{few: {{limit: 1}}, two: {{limit: 2}}, 大众日报: {{limit: 3}}}}\n{yaml}")
    sample_site.poll()
    assert sample_site.titles("category/few.atom") == ["标题 4"]
    assert sample_site.titles("category/two.atom") == ["标题 4", "标题 3"]
    assert sample_site.titles("category/dazhongribao.atom") == ["标题 4", "标题 3", "标题 2"]
    assert not any("NW1" in request.path for request in publisher.asked), (
        "no detail of what stands nowhere is asked for"
    )


def test_the_limit_of_all_sources_is_that_of_each_that_has_none(publisher: FeedServer, sample_site: SampleSite) -> None:
    one, other = (publisher.serve(f"/{key}", rss(*(item(f"{key}{n}") for n in range(4)))) for key in ("a", "b"))
    sample_site.writes(
        f"defaults: {{limit: 2}}\nsources: [{{url: '{one}', category: a}}, {{url: '{other}', category: b, limit: 3}}]\n"
    )
    sample_site.poll()
    assert [len(sample_site.titles(f"category/{key}.atom")) for key in ("a", "b")] == [2, 3]


def test_what_limit_leaves_of_a_document_is_said(
    publisher: FeedServer, sample_site: SampleSite, capsys: pytest.CaptureFixture[str]
) -> None:
    sample_site.writes(f"sources: [{{key: a, url: '{publisher.serve('/a', news(4, 3, 2, 1))}', limit: 3}}]\n")
    sample_site.poll()
    assert "4 entries, of which the first 3 were read" in said(sample_site, capsys, "status", "a")
