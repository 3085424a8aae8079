"""Keys whose function is not built yet are accepted and named (DESIGN 3.1, Defaults and paths)."""

import pytest

from aggregator.config.compounds import ListOf, MapOf
from aggregator.config.source_keys import ROOT
from aggregator.config.tables import Table
from aggregator.config.unbuilt import UNBUILT
from tests.config.reading import SOURCES, warnings


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("defaults: {keep: 365d}", "1:12: keep is not built yet: everything is kept"),
    ],
)
def test_what_is_not_built_is_named(text: str, expected: str) -> None:
    assert warnings(text + "\n" + SOURCES) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "defaults: {dedupe: near}",
        "categories: {a: {dedupe: {near: 0.9, window: 3d}}}",
        "publish: {formats: [atom]}",
        "site: {title: x}",
    ],
)
def test_what_is_built_is_not_named(text: str) -> None:
    assert warnings(text + "\n" + SOURCES) == []


@pytest.mark.parametrize(
    ("key", "meanwhile"),
    [
        ("keep: 30d", "everything is kept"),
    ],
)
def test_keys_of_a_source_that_are_not_built(key: str, meanwhile: str) -> None:
    text = f"sources:\n - url: https://example.org/\n   {key}\n"
    assert warnings(text) == [f"3:4: {key.partition(':')[0]} is not built yet: {meanwhile}"]


def test_many_places_are_one_warning() -> None:
    text = "sources:\n" + "".join(f" - {{url: 'https://e.org/{n}', keep: 30d}}\n" for n in range(12))
    assert warnings(text) == ["2:29: keep is not built yet: everything is kept (and in 11 more places)"]


def test_each_word_names_a_key_there_is() -> None:
    words = {"category.{fields}"}
    seen: set[int] = set()

    def walk(shape: object) -> None:
        if id(shape) in seen:
            return
        seen.add(id(shape))
        if isinstance(shape, Table):
            for key in shape.keys.values():
                words.add(key.word)
                words.update(f"{key.word}={value}" for value in ("rss",))
                walk(key.shape)
        elif isinstance(shape, ListOf | MapOf):
            walk(shape.each)

    walk(ROOT)
    assert set(UNBUILT) <= words
