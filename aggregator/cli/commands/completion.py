"""Print a script that completes command lines in bash, zsh or fish."""

import argparse
import logging
from collections.abc import Mapping

from aggregator.cli.commands import add_examples

LEVEL = logging.ERROR


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Prints a script with which a shell completes the commands and options of this program, and their values. Load "
        "it where the shell starts, or save it where your distribution keeps such scripts."
    )
    parser.add_argument("shell", choices=("bash", "zsh", "fish"), metavar="SHELL", help="bash, zsh or fish")
    add_examples(
        parser,
        "completion bash > ~/.local/share/bash-completion/completions/aggregator",
        "completion zsh > ~/.zfunc/_aggregator",
        "completion fish > ~/.config/fish/completions/aggregator.fish",
    )


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Print the script."""
    from aggregator.cli.completion import script

    print(script(options.shell), end="")
    return 0
