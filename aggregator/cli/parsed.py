"""The command line as records, from the parsers of the commands: for shell completion and the manual page."""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

from aggregator.cli.main import whole_parser


@dataclass(frozen=True, slots=True)
class Option:
    """One option, or one argument by its place."""

    flags: tuple[str, ...]  # such as -c and --config; empty: an argument by its place
    value: str  # what its value is called; empty: it takes none
    choices: tuple[str, ...]
    help: str
    is_needed: bool
    is_repeated: bool

    @property
    def takes_file(self) -> bool:
        """Whether its value is a file or a folder."""
        return any(word in self.value for word in ("FILE", "DIR", "FOLDER", ".yaml"))


@dataclass(frozen=True, slots=True)
class Command:
    """One command, or the program itself, with its own options."""

    name: str
    line: str  # what it does, in one line
    description: str
    examples: tuple[str, ...]
    options: tuple[Option, ...]
    actions: tuple["Command", ...]  # commands below it, such as `theme new`


def program() -> Command:
    """Return the program with all its commands. Options that stand before and after a command are the program's."""
    return _command("aggregator", whole_parser(), "", frozenset())


def _command(name: str, parser: argparse.ArgumentParser, line: str, known: frozenset[str]) -> Command:
    options = tuple(
        _option(action)
        for action in parser._actions
        if not isinstance(action, argparse._SubParsersAction) and not known.intersection(action.option_strings)
    )
    known |= {flag for option in options for flag in option.flags}
    below = next((one for one in parser._actions if isinstance(one, argparse._SubParsersAction)), None)
    lines = {one.dest: one.help or "" for one in below._choices_actions} if below else {}
    epilog = (parser.epilog or "").splitlines()
    return Command(
        name=name,
        line=line,
        description=" ".join((parser.description or line).split()),
        examples=tuple(each.strip() for each in epilog[1:]) if epilog[:1] == ["examples:"] else (),
        options=options,
        actions=tuple(_command(each, one, lines.get(each, ""), known) for each, one in _parsers(below)),
    )


def _parsers(
    below: "argparse._SubParsersAction[argparse.ArgumentParser] | None",
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    if below is not None:
        yield from below.choices.items()


def _option(action: argparse.Action) -> Option:
    takes_value = action.nargs != 0
    metavar = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    return Option(
        flags=tuple(action.option_strings),
        value=metavar if takes_value else "",
        choices=tuple(map(str, action.choices or ())),
        help=(action.help or "").replace("%%", "%"),
        is_needed=action.required and action.nargs not in ("?", "*"),
        is_repeated=action.nargs in ("*", "+"),
    )
