"""Adding a source to feeds.yaml: all other bytes stay, and the result loads with the new source."""

import os
import re
import stat
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aggregator.config.editing import with_sources
from aggregator.config.loader import read_config
from aggregator.config.positions import EditRefused
from aggregator.config.saving import replace_config
from aggregator.config.source_text import NewSource, literal

URL = "https://new.example/feed"
NEW = NewSource(url=URL)
FULL = NewSource(url="https://new.example/feed?a=1,2", title="On: the #1", categories=("大众日报", "no", "b c"))


def read(data: bytes) -> list[tuple[str, str | None, tuple[str, ...]]]:
    settings = read_config(data, Path("feeds.yaml"), {})
    return [(source.url, source.title, source.categories) for source in settings.sources]


@pytest.mark.parametrize(
    ("before", "line"),
    [
        pytest.param("sources:\n  - https://a.example/\n", "  - https://new.example/feed\n", id="plain"),
        pytest.param("sources:\n- https://a.example/\n", "- https://new.example/feed\n", id="not-indented"),
        pytest.param("sources:\n  -   'https://a.example/'\n", "  -   https://new.example/feed\n", id="wide-dash"),
        pytest.param(
            "sources:\n  - url: https://a.example/\n    key: a\n", "  - url: https://new.example/feed\n", id="block"
        ),
        pytest.param(
            'sources:\n  - {url: "https://a.example/", key: a}\n', "  - https://new.example/feed\n", id="flow-mapping"
        ),
        pytest.param(
            "sources:\n  - {url: 'https://a.example/',\n     key: a}\n",
            "  - https://new.example/feed\n",
            id="two-lines",
        ),
        pytest.param(
            "sources:\n  - &a {url: 'https://a.example/'}\n", "  - https://new.example/feed\n", id="with-an-anchor"
        ),
        pytest.param(
            "sources:\n  - url: >-\n      https://a.example/\n    title: |\n      A\n\n",
            None,
            id="text-of-several-lines",
        ),
        pytest.param("sources:\r\n  - https://a.example/\r\n", "  - https://new.example/feed\r\n", id="crlf"),
        pytest.param("\ufeffsources:\n  - https://a.example/\n", "  - https://new.example/feed\n", id="bom"),
        pytest.param(
            "sources:\n  - https://a.example/", "\n  - https://new.example/feed\n", id="no-newline-at-the-end"
        ),
        pytest.param(
            "sources:  # the feeds\n  - https://a.example/  # the first\n",
            "  - https://new.example/feed\n",
            id="comment",
        ),
        pytest.param("sources: ['https://a.example/']\n", ', "https://new.example/feed"', id="brackets"),
        pytest.param("sources: ['https://a.example/',]\n", ', "https://new.example/feed"', id="trailing-comma"),
        pytest.param(
            "sources: [\n  'https://a.example/',  # a ] here\n]\n",
            ',\n  "https://new.example/feed"',
            id="brackets-in-lines",
        ),
        pytest.param("{sources: ['https://a.example/']}\n", ', "https://new.example/feed"', id="all-in-brackets"),
        pytest.param(
            "sources:\n  - https://a.example/\nsite: {title: x}\n", "  - https://new.example/feed\n", id="not-last"
        ),
        pytest.param(
            "site:\n  title: sources\nhosts: {a.example: {spacing: 3s}}\nsources:\n  - https://a.example/\n\n# end\n",
            "  - https://new.example/feed\n",
            id="the-word-elsewhere",
        ),
    ],
)
def test_what_stands_there_stays_and_one_piece_is_added(before: str, line: str | None) -> None:
    old = before.encode()
    new = with_sources(old, [NEW])
    assert read(new) == [*read(old), (URL, None, ("general",))]
    if line is not None:
        assert new.replace(line.encode(), b"", 1) == old
    full = with_sources(old, [FULL])
    assert read(full)[-1] == (FULL.url, FULL.title, FULL.categories)
    assert read(full)[:-1] == read(old)


@pytest.mark.parametrize(
    "before",
    [
        "",
        "\n",
        "# nothing yet\n",
        "site: {title: x}\n",
        "sources:\n",
        "sources: []\n",
        "sources: [ ] # y",
        "sources: ~\n",
        "sources: # none\nsite: {title: x}\n",
    ],
)
def test_a_file_without_sources_gets_its_first(before: str) -> None:
    new = with_sources(before.encode(), [FULL])
    assert read(new) == [(FULL.url, FULL.title, FULL.categories)]
    kept = re.sub(r" (\[ ?\]|~)", "", before)
    assert all(line in new.decode() for line in kept.splitlines())


@pytest.mark.parametrize(
    "before",
    ["- https://a.example/\n", "x: &x [a]\nsources: *x\n", "sources: {a: b}\n", "a: [\n", "sources:\n  -\n    - x\n"],
)
def test_what_is_not_for_a_program_to_edit_is_refused(before: str) -> None:
    with pytest.raises(EditRefused):
        with_sources(before.encode(), [NEW])


def test_brackets_around_all_stay() -> None:
    assert read(with_sources(b"{sources: [], site: {title: x}}", [NEW])) == [(URL, None, ("general",))]


def test_a_variable_stays_one_and_what_looks_like_one_does_not_become_one() -> None:
    data = with_sources(b"sources:\n  - https://a.example/\n", [NewSource(url="https://b.example/${KEY}")])
    assert "https://b.example/k" in read_config(data, Path("feeds.yaml"), {"KEY": "k"}).sources[-1].url
    data = with_sources(data, [NewSource(url=literal("https://c.example/?${KEY}"), title="${KEY}")])
    last = read_config(data, Path("feeds.yaml"), {"KEY": "k"}).sources[-1]
    assert (last.url, last.title) == ("https://c.example/?${KEY}", "${KEY}")


TEXTS = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"), max_codepoint=0x2FFFF), min_size=1, max_size=40
)


@example(title="Why?", category="A?")
@given(title=TEXTS, category=TEXTS)
def test_any_text_comes_back(title: str, category: str) -> None:
    title, category = (" ".join(text.replace("{", "").split()) or "x" for text in (title, category))
    category = category.replace("\ufeff", "") or "x"
    for before in (b"sources:\n  - https://a.example/\n", b"sources: ['https://a.example/']\n"):
        data = with_sources(before, [NewSource(url=URL, title=title, categories=(category,))])
        assert read(data)[-1] == (URL, title, (category,))


def test_the_file_is_replaced_whole_with_its_rights_and_through_its_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real.yaml", tmp_path / "feeds.yaml"
    real.write_bytes(b"old")
    real.chmod(0o640)
    link.symlink_to(real)
    inode = real.stat().st_ino
    replace_config(link, b"old", b"new")
    assert link.is_symlink()
    assert (real.read_bytes(), stat.S_IMODE(real.stat().st_mode)) == (b"new", 0o640)
    assert real.stat().st_ino != inode
    with pytest.raises(EditRefused, match="was changed by another program"):
        replace_config(link, b"old", b"other")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["feeds.yaml", "real.yaml"]
    assert real.read_bytes() == b"new"


def test_a_new_file_has_the_usual_rights(tmp_path: Path) -> None:
    mask = os.umask(0o027)
    try:
        replace_config(tmp_path / "feeds.yaml", None, b"new")
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "feeds.yaml").stat().st_mode) == 0o640
