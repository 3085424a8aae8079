"""JSON Schema and docs/feeds.md agree with the loader: all come from the declared keys."""

from pathlib import Path

import jsonschema
import pytest
import yaml

from aggregator.config.reference import json_schema, render_reference
from tests.config.reading import SOURCES, problems

PAGE = Path(__file__).parents[2] / "docs" / "feeds.md"


def accepts(text: str) -> bool:
    return bool(jsonschema.Draft202012Validator(json_schema()).is_valid(yaml.safe_load(text)))


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "site: {title: Planet, base_url: 'https://e.org/', timezone: UTC}",
        "site:",
        "workers: ${N}",
        "publish: {gzip: '${G}', formats: [atom], refresh: off, entries: 10, jekyll: {to: p, hot: 3d, archive_to: q}}",
        "defaults: {every: auto, keep: forever, dedupe: {near: 0.85, window: 7d}, timeout: 0.3s}",
        "hosts: {127.0.0.0/8: {allow_private: true, spacing: 0s}, a.org: {}}",
        "categories:\n  a:\n  b: {was: c, exclude: [{title: x}]}",
    ],
)
def test_the_schema_takes_what_the_loader_takes(text: str) -> None:
    text = text + "\n" + SOURCES
    assert problems(text, {"N": "3", "G": "true"}) == []
    assert accepts(text)


@pytest.mark.parametrize(
    "text",
    [
        "sources: []",
        "site: {title: x}",
        "sites: {}\n" + SOURCES,
        "site: {titel: x}\n" + SOURCES,
        "site: {title: 5}\n" + SOURCES,
        "workers: 65\n" + SOURCES,
        "workers: many\n" + SOURCES,
        "defaults: {timeout: 5 minuts}\n" + SOURCES,
        "publish: {formats: [rs]}\n" + SOURCES,
        "sources: [{title: x}]",
        "sources: [{url: 'https://e.org/', exclude: [{}]}]",
        "sources: [{url: 'https://e.org/', kind: fed}]",
    ],
)
def test_the_schema_refuses_what_the_loader_refuses(text: str) -> None:
    assert problems(text) != []
    assert not accepts(text)


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == render_reference(), (
        "python -m aggregator.config.reference > docs/feeds.md"
    )


def test_the_page_shows_code_as_it_is_written() -> None:
    page = render_reference()
    assert r"`\g<name>`" in page
    assert "| http://&lt;serve.bind>/ |" in page, "else it would be a tag"
