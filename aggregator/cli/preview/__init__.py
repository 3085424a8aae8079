from aggregator.cli.preview.command import LEVEL, run

__all__ = ["LEVEL", "run"]
