"""The language of a text by its script."""

import pytest

from aggregator.clean.language import LATIN, language_by_script


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("今日は良い天気です", "ja"),
        ("東京都、新しい条例を発表", "ja"),
        ("カメラ", "ja"),
        ("오늘의 뉴스", "ko"),
        ("国务院发布新规定", "zh"),
        ("GitHub 发布 Copilot 新版本", "zh"),
        ("חדשות היום", "he"),
        ("أخبار اليوم", "ar"),
        ("گزارش تازه از تهران", "fa"),
        ("آج کی بڑی خبریں", "ur"),
        ("Сегодня вышел новый выпуск", "ru"),
        ("Новини України сьогодні: її майбутнє", "uk"),
        ("Беларусь: што новага ў краіне", "be"),
        ("Вести из Београда: људи и њихов живот", "sr"),
        ("Новини от България: пътят на времето", "bg"),
        ("Νέα της ημέρας", "el"),
        ("ข่าววันนี้", "th"),
        ("आज के समाचार", "hi"),
        ("আজকের খবর", "bn"),
        ("Լուրեր", "hy"),
        ("ახალი ამბები", "ka"),
        ("Python 3.14 is out — 新", None),
        ("An English text", None),
        ("Ärger über Öl", None),
        ("2025 – 100 %", None),
        ("", None),
        ("😀", None),
    ],
)
def test_the_script_tells_the_language(text: str, language: str | None) -> None:
    assert language_by_script(text, "en") == language


@pytest.mark.parametrize(
    ("text", "expected", "language"),
    [
        ("東京都条例", "ja-JP", None),  # Han characters alone are both
        ("東京都条例", "zh-CN", None),
        ("今日は良い天気です", "zh-CN", "ja"),
        ("Вести дана", "sr", None),
        ("Новини України сьогодні: її майбутнє", "ru", "uk"),
        ("An English text", "he", LATIN),
        ("An English text", "zh-CN", LATIN),
        ("An English text", "de", None),
        ("अपने समाचार", "mr", None),
    ],
)
def test_what_may_be_in_the_language_around_it_is(text: str, expected: str, language: str | None) -> None:
    assert language_by_script(text, expected) == language
