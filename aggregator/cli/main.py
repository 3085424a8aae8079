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
    "check": "say what is wrong with feeds.yaml; with --live, with its sources",
    "plan": "show what would change if feeds.yaml, or another file in its place, went live",
    "add": "find the feed behind an address, try it, and write it into feeds.yaml",
    "status": "say how sources and categories stand, what needs a hand first",
    "why": "explain an entry, a story, a source or a category by what was recorded",
    "preview": "show what a source would publish now, storing nothing",
    "search": "find stored entries by their words, published or not",
    "merge": "let one story tell what two told",
    "unmerge": "take a story apart, and remember that its entries differ",
    "retract": "withdraw a story from every category, or bring it back",
    "accept": "publish what is held back of a source that looks like another feed",
    "backup": "copy the state to a file, also beside a running serve",
    "restore": "bring the state back, from a backup or from what was published",
    "replay": "read successive versions of a feed as if they had been polled",
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
        description="Polls feeds, tells same from different, and republishes one feed per category.",
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
    parser.add_argument(
        "--server", choices=("waitress", "granian"), default="waitress", help="granian: faster, with the extra granian"
    )


def _poll(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("keys", nargs="*", metavar="KEY", help="poll these sources, by title, key or URL, due or not")
    parser.add_argument("--all", action="store_true", help="poll everything that is not paused, due or not")
    parser.add_argument("--for", dest="limit", default="10m", metavar="TIME", help="stop after that time; 0: no limit")
    parser.add_argument("--strict", action="store_true", help="exit 1 if a source failed")
    parser.add_argument("--json", action="store_true", help="report as JSON on stdout")


def _publish(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--all", action="store_true", help="render everything, dirty or not")
    parser.add_argument(
        "--rules", action="store_true", help="let the rules of feeds.yaml judge stored entries again, and publish those"
    )
    parser.add_argument("--take-over", action="store_true", help="write over outputs whose store was lost")
    parser.add_argument("--json", action="store_true", help="report as JSON on stdout")


def _backup(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="the copy; one that stands there is replaced")


def _restore(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", metavar="FILE", help="a copy that `backup` made")
    parser.add_argument("--from-site", metavar="URL-OR-FOLDER", help="rebuild the state from what was published there")
    parser.add_argument("--if-any", action="store_true", help="with --from-site: nothing published yet is no failure")
    parser.add_argument("--json", action="store_true", help="report as JSON on stdout")


def _check(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Says what is wrong with feeds.yaml, without touching network or store. With --live each source is asked once, "
        "as politely as a poll would, and what it answers is told: nothing is stored. Exit 1 if something wants a hand."
    )
    parser.add_argument("keys", nargs="*", metavar="KEY", help="with --live: these sources only, by title, key or URL")
    parser.add_argument("--live", action="store_true", help="ask the sources too")
    parser.add_argument("--strict", action="store_true", help="with --live: exit 1 for what was odd as well")
    parser.add_argument("--server", choices=("waitress", "granian"), help="whether `serve --server` could start it")
    parser.add_argument("--json", action="store_true", help="report as JSON on stdout")


def _plan(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Shows what would change if this feeds.yaml went live: sources and categories that come, go or change, and "
        "what its rules would make of the stored entries of the last week. Compares with what was in force last; asks "
        "nobody and writes nothing, so it works beside a running `serve`."
    )
    parser.add_argument("new", nargs="?", type=Path, metavar="NEW.yaml", help="default: the feeds.yaml of -c")
    parser.add_argument("--exit-code", action="store_true", help="exit 1 if anything would change")
    parser.add_argument("--json", action="store_true", help="report as JSON on stdout")


def _add(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Finds the feed behind an address: the address itself, what its page names, or, if it names none, one of three "
        "well-known paths. The feed is read once, and written into feeds.yaml, where all that stands there stays. "
        "Of a local OPML file, all feeds are written there, and none is read. "
        "Exit 1 if an address was not added."
    )
    parser.add_argument("urls", nargs="+", metavar="URL", help="of a feed or of a page; or an OPML file")
    parser.add_argument(
        "--category", action="append", default=[], metavar="NAME", help="where it goes; may be repeated"
    )
    parser.add_argument("--title", help="instead of the feed's own")
    parser.add_argument("--yes", action="store_true", help="ask nothing: of several feeds take the best")
    parser.add_argument("--json", action="store_true", help="report as JSON on stdout")


def _status(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("key", nargs="?", metavar="KEY", help="all about one source, by title, key or URL")
    parser.add_argument("--all", action="store_true", help="list everything one by one, also what is alike")
    parser.add_argument("--json", action="store_true", help="report as JSON on stdout")


def _preview(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Shows what a source would publish now: its entries, which of them are new, which rules hold them back, and "
        "which stories they would join. Nothing is stored, so it works beside a running `serve`. The source is asked "
        "once, without validators, since a 304 would show nothing; not if it was asked in the last five minutes."
    )
    parser.add_argument(
        "source", metavar="SOURCE", help="a title, key or URL in feeds.yaml, any other URL, or a local file"
    )
    parser.add_argument(
        "--dedupe",
        metavar="VALUE",
        help="say instead, from the store alone, which of its entries would be joined or taken apart if `defaults` and "
        "this source said so: near, exact, off, or '{near: 0.8, window: 14d}'",
    )
    parser.add_argument("--json", action="store_true", help="report as JSON on stdout")


def _why(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("thing", metavar="THING", help="an entry or a story, a source's key, a category")
    parser.add_argument("--json", action="store_true", help="report as JSON on stdout")


def _search(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Finds entries that have all the words, newest first, whether or not they are published. What is in quotes has "
        "to stand so, what a - is before must not be there (write it after --). Works beside a running `serve`."
    )
    parser.add_argument("query", nargs="+", metavar="QUERY", help="words to look for")
    parser.add_argument("--limit", type=_count, default=20, metavar="N", help="at most so many; default: 20")
    parser.add_argument("--json", action="store_true", help="report as JSON on stdout")


def _count(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 10_000:
        raise argparse.ArgumentTypeError(f"{text} is out of range; write a number from 1 to 10000")
    return number


_STORY = "an atom:id, a page's id or address, or an entry's link, own id or number"


def _merge(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Lets story A tell what A and B told. B's entries move to A, B is withdrawn from its categories with a "
        "tombstone, and A enters those where only B stood. Works beside a running `serve`; `unmerge` undoes it."
    )
    parser.add_argument("kept", metavar="A", help=_STORY)
    parser.add_argument("merged", metavar="B", help="the same, of the story that goes")
    parser.add_argument("--json", action="store_true", help="report as JSON on stdout")


def _unmerge(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Takes ENTRY out of a story, or all entries but the one that founded it. What came by `merge` stands again "
        "as it was before, anything else becomes a story of its own, and no copy joins the two again by itself. "
        "Works beside a running `serve`; `merge` undoes it."
    )
    parser.add_argument("story", metavar="STORY", help=_STORY)
    parser.add_argument("entry", nargs="?", metavar="ENTRY", help="an entry's link, own id or number")
    parser.add_argument("--json", action="store_true", help="report as JSON on stdout")


def _retract(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Withdraws a story from every category; Atom feeds say so for 30 days, so that readers drop it. No revision "
        "and no copy brings it back, only --undo does. Works beside a running `serve`."
    )
    parser.add_argument("id", metavar="ID", help=_STORY)
    parser.add_argument("--undo", action="store_true", help="bring it back: the same id, order and page")
    parser.add_argument("--json", action="store_true", help="report as JSON on stdout")


def _accept(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Says that a source is the feed you want although its id, title or site have changed and nothing in it was "
        "known: what was held back of it is published now. `aggregator status` names such sources."
    )
    parser.add_argument("key", metavar="KEY", help="of a source that is suspect")
    parser.add_argument("--json", action="store_true", help="report as JSON on stdout")


def _replay(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Reads the files of a folder, in the order of their names, as successive versions of one feed, as if each had "
        "been polled, and says what each would have brought. Asks nobody and touches no store. An index.json there may "
        "tell when each version was there. -v names the entries."
    )
    parser.add_argument("folder", type=Path, nargs="?", metavar="DIR", help="with 000.xml, 001.xml, ... of one feed")
    parser.add_argument("--stored", metavar="KEY", help="instead of a folder: what the store keeps of this source")
    parser.add_argument("--source", metavar="KEY", help="with the settings and rules of this source of feeds.yaml")
    parser.add_argument("--json", action="store_true", help="report as JSON on stdout")


def _nothing(parser: argparse.ArgumentParser) -> None:
    pass


_ARGUMENTS = {
    "serve": _serve,
    "poll": _poll,
    "publish": _publish,
    "check": _check,
    "plan": _plan,
    "add": _add,
    "status": _status,
    "why": _why,
    "preview": _preview,
    "search": _search,
    "merge": _merge,
    "unmerge": _unmerge,
    "retract": _retract,
    "accept": _accept,
    "backup": _backup,
    "restore": _restore,
    "replay": _replay,
    "schema": _nothing,
}
