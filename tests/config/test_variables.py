"""`${NAME}` in values (S54)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.config.variables import expand, has_variable
from tests.config.reading import problems, said, source

ENVIRON = {"A": "one", "B_2": "two", "PASS": "p@ss/w%rd", "NESTED": "${A}", "EMPTY": ""}


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        pytest.param("${A}", "one", id="alone"),
        pytest.param("x${A}y${B_2}z", "xoneytwoz", id="within"),
        pytest.param("$A $ {A} $$", "$A $ {A} $$", id="no-variables"),
        pytest.param("$${A}", "${A}", id="literal"),
        pytest.param("$${A}${A}", "${A}one", id="literal-beside-a-variable"),
        pytest.param("${NESTED}", "${A}", id="never-twice"),
        pytest.param("[${EMPTY}]", "[]", id="empty"),
        pytest.param(
            "https://me:${PASS}@h/${PASS}", "https://me:p%40ss%2Fw%25rd@h/p@ss/w%rd", id="encoded-in-userinfo"
        ),
    ],
)
def test_s54_expand(raw: str, text: str) -> None:
    assert expand(raw, ENVIRON).text == text


@given(st.text(), st.text())
def test_s54_what_a_variable_holds_is_not_looked_at_again(before: str, value: str) -> None:
    before = before.replace("$", "").replace("@", "")
    assert expand(f"{before}${{A}}", {"A": value}).text == before + value


@given(st.text())
def test_a_text_without_the_sign_is_left_alone(raw: str) -> None:
    if "${" not in raw:
        assert expand(raw, {}).text == raw
        assert not has_variable(raw)


def test_s54_a_missing_variable_is_named_with_its_place() -> None:
    text = "site:\n  title: ${TITEL}\nsources: ['https://e.org/${A}${B}']\n"
    assert problems(text) == [
        "2:10: TITEL is not set in the environment; set it, or write $${TITEL} for the literal text",
        "3:11: A and B is not set in the environment; set it, or write $${A} for the literal text",
    ]


def test_s54_a_sign_that_begins_no_variable_is_a_problem() -> None:
    text = 'site: {title: "${1}"}\nsources: [https://e.org/]\n'
    what = '"${1}" has a ${ that does not begin a variable; write ${NAME}, or $${ for a literal ${'
    assert problems(text) == [f"1:15: {what}"]


def test_s54_keys_are_never_expanded() -> None:
    assert said("categories: {'${A}': {}}", ENVIRON).categories[0].key == "${A}"


def test_variables_may_stand_for_any_kind_of_value() -> None:
    read = said("workers: ${N}\npublish: {gzip: '${NO}'}\nsite: {title: '${N}'}", {"N": "7", "NO": "false"})
    assert (read.workers, read.publish.gzip, read.site.title) == (7, False, "7")


def test_s44_no_message_shows_what_a_variable_held() -> None:
    text = (
        "workers: ${X}\nserve: {bind: '${X}'}\nproxy: ${X}\ndefaults: {every: '${X}', dedupe: '${X}'}\n"
        "categories: {a: {slug: '${X}'}}\n"
        "sources:\n - ${X}\n - {url: 'https://e.org/', key: '${X}', timezone: '${X}', encoding: '${X}', was: '${X}/'}\n"
        " - {url: 'https://f.org/', headers: {A: 'é${X}'}, kind: file}\n - {url: '../${X}', kind: file}\n"
    )
    told = problems(text, {"X": "Sesame Open"})
    assert len(told) >= 12
    assert not any("Sesame" in problem or "sesame" in problem for problem in told)


def test_s44_secrets_are_kept_apart() -> None:
    text = "headers: {Authorization: 'Bearer ${TOKEN}', X-Key: literal-key}"
    read = said("proxy: http://u:${PASS}@proxy:3128", ENVIRON)
    assert {str.__str__(secret) for secret in read.secrets} == {"p@ss/w%rd"}
    made = source(text, {"TOKEN": "sesame"})
    assert made.headers == (("Authorization", "Bearer sesame"), ("X-Key", "literal-key"))
    assert "sesame" not in repr(made)
    assert "literal-key" not in repr(made)
