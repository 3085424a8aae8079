"""Keeps our own templates as compiled, where Python keeps our modules: compiling them anew took 0.1 s of each run."""

import sys
from contextlib import suppress
from importlib.util import cache_from_source
from pathlib import Path

import jinja2
from jinja2.bccache import Bucket


class CompiledTemplates(jinja2.FileSystemBytecodeCache):
    """Compiled templates in files beside our compiled modules, for all processes; none where Python can keep nothing.

    An operator's templates are never kept: their sandbox compiles otherwise, and who may write files of ours is another
    question.

    Args:
        options: of the environment; templates that were compiled with others are compiled again.
    """

    def __init__(self, options: object) -> None:
        super().__init__(str(Path(cache_from_source(__file__)).parent), "template-%s.cache")
        self._made_by = f"{jinja2.__version__} {sys.version} {options!r}"

    def get_source_checksum(self, source: str) -> str:
        """Return the digest of all that a compiled template depends on."""
        return super().get_source_checksum(f"{self._made_by}\n{source}")

    def load_bytecode(self, bucket: Bucket) -> None:
        """Read a compiled template; one that can't be read is compiled again."""
        with suppress(Exception):  # a damaged file raises anything
            super().load_bytecode(bucket)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep a compiled template, if that is possible."""
        if not sys.dont_write_bytecode:
            with suppress(OSError):  # the folder is missing, is not ours or is full
                super().dump_bytecode(bucket)
