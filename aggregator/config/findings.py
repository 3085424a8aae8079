"""Collector of problems, warnings, notes and secrets found while feeds.yaml is read."""

import re
from collections.abc import Mapping
from typing import Protocol

from aggregator.config.variables import expand
from aggregator.errors import Problem

MAX_SHOWN = 60  # characters of a value in a message
MIN_SECRET = 4  # characters; a shorter secret would be redacted wherever its letters occur

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_USERINFO = re.compile(r"//[^/?#\s]*@|^[^/?#\s@]*:[^/?#\s@]*@")


class Place(Protocol):
    """Anything with a position in the file."""

    @property
    def line(self) -> int:
        """From 1."""

    @property
    def column(self) -> int:
        """From 1."""


class Unfit(ValueError):
    """A value that can't be used. The message has the reason and the text to write; the caller adds the position."""


class Findings:
    """Problems, warnings, notes and secrets, collected in any order."""

    def __init__(self, file: str, environ: Mapping[str, str], *, was_in_force: bool = False) -> None:
        self.environ = environ
        self.was_in_force = was_in_force  # the file was accepted before: probable misspellings are no longer reported
        self.key_places: Mapping[str, list[str]] = {}  # key -> tables that have it, for messages
        self.secrets: set[str] = set()
        self._file = file
        self._problems: set[Problem] = set()  # a set, because the value of a YAML alias is read more than once
        self._warnings: dict[str, list[Problem]] = {}
        self._notes: set[Problem] = set()

    @property
    def problems(self) -> list[Problem]:
        """All problems, in the order of the file."""
        return sorted(self._problems)

    @property
    def warnings(self) -> tuple[str, ...]:
        """All warnings, in the order of the file. Equal warnings are one, at the first position."""
        said = []
        for met in self._warnings.values():
            first, places = min(met), len({(each.line, each.column) for each in met})
            more = f" (and in {places - 1} more places)" if places > 2 else " (and in one more)" if places > 1 else ""
            said.append(Problem(first.file, first.line, first.column, first.what + more))
        return tuple(map(str, sorted(said)))

    @property
    def notes(self) -> tuple[Problem, ...]:
        """All notes, in the order of the file; printed by `check` only, so that other commands don't repeat them."""
        return tuple(sorted(self._notes))

    def problem(self, line: int, column: int, what: str) -> None:
        """Add a problem, which makes the file invalid."""
        self._problems.add(Problem(self._file, line, column, what))

    def problem_at(self, place: Place, what: str) -> None:
        """Add a problem at the position of a node."""
        self.problem(place.line, place.column, what)

    def warn(self, place: Place, what: str) -> None:
        """Add a warning: the setting is valid, but probably has another effect than the operator expects."""
        self._warnings.setdefault(what, []).append(Problem(self._file, place.line, place.column, what))

    def note(self, place: Place, what: str) -> None:
        """Add a note: the setting is valid, but may be a misspelling."""
        self._notes.add(Problem(self._file, place.line, place.column, what))

    def filled(self, raw: str) -> str:
        """Return a value with its variables replaced, and keep the values of the variables as secrets (S44, S54).

        Raises:
            Unfit: a variable is not set in the environment, or a `${` does not begin a variable.
        """
        if "${" not in raw:
            return raw
        expanded = expand(raw, self.environ)
        for value in expanded.used:
            self.keep_secret(value)
        if expanded.broken:
            raise Unfit(
                f"{quoted(raw)} has a ${{ that does not begin a variable; write ${{NAME}}, or $${{ for a literal ${{"
            )
        if expanded.missing:
            names = " and ".join(dict.fromkeys(expanded.missing))
            advice = f"set it, or write $${{{expanded.missing[0]}}} for the literal text"
            raise Unfit(f"{names} is not set in the environment; {advice}")
        return expanded.text

    def keep_secret(self, value: str) -> None:
        """Add a text that no output and no message may show."""
        value = value.strip()
        if len(value) >= MIN_SECRET:
            self.secrets.add(value)


def quoted(raw: str) -> str:
    """Return a value as written for messages: in quotes, shortened, without credentials and control characters."""
    text = _USERINFO.sub(_masked, _CONTROL.sub(" ", raw))
    return f'"{text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"}"'


def _masked(match: re.Match[str]) -> str:
    return "//***@" if match[0].startswith("//") else "***@"
