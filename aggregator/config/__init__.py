"""feeds.yaml as frozen settings. Nothing reads a file, a global or the environment later (STYLE, section 7)."""

from aggregator.config.loader import load_config

__all__ = ["load_config"]
