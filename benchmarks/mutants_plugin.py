"""pytest plugin of `benchmarks.mutants`: which lines each test executes, and the tests of one mutant first.

Environment variables say what to do. `MUTANTS_RECORD`: a file to which each test appends a line of JSON: its id,
its seconds of processor time and the lines of the modules of `MUTANTS_FOLDER` that it executed, by module; the first
line of the file is of what was executed before the first test. `MUTANTS_FIRST`: a JSON list of ids of tests to run
first, in this order. `MUTANTS_TASKS`: a file of mutants that are tried one after the other, each with its own tests in
a fork of this process, which has imported and collected all; `MUTANTS_RESULTS`: where a line of JSON for each of them
goes, killed, timeout, survived or unknown with the seconds it took.
"""

import gc
import json
import os
import resource
import select
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from importlib import import_module
from inspect import CO_OPTIMIZED
from itertools import zip_longest
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any, cast

import pytest

from benchmarks.mutants import BEFORE, parts

PACKAGE = str(Path.cwd() / "aggregator") + "/"
UNKNOWN = 77  # exit code of a fork that could not replace the code
RECORD = os.environ.get("MUTANTS_RECORD")
TRACED = f"{PACKAGE}{os.environ.get('MUTANTS_FOLDER', '')}/"
_left: dict[CodeType, set[int]] = {}  # lines of each code that was called, without those that were executed


def _trace(frame: FrameType, event: str, _: object) -> Any:
    """Return the function that takes the lines of a call; None if all lines of its code were executed already."""
    code = frame.f_code
    if not code.co_filename.startswith(TRACED):
        return None
    if code not in _left:
        _left[code] = {line for *_, line in code.co_lines() if line}
    left = _left[code]

    def executed(frame: FrameType, event: str, _: object) -> Any:
        left.discard(frame.f_lineno)
        return executed if left else None

    return executed if left else None


def _start() -> None:
    _left.clear()
    threading.settrace(_trace)
    sys.settrace(_trace)


def _write(test: str, seconds: float) -> None:
    """Stop tracing, and append what was executed."""
    sys.settrace(None)
    threading.settrace(cast(Any, None))
    found: dict[str, set[int]] = {}
    for code, left in list(_left.items()):
        lines = {line for *_, line in code.co_lines() if line}
        found.setdefault(code.co_filename.removeprefix(PACKAGE), set()).update(lines - left)
    with Path(str(RECORD)).open("a", encoding="utf-8") as file:
        print(json.dumps([test, seconds, {module: sorted(lines) for module, lines in found.items()}]), file=file)


if RECORD is not None:
    _start()


def pytest_collection_finish() -> None:
    """Record what was executed by imports."""
    if RECORD is not None:
        _write(BEFORE, 0)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Record the lines that one test executes, its fixtures included."""
    if RECORD is None:
        return (yield)
    started = time.process_time()
    _start()
    try:
        return (yield)
    finally:
        _write(item.nodeid, time.process_time() - started)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests that the environment names first."""
    path = os.environ.get("MUTANTS_FIRST")
    if path is None:
        return
    order = {name: number for number, name in enumerate(json.loads(Path(path).read_text(encoding="utf-8")))}
    items.sort(key=lambda item: order.get(item.nodeid, len(order)))


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Try the mutants that the environment names instead of running the tests."""
    path = os.environ.get("MUTANTS_TASKS")
    if path is None:
        return None
    tasks = json.loads(Path(path).read_text(encoding="utf-8"))
    items = {item.nodeid: item for item in session.items}
    for task in tasks["mutants"]:
        started = time.monotonic()
        word = _try(session, task, [items[test] for test in task["tests"] if test in items], tasks["seconds"])
        with Path(os.environ["MUTANTS_RESULTS"]).open("a", encoding="utf-8") as file:
            print(json.dumps([word, time.monotonic() - started]), file=file)
    return True


def _try(session: pytest.Session, task: dict[str, Any], items: Sequence[pytest.Item], seconds: int) -> str:
    """Run tests in a fork with a mutant, up to the first that fails."""
    child = os.fork()
    if not child:
        code = 1
        try:
            os.setsid()
            resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
            if not replace_function(task["module"], task["before"], task["after"]):
                os._exit(UNKNOWN)
            for item, following in zip_longest(items, items[1:]):
                session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                if session.testsfailed:
                    os._exit(1)
            code = 0
        finally:
            os._exit(code)
    watched = os.pidfd_open(child)
    if not select.select([watched], [], [], 5 * seconds)[0]:
        os.killpg(child, signal.SIGKILL)
    os.close(watched)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        return "timeout"
    return {0: "survived", UNKNOWN: "unknown"}.get(code, "killed")


def replace_function(module: str, before: str, after: str) -> bool:
    """Give the function that differs its new code, wherever it is referred to; return whether that was possible."""
    path = PACKAGE + module
    import_module("aggregator." + module.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
    both = zip(*(_functions(compile(source, path, "exec")) for source in (before, after)), strict=False)
    changed = [(old, new) for old, new in both if parts(old) != parts(new)]
    if len(changed) != 1:
        return False
    [(old, new)] = changed
    gc.unfreeze()  # what is frozen is not among the objects
    place = (path, old.co_qualname, old.co_firstlineno)
    functions = [each for each in gc.get_objects() if isinstance(each, FunctionType) and _place(each) == place]
    for function in functions:
        function.__code__ = new
    return bool(functions)


def _place(function: FunctionType) -> tuple[str, str, int]:
    code = function.__code__
    return code.co_filename, code.co_qualname, code.co_firstlineno


def _functions(code: CodeType) -> Iterator[CodeType]:
    """Yield the functions of a module and of its classes; those inside of functions are part of these."""
    for part in code.co_consts:
        if isinstance(part, CodeType):
            if part.co_flags & CO_OPTIMIZED:
                yield part
            else:
                yield from _functions(part)
