"""`python -m aggregator`, and the script of that name: the only place that exits."""

import os
import sys

from aggregator.cli.main import NO_WORK, main

UMASK = 0o027  # what we write is nobody else's to read (S61); a narrower one of the operator's stays


def run() -> None:
    """Run the command line and exit with its code (DESIGN 3.2)."""
    os.umask(os.umask(UMASK) | UMASK)  # outputs are given their own rights, for web servers of other users
    code = main(sys.argv[1:], os.environ)
    try:
        sys.stdout.flush()
    except BrokenPipeError:  # `| head` ends quietly
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:  # what was to be said could not be: a full disk
        sys.stderr.write(f"aggregator: stdout: {error.strerror}\n")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = code or NO_WORK
    sys.exit(code)


if __name__ == "__main__":
    run()
