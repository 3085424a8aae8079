"""JMESPath: where an item of JSON has what an entry needs (S64)."""

from collections.abc import Callable
from functools import lru_cache
from time import monotonic
from typing import Final, Protocol, cast

import jmespath
from jmespath.exceptions import JMESPathError

from aggregator.errors import Overran
from aggregator.parse.texts import MAX_TEXT
from aggregator.urls import Url

SECONDS: Final = 10.0  # that all paths of one body may take; one whose body took so long is read apart from then on
MAX_PIECES: Final = 1000  # of a text that is joined from a list


class _Compiled(Protocol):
    def search(self, value: object) -> object: ...


class Paths:
    """Evaluates paths on one document, for as long as they may take.

    Args:
        url: that answered.
        notices: what was odd is added to it.
        clock: tells the time in seconds.
    """

    def __init__(self, url: Url, notices: list[str], clock: Callable[[], float] = monotonic) -> None:
        self._url, self._notices, self._clock = url, notices, clock
        self._end = clock() + SECONDS
        self._misfits: dict[str, str] = {}

    def find(self, path: str, value: object) -> object:
        """Give what is at a path; None where there is nothing, or the path does not fit what is there.

        Raises:
            Overran: all in all it took too long.
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

    def misfit(self, path: str) -> str | None:
        """Say why a path did not fit what it was tried on; None if it did, though it may have found nothing."""
        return self._misfits.get(path)

    def _note(self, path: str, error: Exception) -> None:
        why = self._misfits[path] = str(error).partition(",")[0][:120]  # what follows is the value, another each time
        notice = f"{path[:80]!r} does not fit what an item has: {why}"
        if notice not in self._notices:
            self._notices.append(notice)


def text_of(value: object, *, joint: str) -> str | None:
    """Give a value as text: a number as it is written, a list joined; None for anything else, and for nothing."""
    if isinstance(value, list):
        pieces = [piece for each in value[:MAX_PIECES] if (piece := text_of(each, joint=joint))]
        return joint.join(pieces)[:MAX_TEXT] or None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value[:MAX_TEXT] or None if isinstance(value, str) and value.strip() else None


@lru_cache(maxsize=512)
def _compiled(path: str) -> _Compiled:
    return cast(_Compiled, jmespath.compile(path))
