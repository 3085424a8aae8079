"""Which texts the redactor replaces, in which encoded forms, and which it keeps (S44)."""

from dataclasses import replace
from pathlib import Path

import pytest

from aggregator.model.redactor import Redactor
from aggregator.model.settings import Publish, Secret, Settings, Site, Source, SourceKey
from aggregator.urls import Url, normalise

AWKWARD = "a b&c/d\"e'f+ü"
SETTINGS = Settings(
    path=Path("/x/feeds.yaml"),
    site=Site(base_url=Url("https://planet.example/")),
    store="sqlite:////x/y.db",
    publish=Publish(to=Path("/x/public")),
)


def a_source(url: str = "https://host.example/feed", **more: object) -> Source:
    return Source(key=SourceKey("s"), url=normalise(url), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "spelling",
    [
        pytest.param(AWKWARD, id="plain"),
        pytest.param("a%20b%26c%2Fd%22e%27f%2B%C3%BC", id="percent"),
        pytest.param("a%20b%26c%2fd%22e%27f%2b%c3%bc", id="percent-lower"),
        pytest.param("a+b%26c%2Fd%22e%27f%2B%C3%BC", id="form"),
        pytest.param("a b&amp;c/d&quot;e&#x27;f+ü", id="html"),
        pytest.param("a b&amp;c/d&quot;e&#39;f+ü", id="html-decimal"),
        pytest.param("a b&amp;amp;c/d&amp;quot;e&amp;#x27;f+ü", id="html-twice"),
        pytest.param("a b&c\\/d\\\"e'f+\\u00fc", id="json"),
        pytest.param(str(normalise(f"https://h.example/?t={AWKWARD}".replace(" ", "%20")))[21:], id="as-we-ask"),
    ],
)
def test_s44_a_secret_is_struck_out_however_it_is_written(spelling: str) -> None:
    redactor = Redactor([Secret(AWKWARD)])
    assert redactor.text(f"<a>{spelling}</a>") == "<a>***</a>"
    assert redactor.body(f"<a>{spelling}</a>".encode()) == b"<a>***</a>"
    assert redactor.body(f"<a>{spelling}</a>".encode("utf-16-le")).decode("utf-16-le") == "<a>***</a>"


def test_s44_of_two_secrets_one_inside_the_other_nothing_is_left() -> None:
    assert Redactor(["secret", "secret-longer"]).text("a secret-longer, a secret") == "a ***, a ***"


def test_s44_short_texts_are_no_secrets() -> None:
    assert Redactor(["12345"]).text("12345") == "12345"


def test_s44_a_body_without_secrets_is_the_same_object() -> None:
    body = b"<rss/>" * 10
    assert Redactor(["TOKEN-1"]).body(body) is body


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(a_source("https://host.example/feed?t=TOKEN-1"), id="query"),
        pytest.param(a_source("https://host.example/TOKEN-1/feed"), id="path"),
        pytest.param(a_source(headers=(("X-Key", Secret("Bearer TOKEN-1")),)), id="header"),
        pytest.param(a_source(auth=("me", Secret("TOKEN-1"))), id="password"),
    ],
)
def test_s44_a_publisher_can_echo_what_we_send_it(source: Source) -> None:
    both = Redactor(["TOKEN-1", "TOKEN-2"])
    assert both.for_source(source).text("TOKEN-1 TOKEN-2") == "*** TOKEN-2"


@pytest.mark.parametrize("secret", ["host.example:81", "host.example", "https://host.example:81/"])
def test_s44_the_name_of_a_host_is_no_secret(secret: str) -> None:
    settings = replace(
        SETTINGS,
        secrets=frozenset({Secret(secret), Secret("TOKEN-1")}),
        sources=(a_source("https://host.example:81/x"),),
    )
    assert Redactor.of(settings).text(f"{secret} TOKEN-1") == f"{secret} ***"
