"""Slugs (S50)."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.text.slugs import RESERVED, free_slug, is_slug, pinyin, slug_of

NAMES = Path(__file__).parents[3] / "shared" / "corpus" / "finews" / "pinyin.json"


@pytest.mark.parametrize(
    ("key", "slug"),
    [
        pytest.param("python", "python", id="fits"),
        pytest.param("0-day", "0-day", id="begins-with-a-digit"),
        pytest.param("大众日报", "dazhongribao", id="chinese"),
        pytest.param("重庆", "zhongqing", id="a-reading-for-each-character"),
        pytest.param("36氪", "36ke", id="digits-stay"),
        pytest.param("IPO早知道", "ipozaozhidao", id="latin-and-chinese"),
        pytest.param("Python Weekly", "python-weekly", id="blank"),
        pytest.param("free_software", "free-software", id="underscore"),
        pytest.param("Новости", "novosti", id="cyrillic"),
        pytest.param("Ελλάδα", "ellada", id="greek"),
        pytest.param("日本語ニュース", "ribenyuniyusu", id="japanese"),
        pytest.param("Straße", "strasse", id="sharp-s"),
        pytest.param("R&D / news", "r-d-news", id="signs"),
        pytest.param("Editor's choice", "editors-choice", id="apostrophe"),
        pytest.param("-a-", "-a-".strip("-"), id="hyphens-at-the-ends"),
        pytest.param("index", "index-2", id="reserved"),
        pytest.param("CON", "con-2", id="reserved-in-other-case"),
        pytest.param("???", "category-2", id="nothing-remains"),
        pytest.param("", "category-2", id="empty"),
        pytest.param("a" * 65, "a" * 64, id="cut"),
    ],
)
def test_s50_slug_of(key: str, slug: str) -> None:
    assert slug_of(key) == slug


@pytest.mark.parametrize(
    ("key", "taken", "slug"),
    [
        pytest.param("python", (), "python", id="free"),
        pytest.param("python", ("python",), "python-2", id="taken"),
        pytest.param("Python", ("python", "python-2"), "python-3", id="taken-twice-in-other-case"),
        pytest.param("index", ("index-2",), "index-3", id="reserved-and-taken"),
        pytest.param("a" * 64, ("a" * 64,), "a" * 62 + "-2", id="full-length"),
        pytest.param("a" * 61 + "-bc", ("a" * 61 + "-bc",), "a" * 61 + "-2", id="no-double-hyphen"),
    ],
)
def test_s50_taken_slugs_are_numbered(key: str, taken: tuple[str, ...], slug: str) -> None:
    assert free_slug(key, taken) == slug


@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=200))
def test_s50_any_text_has_a_slug(key: str) -> None:
    slug = slug_of(key)
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", slug)
    assert slug not in RESERVED
    assert is_slug(slug)


@given(st.lists(st.text(max_size=5), unique=True, max_size=30))
def test_s50_slugs_are_unique(keys: list[str]) -> None:
    taken: set[str] = set()
    for key in keys:
        slug = free_slug(key, taken)
        assert slug not in taken
        taken.add(slug)


def test_pinyin_leaves_the_rest_as_it_is() -> None:
    assert pinyin("GitHub 热榜, 21财经") == "GitHub rebang, 21caijing"


@pytest.mark.corpus
@pytest.mark.skipif(not NAMES.exists(), reason="no ../shared/corpus here")
def test_pinyin_gives_the_first_users_old_addresses() -> None:
    for paper in json.loads(NAMES.read_text(encoding="utf-8")):
        assert pinyin(paper["name"]) == paper["category"]
