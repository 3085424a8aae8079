"""Reads feeds.yaml into frozen `Settings`. No other code reads the file or its environment variables later."""

from aggregator.config.loader import load_config

__all__ = ["load_config"]
