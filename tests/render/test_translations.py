"""The text of the pages."""

import string
import tomllib
from datetime import UTC, datetime
from importlib.resources import files
from zoneinfo import ZoneInfo

import pytest

from aggregator.render.translations import load_messages

CATALOGUES = {
    file.name: tomllib.loads(file.read_text(encoding="utf-8"))
    for file in (files("aggregator.render") / "catalogue").iterdir()
    if file.name.endswith(".toml")
}


def shape(catalogue: dict[str, object]) -> dict[str, object]:
    """Return the keys of a catalogue, with the names that are filled in."""
    return {
        key: shape(value)
        if isinstance(value, dict)
        else len(value)
        if isinstance(value, list)
        else names_in(str(value))
        for key, value in catalogue.items()
    }


def names_in(text: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_a67_every_language_has_the_same_keys_and_names() -> None:
    languages = "ar de en es fr he ja pt ru zh".split()
    assert set(CATALOGUES) == {f"{language}.toml" for language in languages}
    for name, catalogue in CATALOGUES.items():
        assert shape(catalogue) == shape(CATALOGUES["en.toml"]), name


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("en", "en"),
        ("zh-CN", "zh"),
        ("ZH", "zh"),
        ("zh-Hant-TW", "zh"),
        ("de-AT", "de"),
        ("nl", "en"),
        ("", "en"),
        ("../x", "en"),
    ],
)
def test_a67_language_is_chosen_by_its_first_part(tag: str, language: str) -> None:
    assert load_messages(tag).language == language


def test_a64_dates_are_written_as_people_do() -> None:
    when = datetime(2025, 12, 31, 20, 5, tzinfo=UTC)
    shanghai = ZoneInfo("Asia/Shanghai")
    assert load_messages("zh").moment(when, shanghai) == "2026年1月1日 04:05"
    assert load_messages("en").moment(when, ZoneInfo("UTC")) == "31 December 2025, 20:05"
    assert load_messages("en").day(when, shanghai) == "1 January 2026"
    assert load_messages("fr").day(when, shanghai) == "1er janvier 2026"
    assert load_messages("de").moment(when, shanghai) == "1. Januar 2026, 04:05 Uhr"
    assert load_messages("es").day(when, shanghai) == "1 de enero de 2026"
    assert load_messages("ja").day(when, shanghai) == "2026年1月1日"
