"""A simulated month ends byte for byte as it did: outputs, JSON of the commands, tables, event codes, log names.

`pytest tests/golden_run --regold` writes the digests anew; the commit says which bytes changed and why.
"""

import hashlib
import json
from pathlib import Path

import pytest

from tests.golden_run.month import Month

OF_SQLITE = ("tables",)  # SQL of its tables
DIGESTS = Path(__file__).parent / "digests.json"


@pytest.mark.slow
@pytest.mark.parametrize("store_kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.service)], indirect=True)
def test_a_month_leaves_the_same_bytes(tmp_path: Path, request: pytest.FixtureRequest, store_kind: str) -> None:
    with Month.begun(tmp_path) as month:
        month.live()
        month.ask()
        found = {name: hashlib.sha256(data).hexdigest()[:16] for name, data in month.result().items()}
    if request.config.getoption("--regold") and store_kind == "sqlite":
        DIGESTS.write_text(json.dumps(found, ensure_ascii=False, indent=0, sort_keys=True) + "\n", encoding="utf-8")
    expected = json.loads(DIGESTS.read_text(encoding="utf-8"))
    different = sorted(name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name))
    if store_kind == "postgresql":
        different = [name for name in different if name not in OF_SQLITE]
    assert different == [], "run python -m tests.golden_run FOLDER in both versions and compare the folders"
