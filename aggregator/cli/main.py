"""Finds the command, sets up logging, and maps errors to exit codes."""

import argparse
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType

from aggregator import __version__
from aggregator.cli.logs import configure_logging
from aggregator.errors import AggregatorError, ConfigError, LockHeld

DONE, FOUND, WRONG, NO_WORK, HELD, OURS = 0, 1, 2, 3, 4, 5
INTERRUPTED = 130
_DATA = ("export", "schema", "completion")  # commands whose stdout is a document
_ORDER = (  # of `--help`: those that run, look, correct, keep; a command that is not named here comes last
    *(
        "serve",
        "poll",
        "publish",
        "check",
        "plan",
        "add",
        "import",
        "export",
        "remove",
        "pause",
        "resume",
        "rename",
        "move",
        "status",
        "doctor",
        "fix",
        "why",
        "preview",
        "search",
    ),
    *(
        "merge",
        "unmerge",
        "retract",
        "forget",
        "accept",
        "backup",
        "restore",
        "move-store",
        "replay",
        "schema",
        "completion",
    ),
)


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run a command.

    Args:
        arguments: without the program's name.
        environ: where `${NAME}` in feeds.yaml is looked up.

    Returns:
        The exit code.
    """
    _open_closed_streams()
    try:
        options = _parser(arguments).parse_args(arguments)
    except SystemExit as stop:
        return int(stop.code or DONE)
    command = _module(options.command)
    _lay_out(options, environ)
    configure_logging(options.log, level=command.LEVEL + 10 * (options.quiet - options.verbose))
    try:
        return int(command.run(options, environ))
    except ConfigError as error:
        print(error, file=sys.stderr)
        return WRONG
    except LockHeld as error:
        print(f"aggregator: {error}", file=sys.stderr)
        return HELD
    except AggregatorError as error:
        print(f"aggregator: {error}", file=sys.stderr)
        return NO_WORK
    except BrokenPipeError:
        return DONE
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:  # a full disk behind stdout, a folder that went away
        print(f"aggregator: {error}", file=sys.stderr)
        return NO_WORK
    except Exception as error:
        logging.getLogger(__name__).exception("crash_command", extra={"command": options.command})
        print(f"aggregator: internal error, please report it: {type(error).__name__}: {error}", file=sys.stderr)
        return OURS


def _open_closed_streams() -> None:
    """Replace a closed stdout or stderr by the null device. Else a write would fail or go to another file (R58)."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - it lives as long as we do
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115


def _lay_out(options: argparse.Namespace, environ: Mapping[str, str]) -> None:
    """Lay out what is written to a terminal. What goes to a pipe or a file, and JSON, stays as it is."""
    is_data = getattr(options, "json", False) or options.command in _DATA
    streams = [name for name in ("stdout", "stderr") if getattr(sys, name).isatty()]
    if streams:
        from aggregator.cli.look import Screen  # late: most runs have no terminal

        for name in streams:
            if name == "stderr" or not is_data:
                setattr(sys, name, Screen(getattr(sys, name), environ))


def commands() -> list[str]:
    """Return the names of all commands, in the order of `--help`."""
    names = sorted(path.stem.replace("_", "-") for path in Path(__file__).with_name("commands").glob("[!_]*.py"))
    return sorted(names, key=lambda name: _ORDER.index(name) if name in _ORDER else len(_ORDER))


def _module(command: str) -> ModuleType:
    return import_module(f"aggregator.cli.commands.{command.replace('-', '_')}")


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """Return the parser of a command line. Only the commands that it names are imported; for help, all are."""
    parser = argparse.ArgumentParser(
        prog="aggregator",
        description="Polls feeds, recognises duplicates, and republishes one feed per category.",
        epilog="`aggregator COMMAND --help` has examples of each command.",
    )
    parser.add_argument("--version", action="version", version=f"aggregator {__version__}")
    _add_common(parser, config=Path("feeds.yaml"), log="text", verbose=0, quiet=0)
    adder = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in commands():
        if name not in arguments and not {"-h", "--help"}.intersection(arguments):
            adder.add_parser(name)
            continue
        module = _module(name)
        line = (module.__doc__ or "").partition("\n")[0]
        command = adder.add_parser(name, help=line[:1].lower() + line[1:].removesuffix("."), description=line)
        suppressed = argparse.SUPPRESS
        _add_common(command, config=suppressed, log=suppressed, verbose=suppressed, quiet=suppressed)
        module.add_arguments(command)
    return parser


def whole_parser() -> argparse.ArgumentParser:
    """Return the parser with all commands and their arguments."""
    return _parser(["--help"])


def _add_common(parser: argparse.ArgumentParser, **defaults: object) -> None:
    """Add the options that may stand before or after the command; the last of several counts."""
    config, log, verbose, quiet = (defaults[name] for name in ("config", "log", "verbose", "quiet"))
    parser.add_argument("-c", "--config", type=Path, default=config, metavar="FILE", help="default: feeds.yaml")
    parser.add_argument("--log", choices=("text", "json"), default=log, help="how log lines are written to stderr")
    loudness = parser.add_mutually_exclusive_group()
    loudness.add_argument("-v", dest="verbose", action="store_const", const=1, default=verbose, help="log more")
    loudness.add_argument("-q", dest="quiet", action="store_const", const=1, default=quiet, help="log less")
