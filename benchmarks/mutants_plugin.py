"""pytest plugin of `benchmarks.mutants`: which functions each test calls, and the tests of one function first.

Two environment variables say what to do. `MUTANTS_RECORD`: a file to which each test appends a line of JSON: its id,
its seconds of processor time and the functions of the package that it called. `MUTANTS_FIRST`: a JSON list of ids of
tests to run first, in this order; `MUTANTS_ONLY` set: and no others.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any, cast

import pytest

PACKAGE = str(Path.cwd() / "aggregator") + "/"
_called: set[tuple[str, int]] = set()


def _trace(frame: FrameType, event: str, _: object) -> None:
    code = frame.f_code
    if code.co_filename.startswith(PACKAGE):
        _called.add((code.co_filename, code.co_firstlineno))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Record the functions that one test calls, its fixtures included."""
    record = os.environ.get("MUTANTS_RECORD")
    if record is None:
        return (yield)
    _called.clear()
    started = time.process_time()
    threading.settrace(_trace)
    sys.settrace(_trace)
    try:
        return (yield)
    finally:
        sys.settrace(None)
        threading.settrace(cast(Any, None))
        functions = [(name.removeprefix(PACKAGE), line) for name, line in list(_called)]
        with Path(record).open("a", encoding="utf-8") as file:
            print(json.dumps([item.nodeid, time.process_time() - started, functions]), file=file)


def pytest_collection_modifyitems(items: list[pytest.Item], config: pytest.Config) -> None:
    """Put the tests that the environment names first."""
    path = os.environ.get("MUTANTS_FIRST")
    if path is None:
        return
    order = {name: number for number, name in enumerate(json.loads(Path(path).read_text(encoding="utf-8")))}
    items.sort(key=lambda item: order.get(item.nodeid, len(order)))
    if "MUTANTS_ONLY" in os.environ:
        others = [item for item in items if item.nodeid not in order]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item.nodeid in order]
