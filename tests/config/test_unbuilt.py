"""Keys whose function is not built yet are accepted and named (DESIGN 3.1, Defaults and paths)."""

import pytest

from aggregator.config.compounds import ListOf, MapOf
from aggregator.config.source_keys import ROOT
from aggregator.config.tables import Table
from aggregator.config.unbuilt import UNBUILT
from tests.config.reading import SOURCES, settings, warnings


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("publish: {formats: [atom, rss]}", "1:27: formats rss is not built yet: no .rss files are written"),
        ("publish: {entry_pages: true}", "1:11: entry_pages is not built yet: no entry pages are written"),
        ("publish: {refresh: 5m}", "1:11: refresh is not built yet: pages don't reload themselves"),
        ("publish: {theme: t/}", "1:11: theme is not built yet: the built-in templates are used"),
        ("publish: {static: s/}", "1:11: static is not built yet: nothing is copied"),
        ("publish: {aliases: {a.xml: b.atom}}", "1:11: aliases is not built yet: no copies are made"),
        ("publish: {jekyll: {to: p}}", "1:11: jekyll is not built yet: no posts are written"),
        ("defaults: {keep: 365d}", "1:12: keep is not built yet: everything is kept"),
        ("defaults: {dedupe: near}", "1:20: dedupe near is not built yet: exact is used"),
        ("categories: {a: {dedupe: {near: 0.9}}}", "1:27: near is not built yet: exact is used"),
    ],
)
def test_what_is_not_built_is_named(text: str, expected: str) -> None:
    assert warnings(text + "\n" + SOURCES) == [expected]


@pytest.mark.parametrize("text", ["defaults: {dedupe: exact}", "publish: {formats: [atom]}", "site: {title: x}"])
def test_what_is_built_is_not_named(text: str) -> None:
    assert warnings(text + "\n" + SOURCES) == []


@pytest.mark.parametrize(
    ("key", "meanwhile"),
    [
        ("schedule: '0 6 * * *'", "the source is polled as with every: auto"),
        ("rewrite: [{strip: {css: .x}}, {title: {replace: a, with: ''}}]", "entries stay as they are"),
        ("route: [{when: {title: a}, to: web}]", "entries go to the source's categories only"),
        ("full_text: true", "the feed's own text is used"),
        ("noindex: true", "it has no effect"),
        ("pages: 10", "only the feed's own address is asked"),
        ("trust: true", "it has no effect"),
        ("robots: agreed", "it has no effect"),
        ("keep: 30d", "everything is kept"),
        ("items: a.b", "it has no effect"),
        ("entry: {id: a, title: '{b}'}", "it has no effect"),
        (
            "detail: {url: 'https://e.org/{id}', content: c, method: POST, body: {a: [1, true, null, b]}}",
            "it has no effect",
        ),
        ("method: POST", "it has no effect"),
        ("body: a=b", "it has no effect"),
    ],
)
def test_keys_of_a_source_that_are_not_built(key: str, meanwhile: str) -> None:
    text = f"sources:\n - url: https://example.org/\n   {key}\n"
    assert warnings(text) == [f"3:4: {key.partition(':')[0]} is not built yet: {meanwhile}"]


def test_many_places_are_one_warning() -> None:
    text = "sources:\n" + "".join(f" - {{url: 'https://e.org/{n}', trust: true}}\n" for n in range(12))
    assert warnings(text) == ["2:29: trust is not built yet: it has no effect (and in 11 more places)"]


@pytest.mark.parametrize("kind", ["json", "html", "sitemap", "opml"])
def test_a_kind_that_is_not_built_is_named_and_not_polled(kind: str) -> None:
    text = f"sources: [{{kind: {kind}, url: 'https://example.org/', key: a}}]"
    [source] = settings(text).sources
    assert source.paused
    assert warnings(text) == [f"1:11: a is of kind {kind}, which is not built yet: the source is not polled"]


def test_each_word_names_a_key_there_is() -> None:
    words = {"kind.json", "kind.html", "kind.sitemap", "kind.opml", "category.{fields}"}
    seen: set[int] = set()

    def walk(shape: object) -> None:
        if id(shape) in seen:
            return
        seen.add(id(shape))
        if isinstance(shape, Table):
            for key in shape.keys.values():
                words.add(key.word)
                words.update(f"{key.word}={value}" for value in ("near", "rss"))
                walk(key.shape)
        elif isinstance(shape, ListOf | MapOf):
            walk(shape.each)

    walk(ROOT)
    words |= {"dedupe.near", "dedupe.window"}
    assert set(UNBUILT) <= words
