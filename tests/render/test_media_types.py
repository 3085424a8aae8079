"""Media types and roles of published files (A70, A79), and how long caches may keep them (A75)."""

import pytest

from aggregator.render.media_types import Role, cache_control, media_of
from aggregator.serve.names import name_of


@pytest.mark.parametrize(
    ("name", "media_type", "role"),
    [
        ("category/python.atom", "application/atom+xml; charset=utf-8", Role.FEED),
        ("category/python/archive/1.atom", "application/atom+xml; charset=utf-8", Role.FEED),
        ("category/python.rss", "application/rss+xml; charset=utf-8", Role.FEED),
        ("category/python.json", "application/feed+json", Role.FEED),
        ("category/python.html", "text/html; charset=utf-8", Role.PAGE),
        ("entry/ab/ab0123456789abcd.html", "text/html; charset=utf-8", Role.PAGE),
        ("opml.xml", "text/x-opml; charset=utf-8", Role.OTHER),
        ("sources.opml", "text/x-opml; charset=utf-8", Role.OTHER),
        ("status.json", "application/json", Role.OTHER),
        ("style.css", "text/css; charset=utf-8", Role.OTHER),
    ],
)
def test_a70_outputs(name: str, media_type: str, role: Role) -> None:
    assert name_of("/" + name) == name, "a name that is served"
    assert media_of(name) == (media_type, role)


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("gone.txt", "text/plain; charset=utf-8"),
        ("CNAME", "text/plain; charset=utf-8"),
        ("folder.d/CNAME", "text/plain; charset=utf-8"),
        ("site.webmanifest", "application/manifest+json"),
        ("sitemap.xml", "application/xml"),
        ("logo.SVG", "image/svg+xml"),
        ("a/logo.png", "image/png"),
        ("a.jpg", "image/jpeg"),
        ("a.jpeg", "image/jpeg"),
        ("favicon.ico", "image/x-icon"),
        ("a.avif", "image/avif"),
        ("a.gif", "image/gif"),
        ("a.webp", "image/webp"),
        ("a.js", "text/javascript; charset=utf-8"),
        ("a.pdf", "application/pdf"),
        ("a.woff2", "font/woff2"),
        ("a.mp3", "audio/mpeg"),
        ("a.wav", "audio/wav"),
        ("package.json", "application/json"),
        ("a/opml.xml", "application/xml"),
        ("a.unheard", "application/octet-stream"),
    ],
)
def test_a70_files_of_the_operator(name: str, media_type: str) -> None:
    assert media_of(name) == (media_type, Role.OTHER)


def test_a_copy_has_the_media_type_of_what_it_is_a_copy_of() -> None:
    assert media_of("old/address.xml", "category/python.atom") == media_of("category/python.atom")


def test_a75_a_cache_may_answer_for_a_day_while_we_are_down() -> None:
    assert cache_control(300) == "public, max-age=300, stale-if-error=86400"
