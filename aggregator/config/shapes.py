"""Shapes: types of values in feeds.yaml.

A shape reads a value, makes the message for a wrong value, and describes valid values. Messages, JSON Schema and
documentation come from one object, so that they can't differ.
"""

import difflib
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Generic, TypeVar

from aggregator.config.document import TYPOGRAPHIC, Json, ListNode, Node, Scalar, is_between_marks, node_of
from aggregator.config.findings import Findings, Unfit, quoted
from aggregator.config.variables import has_variable

T = TypeVar("T")
N = TypeVar("N")
T_co = TypeVar("T_co", covariant=True)

Schema = dict[str, Json]

# `${NAME}` is valid in place of any value. The schema allows it beside numbers and choices, or editors would mark it.
VARIABLE: Schema = {"$ref": "#/$defs/variable"}

INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_NUMBER = re.compile(
    r"[-+]?(0|[1-9][0-9]*|0o[0-7]+|0x[0-9a-fA-F]+|[0-9]*\.[0-9]+([eE][-+]?[0-9]+)?|[0-9]+\.?([eE][-+]?[0-9]+)"
    r"|[0-9]+\.|\.(inf|Inf|INF))|\.(nan|NaN|NAN)"
)
BOOLEAN = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_MEANT = {
    "yes": "true",
    "on": "true",
    "y": "true",
    "1": "true",
    "no": "false",
    "off": "false",
    "n": "false",
    "0": "false",
}
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]")


class Shape(ABC, Generic[T_co]):
    """Type of a value."""

    words: str  # name of the type in messages: "a duration"
    write: str  # examples of valid values for messages: "5m, 2h or 1d"

    @abstractmethod
    def read(self, node: Node, findings: Findings) -> T_co:
        """Return the value of a node.

        Raises:
            Unfit: the value has another shape. Problems inside a list or mapping are added to `findings` instead.
        """

    @abstractmethod
    def schema(self) -> Schema:
        """Return the JSON Schema of the shape."""

    @property
    def values(self) -> str:
        """Valid values, as the documentation lists them."""
        return self.words.removeprefix("a ").removeprefix("an ")

    def unfit(self, node: Node) -> Unfit:
        """Return the error for a value of another shape."""
        return Unfit(f"{shown(node)} is not {self.words}; write {self.write}")


def shown(node: Node) -> str:
    """Return the name of a value in messages."""
    if isinstance(node, Scalar):
        return "an empty value" if node.is_null else quoted(node.raw)
    return "a list" if isinstance(node, ListNode) else "a mapping"


def nearest(word: str, words: Iterable[str], *, likely: bool = False) -> str | None:
    """Return the most similar of some words; None if none is similar enough.

    Args:
        word: as written.
        words: the valid words.
        likely: accept a word with another first letter only if it is very similar: `tags` does not mean `pages`.
    """
    near = {known.casefold(): known for known in words}
    folded = word.casefold()
    for close in difflib.get_close_matches(folded, near, n=3, cutoff=0.6):
        if not likely or close[0] == folded[:1] or difflib.SequenceMatcher(None, close, folded).ratio() >= 0.75:
            return near[close]
    return None


class ScalarShape(Shape[T_co]):
    """Type of a value that is neither a list nor a mapping."""

    def read(self, node: Node, findings: Findings) -> T_co:
        """Return the value of a scalar, after variables were replaced."""
        if not isinstance(node, Scalar) or node.is_null:
            raise self.unfit(node)
        if is_between_marks(node) and not findings.was_in_force:
            raise self._typographic(node.raw)
        return self.value(node, findings.filled(node.raw))

    def _typographic(self, raw: str) -> Unfit:
        """Return the error for a value in typographic quotation marks, which YAML makes part of the value."""
        bare = raw.strip(TYPOGRAPHIC)
        advice = f"write {quoted(bare)}, or {quoted(raw)} if the marks are part of the text"
        return Unfit(f"{raw[0]} and {raw[-1]} are typographic quotation marks, which do not quote in YAML; {advice}")

    @abstractmethod
    def value(self, node: Scalar, text: str) -> T_co:
        """Return the value of a scalar.

        Args:
            node: the scalar as written, for messages.
            text: its text with variables replaced.
        """


