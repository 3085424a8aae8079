"""Records of `categories:`."""

from datetime import timedelta

from aggregator.model.settings import Category, CategoryKey, Dedupe, Rule, Show
from tests.config.reading import notes, said, settings


def test_every_key_of_a_category_is_taken() -> None:
    text = (
        "categories:\n  python:\n    title: Python\n    description: News about Python\n    slug: py\n"
        "    id: tag:planet.example.org,2006:python\n    was: snakes\n    entries: 100\n    show: summary\n"
        "    unlisted: true\n    dedupe: {near: 0.9}\n    include: [{title: a}]\n    exclude: [{tag: b}]\n"
    )
    assert said(text).categories[0] == Category(
        key=CategoryKey("python"),
        title="Python",
        description="News about Python",
        slug="py",
        id="tag:planet.example.org,2006:python",
        was=(CategoryKey("snakes"),),
        entries=100,
        show=Show.SUMMARY,
        unlisted=True,
        dedupe=Dedupe.NEAR,
        near=0.9,
        window=None,
        include=(Rule(patterns=(("title", "a"),)),),
        exclude=(Rule(patterns=(("tag", "b"),)),),
    )


def test_a_category_without_a_word_has_its_key_as_title() -> None:
    made = said("publish: {entries: 20}\ncategories: {大众日报: {}}").categories[0]
    assert (made.key, made.title, made.slug, made.entries, made.declared) == ("大众日报", "大众日报", None, 20, True)
    assert (made.dedupe, made.near, made.window) == (None, None, None)


def test_a_window_alone_is_near() -> None:
    made = said("categories: {a: {dedupe: {window: 2d}}}").categories[0]
    assert (made.dedupe, made.near, made.window) == (Dedupe.NEAR, None, timedelta(days=2))


def test_categories_that_only_sources_name_come_last_in_their_order() -> None:
    text = "categories: {z: {}}\nsources:\n - {url: 'https://a.org/', category: [b, z, a]}\n - https://b.org/\n"
    made = settings(text).categories
    assert [(category.key, category.declared) for category in made] == [
        ("z", True), ("b", False), ("a", False), ("general", False),
    ]  # fmt: skip


def test_a_category_that_only_a_source_names_is_told_with_the_nearest() -> None:
    text = (
        "categories: {news: {}, 大众日报: {}}\nsources:\n"
        " - {url: 'https://a.org/', category: newsroom}\n"
        " - {url: 'https://b.org/', category: [大众报, web]}\n"
        " - {url: 'https://c.org/', category: [newsroom, general]}\n"
    )
    made = "is not declared under categories: and is made;"
    assert notes(text) == [
        f'3:38: category "newsroom" {made} did you mean "news"?',
        f'4:39: category "大众报" {made} did you mean "大众日报"?',
        f'4:44: category "web" {made} declare it to give it a title',
    ]
