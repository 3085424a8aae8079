"""Documents to mutate: real feeds if there are any, otherwise those of the tests."""

from collections.abc import Sequence
from pathlib import Path

GOLDEN = Path(__file__).parents[1] / "golden"
CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
MAX_SEED = 60_000  # bytes; the first entries of a long feed are enough
SUFFIXES = frozenset({".xml", ".rss", ".atom", ".rdf", ".json", ".html", ".txt"})


def seeds_of(folders: Sequence[Path]) -> list[bytes]:
    """Read all documents in some folders in a fixed order; long ones are cut."""
    found = sorted(path for folder in folders for path in folder.rglob("*") if path.suffix in SUFFIXES)
    kept = [path for path in found if path.is_file() and path.name not in ("expected.json", "index.json")]
    return [body for path in kept if (body := path.read_bytes()[:MAX_SEED])]


def usual_folders() -> list[Path]:
    """Return the folders of seeds on this machine."""
    names = ("real", "malformed", "transcoded", "hostile")
    return [GOLDEN, *(CORPUS / name for name in names if (CORPUS / name).is_dir())]
