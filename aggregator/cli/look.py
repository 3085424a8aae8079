"""The look of reports on a terminal: wrapped at words, with colours and a progress bar. Pipes get none of it."""

import re
import shutil
import threading
from collections.abc import Iterator, Mapping, Sequence
from io import TextIOWrapper
from time import monotonic
from typing import ClassVar, Final, TextIO
from unicodedata import east_asian_width

from aggregator.text.durations import rounded_span

WIDEST: Final = 120  # columns; longer lines are hard to read
NARROWEST: Final = 40  # a narrower terminal breaks lines itself
COLUMNS: Final = "▁▂▃▄▅▆▇█"
BAR: Final = 24  # columns of the bar itself
PAUSE: Final = 0.1  # seconds between two drawings of a bar
ERASE: Final = "\r\x1b[K"
RESET: Final = "\x1b[0m"
BOLD, DIM, RED, GREEN, YELLOW, CYAN = (f"\x1b[{code}m" for code in (1, 2, 31, 32, 33, 36))

_BY_WORD = {  # colour of the first word of a line
    word: colour
    for colour, words in (
        (RED, "failed failing gone dead wrong ! alarm aggregator:"),
        (YELLOW, "look suspect silent skipped paused never"),
        (GREEN, "ok fine"),
        (CYAN, "→"),
        (DIM, "·"),
    )
    for word in words.split()
}
_AS_IS = re.compile(r"[+-]|@@ |\{|\d{4}-\d\d-\d\dT\S+Z [a-z]+ ")  # lines of patches, JSON and the log
_HEAD = re.compile(r"(\s*)(\S*)(\s*)")
_NAME = re.compile(r"\S.*?(?=  | \(|: )")  # what a line is about, after its first word
_HEADING = re.compile(r"\s*[A-Z][\w ]{,40}(?: \([^()]+\))?:$")
_GAP = re.compile(r"(?<=\S)\s{2,}")  # between columns
_WORD = re.compile(r"\S+\s*")
_PIECE = re.compile(
    "[\u2e80-\uffff][、。，．：；？！）」』”’]*|[^\u2e80-\uffff]+"
)  # Chinese and Japanese have no blanks


class Screen(TextIOWrapper):
    """Lays out each line that is written to a terminal. Threads may share it.

    Args:
        stream: the terminal, as Python opened it.
        environ: NO_COLOR, or TERM=dumb, turns colours off (no-color.org).
    """

    def __init__(self, stream: TextIO, environ: Mapping[str, str]) -> None:
        super().__init__(stream.buffer, encoding=stream.encoding, errors=stream.errors, line_buffering=True)
        self._has_colours = not environ.get("NO_COLOR") and environ.get("TERM", "dumb") != "dumb"
        self._guard = threading.Lock()
        self._begun = ""  # a line without its end

    def write(self, text: str) -> int:
        """Write text. A line is laid out once it is complete."""
        with self._guard:
            *lines, self._begun = (self._begun + text).split("\n")
            if lines:
                Bar.hide_current()
            for line in lines:
                rows = laid_out(line, width_of(), has_colours=self._has_colours)
                super().write("\n".join(rows) + "\n")
        return len(text)

    def flush(self) -> None:
        """Write also a line that has begun, such as a question."""
        with self._guard:
            begun, self._begun = self._begun, ""
            if begun:
                super().write(begun)
        super().flush()


def width_of() -> int:
    """Return how many columns of the terminal are used."""
    return min(shutil.get_terminal_size().columns, WIDEST)


def laid_out(line: str, width: int, *, has_colours: bool) -> list[str]:
    """Return the rows of a line: broken at words, later rows indented. Lines that people copy are not broken."""
    if _AS_IS.match(line):
        is_head = line.startswith(("--- ", "+++ "))
        colour = BOLD if is_head else {"+": GREEN, "-": RED, "@": CYAN}.get(line[0])
        return [f"{colour}{line}{RESET}" if colour and has_colours else line]
    rows = list(_wrapped(line, width))
    if has_colours:
        rows[0] = _coloured(rows[0])
    return rows


def columns_of(text: str) -> int:
    """Return how many columns a text takes: two for each wide character."""
    return len(text) if text.isascii() else sum(2 if east_asian_width(char) in "WF" else 1 for char in text)


def _wrapped(line: str, width: int) -> Iterator[str]:
    if width < NARROWEST or columns_of(line) <= width:
        yield line
        return
    blanks = len(line) - len(line.lstrip())
    columns = [gap.end() for gap in _GAP.finditer(line) if gap.end() < width // 3]
    hang = " " * (columns[-1] if columns else blanks + 2)
    row = line[:blanks]
    for chunk in _WORD.findall(line, blanks):
        pieces = [chunk] if chunk.isascii() else _PIECE.findall(chunk)
        for piece in pieces:
            if row.strip() and columns_of(row) + columns_of(piece.rstrip()) > width:
                yield row.rstrip()
                row = hang
            row += piece
    yield row.rstrip()


def _coloured(row: str) -> str:
    """Return a row whose first word has its colour, and what it is about is bold."""
    ((before, word, after),) = _HEAD.findall(row)[:1]
    if _HEADING.match(row):
        return f"{BOLD}{row}{RESET}"
    colour = _BY_WORD.get(word)
    if colour is None:
        return row
    start = len(before + word + after)
    name = _NAME.match(row, start) if word.isalpha() else None
    end = name.end() if name else start
    bold = f"{BOLD}{row[start:end]}{RESET}" if name else ""
    return f"{before}{colour}{word}{RESET}{after}{bold}{row[end:]}"


def sparkline(numbers: Sequence[int]) -> str:
    """Return a row of small columns, one for each number: the lowest for 0, the highest for the largest number."""
    largest = max(numbers, default=0)
    return "".join(COLUMNS[-(-7 * number // largest) if largest else 0] for number in numbers)


class Bar:
    """A progress bar in the last line of a terminal. What else is written there removes it until it is drawn again.

    Args:
        what: what is counted: `sources checked`.
        stream: the terminal.
    """

    current: ClassVar["Bar | None"] = None

    def __init__(self, what: str, stream: TextIO) -> None:
        self._what, self._stream = what, stream
        self._began = monotonic()
        self._drawn = 0.0
        self._guard = threading.Lock()

    def show(self, done: int, total: int) -> None:
        """Draw the bar, unless it was drawn a moment ago."""
        now = monotonic()
        with self._guard:
            if now - self._drawn < PAUSE and done != total:
                return
            self._drawn = now
        line = bar_line(self._what, done, total, now - self._began)[: width_of() - 1]
        Bar.current = self
        self._draw(ERASE + line)

    def hide(self) -> None:
        """Remove the bar."""
        if Bar.current is self:
            Bar.current = None
            self._draw(ERASE)

    @classmethod
    def hide_current(cls) -> None:
        """Remove the bar that is shown, if one is."""
        if cls.current is not None:
            cls.current.hide()

    def _draw(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def bar_line(what: str, done: int, total: int, seconds: float) -> str:
    """Return the text of a bar: `[######------] 30 of 60 sources checked, 12 s left`. With no `total`, it counts."""
    if not total:
        return f"{what}: {done:,}"
    filled = BAR * min(done, total) // total
    left = seconds * (total - done) / done if done else 0.0
    ending = f", {rounded_span(left)} left" if left >= 2 else ""
    return f"[{'#' * filled}{'-' * (BAR - filled)}] {done:,} of {total:,} {what}{ending}"
