from aggregator.cli.why.command import run

__all__ = ["run"]
