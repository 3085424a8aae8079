"""Durations: a number and one of ms, s, m, h, d, w (DESIGN 3.1, Values)."""

import re
from datetime import timedelta

from aggregator.config.document import Json, Scalar
from aggregator.config.findings import Unfit, quoted
from aggregator.config.shapes import VARIABLE, ScalarShape, Schema

UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_FORM = r"[0-9]{1,9}(\.[0-9]{1,9})?(ms|s|m|h|d|w)"
_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(ms|s|m|h|d|w)")


def duration_of(text: str) -> timedelta:
    """Read a duration.

    Raises:
        Unfit: it is none; without the text, which may be a secret's.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise Unfit("is not a duration; write 5m, 2h or 1d")
    return float(match[1]) * UNITS[match[2]]


def duration_text(duration: timedelta) -> str:
    """Write a duration in the largest unit that leaves no fraction: `90m`, `1d`."""
    for unit, length in reversed(UNITS.items()):
        if duration and not duration % length:
            return f"{duration // length}{unit}"
    return f"{duration / UNITS['s']:g}s"


class Duration(ScalarShape[timedelta]):
    """A duration within bounds."""

    words, write = "a duration", "5m, 2h or 1d"

    def __init__(self, low: timedelta, high: timedelta) -> None:
        self.low, self.high = low, high

    @property
    def values(self) -> str:
        return f"duration, {duration_text(self.low)} to {duration_text(self.high)}"

    def value(self, node: Scalar, text: str) -> timedelta:
        try:
            duration = duration_of(text)
        except Unfit as unfit:
            raise Unfit(f"{quoted(node.raw)} {unfit}") from None
        if not self.low <= duration <= self.high:
            bounds = f"{duration_text(self.low)} to {duration_text(self.high)}"
            raise Unfit(f"{quoted(node.raw)} is out of range; write {bounds}")
        return duration

    def schema(self) -> Schema:
        return {"anyOf": [{"type": "string", "pattern": f"^{_FORM}$"}, VARIABLE]}


class DurationOr(ScalarShape[timedelta | None]):
    """A duration within bounds, or a word that says: none."""

    def __init__(self, word: str, low: timedelta, high: timedelta) -> None:
        self._word, self._duration = word, Duration(low, high)
        self.words, self.write = f"a duration or {word}", f"5m, 2h, 1d or {word}"

    @property
    def values(self) -> str:
        return f"{self._word}, or a {self._duration.values}"

    def value(self, node: Scalar, text: str) -> timedelta | None:
        if text == self._word or (self._word == "off" and node.is_false):  # S52
            return None
        if not any(char.isdigit() for char in text):  # a word was meant
            raise self.unfit(node)
        return self._duration.value(node, text)

    def schema(self) -> Schema:
        words: list[Json] = ["off", False] if self._word == "off" else [self._word]
        return {"anyOf": [{"enum": words}, self._duration.schema()]}
