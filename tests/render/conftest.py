"""Golden files, and a sanitiser that leaves them alone."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aggregator.render import atom, fields, jsonfeed, rss

GOLDEN = Path(__file__).parent / "golden"

Golden = Callable[[str, bytes], None]


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Compare bytes with a golden file; `pytest tests/render --regold` writes it."""

    def compare(name: str, data: bytes) -> None:
        if request.config.getoption("--regold", default=False):
            (GOLDEN / name).write_bytes(data)
        assert data.decode() == (GOLDEN / name).read_text(encoding="utf-8")

    return compare


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    """Forget what earlier tests rendered."""
    atom.forget()
    rss.forget()
    jsonfeed.forget()
    fields.forget()
    yield
    atom.forget()
    rss.forget()
    jsonfeed.forget()
    fields.forget()


@pytest.fixture
def html_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave HTML as it is: golden files are about rendering, not about cleaning."""
    monkeypatch.setattr("aggregator.render.fields.sanitise", lambda html, base, allow_classes: html)
