"""Writes the manual page, docs/aggregator.1, from what `--help` shows.

`python -m aggregator.cli.manual > docs/aggregator.1` writes it anew; a test finds one that is out of date.
"""

import re
from collections.abc import Iterator

from aggregator import __version__
from aggregator.cli.parsed import Command, Option, program

EXIT_CODES = (
    ("0", "Done; nothing was found."),
    ("1", "Something was found that needs a look, or was not written because nobody said yes."),
    ("2", "An argument or feeds.yaml is wrong."),
    ("3", "The store, a file or the network stopped the work."),
    ("4", "Another process holds the lock of the store."),
    ("5", "An error in aggregator; please report it."),
)
FILES = (
    ("feeds.yaml", "Sources, categories and settings; -c names another file."),
    ("var/aggregator.db", "The store, unless `store` in feeds.yaml names another one."),
    ("public/", "What is published, unless `publish` in feeds.yaml names another place."),
)
ENVIRONMENT = (
    ("NO_COLOR", "If it is set, reports on a terminal have no colours."),
    ("COLUMNS", "Width of the terminal in place of the true one."),
    ("NAME", "Any name that feeds.yaml uses as ${NAME}."),
)


def manual() -> str:
    """Return the manual page in the man macros of roff."""
    return "\n".join(_lines(program())) + "\n"


def _lines(whole: Command) -> Iterator[str]:
    yield f'.TH AGGREGATOR 1 "" "aggregator {__version__}" "User Commands"'
    yield ".SH NAME"
    yield f"aggregator \\- {_text(whole.description[:1].lower() + whole.description[1:].removesuffix('.'))}"
    yield ".SH SYNOPSIS"
    yield ".B aggregator"
    yield ".RI [ options ]"
    yield ".I COMMAND"
    yield ".RI [ arguments ]"
    yield ".SH DESCRIPTION"
    yield _text(whole.description)
    yield "These options may stand before or after the command:"
    for option in whole.options:
        yield from _option(option)
    yield ".SH COMMANDS"
    for command in whole.actions:
        yield from _command(command)
    for title, rows in (("EXIT STATUS", EXIT_CODES), ("FILES", FILES), ("ENVIRONMENT", ENVIRONMENT)):
        yield f".SH {title}"
        for name, said in rows:
            yield from (".TP", f".B {_text(name)}", _text(said))


def _command(command: Command, before: str = "") -> Iterator[str]:
    yield f'.SS "{before}{_text(command.name)}{"".join(f" {_place(option)}" for option in command.options)}"'
    yield _text(command.description)
    for option in command.options:
        yield from _option(option)
    for action in command.actions:
        yield from _command(action, f"{_text(command.name)} ")
    if command.examples:
        yield from (".PP", "Examples:", ".PP", ".EX")
        yield from (_text(example) for example in command.examples)
        yield ".EE"


def _place(option: Option) -> str:
    """Return an argument in the line of its command."""
    if option.flags:
        name = f"{option.flags[-1]} {option.value}".strip()
        return _text(name if option.is_needed else f"[{name}]")
    name = f"{option.value}{' ...' if option.is_repeated else ''}"
    return _text(name if option.is_needed else f"[{name}]")


def _option(option: Option) -> Iterator[str]:
    value = f" {'|'.join(option.choices) if option.flags and option.choices else option.value}" if option.value else ""
    yield ".TP"
    yield f".B {_text(', '.join(option.flags) + value if option.flags else option.value)}"
    yield _text(option.help)


def _text(text: str) -> str:
    """Return a text with what roff would obey escaped."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("~", "\\(ti").replace("^", "\\(ha")
    escaped = escaped.replace("`", "\\(ga").replace("'", "\\(aq").replace('"', "\\(dq").replace("…", "...")
    return re.sub(r"(?m)^\.", r"\\&.", escaped)


if __name__ == "__main__":
    print(manual(), end="")
