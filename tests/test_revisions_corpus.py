"""Real feeds at successive times, replayed: what is new and what is revised, as a careful reader counts it."""

import json
from pathlib import Path
from typing import Any

import pytest

from aggregator.config.loader import read_config
from aggregator.dry_run.replay import Replay, Step, versions_in
from aggregator.model.settings import Settings
from aggregator.model.story import Publication
from tests.sample_site import START

REVISIONS = Path(__file__).parents[2] / "shared" / "corpus" / "revisions"
SEQUENCES = sorted(path.name for path in REVISIONS.iterdir()) if REVISIONS.is_dir() else []
COUNTED = {  # new, revised, re-keyed, over all versions: read off the documents themselves
    "02Zona__feed": (31, 6, 3),  # ids, titles and file names of three change at once, their dates and bytes do not
    "0525hhgus__feed": (13, 11, 11),  # moves to another host, and its links with it; one that had left comes back there
    "330k__feed-index": (17, 2, 0),
    "AlexKucera__feed": (61, 0, 0),  # its pictures move from one host to another and back
    "AndreyAkinshin__pages-index": (9, 10, 0),  # a page gets another address: undated, and other numbers in its text
    "Carapacik__ru-index": (22, 0, 0),
    "DIYgod__atom": (26, 4, 0),  # of 43 entries with other markup, two get a tag and two another text
    "Olshansk__feeds-feed_google_ai": (21, 1, 0),
    "Olshansk__feeds-feed_ollama": (34, 0, 0),
    "YuGoal__atom": (11, 1, 1),  # one entry, undated, moves to another host
    "danielhochboim__public-index": (13, 7, 3),  # the pages that move with it bear the titles that they had
    "jasonlong__feeds-feed_every_to": (32, 3, 0),  # now and then its summaries are gone, and blanks get into its titles
    "leontloveless__feeds-claude": (26, 1, 0),
    "mix3__index": (16, 1, 0),
    "osnsyc__channels-gh_27c43c799b0c": (65, 0, 0),
}

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not SEQUENCES, reason="the corpus of revisions is not beside this checkout"),
]


def settings() -> Settings:
    said = {"sources": ["https://replay.invalid/feed"], "defaults": {"initial": 5000}}
    return read_config(json.dumps(said).encode(), Path("feeds.yaml"), {})


def visible(publication: Publication) -> tuple[object, ...]:
    return publication.title, publication.link, publication.content, publication.summary, publication.tags


@pytest.mark.parametrize("name", SEQUENCES)
def test_a_sequence_is_told_as_a_careful_reader_would(name: str) -> None:
    folder = REVISIONS / name
    index = json.loads((folder / "index.json").read_bytes())
    guide = {row["file"]: row for row in index["versions"]}
    stood: dict[int, Publication] = {}
    steps: list[Step] = []
    with Replay(settings(), versions_in(folder, START)) as replay:
        for step in replay.steps():
            steps.append(step)
            with replay.app.store.read() as tx:
                stands = {p.story: p for p in tx.documents.publications(1, None)}
            check(stood, stands)
            check_guide(step, guide[step.name])
            stood = stands
    if any(step.error for step in steps):
        assert all("opml" in str(step.error) for step in steps), "one is a list of feeds"
        return
    counts = tuple(sum(len(step.found.get(kind, ())) for step in steps) for kind in ("new", "revised", "rekeyed"))
    assert counts == COUNTED.get(name, counts)
    assert counts[0] == len(stood)


def check(stood: dict[int, Publication], stands: dict[int, Publication]) -> None:
    """Hold what is published against what was, one version before."""
    assert stood.keys() <= stands.keys(), "what leaves the window is not lost"
    places = [(p.title, p.link) for p in stands.values() if p.link]
    assert len(places) == len(set(places)), "nothing is published twice"
    for story, before in stood.items():
        now = stands[story]
        assert (now.atom_id, now.sort_at) == (before.atom_id, before.sort_at)
        assert now.updated >= before.updated
        if now.updated != before.updated:
            assert visible(now) != visible(before), "nothing is re-dated that reads the same"
        if before.published:
            assert now.published is not None
            assert now.published <= before.published, "a date moves only earlier (I45)"


def check_guide(step: Step, row: dict[str, Any]) -> None:
    """Hold a step against what the corpus says; a guide, no verdict: it goes by ids, and by every byte."""
    if "new" in row:
        assert len(step.found.get("new", ())) + len(step.found.get("rekeyed", ())) <= len(row["new"])
        moved = len(step.found.get("rekeyed", ()))
        tagged = 3  # it does not look at tags
        assert len(step.found.get("revised", ())) <= len(row["edited"]) + moved + tagged
