"""YAML text as a tree: positions, duplicate keys, limits, syntax errors (S52)."""

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from aggregator.config import document
from aggregator.config.document import ListNode, MapNode, Node, Scalar, node_of, read_document
from aggregator.config.findings import Findings


def read(text: str | bytes) -> tuple[Node | None, list[str]]:
    found = Findings("f", {})
    node = read_document(text if isinstance(text, bytes) else text.encode(), found)
    return node, [str(problem).removeprefix("f:") for problem in found.problems]


def plain(node: Node | None) -> Any:
    match node:
        case Scalar():
            return node.raw
        case ListNode():
            return [plain(item) for item in node.items]
        case MapNode():
            return {name: plain(item) for name, item in node.values.items()}
    return None


def test_s52_scalars_stay_as_they_are_written() -> None:
    node, _ = read("[no, on, 12:30:00, 010, 1.10, ~, 'true', 2024-01-01, =]")
    assert plain(node) == ["no", "on", "12:30:00", "010", "1.10", "~", "true", "2024-01-01", "="]


def test_every_key_and_value_knows_its_place() -> None:
    node, _ = read("site:\n  title: 新闻\n  x: [a, {b: c}]\n")
    assert isinstance(node, MapNode)
    site = node.values["site"]
    assert isinstance(site, MapNode)
    assert (site.keys["title"].line, site.keys["title"].column) == (2, 3)
    assert (site.values["title"].line, site.values["title"].column) == (2, 10)
    assert (site.values["x"].line, site.values["x"].column) == (3, 6)


