"""Language tags (BCP 47; I60)."""

import pytest

from aggregator.clean.language import language_of


@pytest.mark.parametrize(
    ("said", "tag"),
    [
        ("en", "en"),
        ("EN_us", "en-US"),
        ("zh-hans-cn", "zh-Hans-CN"),
        ("zh_TW", "zh-TW"),
        ("es-419", "es-419"),
        ("cn", "zh-CN"),
        ("jp", "ja"),
        ("German", "de"),
        ("en, de", "en"),
        ("und", None),
        ("not a tag", None),
        ("", None),
        ("x", None),
        ("<b>", None),
        ("none", None),
        ("iw-IL", "he-IL"),
        ("jp-JP", "ja-JP"),
        ("eng", "en"),
        ("ger-AT", "de-AT"),
        ("chi", "zh"),
        ("yue-Hant", "yue-Hant"),
        ("ast", "ast"),
        ("qq", None),
        ("us", None),
    ],
)
def test_i60_normal_form(said: str, tag: str | None) -> None:
    assert language_of(said) == tag


def test_i60_the_first_that_is_one() -> None:
    assert language_of(None, "?", "pt_br", "de") == "pt-BR"
    assert language_of() is None
