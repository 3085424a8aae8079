from aggregator.cli.why.command import LEVEL, run

__all__ = ["LEVEL", "run"]