def test_quotes_are_remembered() -> None:
    node, _ = read("[5, '5', \"5\", !!str 5, ! 5]")
    assert isinstance(node, ListNode)
    assert [item.plain for item in node.items if isinstance(item, Scalar)] == [True, False, False, False, False]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "a: 1\nb: 2\na: 3\n", '3:1: "a" is already in line 1; remove one of the two', id="s52-duplicate-key"
        ),
        pytest.param(
            "a: {b: 1, 'b': 2}\n", '1:11: "b" is already in line 1; remove one of the two', id="s52-in-quotes"
        ),
        pytest.param("a: 1\n---\nb: 2\n", "2:1: a second document begins here; write all in one, and remove this line",
                     id="two-documents"),
        pytest.param("a: *b\n", "1:4: *b has no &anchor before it; write the value out", id="alias-of-nothing"),
        pytest.param("a: &b [*b]\n", "1:8: *b refers to a value around it; write the value out", id="alias-loop"),
        pytest.param("a: !!python/name:os.system x\n",
                     '1:4: the tag "tag:yaml.org,2002:python/name:os.system" is not supported; remove it',
                     id="s63-tag"),
        pytest.param("a: {{ b }}\n",
                     "1:5: a list or a mapping as a key; "
                     "write a name, and put a value that begins with { or [ in quotes",
                     id="template-without-quotes"),
        pytest.param("? ''\n: x\n", "1:3: an empty key; write a name, "
                     "and put a value that begins with { or [ in quotes",
                     id="empty-key"),
        pytest.param("a: b: c\n", '1:5: a ": " is not allowed here; put the value in quotes, or fix the indentation',
                     id="two-colons"),
        pytest.param("a:\n\t- b\n", "2:1: there is a tab here; write spaces", id="tab"),
        pytest.param("a: 'x\nb: 1\n", "1:4: the quote opened here is never closed; close it", id="open-quote"),
        pytest.param("a: @x\n", "1:4: a value can't begin with @; put it in quotes", id="reserved-sign"),
        pytest.param("a: [1, 2\nb: 3\n", "2:2: the list begun in line 1 is not closed, or lacks a comma before this; "
                     "write ] or ,", id="open-list"),
        pytest.param("a: {b: ${C}}\n", '1:9: within { } or [ ] a variable needs quotes; write "${NAME}"', id="var"),
        pytest.param("a: {b: c\n", "2:1: the mapping begun in line 1 is not closed, or lacks a comma before this; "
                     "write } or ,", id="open-mapping"),
        pytest.param('a: {b: "c" d: e}\n', "1:12: the mapping begun in line 1 is not closed, "
                     "or lacks a comma before this; write } or ,", id="no-comma"),
        pytest.param("a:\n  - b: c\n   d: e\n",
                     "3:4: this line does not fit the list begun in line 2; indent it like its neighbours",
                     id="indentation"),
        pytest.param("a: [b]]\n",
                     "1:7: this line does not fit the mapping begun in line 1; fix its indentation, "
                     "or a quote or bracket before it", id="one-bracket-too-many"),
        pytest.param("a: [\n", "2:1: a value is missing; write one here", id="list-without-end"),
        pytest.param("a: {b:, c: d}\n", "1:6: a key that is not followed by a blank; write key: value", id="no-blank"),
        pytest.param("a: - b\n", '1:4: a list can\'t begin within this line; write "- " on a line of its own',
                     id="list-in-line"),
        pytest.param('a: "\\q"\n',
                     "1:5: an unknown escape in double quotes; write \\\\ for a backslash, or use single quotes",
                     id="escape"),
        pytest.param("a: \x01b\n", "1:4: the control character U+0001 is not allowed; "
                     "remove it, or write \\x01 in double quotes", id="control-character"),
        pytest.param("a: " + "[" * 21, "1:23: over 20 levels of nesting; write it flatter, or remove brackets",
                     id="s52-depth"),
        pytest.param("\n".join("  " * n + "a:" for n in range(30)),
                     "21:41: over 20 levels of nesting; write it flatter, or remove brackets", id="s52-block-depth"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_place(text: str, expected: str) -> None:
    assert read(text)[1] == [expected]


def test_a_file_that_is_not_utf_8_is_told_where() -> None:
    assert read(b"a: 1\nb: \xe9\n")[1] == ["2:4: byte 0xe9 is not UTF-8; save the file as UTF-8"]
    assert read("a: é\n".encode("utf-16"))[1] == ["1:1: byte 0xff is not UTF-8; save the file as UTF-8"]


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert plain(read("\ufeffa: 1\n")[0]) == {"a": "1"}


def test_what_stands_before_a_fault_of_syntax_is_read() -> None:
    node, problems = read("a: 1\nb:\n  - c\n  - d: e: f\n")
    assert plain(node) == {"a": "1", "b": ["c", {"d": "e"}]}
    assert isinstance(node, MapNode)
    assert node.cut
    assert len(problems) == 1


def test_s52_aliases_stand_for_at_most_100_000_values() -> None:
    lines = ["a: &a [" + ", ".join("x" * 10) + "]"]
    lines += [
        f"{this}: &{this} [" + ", ".join([f"*{before}"] * 10) + "]"
        for before, this in zip("abcdef", "bcdefg", strict=True)
    ]
    _, problems = read("\n".join(lines))
    assert len(problems) == 1
    assert problems[0].endswith("the aliases expand to over 100,000 values; write fewer of them")


def test_s52_aliases_count_for_the_depth() -> None:
    _, problems = read("a: &a [[[[[[[[[[x]]]]]]]]]]\nb: [[[[[[[[[[[*a]]]]]]]]]]]\n")
    assert problems == ["2:15: *a makes over 20 levels of nesting; write it flatter"]


@pytest.mark.parametrize("text", ["", "# nothing\n", "\n\n"])
def test_an_empty_file_has_no_root(text: str) -> None:
    assert read(text) == (None, [])


def test_both_builds_of_pyyaml_give_the_same_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a: &x [1, '大众', {b: g}]\nc: *x\n? d\n: - e\n  - f:\nh: |\n  i\n"
    quick = read(text)
    monkeypatch.setattr(document, "_LOADER", yaml.SafeLoader)
    assert read(text) == quick


@given(st.binary(max_size=300))
def test_any_bytes_give_a_tree_or_problems(data: bytes) -> None:
    read(data)


@given(st.text(alphabet="ab:-&*[]{}#'\"|>!%@`,?\n \t~<0", max_size=60))
def test_any_yaml_gives_a_tree_or_problems(text: str) -> None:
    node, problems = read(text)
    for problem in problems:
        line, column, what = problem.split(":", 2)
        assert int(line) >= 1
        assert int(column) >= 1
        assert "; " in what
    assert node is None or plain(node) is not None


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=8,
    )
)
def test_node_of_says_what_it_is_given(value: document.Json) -> None:
    def texts(value: document.Json) -> Any:
        if isinstance(value, dict):
            return {name: texts(item) for name, item in value.items()}
        if isinstance(value, list):
            return [texts(item) for item in value]
        return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)

    assert plain(node_of(value)) == texts(value)
