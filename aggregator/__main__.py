"""`python -m aggregator`, and the script of that name: the only place that exits."""

import os
import sys

from aggregator.cli.main import NO_WORK, main


def run() -> None:
    """Run the command line and exit with its code (DESIGN 3.2)."""
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
