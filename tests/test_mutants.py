"""The random mutants of `benchmarks.mutants`: each changes one place, and a seed means the same mutants."""

import ast
from datetime import timedelta
from pathlib import Path

from aggregator.text import durations
from benchmarks.mutants import Places, choose, lines_of_statement
from benchmarks.mutants_plugin import replace_function


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


def test_a_function_gets_the_code_of_a_mutant_and_its_own_again() -> None:
    before = Path(durations.__file__).read_text(encoding="utf-8")
    said = durations.duration_text(timedelta(hours=1))
    line = "def duration_text(duration: timedelta) -> str:\n"
    after = before.replace(line, f"{line}    return 'mutant'\n", 1)
    module = "text/durations.py"
    assert replace_function(module, before, after)
    try:
        assert durations.duration_text(timedelta(hours=1)) == "mutant"
    finally:
        assert replace_function(module, after, before)
    assert durations.duration_text(timedelta(hours=1)) == said


def test_what_is_no_function_is_not_replaced() -> None:
    before = Path(durations.__file__).read_text(encoding="utf-8")
    assert not replace_function("text/durations.py", before, f"{before}\nMUTANT = 1\n")


def test_of_a_compound_statement_only_the_lines_before_its_body_count() -> None:
    lines_of = ["if one(", " 1", "):", " two(", "  2", " )", "elif three:", " try:", "  pass", " except Odd:", "  4"]
    tree = ast.parse("\n".join(lines_of))
    lines = [[*lines_of_statement(tree, line)] for line in (2, 5, 7, 10, 11)]
    assert lines == [[1, 2, 3], [4, 5, 6], [7], [8, 9, 10, 11], [11]]
