"""The commands: a module each, with its line of help, its arguments and `run`.

`aggregator.cli.main` finds them by listing this folder. What a command needs is imported in `run`: `--help` is quick.
"""

import argparse

STORY_NAMES = "an atom:id, a page's id or address, or an entry's link, own id or number"  # help of an argument
SOURCE_NAMES = "its key, address or title, or a part of its title that no other source has"


def add_examples(parser: argparse.ArgumentParser, *examples: str) -> None:
    """Add example command lines to the end of the help of a command."""
    parser.formatter_class = _Help
    parser.epilog = "examples:\n" + "\n".join(f"  aggregator {example}" for example in examples)


def add_edit_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of commands that edit feeds.yaml."""
    answers = parser.add_mutually_exclusive_group()
    answers.add_argument("--yes", action="store_true", help="write without a question; needed in scripts")
    answers.add_argument("--dry-run", action="store_true", help="show what would be written, and write nothing")
    parser.add_argument("--json", action="store_true", help="report as JSON on stdout")


class _Help(argparse.HelpFormatter):
    """Keeps the lines of examples; wraps all else."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text if text.startswith("examples:") else super()._fill_text(text, width, indent)
