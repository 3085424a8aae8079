"""Durations: a number and one of the units ms, s, m, h, d, w."""

import re
from datetime import timedelta

from aggregator.config.document import Json, Scalar
from aggregator.config.findings import Unfit, quoted
from aggregator.config.shapes import VARIABLE, ScalarShape, Schema, nearest
from aggregator.text.durations import duration_text, multiply_unit, parse_duration

COURTEOUS = timedelta(minutes=15)  # shortest interval between polls of a source that gives no reason (P51)
_FORM = r"[0-9]{1,9}(\.[0-9]{1,9})?(ms|s|m|h|d|w)"
_ALONE = re.compile(r"[0-9]{1,9}")
_IN_WORDS = re.compile(r"(?:every\s+)?([0-9]{1,9}(?:\.[0-9]{1,9})?|an?|one|)\s*([a-z]+)\.?", re.I)
_SPELT = {
    "ms": "ms msec msecs millisecond milliseconds",
    "s": "s sec secs second seconds",
    "m": "m min mins minute minutes",
    "h": "h hr hrs hour hours hourly",
    "d": "d day days daily",
    "w": "w week weeks weekly",
}
_UNIT = {word: unit for unit, words in _SPELT.items() for word in words.split()}
_EXAMPLES = ("5m", "2h", "1d", "30s", "15m", "30d", "1s", "100ms")  # messages list the first three within the bounds
_CRON = re.compile(r"@\w+|\S+(?:\s+\S+){4}")


def duration_of(text: str) -> timedelta:
    """Read a duration.

    Raises:
        Unfit: the text is not a duration. The message does not contain the text, which may be a secret.
    """
    duration = parse_duration(text)
    if duration is None:
        raise Unfit("is not a duration; write 5m, 2h or 1d")
    return duration


class Duration(ScalarShape[timedelta]):
    """A duration within bounds."""

    words = "a duration"

    def __init__(self, low: timedelta, high: timedelta, *, between_polls: bool = False) -> None:
        """Set the bounds.

        Args:
            low: the shortest.
            high: the longest.
            between_polls: a duration under `COURTEOUS` needs a reason (P51); messages mention it.
        """
        self.low, self.high, self._between_polls = low, high, between_polls
        least = max(low, COURTEOUS) if between_polls else low
        fitting = [text for text in _EXAMPLES if least <= duration_of(text) <= high][:3]
        self.write = _listed(sorted(fitting, key=duration_of) or [duration_text(low)])

    @property
    def values(self) -> str:
        return f"duration, {duration_text(self.low)} to {duration_text(self.high)}"

    def value(self, node: Scalar, text: str) -> timedelta:
        duration = parse_duration(text)
        if duration is None:
            raise Unfit(f"{quoted(node.raw)} {self._otherwise(text, node.raw)}")
        if not self.low <= duration <= self.high:
            raise Unfit(f"{quoted(node.raw)} is out of range; write {self._bounds}")
        return duration

    @property
    def _bounds(self) -> str:
        return f"{duration_text(self.low)} to {duration_text(self.high)}"

    def _otherwise(self, text: str, raw: str) -> str:
        """Return the message for a text that is not a duration: the fault, and the text to write instead.

        Args:
            text: with variables replaced; never part of the message.
            raw: as written in feeds.yaml.
        """
        if text != raw:
            return f"is not a duration; write {self.write}"
        if _ALONE.fullmatch(text):
            return f"has no unit; write {self._with_units(text)}"
        if self._between_polls and _CRON.fullmatch(text):
            return 'is not a duration; write schedule: in place of this key, such as "*/20 9-15 * * mon-fri"'
        meant = _meant(text)
        advice = self._polite(multiply_unit(*meant), "".join(meant)) if meant else self.write
        return f"is not a duration; write {advice}"

    def _with_units(self, number: str) -> str:
        """Return the number with the units that make it a valid duration; the usual examples if there are none."""
        lengths = {f"{number}{unit}": multiply_unit(number, unit) for unit in ("s", "m", "h", "d")}
        fitting = [text for text, length in lengths.items() if self._fits(length)]
        choices = [_listed(fitting[:3])] if fitting else []
        if self._between_polls:
            short = [text for text, length in lengths.items() if self.low <= length < COURTEOUS]
            choices += [f"{text} and the reason in frequent:" for text in short[-1:]]
        return ", or ".join(choices) or self.write

    def _fits(self, duration: timedelta) -> bool:
        return max(self.low, COURTEOUS if self._between_polls else self.low) <= duration <= self.high

    def _polite(self, duration: timedelta, written: str) -> str:
        if self._fits(duration):
            return written
        if self.low <= duration <= self.high:
            return f"{duration_text(COURTEOUS)}, or {written} and the reason in frequent:"
        return self._bounds

    def schema(self) -> Schema:
        return {"anyOf": [{"type": "string", "pattern": f"^{_FORM}$"}, VARIABLE]}


def _meant(text: str) -> tuple[str, str] | None:
    """Return number and unit of a duration in words, such as `5 minuts`, `an hour` or `daily`; None for other texts."""
    match = _IN_WORDS.fullmatch(text.strip())
    if match is None:
        return None
    word, is_number = match[2].lower(), match[1][:1].isdigit()
    unit = _UNIT.get(word) or (_UNIT.get(nearest(word, _UNIT) or "") if is_number else None)
    return (match[1] if is_number else "1", unit) if unit else None


def _listed(texts: list[str]) -> str:
    *most, last = texts
    return f"{', '.join(most)} or {last}" if most else last


class DurationOr(ScalarShape[timedelta | None]):
    """A duration within bounds, or a word that means None."""

    def __init__(self, word: str, low: timedelta, high: timedelta, *, between_polls: bool = False) -> None:
        self._word, self._duration = word, Duration(low, high, between_polls=between_polls)
        examples = self._duration.write.replace(" or ", ", ")
        self.words, self.write = f"a duration or {word}", f"{examples} or {word}"

    @property
    def values(self) -> str:
        return f"{self._word}, or a {self._duration.values}"

    def value(self, node: Scalar, text: str) -> timedelta | None:
        if text == self._word or (self._word == "off" and node.is_false):  # S52
            return None
        if not any(char.isdigit() for char in text) and _meant(text) is None and text[:1] != "@":
            raise self.unfit(node)  # a word, probably a misspelling of `word`
        return self._duration.value(node, text)

    def schema(self) -> Schema:
        words: list[Json] = ["off", False] if self._word == "off" else [self._word]
        return {"anyOf": [{"enum": words}, self._duration.schema()]}
