"""Whatever sources and operators do, `why` explains each entry, and says nothing that the events contradict."""

from collections import Counter
from collections.abc import Callable
from random import Random

import pytest

from aggregator.cli.why.command import explain
from aggregator.model.event import Code
from aggregator.model.known import EntryState
from tests.rows import rows
from tests.test_invariants import KEYS, Planet

STEPS = 60

DECIDED = {  # events that explain a state, if they are not older than those that are kept
    EntryState.REJECTED: {Code.REJECT_ENTRY},
    EntryState.KNOWN: {Code.KEEP_KNOWN, Code.DROP_ENTRY, Code.KEEP_OUT},
    EntryState.WITHDRAWN: {Code.WITHDRAW_ENTRY, Code.RETRACT_STORY, Code.WITHDRAW_STORY},
    EntryState.HELD: {Code.HOLD_ENTRY},
    EntryState.PUBLISHED: {
        *(Code.MAKE_STORY, Code.JOIN_STORY, Code.RELEASE_ENTRY, Code.MERGE_STORIES, Code.UNMERGE_STORY)
    },
}
ENTERS, LEAVES = {Code.PUBLISH_STORY, Code.RETURN_STORY}, {Code.WITHDRAW_STORY}


def actions(planet: Planet, chance: Random) -> list[Callable[[], None]]:
    """Return what may happen next, each with arguments drawn anew."""
    one, other, place, theirs = chance.choice(KEYS), chance.choice(KEYS), chance.randrange(50), chance.randrange(50)
    return [
        lambda: planet.write_articles(one, chance.randint(1, 6), chance.random() < 0.5, chance.randint(0, 900)),
        lambda: planet.copy_article(one, other, place),
        lambda: planet.edit_article(one, place),
        lambda: planet.say_the_same(one, other, place, theirs),
        lambda: planet.empty_article(one, place),
        lambda: planet.take_back(one, place),
        lambda: planet.list_again(one, place, chance.random() < 0.5),
        lambda: planet.give_other_ids(one),
        lambda: planet.sell(one, chance.randint(1, 12)),
        *[lambda: planet.poll(one)] * 8,
        lambda: planet.edit_settings(one, chance.choice(["x", "y", "[x, y]"]), chance.randint(-1, 1)),
        lambda: planet.accept(one),
        lambda: planet.merge(place, theirs),
        lambda: planet.unmerge(place),
        lambda: planet.retract(place, chance.random() < 0.3),
        lambda: planet.wait(chance.randint(1, 60)),
        planet.publish,
    ]


@pytest.mark.slow
def test_each_entry_is_explained_and_nothing_is_contradicted() -> None:
    met: Counter[str] = Counter()
    for seed in range(4):
        chance, planet = Random(seed), Planet()
        planet.begin()
        try:
            for _ in range(STEPS):
                chance.choice(actions(planet, chance))()
            met += explain_each_entry(planet)
        finally:
            planet.teardown()
    assert met.total() > 60, met
    assert len(met) > 2, "entries that are all in one state prove little"


def explain_each_entry(planet: Planet) -> Counter[str]:
    """Ask `why` for each stored entry, and compare the answer with the store and the events; return their states."""
    store, settings = planet.app.store, planet.app.in_force.settings
    categories = dict(map(tuple, rows(store, "SELECT id, key FROM category")))
    met: Counter[str] = Counter()
    for number, state, story in rows(store, "SELECT id, state, story_id FROM entry ORDER BY id"):
        met[str(state)] += 1
        told = [
            (section, entry)
            for section in explain(str(number), store, settings)
            for entry in section.record.get("entries", [section.record])
            if isinstance(entry, dict) and entry.get("entry") == number
        ]
        assert told, f"no explanation of entry {number}"
        section, entry = told[0]
        assert entry["state"] == state
        assert section.record["kind"] == ("entry" if story is None else "story")
        steps = section.record["steps"]
        assert any(step["code"] == "store_entry" and step["entry"] == number for step in steps)
        ours = {step["code"] for step in steps if step["entry"] in (number, None)}
        assert ours & DECIDED[EntryState(state)], (number, state, steps)
        for place in section.record.get("places", ()):
            about = [step for step in steps if categories.get(step.get("category", 0)) == place["category"]]
            last = [step["code"] for step in about if step["code"] in ENTERS | LEAVES]
            if last:
                assert (last[-1] in LEAVES) == (place["withdrawn"] is not None), (place, about)
    return met
