"""Where the CPU of a run goes, by stage: `python -m benchmarks.stages FILE ARGUMENTS`, FILE for the result as JSON.

Runs the program with these arguments in this process. A thread looks at all others every few milliseconds, and counts
the CPU that each has used since for the folder of `aggregator` whose code is innermost in its stack. So the CPU of
libraries counts where they are called; imports count apart. Reader processes are children: the kernel counts them.
"""

import json
import resource
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path
from types import FrameType

from aggregator.__main__ import run

ROOT = str(Path(__file__).parents[1] / "aggregator") + "/"
EVERY = 0.002  # seconds


def stage_of(frame: FrameType | None) -> str:
    """Return the folder of the innermost code of ours, or that a module is being imported."""
    found = ""
    while frame is not None:
        name = frame.f_code.co_filename
        if name == "<frozen importlib._bootstrap>":
            return "imports"
        if not found and name.startswith(ROOT):
            found = name.removeprefix(ROOT).partition("/")[0].removesuffix(".py")
        frame = frame.f_back
    return found or "threads and the rest"


def sample(found: defaultdict[str, float], is_over: threading.Event) -> None:
    """Count the CPU seconds of all other threads by stage, until it is over."""
    clocks: dict[int, float] = {}
    while not is_over.wait(EVERY):
        for thread, frame in sys._current_frames().items():  # noqa: SLF001 - the one way to the stacks of other threads
            if thread == threading.get_ident():
                continue
            try:
                now = time.clock_gettime(time.pthread_getcpuclockid(thread))
            except OSError:  # it has just ended
                continue
            found[stage_of(frame)] += now - clocks.get(thread, 0.0)
            clocks[thread] = now


def main() -> None:
    """Run the program, and write the seconds of each stage."""
    target, sys.argv = Path(sys.argv[1]), ["aggregator", *sys.argv[2:]]
    found: defaultdict[str, float] = defaultdict(float)
    is_over = threading.Event()
    sampler = threading.Thread(target=sample, args=(found, is_over), daemon=True)
    started = time.process_time()  # what this module imported is start-up, too
    sampler.start()
    try:
        run()
    finally:
        is_over.set()
        sampler.join()
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        found["imports"] += started
        found["reader processes"] = children.ru_utime + children.ru_stime
        target.write_text(json.dumps(found))


if __name__ == "__main__":
    main()
