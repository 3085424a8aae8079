"""Helpers that load a text as feeds.yaml."""

from collections.abc import Mapping
from pathlib import Path

from aggregator.config.loader import read_config
from aggregator.errors import ConfigError
from aggregator.model.settings import Settings, Source

SOURCES = "sources: [https://example.org/feed.xml]\n"
FOLDER = Path(__file__).parent


def settings(text: str, environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of a text with sources."""
    return read_config(text.encode(), FOLDER / "feeds.yaml", environ or {})


def said(text: str, environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of a text without sources, to which one source is added."""
    return settings(text + "\n" + SOURCES, environ)


def source(text: str, environ: Mapping[str, str] | None = None, before: str = "") -> Source:
    """Return the source that has `url` and these keys."""
    return settings(f"{before}sources:\n  - {{url: https://example.org/feed.xml, {text}}}\n", environ).sources[0]


def problems(text: str, environ: Mapping[str, str] | None = None) -> list[str]:
    """Return the problems of a text as `line:column: message`."""
    try:
        read_config(text.encode(), Path("feeds.yaml"), environ or {})
    except ConfigError as error:
        return [str(problem).removeprefix("feeds.yaml:") for problem in error.problems]
    return []


def warnings(text: str, environ: Mapping[str, str] | None = None) -> list[str]:
    """Return the warnings of a text as `line:column: message`."""
    read = read_config(text.encode(), Path("feeds.yaml"), environ or {})
    return [warning.removeprefix("feeds.yaml:") for warning in read.warnings]


def notes(text: str, environ: Mapping[str, str] | None = None) -> list[str]:
    """Return the notes of a text, which only `check` prints, as `line:column: message`."""
    read = read_config(text.encode(), Path("feeds.yaml"), environ or {})
    return [str(note).removeprefix("feeds.yaml:") for note in read.notes]