class Text(ScalarShape[str]):
    """A text. Unquoted numbers, true and false are refused: YAML could change their text, such as 1.10 to 1.1 (S52)."""

    def __init__(
        self,
        words: str = "a text",
        write: str = "a text",
        *,
        limit: int = 1000,
        exact: bool = False,
        hidden: bool = False,
        quotable: bool = True,
        check: Callable[[str], str] | None = None,
        form: str | None = None,
    ) -> None:
        """Set the accepted texts.

        Args:
            words: name of the type in messages.
            write: examples for messages.
            limit: characters at most.
            exact: keep blanks, and accept an empty text. Otherwise each run of blanks becomes one blank.
            hidden: never show the text in messages (S44).
            quotable: a number in quotes would be a valid text.
            check: returns the text in its normal form; raises Unfit with a message such as "is not a slug; write …".
            form: regular expression for the JSON Schema that accepts at least what `check` accepts.
        """
        self.words, self.write, self.form = words, write, form
        self._limit, self._exact, self._hidden, self._quotable, self._check = limit, exact, hidden, quotable, check

    def value(self, node: Scalar, text: str) -> str:
        raw = node.raw
        if node.plain and (raw in BOOLEAN or _NUMBER.fullmatch(raw)):
            what = "true or false" if raw in BOOLEAN else "a number"
            advice = self.write if not self._quotable else "it in quotes" if self._hidden else f'"{raw}" in quotes'
            raise Unfit(f"{self._named(raw)} is {what} without quotes, not {self.words}; write {advice}")
        return self.checked(raw, text)

    def checked(self, raw: str, text: str) -> str:
        """Return a text in its normal form; also for keys of a mapping, which are always texts."""
        if not self._exact:
            text = " ".join(text.split())
        if _CONTROL.search(text):
            raise Unfit(f"{self._named(raw)} has a control character; remove it")
        if len(text) > self._limit:
            raise Unfit(f"{self._named(raw)} has {len(text):,} characters; write at most {self._limit:,}")
        if not text and not self._exact:
            raise Unfit(f"an empty text is not {self.words}; write {self.write}")
        if self._check is None:
            return text
        try:
            return self._check(text)
        except Unfit as unfit:
            if has_variable(raw):  # the message of the check may contain the value of the variable
                raise Unfit(f"{quoted(raw)} is not {self.words}; write {self.write}") from None
            raise Unfit(f"{self._named(raw)} {unfit}") from None

    def _named(self, raw: str) -> str:
        return "the value" if self._hidden else quoted(raw)

    def _typographic(self, raw: str) -> Unfit:
        if not self._hidden:
            return super()._typographic(raw)
        return Unfit(f"the value is in typographic quotation marks, which do not quote in YAML; write {self.write}")

    def schema(self) -> Schema:
        form: Schema = {"pattern": rf"{self.form}|\$\{{"} if self.form else {} if self._exact else {"minLength": 1}
        return {"type": "string", **form}


class Integer(ScalarShape[int]):
    """A whole number within bounds."""

    def __init__(self, low: int, high: int) -> None:
        self.low, self.high = low, high
        self.words, self.write = "a whole number", f"a whole number from {low} to {high}"

    @property
    def values(self) -> str:
        return f"{self.low} to {self.high}"

    def value(self, node: Scalar, text: str) -> int:
        if not INTEGER.fullmatch(text):
            raise self.unfit(node)
        if not (node.plain or has_variable(node.raw)):
            raise _in_quotes(node, text)
        number = int(text)
        if not self.low <= number <= self.high:
            raise Unfit(f"{quoted(node.raw)} is out of range; write {self.write}")
        return number

    def schema(self) -> Schema:
        return {"anyOf": [{"type": "integer", "minimum": self.low, "maximum": self.high}, VARIABLE]}


def _in_quotes(node: Scalar, text: str) -> Unfit:
    return Unfit(f"{quoted(node.raw)} in quotes is a text, not a number; write {text} without quotes")


class Number(ScalarShape[float]):
    """A number within bounds."""

    def __init__(self, low: float, high: float) -> None:
        self.low, self.high = low, high
        self.words, self.write = "a number", f"a number from {low:g} to {high:g}"

    @property
    def values(self) -> str:
        return f"{self.low:g} to {self.high:g}"

    def value(self, node: Scalar, text: str) -> float:
        if not re.fullmatch(r"-?([0-9]{1,9}(\.[0-9]{0,9})?|\.[0-9]{1,9})", text):
            raise self.unfit(node)
        if not (node.plain or has_variable(node.raw)):
            raise _in_quotes(node, text)
        number = float(text)
        if not self.low <= number <= self.high:
            raise Unfit(f"{quoted(node.raw)} is out of range; write {self.write}")
        return number

    def schema(self) -> Schema:
        return {"anyOf": [{"type": "number", "minimum": self.low, "maximum": self.high}, VARIABLE]}


class Flag(ScalarShape[bool]):
    """True or false."""

    words = write = "true or false"

    def value(self, node: Scalar, text: str) -> bool:
        if text in BOOLEAN and (node.plain or has_variable(node.raw)):
            return BOOLEAN[text]
        meant = _MEANT.get(text.lower()) or (text.lower() if text in BOOLEAN else None)
        raise Unfit(f"{quoted(node.raw)} is not true or false; write {meant}") if meant else self.unfit(node)

    def schema(self) -> Schema:
        return {"anyOf": [{"type": "boolean"}, VARIABLE]}


class Choice(ScalarShape[T]):
    """One of a few words. YAML's false is accepted for `off` (S52)."""

    def __init__(self, *, others: Mapping[str, str] | None = None, **choices: T) -> None:
        """Declare the words.

        Args:
            others: words that people write instead, each with the valid word.
            choices: the words with their values.
        """
        self._choices, self._others = choices, others or {}
        *most, last = choices
        self.words = self.write = f"{', '.join(most)} or {last}" if most else last

    @property
    def values(self) -> str:
        return self.words

    def value(self, node: Scalar, text: str) -> T:
        word = "off" if node.is_false and "off" in self._choices else text
        if word in self._choices:
            return self._choices[word]
        near = self._others.get(text.casefold()) or nearest(text, self._choices)
        raise Unfit(f"{quoted(node.raw)} is not {self.words}; write {near}") if near else self.unfit(node)

    def schema(self) -> Schema:
        words: list[Json] = [*self._choices]
        return {"anyOf": [{"enum": [*words, False] if "off" in self._choices else words}, VARIABLE]}


def read_default(shape: Shape[T], value: Json) -> T:
    """Return a default, read like a value in feeds.yaml."""
    findings = Findings("default", {})
    read = shape.read(node_of(value), findings)
    assert not findings.problems, findings.problems
    return read
