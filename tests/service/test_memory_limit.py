"""`serve` in a control group of its own, whose limit the kernel means: it ends in order before it is killed (R68)."""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.patience import PATIENCE
from tests.running import Running
from tests.sample_site import LOOPBACK

MEMORY = Path("/sys/fs/cgroup/memory")  # version 1
UNIFIED = Path("/sys/fs/cgroup")  # version 2


class Group:
    """A control group for memory."""

    def __init__(self, folder: Path, limit: str, held: str) -> None:
        self.folder, self._limit, self._held = folder, folder / limit, held
        self._sizes: dict[float, int] = {}

    def holds(self) -> int:
        """Return the bytes of anonymous memory in the group."""
        lines = (self.folder / "memory.stat").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.split()[0] == self._held)

    def is_full_to(self, share: float) -> bool:
        """Set the limit so that at most `share` of it is used now; for one share the limit only rises."""
        self._sizes[share] = max(self._sizes.get(share, 0), int(self.holds() / share))
        self._limit.write_text(str(self._sizes[share]), encoding="ascii")
        return True

    def take(self) -> None:
        """Move this process there: what is called before a program starts."""
        (self.folder / "cgroup.procs").write_text(str(os.getpid()), encoding="ascii")


@pytest.fixture
def group() -> Iterator[Group]:
    """Make a group; skip where we may not."""
    name = f"aggregator-test-{os.getpid()}"
    try:
        if (MEMORY / "memory.limit_in_bytes").exists():
            made = Group(MEMORY / name, "memory.limit_in_bytes", "total_rss")
        elif "memory" in (UNIFIED / "cgroup.subtree_control").read_text(encoding="ascii"):
            made = Group(UNIFIED / name, "memory.max", "anon")
        else:
            pytest.skip("no control groups for memory")
        made.folder.mkdir()
    except OSError as error:
        pytest.skip(f"no control group can be made: {error.strerror}")
    yield made
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with contextlib.suppress(OSError):  # the kernel takes a moment to see that its last process has ended
            made.folder.rmdir()
            return


@pytest.mark.slow
def test_r68_at_the_limit_it_ends_in_order_with_exit_5(group: Group, tmp_path: Path) -> None:
    with Running(
        tmp_path, LOOPBACK + "sources: [{url: 'http://127.0.0.1:9/', paused: true}]\n", before=group.take
    ) as service:
        # Its memory still grows for a while after a start, so the limit rises with it.
        service.wait_for(lambda: group.is_full_to(0.87) and "spare_memory" in service.log())
        process = service.process
        assert process is not None
        service.wait_for(lambda: group.is_full_to(0.96) and process.poll() is not None)
        assert process.returncode == 5, "a supervisor starts it anew"
    log = service.log()
    assert "end_for_memory" in log
    assert "raise the memory limit" in log
