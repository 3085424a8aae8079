"""The twin of an output: its bytes compressed, beside it, for servers that send it as it is (A76)."""

import os
import zlib

from aggregator.publish import regular

LEVEL = 4  # of gzip: 0.40 of the time of level 6 for 12 % more bytes of a synthetic feed, 2 % of real pages (SPEED 19)


def packed(data: bytes) -> bytes:
    """Compress with a fixed header: no name, no time (A76)."""
    return zlib.compress(data, LEVEL, wbits=31)


def fits(folder: int, name: str, data: bytes) -> bool:
    """Tell whether the twin holds these bytes, by length and CRC at its end.

    A run that was killed between the two files leaves a twin of newer text; if that text is then taken back, the plain
    file is right as it stands, and the twin is not.
    """
    with regular.opened(folder, name) as descriptor:
        if descriptor is None or os.fstat(descriptor).st_size < 18:
            return False
        os.lseek(descriptor, -8, os.SEEK_END)
        end = os.read(descriptor, 8)
        return end == zlib.crc32(data).to_bytes(4, "little") + (len(data) & 0xFFFFFFFF).to_bytes(4, "little")
