from aggregator.cli.preview.command import run

__all__ = ["run"]
