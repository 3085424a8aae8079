"""The random mutants of `benchmarks.mutants`: each changes one place, and a seed means the same mutants."""

import ast

from benchmarks.mutants import Places, choose


def test_a_seed_chooses_the_same_mutants() -> None:
    first, again = (list(choose(8, seed, "cadence")) for seed in (1, 1))
    assert [mutant.diff for mutant in first] == [mutant.diff for mutant in again]
    assert all(mutant.after != mutant.before for mutant in first)


def test_what_no_test_can_find_is_left_out() -> None:
    places = Places()
    places.visit(
        ast.parse(
            '''
"""The documentation."""
__all__ = ["left", "out"]
@dataclass(frozen=True)
class A(Protocol):
    def verb(self, number: int = 1) -> "A": ...
def verb(entry: "A") -> None:
    log.info("count_entries", extra={"count": 1})
    assert entry != 1
    zip(entry, entry, strict=True)
    raise ValueError("a sentence" f"{entry + 1}")
'''
        )
    )
    assert [(kind, new) for _, kind, new in places.found] == [("statement", "pass")]


def test_every_kind_is_made() -> None:
    places = Places()
    places.visit(
        ast.parse(
            """
def verb(entry, story):
    story.count += 1
    if not entry and story.count < 2:
        entry.join(story, entry)
    return story
"""
        )
    )
    assert {kind for _, kind, _ in places.found} == {
        *("arithmetic", "statement", "constant", "not", "and/or", "comparison", "arguments", "return")
    }
