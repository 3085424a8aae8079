"""How many statements a group of polls costs: exact, whatever the machine (STYLE, section 9)."""

from collections import Counter
from pathlib import Path

from tests.desk import Desk, said
from tests.newsroom import Newsroom


def counted(statements: list[str]) -> Counter[str]:
    return Counter(statement.split(" ", 1)[0] for statement in statements)


def test_all_304s_of_a_group_are_one_statement(tmp_path: Path) -> None:
    room = Newsroom(tmp_path)
    room.writes("sources:\n" + "".join(f"  - {{key: s{n}, url: 'https://s{n}.example/'}}\n" for n in range(30)))
    statements: list[str] = []
    with room.opened() as world:
        desk = Desk(world)
        keys = [f"s{n}" for n in range(30)]
        desk.unchanged(keys)  # never asked before: their states change
        with world.store.heard_statements(statements.append):
            polls_begin = len(statements)
            desk.unchanged(keys)
    settled = [s for s in statements[polls_begin:] if s.startswith("UPDATE source") and "polls" in s]
    assert len(settled) == 1


def test_a_poll_costs_the_same_statements_whatever_its_length(tmp_path: Path) -> None:
    room = Newsroom(tmp_path)
    room.writes("sources: [{key: a, url: 'https://a.example/'}, {key: b, url: 'https://b.example/'}]")
    with room.opened() as world:
        desk = Desk(world)
        desk.says("a", said("first"))
        desk.says("b", said("first-of-b"))
        costs = []
        for key, count in (("a", 3), ("b", 150)):
            statements: list[str] = []
            with world.store.heard_statements(statements.append):
                desk.says(key, *(said(f"{key}-{n}") for n in range(count)))
            costs.append(len(statements))
    assert costs[1] - costs[0] <= 1, "bands of 150 entries are more than one statement may name"
    assert costs[0] <= 44, "about thirty, five of which look for entries under other ids, and those of the claim"


def test_known_entries_are_looked_up_and_nothing_is_written(tmp_path: Path) -> None:
    room = Newsroom(tmp_path)
    room.writes("sources: [{key: a, url: 'https://a.example/'}]")
    statements: list[str] = []
    with room.opened() as world:
        desk = Desk(world)
        entries = [said(n) for n in range(100)]
        desk.says("a", *entries)
        with world.store.heard_statements(statements.append):
            desk.says("a", *entries)
    assert not [s for s in statements if s.startswith("INSERT") and "poll_day" not in s]
    assert not [s for s in statements if s.startswith(("UPDATE entry", "UPDATE publication", "UPDATE category"))]
