"""What reading feeds.yaml brings to light: problems, warnings and secrets, each kept until all is read."""

import re
from collections.abc import Mapping
from typing import Protocol

from aggregator.config.variables import expand
from aggregator.errors import Problem

MAX_SHOWN = 60  # characters of a value in a message
MIN_SECRET = 4  # characters; a shorter one would be found, and struck out, in everything

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_USERINFO = re.compile(r"//[^/?#\s]*@|^[^/?#\s@]*:[^/?#\s@]*@")


class Place(Protocol):
    """Anything that stands somewhere in the file."""

    @property
    def line(self) -> int:
        """From 1."""

    @property
    def column(self) -> int:
        """From 1."""


class Unfit(ValueError):
    """A value that can't be used; the message says why and what to write. Whoever knows the place notes it."""


class Findings:
    """Collects what reading finds, in any order."""

    def __init__(self, file: str, environ: Mapping[str, str], *, was_in_force: bool = False) -> None:
        self.environ = environ
        self.was_in_force = was_in_force  # accepted before, so that what merely looks like a slip is meant by now
        self.homes: Mapping[str, list[str]] = {}  # of each key, the tables that have it: for advice
        self.secrets: set[str] = set()
        self._file = file
        self._problems: set[Problem] = set()  # a set: what stands behind an alias is read more than once
        self._warnings: dict[str, list[Problem]] = {}
        self._notes: set[Problem] = set()

    @property
    def problems(self) -> list[Problem]:
        """All problems, in the order of the file."""
        return sorted(self._problems)

    @property
    def warnings(self) -> tuple[str, ...]:
        """All warnings, in the order of the file; what is said of many places is said once, at the first."""
        said = []
        for met in self._warnings.values():
            first, places = min(met), len({(each.line, each.column) for each in met})
            more = f" (and in {places - 1} more places)" if places > 2 else " (and in one more)" if places > 1 else ""
            said.append(Problem(first.file, first.line, first.column, first.what + more))
        return tuple(map(str, sorted(said)))

    @property
    def notes(self) -> tuple[str, ...]:
        """All that only `check` says, in the order of the file: it would be tiresome at each run."""
        return tuple(map(str, sorted(self._notes)))

    def problem(self, line: int, column: int, what: str) -> None:
        """Note something that must be mended."""
        self._problems.add(Problem(self._file, line, column, what))

    def problem_at(self, place: Place, what: str) -> None:
        """Note something that must be mended, at the place of a node."""
        self.problem(place.line, place.column, what)

    def warn(self, place: Place, what: str) -> None:
        """Note something that works, but not as the operator may think."""
        self._warnings.setdefault(what, []).append(Problem(self._file, place.line, place.column, what))

    def note(self, place: Place, what: str) -> None:
        """Note something that works as it stands, and may yet be a slip of the pen."""
        self._notes.add(Problem(self._file, place.line, place.column, what))

    def filled(self, raw: str) -> str:
        """Fill in the variables of a value, and remember what they held (S44, S54).

        Raises:
            Unfit: the environment lacks one, or a `${` begins none.
        """
        if "${" not in raw:
            return raw
        expanded = expand(raw, self.environ)
        for value in expanded.used:
            self.keep_secret(value)
        if expanded.broken:
            raise Unfit(
                f"{quoted(raw)} has a ${{ that begins no variable; write ${{NAME}}, or $${{ for the text itself"
            )
        if expanded.missing:
            names = " and ".join(dict.fromkeys(expanded.missing))
            advice = f"set it, or write $${{{expanded.missing[0]}}} for the text itself"
            raise Unfit(f"{names} is not set in the environment; {advice}")
        return expanded.text

    def keep_secret(self, value: str) -> None:
        """Remember a text that no output may show."""
        value = value.strip()
        if len(value) >= MIN_SECRET:
            self.secrets.add(value)


def quoted(raw: str) -> str:
    """Give a value as messages show it: as written, so without what a variable holds; shortened; no credentials."""
    text = _USERINFO.sub(_masked, _CONTROL.sub(" ", raw))
    return f'"{text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"}"'


def _masked(match: re.Match[str]) -> str:
    return "//***@" if match[0].startswith("//") else "***@"
