"""The command line: `main` finds the command, the modules of commands/ carry it out."""

from aggregator.cli.main import main

__all__ = ["main"]
