"""Evaluates JMESPath expressions, the paths of `kind: json` (S64)."""

from collections.abc import Callable
from functools import lru_cache
from time import monotonic
from typing import Final, Protocol, cast

import jmespath
from jmespath.exceptions import JMESPathError

from aggregator.errors import Overran
from aggregator.parse.texts import MAX_TEXT
from aggregator.urls import Url

SECONDS: Final = (
    10.0  # for all paths of one body; a source whose body exceeds this is read in a process of its own from then on
)
MAX_PIECES: Final = 1000  # items of a list that are joined to one text


class _Compiled(Protocol):
    def search(self, value: object) -> object: ...


class Paths:
    """Evaluates paths on one document within a time limit.

    Args:
        url: the address that sent the response.
        notices: notices about paths that do not match are appended.
        clock: returns the time in seconds.
    """

    def __init__(self, url: Url, notices: list[str], clock: Callable[[], float] = monotonic) -> None:
        self._url, self._notices, self._clock = url, notices, clock
        self._end = clock() + SECONDS
        self._mismatches: dict[str, str] = {}

    def find(self, path: str, value: object) -> object:
        """Return the value at a path; None if there is no value, or the path does not match the type of the value.

        Raises:
            Overran: the paths of this document together took too long.
        """
        if self._clock() > self._end:
            raise Overran(self._url, f"its paths took over {SECONDS:g} s; write simpler ones under items and entry")
        try:
            return _compiled(path).search(value)
        except (JMESPathError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
            self._note(path, error)
        except RecursionError as error:
            self._note(path, error)
        return None

    def mismatch(self, path: str) -> str | None:
        """Return why a path failed on a value; None if the path never failed, even if it found nothing."""
        return self._mismatches.get(path)

    def _note(self, path: str, error: Exception) -> None:
        why = self._mismatches[path] = str(error).partition(",")[0][
            :120
        ]  # the text after the comma is the value, which differs for each item
        notice = f"{path[:80]!r} does not fit what an item has: {why}"
        if notice not in self._notices:
            self._notices.append(notice)


def text_of(value: object, *, joint: str) -> str | None:
    """Return a value as text: a number as its digits, a list joined with `joint`; None for anything else."""
    if isinstance(value, list):
        pieces = [piece for each in value[:MAX_PIECES] if (piece := text_of(each, joint=joint))]
        return joint.join(pieces)[:MAX_TEXT] or None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value[:MAX_TEXT] or None if isinstance(value, str) and value.strip() else None


@lru_cache(maxsize=512)
def _compiled(path: str) -> _Compiled:
    return cast(_Compiled, jmespath.compile(path))
