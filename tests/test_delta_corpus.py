"""Reading only what is new gives the result of a full reading: over all documents and histories of the corpus."""

import json
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from aggregator.dry_run.replay import versions_in
from tests.delta import Edits, compare, fetched, tell_twice
from tests.sample_site import START

CORPUS = Path(__file__).parents[2] / "shared" / "corpus"
INDEX = CORPUS / "index.json"
SECTIONS = ("real", "transcoded", "malformed", "hostile")
REVISIONS = CORPUS / "revisions"
HISTORIES = sorted(path.name for path in REVISIONS.iterdir()) if REVISIONS.is_dir() else []
MORE = [name for number, name in enumerate(HISTORIES) if number % 3]  # a history takes two seconds
pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not INDEX.is_file(), reason="the corpus of feeds is not beside this checkout"),
]
ROWS = json.loads(INDEX.read_bytes()) if INDEX.is_file() else {}
ALWAYS_WHOLE = {"root", "cut", "comment", "cdata", "nested", "doctype"}  # if they change the document at all
SOURCE = "sources: [{key: news, url: 'https://news.example/feed'}]\n"


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("every", [4, pytest.param(1, marks=pytest.mark.slow)])
def test_after_any_edit_the_result_is_that_of_a_full_reading(section: str, every: int) -> None:
    """Usual tests try each edit with every fourth document: of a large one, one edit of sixteen."""
    cuts: Counter[str] = Counter()
    for number, row in enumerate(ROWS[section]):
        body = (CORPUS / row["file"]).read_bytes()
        if len(body) > 100_000:
            continue
        share = every * 4 if len(body) > 10_000 else every  # all edits of large documents would take minutes
        for place, (kind, (before, after)) in enumerate(Edits(body).versions().items()):
            if (place + number) % share and (kind != "one" or number % every):
                continue
            why = compare(fetched(before), fetched(after))
            cuts[f"{kind}: {why or 'cut'}"] += 1
            if kind in ALWAYS_WHOLE and before.count(b"<title") > 3:
                assert why, (row["file"], kind)
    tried = sum(count for what, count in cuts.items() if what.endswith(": cut"))
    sys.stdout.write(
        f"{section}: {sum(cuts.values())} pairs, {tried} of them cut, no difference; {cuts}\n"
    )  # pytest -s
    assert section == "hostile" or any(what.endswith(": cut") for what in cuts)


@pytest.mark.parametrize("name", [*HISTORIES[::3], *(pytest.param(name, marks=pytest.mark.slow) for name in MORE)])
def test_a_history_leaves_the_same_store_and_files(name: str, tmp_path: Path) -> None:
    answers = [
        replace(fetched(version.body.read_bytes() if isinstance(version.body, Path) else version.body))
        for version in versions_in(REVISIONS / name, START)
    ]
    room = tell_twice(tmp_path, SOURCE, answers)
    sys.stdout.write(f"{name}: {len(answers)} polls, {room.cuts} of them cut, no difference; {Counter(room.reasons)}\n")
