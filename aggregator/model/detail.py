"""The request that brings an entry's detail, filled in with what its item says (DESIGN, section 6). Pure."""

import json
from collections.abc import Mapping
from dataclasses import replace

from aggregator.model.entry import Entry
from aggregator.model.settings import Detail, Request, Secret
from aggregator.model.template import address, filled
from aggregator.urls import BadUrl, Url, normalise

ARTICLE = "{link}"  # the address that `full_text` asks for


def asked_of(detail: Detail, entry: Entry) -> tuple[tuple[str, str], ...]:
    """Give what the request for an entry is filled in with: of its item, or its own link where the article is asked."""
    if detail.reading.is_article:
        return (("link", entry.link),) if entry.link else ()
    return entry.asked


def url_of(detail: Detail, asked: Mapping[str, str]) -> Url | None:
    """Give the address of an entry's detail; None if the item lacks a part of the request, or it makes no address."""
    text = address(detail.url, asked.get)
    if text is None or request_of(detail, asked) is None:
        return None
    try:
        return normalise(text)
    except BadUrl:
        return None


def request_of(detail: Detail, asked: Mapping[str, str]) -> Request | None:
    """Give method and body for an entry's detail; None if the item lacks a part of the body."""
    request = detail.request
    if request.body is None:
        return request

    def escaped(path: str) -> str | None:
        value = asked.get(path)
        return json.dumps(value)[1:-1] if value is not None and request.is_json else value

    body = filled(str.__str__(request.body), escaped)
    return None if body is None else replace(request, body=Secret(body))
