"""Fields that every format shows."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from aggregator.model.entry import Enclosure
from aggregator.render.fields import fault_of, type_of, whole_utc
from aggregator.urls import Url
from tests.render.records import NOON, a_publication


@pytest.mark.parametrize(("year", "is_usable"), [(1, False), (2, True), (9998, True), (9999, False)])
def test_dates_that_can_be_shown_in_any_zone(year: int, is_usable: bool) -> None:
    when = datetime(year, 6, 1, tzinfo=UTC)
    fault = fault_of(a_publication(published=when))
    if is_usable:
        assert fault is None
        assert whole_utc(when) == when
    else:
        assert fault is not None
        assert "lies where zones can't be changed" in fault
        with pytest.raises(ValueError, match="has no zone, or lies where zones can't be changed"):
            whole_utc(when)


def test_a_date_is_shown_in_utc_and_whole_seconds() -> None:
    assert whole_utc(NOON) == NOON
    shifted = (NOON + timedelta(microseconds=7)).astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert (whole_utc(shifted), whole_utc(shifted).tzinfo) == (NOON, UTC)
    with pytest.raises(ValueError, match="no zone"):
        whole_utc(NOON.replace(tzinfo=None))


@pytest.mark.parametrize(
    ("suffixes", "media_type"),
    [
        ("aac", "audio/aac"),
        ("epub", "application/epub+zip"),
        ("flac", "audio/flac"),
        ("gif", "image/gif"),
        ("jpeg jpg JPG", "image/jpeg"),
        ("m4a", "audio/mp4"),
        ("m4v mp4", "video/mp4"),
        ("mov", "video/quicktime"),
        ("mp3", "audio/mpeg"),
        ("oga ogg opus", "audio/ogg"),
        ("ogv", "video/ogg"),
        ("pdf", "application/pdf"),
        ("png", "image/png"),
        ("wav", "audio/wav"),
        ("webm", "video/webm"),
        ("webp", "image/webp"),
        ("zip", "application/zip"),
        ("exe", "application/octet-stream"),
    ],
)
def test_a30_a_file_without_a_type_gets_that_of_its_suffix(suffixes: str, media_type: str) -> None:
    for suffix in suffixes.split():
        for url in (f"https://heron.example/a.b.{suffix}", f"https://heron.example/a.{suffix}?c=d.e#f.g"):
            assert type_of(url, Enclosure(url=Url(url))) == media_type
            assert type_of(url, Enclosure(url=Url(url), type="x/y")) == "x/y"
