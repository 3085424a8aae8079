"""`python -m tests.golden_run FOLDER`: write what the month leaves, to compare two versions with `diff -r`."""

import sys
import tempfile
from pathlib import Path

from tests.golden_run.month import Month
from tests.speedups import speed_up

speed_up()
with tempfile.TemporaryDirectory() as folder, Month.begun(Path(folder)) as month:
    month.live()
    month.ask()
    for name, data in month.result().items():
        path = Path(sys.argv[1], name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
