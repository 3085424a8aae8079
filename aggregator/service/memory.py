"""Measures how close the process is to the memory limit of its control group (R68).

The memory of the processes that read bodies (`aggregator/reader/`) counts too: they are in the same group.
"""

from enum import IntEnum
from pathlib import Path

from aggregator.container import GROUPS, HIGH, PROCESS, Memory, memory_of

CALM = 0.75  # of the limit: after a high pressure, polls begin again under this
FULL = 0.95  # we end in order rather than be killed


class Pressure(IntEnum):
    """Level of memory use."""

    NONE = 0
    HIGH = 1
    FULL = 2


class MemoryWatch:
    """Measures memory from time to time.

    Args:
        process: the folder of this process in /proc.
        groups: where control groups are mounted.
    """

    def __init__(self, process: Path = PROCESS, groups: Path = GROUPS) -> None:
        self._process, self._groups = process, groups
        self._pressure = Pressure.NONE

    def look(self) -> tuple[Pressure, Memory | None]:
        """Return the pressure, and the memory; None where there is no limit.

        A high pressure ends a little below the value at which it begins, or alarms would flutter.
        """
        memory = memory_of(self._process, self._groups)
        share = memory.share if memory else 0.0
        calm = CALM if self._pressure is not Pressure.NONE else HIGH
        self._pressure = Pressure.FULL if share >= FULL else Pressure.HIGH if share >= calm else Pressure.NONE
        return self._pressure, memory
