"""Tests that published bytes agree with the store."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from aggregator.errors import PublishError
from aggregator.model.story import Document
from aggregator.render.atom import read_back_atom, render_atom
from aggregator.render.jsonfeed import read_back_json, render_json
from tests.render.records import RICH, SAMPLE, SITE, STORE, an_archive


def test_a35_what_was_rendered_is_accepted() -> None:
    for document in (SAMPLE, an_archive(3, RICH)):
        read_back_atom(render_atom(document, SITE, html=True), document)
        read_back_json(render_json(document, SITE, STORE, html=True), document)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda d: replace(d, publications=d.publications[1:]), id="one-more"),
        pytest.param(lambda d: replace(d, publications=(*d.publications, RICH)), id="one-less"),
        pytest.param(lambda d: replace(d, publications=d.publications[::-1]), id="order"),
        pytest.param(lambda d: changed(d, atom_id="tag:other"), id="id"),
        pytest.param(lambda d: changed(d, title="Other"), id="title"),
        pytest.param(lambda d: changed(d, updated=RICH.updated + timedelta(seconds=1)), id="updated"),
        pytest.param(lambda d: changed(d, published=None), id="published"),
    ],
)
def test_a35_what_differs_is_refused(change: Callable[[Document], Document]) -> None:
    with pytest.raises(PublishError):
        read_back_atom(render_atom(SAMPLE, SITE, html=True), change(SAMPLE))
    with pytest.raises(PublishError):
        read_back_json(render_json(SAMPLE, SITE, STORE, html=True), change(SAMPLE))


def changed(document: Document, **fields: object) -> Document:
    first, *rest = document.publications
    return replace(document, publications=(replace(first, **fields), *rest))  # type: ignore[arg-type]  # by table


def test_a35_feed_of_another_id_or_date_is_refused() -> None:
    data = render_atom(SAMPLE, SITE, html=True)
    with pytest.raises(PublishError):
        read_back_atom(data, replace(SAMPLE, id="urn:uuid:other"))
    with pytest.raises(PublishError):
        read_back_atom(data, replace(SAMPLE, updated=SAMPLE.updated + timedelta(days=1)))


@pytest.mark.parametrize("data", [b"", b"<feed", b"<rss/>", b"<feed xmlns='x'/>", b"\xff\xfe"])
def test_a35_what_is_no_atom_is_refused(data: bytes) -> None:
    with pytest.raises(PublishError) as caught:
        read_back_atom(data, SAMPLE)
    assert caught.value.output == "category/python.atom"


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"items": [1]}', b'{"items": 1}', b"\xff", b"[" * 100_000])
def test_a35_what_is_no_json_feed_is_refused(data: bytes) -> None:
    with pytest.raises(PublishError):
        read_back_json(data, SAMPLE)


def test_a35_the_json_holds_all_items() -> None:
    data = json.loads(render_json(SAMPLE, SITE, STORE, html=True))
    data["items"].pop()
    with pytest.raises(PublishError, match="holds 4 entries instead of 5"):
        read_back_json(json.dumps(data).encode(), SAMPLE)
