"""Modules that are imported at the first use of one of their names, so that a quiet run does not pay for them.

A module that hands work on to a stage which many runs never reach names it twice, at its top:

    if TYPE_CHECKING:
        from aggregator.render import atom
    else:
        atom = late("aggregator.render.atom")

Then `atom.render(...)` reads as ever and is checked as ever. `tests/test_late_imports.py` has the table of these
modules, and of what each kind of run may import.
"""

from importlib import import_module
from typing import Any


class _Late:
    """Stands for a module. The import system's own locks make a first use in several threads safe."""

    def __init__(self, name: str) -> None:
        self.__name__ = name

    def __getattr__(self, name: str) -> Any:
        module = import_module(self.__name__)
        self.__dict__ = module.__dict__  # later uses find all names without a call, and always as the module has them
        return getattr(module, name)


def late(name: str) -> Any:
    """Return an object whose attributes are those of a module, which is imported when the first is asked for."""
    return _Late(name)
