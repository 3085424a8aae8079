"""MinHash bands: values that near-duplicates share, so that the store finds them without comparing all entries.

Two entries become candidates if they share one band: a part of the MinHash of their texts (LSH), their titles or a
piece of them, the beginning of their texts, which an excerpt shares with the whole, or a passage. Six bands of five
rows meet at a Jaccard similarity of 0.64 with a probability of one half. Four of one row, over runs of six tokens, meet
at a similarity of 0.5 with one of 0.94: an agency's text between the sentences of a paper. These are negative numbers,
since a sentence that some stories share says nothing (`minhash_bands.COMMON`).

Bands are comparable only within one `VERSION`: a golden test pins that a text keeps its bands.
"""

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from operator import add

from rensa import RMinHash

from aggregator.identify.telling import MIN_TEXT, Telling
from aggregator.identify.tokens import pieces_of, tokens_of, weight
from aggregator.model.story_changes import BANDS

VERSION = 2  # of tokens, shingles, rows and hashes
ROWS = 5  # of a band
SEED = 20060102
SHINGLE = 3  # tokens
PASSAGES = 4  # bands of one row, over runs of two shingles
_SKETCHED = 50  # rows of which the bands take the first: `RMinHash` has others for another number
HEAD = 12  # tokens
MIN_PIECE = 6  # least weight of a title, or a piece of one, that gets a band
MAX_PIECES = 3
BAND_BYTES = 6  # SQLite stores such a number in six bytes; two texts share one by chance once in 10^14


def bands_of(telling: Telling) -> tuple[int, ...]:
    """Return the bands of an entry, at most `BANDS` + `MAX_PIECES` + 2, each once, in rising order."""
    return tuple(sorted({*_of_text(telling.tokens), *_of_title(telling.title), *_of_moment(telling)}))


def _of_text(tokens: Sequence[str]) -> Iterator[int]:
    if weight(tokens) < MIN_TEXT:
        return
    yield _band("head", " ".join(tokens[:HEAD]).encode())
    shingles = [" ".join(run) for run in zip(*(tokens[start:] for start in range(SHINGLE)), strict=False)]
    digest = _sketch(shingles or [" ".join(tokens)], _SKETCHED)
    for number in range(BANDS - PASSAGES):
        rows = digest[number * ROWS : (number + 1) * ROWS]
        yield _band(f"text {number}", b"".join(row.to_bytes(4, "big") for row in rows))
    if len(shingles) > SHINGLE:
        for number, row in enumerate(_sketch(list(map(add, shingles, shingles[SHINGLE:])), PASSAGES)):
            yield -_band(f"passage {number}", row.to_bytes(4, "big"))  # negative: fewer stories may share it


def _sketch(runs: list[str], rows: int) -> list[int]:
    """Return the MinHash of runs of tokens."""
    sketch = RMinHash(num_perm=rows, seed=SEED)
    sketch.update(runs)
    return list(sketch.digest())


def _of_title(title: str) -> Iterator[int]:
    whole = tuple(tokens_of(title))
    pieces = sorted(set(pieces_of(title)) - {whole}, key=lambda piece: (-weight(piece), piece))
    for piece in (whole, *pieces[:MAX_PIECES]):
        if weight(piece) >= MIN_PIECE:
            yield _band("title", "".join(piece).encode())


def _of_moment(telling: Telling) -> Iterator[int]:
    """Return the band of a short text, which is evidence together with the second of its publication."""
    if telling.instant is not None and telling.tokens and telling.is_short:
        yield _band("moment", f"{telling.instant.timestamp():.0f} {' '.join(telling.tokens)}".encode())


def _band(kind: str, value: bytes) -> int:
    return int.from_bytes(blake2b(value, digest_size=BAND_BYTES, person=kind.encode()).digest(), "big")
