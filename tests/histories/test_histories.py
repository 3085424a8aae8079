"""Whatever happens to a planet, what is published is what the contract says, and `publish --all` changes nothing.

`HISTORIES=100 pytest tests/histories` runs a hundred histories, `HISTORY=7` the one of that seed; `STEPS=60` makes them
longer. A failure lists all that was done before it.
"""

import os
from pathlib import Path

import pytest

from tests.histories.history import History

COUNT = int(os.environ.get("HISTORIES", "4"))
USUAL = 2  # histories among the usual tests; one takes three seconds
SEEDS = [int(os.environ["HISTORY"])] if "HISTORY" in os.environ else list(range(COUNT))
STEPS = int(os.environ.get("STEPS", "30"))


@pytest.mark.parametrize(
    "seed", [*SEEDS[:USUAL], *(pytest.param(seed, marks=pytest.mark.slow) for seed in SEEDS[USUAL:])]
)
def test_what_is_published_is_what_design_says(tmp_path: Path, seed: int) -> None:
    history = History(tmp_path, seed)
    try:
        history.run(STEPS)
    except AssertionError as error:
        raise AssertionError("\n".join([*history.log, str(error)])) from error
