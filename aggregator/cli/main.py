"""Arguments, logging, and what an error means as an exit code (DESIGN 3.2)."""

import argparse
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

from aggregator import __version__
from aggregator.cli.logs import configure_logging
from aggregator.errors import AggregatorError, ConfigError, LockHeld

DONE, FOUND, WRONG, NO_WORK, HELD, OURS = 0, 1, 2, 3, 4, 5
INTERRUPTED = 130
COMMANDS = {  # name: one line of help; the module of that name has `add_arguments` and `run`
    "serve": "poll, publish and serve, until SIGTERM",
    "poll": "poll what is due, publish what changed, and end: for cron and CI",
    "publish": "render what is dirty, or everything, from the store",
    "check": "say what is wrong with feeds.yaml",
    "status": "say how sources and categories stand, what needs a hand first",
    "schema": "print the JSON Schema of feeds.yaml, for editors",
}


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run a command.

    Args:
        arguments: without the program's name.
        environ: where `${NAME}` in feeds.yaml is looked up.

    Returns:
        The exit code.
    """
    _open_closed_streams()
    parser = _parser()
    try:
        options = parser.parse_args(arguments)
    except SystemExit as stop:
        return int(stop.code or DONE)
    command = import_module(f"aggregator.cli.{options.command}")
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
        print(f"aggregator: a fault of ours, please report it: {type(error).__name__}: {error}", file=sys.stderr)
        return OURS


def _open_closed_streams() -> None:
    """Let a closed stdout or stderr swallow what is said, rather than stop us or send talk to the wrong place (R58)."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - it lives as long as we do
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="aggregator",
        description="Polls feeds, tells same from different, and republishes one Atom feed per category.",
    )
    parser.add_argument("--version", action="version", version=f"aggregator {__version__}")
    _add_common(parser, config=Path("feeds.yaml"), log="text", verbose=0, quiet=0)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, line in COMMANDS.items():
        command = commands.add_parser(name, help=line, description=line[0].upper() + line[1:] + ".")
        suppressed = argparse.SUPPRESS
        _add_common(command, config=suppressed, log=suppressed, verbose=suppressed, quiet=suppressed)
        _ARGUMENTS[name](command)
    return parser


def _add_common(parser: argparse.ArgumentParser, **defaults: object) -> None:
    """Add what goes before or after the command; of several the last counts."""
    config, log, verbose, quiet = (defaults[name] for name in ("config", "log", "verbose", "quiet"))
    parser.add_argument("-c", "--config", type=Path, default=config, metavar="FILE", help="default: feeds.yaml")
    parser.add_argument("--log", choices=("text", "json"), default=log, help="how log lines are written to stderr")
    loudness = parser.add_mutually_exclusive_group()
    loudness.add_argument("-v", dest="verbose", action="store_const", const=1, default=verbose, help="log more")
    loudness.add_argument("-q", dest="quiet", action="store_const", const=1, default=quiet, help="log less")


def _serve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--last-good", action="store_true", help="if feeds.yaml is broken, start with the last good one"
    )


def _poll(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("keys", nargs="*", metavar="KEY", help="poll these sources, by key or URL, due or not")
    parser.add_argument("--all", action="store_true", help="poll everything that is not paused, due or not")
    parser.add_argument("--for", dest="limit", default="10m", metavar="TIME", help="stop after that time; 0: no limit")
    parser.add_argument("--strict", action="store_true", help="exit 1 if a source failed")
    parser.add_argument("--json", action="store_true", help="report as JSON on stdout")


def _publish(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--all", action="store_true", help="render everything, dirty or not")
    parser.add_argument("--take-over", action="store_true", help="write over outputs whose store was lost")
    parser.add_argument("--json", action="store_true", help="report as JSON on stdout")


def _check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="report as JSON on stdout")


def _status(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("key", nargs="?", metavar="KEY", help="all about one source, by key or URL")
    parser.add_argument("--json", action="store_true", help="report as JSON on stdout")


def _nothing(parser: argparse.ArgumentParser) -> None:
    pass


_ARGUMENTS = {
    "serve": _serve,
    "poll": _poll,
    "publish": _publish,
    "check": _check,
    "status": _status,
    "schema": _nothing,
}
