"""Misspelt category names are refused; names that only look similar are not."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.config.categories import DeclaredNames
from tests.config.reading import problems, settings


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("pyhton", "python"),
        ("ypthon", "python"),
        ("pyhton2", "python2"),
        ("nwes", "news"),
        ("pythn", "python"),
        ("pythoon", "python"),
        ("pythonn", "python"),
        ("pythin", "python"),
        ("sports", "sport"),
        ("Python", "python"),
        ("machine learning", "machine-learning"),
        ("machine_lerning", "machine-learning"),
        ("ＰＹＴＨＯＮ", "python"),
        ("大众日抱", "大众日报"),
        ("мосвка", "москва"),
    ],
)
def test_a_slip_of_the_hand_is_told_from_what_was_meant(written: str, meant: str) -> None:
    assert DeclaredNames(["other", meant]).meant_by(written) == meant


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("news", "newsroom"),
        ("python2", "python3"),
        ("web", "web3"),
        ("web2", "web3"),
        ("2024", "2025"),
        ("book", "boot"),
        ("art", "arts"),
        ("c", "c++"),
        ("c++", "c#"),
        ("cooking", "booking"),
        ("gastronomy", "astronomy"),
        ("sports", "ports"),
        ("astronomy", "astrology"),
        ("economics", "ergonomics"),
        ("german", "germany"),
        ("india", "indian"),
        ("politics-uk", "politics-us"),
        ("team a", "team b"),
        ("大众日报", "大众日报社"),
        ("河南日报", "湖南日报"),
        ("山西日报", "陕西日报"),
        ("上海", "海上"),
        ("-", "_"),
    ],
)
def test_names_of_their_own_are_no_slips(one: str, other: str) -> None:
    assert (DeclaredNames([one]).meant_by(other), DeclaredNames([other]).meant_by(one)) == (None, None)


@given(st.text(string.ascii_lowercase, min_size=6, max_size=20), st.data())
def test_any_two_neighbours_in_the_wrong_order_are_a_slip(name: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(name) - 2))
    swapped = name[:place] + name[place + 1] + name[place] + name[place + 2 :]
    assert DeclaredNames([name]).meant_by(swapped) == name


@given(st.lists(st.text(max_size=12), max_size=5), st.text(max_size=12))
def test_any_text_may_be_looked_up(names: list[str], name: str) -> None:
    assert DeclaredNames(names).meant_by(name) in (*names, None)


def test_a_misspelt_category_is_a_problem_at_each_place() -> None:
    text = (
        "categories: {python: {}, web: {}}\nsources:\n"
        " - {url: 'https://a.org/', category: [web, pyhton]}\n"
        " - {url: 'https://b.org/', category: pyhton, route: [{when: {title: x}, to: Web}]}\n"
    )
    python = (
        'category "pyhton" is not declared, and "python" is; write "python", '
        'or add "pyhton": {} under categories: if both are meant'
    )
    assert problems(text) == [
        f"3:44: {python}",
        f"4:38: {python}",
        '4:77: category "Web" is not declared, and "web" is; write "web", '
        'or add "Web": {} under categories: if both are meant',
    ]


def test_who_means_both_declares_both() -> None:
    text = "categories: {python: {}, pyhton: {}}\nsources: [{url: 'https://a.org/', category: pyhton}]\n"
    assert [category.key for category in settings(text).categories] == ["python", "pyhton"]
