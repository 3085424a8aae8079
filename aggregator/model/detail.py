"""Makes the second request of an entry (`detail`, `full_text`) from values of its item. Pure."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from aggregator.model.entry import Entry
from aggregator.model.settings import Detail, Request, Secret
from aggregator.model.template import address, filled
from aggregator.urls import BadUrl, Url, normalise

PATIENCE = timedelta(hours=24)  # longest wait of an entry for its detail
ARTICLE = "{link}"  # address template of `full_text`


def asked_of(detail: Detail, entry: Entry) -> tuple[tuple[str, str], ...]:
    """Return the values for the request, as (path, value): of the entry's item; for `full_text` its link."""
    if detail.reading.is_article:
        return (("link", entry.link),) if entry.link else ()
    return entry.asked


def url_of(detail: Detail, asked: Mapping[str, str]) -> Url | None:
    """Return the address of an entry's detail; None if the item lacks a value, or the result is not an address."""
    text = address(detail.url, asked.get)
    if text is None or request_of(detail, asked) is None:
        return None
    try:
        return normalise(text)
    except BadUrl:
        return None


def request_of(detail: Detail, asked: Mapping[str, str]) -> Request | None:
    """Return method and body of the request for an entry's detail; None if the item lacks a value of the body."""
    request = detail.request
    if request.body is None:
        return request

    def escaped(path: str) -> str | None:
        value = asked.get(path)
        return json.dumps(value)[1:-1] if value is not None and request.is_json else value

    body = filled(str.__str__(request.body), escaped)
    return None if body is None else replace(request, body=Secret(body))
