"""Feed aggregator: polls feeds, finds copies of the same story, and publishes one Atom feed per category.

`open_planet`, `load_config` and the types they return are for Python programs that use it as a library
(docs/library.md). They are imported when they are first used, so that a command loads only what it needs.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aggregator.config import load_config
    from aggregator.library.planet import Planet, open_planet
    from aggregator.model.poll import Report
    from aggregator.model.story import Publication
    from aggregator.publish.report import Published

__version__ = "0.1.0"
HOME = ""  # home page of the project, set by who builds a release, with project.urls in pyproject.toml; empty: none
__all__ = ["Planet", "Publication", "Published", "Report", "load_config", "open_planet"]

_HOMES = {
    "load_config": "aggregator.config",
    "Planet": "aggregator.library.planet",
    "open_planet": "aggregator.library.planet",
    "Publication": "aggregator.model.story",
    "Published": "aggregator.publish.report",
    "Report": "aggregator.model.poll",
}


if not TYPE_CHECKING:  # a type checker knows the names from the imports above, and finds misspelt ones

    def __getattr__(name: str) -> object:
        """Import a public name at its first use (PEP 562)."""
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_HOMES[name]), name)
