"""Commands as an operator types them, each in a process of its own that is forked off this one.

A new interpreter takes most of a second to import what this one has imported long ago. What a real start does besides
is tested in tests/cli/test_main.py, with tests/running.py, and by those pages of docs/ whose commands take a shell.
Before the first of them, this process polls and publishes once itself: they inherit late imports, tables of a new
store, statements and templates, which each would else make anew (a first poll: 0.9 s of CPU, then 0.3 s).
"""

import gc
import logging
import os
import select
import shutil
import signal
import sys
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile

from aggregator.__main__ import run
from tests.patience import PATIENCE
from tests.sample_site import SampleSite

SAMPLES = Path(__file__).parents[1] / "samples"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """Exit code and output of a command."""

    returncode: int
    stdout: str
    stderr: str


def aggregator(*arguments: str, cwd: Path | None = None, environ: Mapping[str, str] | None = None) -> Done:
    """Run `aggregator` with arguments, nobody at its terminal, to its end.

    Args:
        arguments: what stands behind its name.
        cwd: where; None: here.
        environ: variables besides ours.
    """
    _warm_up()
    with TemporaryFile() as out, TemporaryFile() as err:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # the test runner has threads; the child needs none
            child = os.fork()
        if not child:
            _become(arguments, (out.fileno(), err.fileno()), cwd, environ or {})
        watched = os.pidfd_open(child)
        try:
            if not select.select([watched], [], [], PATIENCE)[0]:
                os.kill(child, signal.SIGKILL)
        finally:
            os.close(watched)
            _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        assert code != -signal.SIGKILL, "it did not end"
        out.seek(0)
        err.seek(0)
        return Done(returncode=code, stdout=out.read().decode(), stderr=err.read().decode())


@cache
def _warm_up() -> None:
    with TemporaryDirectory() as folder:
        site = SampleSite(Path(folder))
        shutil.copytree(SAMPLES, site.folder / "samples")
        paths = (f"samples/{path.name}" for path in SAMPLES.glob("*.xml"))
        feeds = "".join(f"  - {{kind: file, url: {path}, category: 示例}}\n" for path in paths)
        site.writes(f"publish: {{static: samples/static}}\nsources:\n{feeds}")
        site.clock.move(days=400)  # they are dated
        site.poll()
        with site.opened() as app:
            app.publisher.publish(everything=True)


def _become(arguments: Sequence[str], files: tuple[int, int], cwd: Path | None, environ: Mapping[str, str]) -> None:
    """Be that command, and end with its code."""
    code: object = None
    try:
        for number, file in enumerate((os.open(os.devnull, os.O_RDONLY), *files)):
            os.dup2(file, number)
        sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115 - for good
        logging.getLogger().handlers.clear()
        warnings.resetwarnings()
        warnings.simplefilter("ignore")
        if cwd is not None:
            os.chdir(cwd)
        os.environ.update(environ)
        sys.argv = ["aggregator", *arguments]
        gc.freeze()  # what is looked at for cycles is copied
        run()
    except SystemExit as end:
        code = end.code
    except BaseException:  # noqa: BLE001 - as an interpreter would
        sys.excepthook(*sys.exc_info())
        code = 1
    finally:
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else int(code is not None))
