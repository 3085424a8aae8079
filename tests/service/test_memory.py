"""Memory and processors are read from files, which the kernel writes otherwise (R68)."""

import os
from pathlib import Path

import pytest

from aggregator.container import Memory, has_room, memory_of, usable_processors
from aggregator.service.memory import MemoryWatch, Pressure

MIB = 1 << 20


def written(root: Path, files: dict[str, str]) -> tuple[Path, Path]:
    """Write files; give the folders that stand for /proc/self and /sys/fs/cgroup."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root / "proc", root / "groups"


STATUS = {"proc/status": "Name:\tpython\nVmRSS:\t 90000 kB\nRssAnon:\t   51200 kB\n"}


@pytest.mark.parametrize(
    ("files", "limit", "held"),
    [
        pytest.param(
            {
                "proc/cgroup": "0::/system.slice/aggregator.service\n",
                "groups/system.slice/aggregator.service/memory.max": f"{100 * MIB}\n",
                "groups/system.slice/aggregator.service/memory.stat": f"anon {60 * MIB}\nfile {900 * MIB}\n",
                "groups/system.slice/memory.max": "max\n",
            },
            100,
            60,
            id="version-2",
        ),
        pytest.param(
            {
                "proc/cgroup": "0::/../../box/7\n",
                "groups/memory.max": f"{100 * MIB}\n",
                "groups/memory.stat": f"anon {70 * MIB}\n",
            },
            100,
            70,
            id="a-container-that-sees-its-group-as-the-root",
        ),
        pytest.param(
            {
                "proc/cgroup": "0::/a/b\n",
                "groups/a/b/memory.max": f"{1000 * MIB}\n",
                "groups/a/b/memory.stat": f"anon {60 * MIB}\n",
                "groups/a/memory.max": f"{200 * MIB}\n",
                "groups/a/memory.stat": f"anon {150 * MIB}\n",
            },
            200,
            150,
            id="the-group-above-is-tighter",
        ),
        pytest.param(
            {
                "proc/cgroup": "5:devices:/x\n4:memory:/docker/7\n0::/\n",
                "groups/memory/docker/7/memory.limit_in_bytes": f"{100 * MIB}\n",
                "groups/memory/docker/7/memory.stat": f"cache {900 * MIB}\nrss {1 * MIB}\ntotal_rss {80 * MIB}\n",
                "groups/memory/memory.limit_in_bytes": "9223372036854771712\n",
                "groups/memory/memory.stat": f"total_rss {80 * MIB}\n",
            },
            100,
            80,
            id="version-1",
        ),
        pytest.param(
            {"proc/cgroup": "0::/\n", "groups/memory.max": f"{100 * MIB}\n"},
            100,
            50,
            id="without-a-stat-file-our-own-counts",
        ),
    ],
)
def test_r68_the_limit_that_is_nearest(tmp_path: Path, files: dict[str, str], limit: int, held: int) -> None:
    process, groups = written(tmp_path, STATUS | files)
    expected = Memory(limit_bytes=limit * MIB, held_bytes=held * MIB, own_bytes=50 * MIB)
    assert memory_of(process, groups) == expected


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({}, id="no-such-files"),
        pytest.param({"proc/cgroup": "0::/\n", "groups/memory.max": "max\n"}, id="no-limit"),
        pytest.param({"proc/cgroup": "nonsense", "groups/memory.max": "1"}, id="nonsense"),
    ],
)
def test_r68_without_a_limit_there_is_no_pressure(tmp_path: Path, files: dict[str, str]) -> None:
    assert MemoryWatch(*written(tmp_path, STATUS | files)).look() == (Pressure.NONE, None)


def test_r68_pressure_does_not_flutter(tmp_path: Path) -> None:
    watch = MemoryWatch(*written(tmp_path, STATUS | {"proc/cgroup": "0::/\n", "groups/memory.max": f"{100 * MIB}"}))
    seen = []
    for percent in (79, 80, 76, 74, 79, 81, 95, 94):
        written(tmp_path, {"groups/memory.stat": f"anon {percent * MIB}\n"})
        seen.append(watch.look()[0].name)
    assert seen == ["NONE", "HIGH", "HIGH", "NONE", "NONE", "HIGH", "FULL", "HIGH"]


@pytest.mark.parametrize(
    ("files", "count"),
    [
        pytest.param({}, 8, id="no-such-files"),
        pytest.param({"proc/cgroup": "0::/\n", "groups/cpu.max": "max 100000\n"}, 8, id="no-quota"),
        pytest.param({"proc/cgroup": "0::/\n", "groups/cpu.max": "250000 100000\n"}, 2, id="whole-ones-count"),
        pytest.param({"proc/cgroup": "0::/\n", "groups/cpu.max": "50000 100000\n"}, 1, id="half-a-processor"),
        pytest.param({"proc/cgroup": "0::/\n", "groups/cpu.max": "900000 100000\n"}, 8, id="more-than-there-are"),
        pytest.param(
            {
                "proc/cgroup": "0::/a/b\n",
                "groups/a/b/cpu.max": "400000 100000\n",
                "groups/a/cpu.max": "300000 100000\n",
            },
            3,
            id="the-group-above-is-tighter",
        ),
        pytest.param(
            {
                "proc/cgroup": "4:memory:/x\n3:cpu,cpuacct:/docker/7\n",
                "groups/cpu/docker/7/cpu.cfs_quota_us": "200000\n",
                "groups/cpu/docker/7/cpu.cfs_period_us": "100000\n",
                "groups/cpu/cpu.cfs_quota_us": "-1\n",
                "groups/cpu/cpu.cfs_period_us": "100000\n",
            },
            2,
            id="version-1",
        ),
    ],
)
def test_processors_are_those_that_the_group_pays_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], count: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)))
    assert usable_processors(*written(tmp_path, STATUS | files)) == count


def test_r68_there_is_room_for_what_stays_below_the_high_pressure() -> None:
    memory = Memory(limit_bytes=1000, held_bytes=300, own_bytes=None)
    assert [has_room(size, memory) for size in (500, 501)] == [True, False]
    assert has_room(1 << 40, None)
