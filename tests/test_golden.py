"""Quirks from bytes to keys: tests/golden/<quirk>/feed.xml or .json against its expected.json.

`answer.json` beside a feed says what came with it: content_type, timezone. `pytest --regold` rewrites what is expected.
"""

import json
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from aggregator.model.settings import Reading
from aggregator.model.supplement import NO_SUPPLEMENT
from tests.answers import identified

NOTHING: tuple[object, ...] = (None, "", (), frozenset(), NO_SUPPLEMENT)
LATER = ("gap", "listing", "cleaned", "dates_in_figures", "ids_shared")  # for later steps: no feed shows it
GOLDEN = Path(__file__).parent / "golden"
QUIRKS = sorted(path.name for path in GOLDEN.iterdir())


def told(value: object) -> object:
    """Write a record as JSON can hold it, without what says nothing."""
    if is_dataclass(value) and not isinstance(value, type):
        said = {f.name: getattr(value, f.name) for f in fields(value) if f.name not in LATER}
        return {name: told(v) for name, v in said.items() if v not in NOTHING}
    if isinstance(value, datetime):
        assert value.utcoffset() == timedelta(0)
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, timedelta):
        return f"{value.total_seconds():.0f} s"
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return [told(each) for each in value]
    return value


@pytest.mark.parametrize("quirk", QUIRKS)
def test_golden(quirk: str, request: pytest.FixtureRequest) -> None:
    folder = GOLDEN / quirk
    body = next(folder.glob("feed.*")).read_bytes()
    said = json.loads((folder / "answer.json").read_bytes()) if (folder / "answer.json").exists() else {}
    reading = Reading(timezone=said.get("timezone", "UTC"))
    found = told(identified(body, reading, content_type=said.get("content_type")))
    written = json.dumps(found, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    expected = folder / "expected.json"
    if request.config.getoption("--regold"):
        expected.write_text(written, encoding="utf-8")
    assert written == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("quirk", QUIRKS)
def test_every_golden_file_says_what_is_odd(quirk: str) -> None:
    body = next((GOLDEN / quirk).glob("feed.*")).read_bytes().replace(b"\0", b"")
    assert b"<!-- " in body or b'"_comment"' in body
