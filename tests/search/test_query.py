"""Translation of search texts into FTS5 expressions."""

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.search.query import MAX_LENGTH, MAX_TERMS, parse_query


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("Python", '"python"'),
        ("python 3.12", '"python" AND "3 12"'),
        ('"two words" more', '"two words" AND "more"'),
        ('"not closed', '"not closed"'),
        ("python -django", '("python") NOT ("django")'),
        ('a -"b c" -d', '("a") NOT ("b c" OR "d")'),
        ("服务", '"服 务"'),
        ("臺灣 news", '"台 湾" AND "news"'),
        ("OR NEAR(a b) title:x *", '"or" AND "near a" AND "b" AND "title x"'),
        ("-only", ""),
        ("!?", ""),
        ("", ""),
    ],
)
def test_a_question_in_fts5s_words(text: str, match: str) -> None:
    assert parse_query(text).match == match


def test_s57_questions_have_a_length() -> None:
    query = parse_query("word " * 1000)
    assert len(query.text) <= MAX_LENGTH
    assert query.match.count('"word"') == MAX_TERMS
    assert parse_query("服" * 5000).match.count("服") == 40


@given(st.text(max_size=300))
def test_no_text_leads_to_an_error(text: str) -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE words USING fts5(title, body)")
    match = parse_query(text).match
    if match:
        connection.execute("SELECT rowid FROM words WHERE words MATCH ?", (match,)).fetchall()
    connection.close()
