"""Outputs that are rendered again though nothing has changed have the same bytes, at any time (invariant 4)."""

from dataclasses import replace
from datetime import timedelta

from aggregator.model.entry import Entry
from tests.fake_source import FakeSource, said
from tests.sample_site import START, SampleSite

YAML = """
site: {base_url: 'https://planet.example/'}
publish: {entries: 10, archive_page: 10, formats: [atom, rss, json, html]}
defaults: {dedupe: exact, initial: 200}
"""


def old(count: int) -> list[Entry]:
    """Return articles of the days before, newest first."""
    return [said(number, published=START - timedelta(days=count - number)) for number in range(count, 0, -1)]


def force(site: SampleSite) -> list[str]:
    """Publish everything as `publish --all` does, and give what has changed by it."""
    before = site.files()
    with site.opened("publish") as app:
        app.publisher.publish(everything=True)
    after = site.files()
    return sorted(path for path in {*before, *after} if before.get(path) != after.get(path))


def test_m3_a_burst_is_filed_by_the_next_change_however_often_all_is_rendered(site: SampleSite) -> None:
    site.writes(YAML + "sources: [{key: one, url: 'https://one.example/', category: x}]\n")
    articles = old(35)
    with site.opened() as app:
        FakeSource(app).says("one", *articles[25:])
        app.publisher.publish()
        site.clock.move(hours=1)
        FakeSource(app).says(
            "one", *articles
        )  # 25 more at once: too many for the main document, and too young to leave it
        app.publisher.publish()
    for _ in range(3):
        site.clock.move(hours=30)
        assert force(site) == []
    with site.opened() as app:
        FakeSource(app).says("one", said(36), *articles)
        app.publisher.publish()
    assert len(site.entries("category/x/archive/1.atom")) == 10


def test_a_site_without_categories_says_nothing_of_the_time(site: SampleSite) -> None:
    site.writes(
        YAML + "sources: [{kind: json, url: 'https://one.example/', key: one, items: list, "
        "entry: {id: id, title: title}, category: '{paper}'}]\n"
    )
    with site.opened() as app:
        app.publisher.publish()
    site.clock.move(hours=1)
    assert force(site) == []


def test_a45_a_category_under_a_new_key_has_it_in_all_its_documents(site: SampleSite) -> None:
    site.writes(
        YAML + "categories: {x: {title: News}}\nsources: [{key: one, url: 'https://one.example/', category: x}]\n"
    )
    with site.opened() as app:
        FakeSource(app).says("one", *old(35))
        app.publisher.publish()
    site.writes(
        YAML
        + "categories: {y: {title: News, was: x}}\nsources: [{key: one, url: 'https://one.example/', category: y}]\n"
    )
    with site.opened() as app:
        app.publisher.publish()
    for path in ("category/x.json", "category/x/archive/1.json"):
        assert b'"category":"y"' in site.published(path)
    assert force(site) == []


def test_a_source_under_a_new_key_has_it_in_its_posts(site: SampleSite) -> None:
    yaml = YAML.replace("html]", "html], jekyll: {to: posts, hot: 3d, archive_to: older}")
    site.writes(yaml + "sources: [{key: one, url: 'https://one.example/', category: x}]\n")
    with site.opened() as app:
        FakeSource(app).says("one", *old(5), title="")  # a feed without a title has its key for a name
        app.publisher.publish()
    site.writes(yaml + "sources: [{key: uno, was: one, url: 'https://one.example/', category: x}]\n")
    with site.opened() as app:
        app.publisher.publish()
    posts = [path.read_text() for name in ("posts", "older") for path in (site.folder / name).iterdir()]
    assert len(posts) == 5
    assert [post for post in posts if "uno" not in post] == []


def test_s44_a_copy_that_enters_a_listed_category_is_credited_in_all_others(site: SampleSite) -> None:
    yaml = YAML + "categories: {x: {}, y: {}, hidden: {unlisted: true}}\n"
    sources = "sources:\n  - {key: one, url: 'https://one.example/', category: x}\n"
    site.writes(yaml + sources + "  - {key: two, url: 'https://two.example/', category: hidden}\n")
    articles = old(35)
    with site.opened() as app:
        FakeSource(app).says("one", *articles)
        FakeSource(app).says("two", *(replace(one, id=f"two-{one.id}") for one in articles))
        app.publisher.publish()
    assert b'"also"' not in site.published("category/x/archive/1.json")
    site.writes(yaml + sources + "  - {key: two, url: 'https://two.example/', category: [hidden, y]}\n")
    with site.opened() as app:
        app.publisher.publish()
    for path in ("category/x.json", "category/x/archive/1.json"):
        assert b'"also"' in site.published(path)
    assert force(site) == []
