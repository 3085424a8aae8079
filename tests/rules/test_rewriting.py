"""Replacements of `rewrite` (S24, S30)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.identify.keys import digest_of
from aggregator.model.entry import Digest, Entry, Person, Tag
from aggregator.model.settings import Rewrite
from aggregator.rules.rewriting import rewritten
from aggregator.urls import Url

ENTRY = Entry(
    title="[News] Python 3.15",
    link=Url("https://example.org/news?id=3"),
    summary="【财经】 Short",
    content="<p>\u3000\u3000One.</p><p>Two.</p>",
    text="One. Two.",
    authors=(Person(name="Ada (staff)"), Person(name="staff")),
    tags=(Tag(term="ads"), Tag(term="py", label="Python")),
    digest=Digest("1:told"),
)


def step(field: str, pattern: str, replacement: str = "") -> Rewrite:
    return Rewrite(field=field, pattern=pattern, replacement=replacement)


@pytest.mark.parametrize(
    ("steps", "field", "value"),
    [
        pytest.param([step("title", "^\\[News\\] ")], "title", "Python 3.15", id="title"),
        pytest.param([step("title", "(\\d)\\.(\\d+)", "\\2/\\1")], "title", "[News] Python 15/3", id="groups"),
        pytest.param(
            [step("title", r"^.(?P<a>N)(x)?", r"“大\g<a>\\é”\1\2\g<0>")],
            "title",
            r"“大N\é”N[News] Python 3.15",
            id="beyond-ascii",
        ),
        pytest.param([step("content", "\u3000\u3000")], "content", "<p>One.</p><p>Two.</p>", id="indents"),
        pytest.param([step("summary", "^.*】")], "summary", "Short", id="summary"),
        pytest.param([step("author", " ?\\(?staff\\)?")], "authors", (Person(name="Ada"),), id="author-dropped"),
        pytest.param([step("tag", "^ads$")], "tags", (Tag(term="py", label="Python"),), id="tag-dropped"),
        pytest.param([step("link", "\\?.*")], "link", "https://example.org/news", id="link"),
        pytest.param([step("link", "^.*", "no address")], "link", ENTRY.link, id="no-address"),
        pytest.param(
            [step("title", "^\\[", ""), step("title", "^News\\] ", "")], "title", "Python 3.15", id="in-order"
        ),
        pytest.param([step("title", "nothing", "x")], "title", ENTRY.title, id="no-match"),
    ],
)
def test_rewrite(steps: list[Rewrite], field: str, value: object) -> None:
    assert getattr(rewritten(ENTRY, steps), field) == value


def test_s30_what_is_put_into_html_is_cleaned() -> None:
    entry = rewritten(ENTRY, [step("content", "One", "<script>x</script><b onclick='x'>One</b>")])
    assert entry.content == "<p>\u3000\u3000<b>One</b>.</p><p>Two.</p>"


def test_r47_what_the_source_told_stays_with_it_and_an_edit_begins_there() -> None:
    once = rewritten(ENTRY, [step("title", "News", "Alt")])
    assert once.told_digest == ENTRY.digest
    assert once.digest == digest_of(once)
    assert once.as_told == ENTRY
    assert rewritten(once, [step("title", "News", "Neu")]).title == "[Neu] Python 3.15"
    assert rewritten(once, []) == ENTRY


def test_s24_a_replacement_grows_no_text_without_bound() -> None:
    entry = Entry(title="x", content="a" * 1_000_000)
    assert len(rewritten(entry, [step("content", "a", "b" * 5000)]).content) <= 1 << 20


@given(st.text(), st.text(max_size=5))
def test_any_text_can_be_rewritten(text: str, replacement: str) -> None:
    entry = rewritten(Entry(title=text), [step("title", "[a-z ]+", replacement.replace("\\", "\\\\"))])
    assert entry.as_told.title == text
    with_it = rewritten(Entry(title="b"), [step("title", "b", replacement.replace("\\", "\\\\"))])
    assert with_it.title == " ".join(replacement.split())
