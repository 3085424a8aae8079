"""Entry point of `python -m aggregator` and of the script `aggregator`; the only code that exits the process."""

import gc
import os
import sys

from aggregator.cli.main import NO_WORK, main

UMASK = 0o027  # other users can't read files that we create (S61); a stricter umask of the operator is kept
# New objects after which the garbage collector looks for cycles. Python's default, 700, is meant for small programs:
# modules and records stay, and were looked through 170 times in a `poll` with nothing due.
COLLECT_AFTER = 20_000


def run() -> None:
    """Run the command line and exit with its exit code."""
    gc.set_threshold(COLLECT_AFTER)
    os.umask(os.umask(UMASK) | UMASK)  # outputs get their own permissions, for web servers of other users
    code = main(sys.argv[1:], os.environ)
    try:
        sys.stdout.flush()
    except BrokenPipeError:  # the reader ended, as in `| head`: no error
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:  # the output could not be written, for example because the disk is full
        sys.stderr.write(f"aggregator: stdout: {error.strerror}\n")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = code or NO_WORK
    gc.freeze()  # what is left ends with the process: to look through it for cycles takes 60 to 120 ms
    sys.exit(code)


if __name__ == "__main__":
    run()
