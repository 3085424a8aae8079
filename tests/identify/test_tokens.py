"""Comparison of titles: pieces, parts, numbers, and titles that differ in one place."""

import pytest

from aggregator.identify.budget import Steps, TooCostly
from aggregator.identify.tokens import (
    Titles,
    compare_titles,
    folded,
    holds,
    is_number,
    pieces_of,
    slot_of,
    tokens_of,
    weight,
    without_boilerplate,
    without_label,
)


@pytest.mark.parametrize(
    ("one", "other", "verdict"),
    [
        pytest.param("", "", Titles.ALIKE, id="both-missing"),
        pytest.param("!!", "The lamp", Titles.ALIKE, id="nothing-but-marks"),
        pytest.param("REUTERS 1-The lamp is back", "The lamp is back", Titles.SAME, id="label-of-an-agency"),
        pytest.param("Post | The lamp", "The lamp", Titles.SAME, id="piece-of-weight-4"),
        pytest.param("Post | Lamp", "Lamp", Titles.ALIKE, id="piece-of-weight-2"),
        pytest.param("The lamp | Post 5", "The lamp", Titles.NUMBERS, id="a-number-in-another-piece"),
        pytest.param("The lamp 5 | Post", "The lamp 5", Titles.SAME, id="a-number-in-the-piece"),
        pytest.param("Thela mp isback", "The lamp is back", Titles.SAME, id="blanks-at-other-places"),
        pytest.param("now the lamp is back", "the lamp is back", Titles.WITHIN, id="run-of-weight-8"),
        pytest.param("now the lamp is", "the lamp is", Titles.ALIKE, id="run-of-weight-6"),
        pytest.param("the lamp is back 7", "the lamp is back", Titles.NUMBERS, id="a-number-beside-the-run"),
        pytest.param("the 7 lamps are back now", "the 7 lamps are back", Titles.WITHIN, id="a-number-in-the-run"),
        pytest.param("lamp 1 two three", "lamp 2 two three", Titles.NUMBERS, id="other-numbers"),
        pytest.param("lamp 1 two three", "lamp two three 1", Titles.ALIKE, id="same-numbers"),
        pytest.param("a b c d", "a b e f", Titles.ALIKE, id="half"),
        pytest.param("a b c d e", "a b f g h", Titles.OTHER, id="less-than-half"),
    ],
)
def test_two_titles(one: str, other: str, verdict: Titles) -> None:
    assert compare_titles(one, other, Steps()) is verdict
    assert compare_titles(other, one, Steps()) is verdict


def test_comparing_costs_steps() -> None:
    with pytest.raises(TooCostly):
        compare_titles("a b c d", "a b e f", Steps(3))


@pytest.mark.parametrize(
    ("title", "pieces"),
    [
        ("News | The lamp: back – Post", [("news",), ("the", "lamp"), ("back",), ("post",)]),
        ("快讯：老缆车_江城", [("老", "缆", "车"), ("江", "城")]),
        ("well-known lamp", [("well", "known", "lamp")]),
        ("AFP 2: | !", []),
    ],
)
def test_pieces(title: str, pieces: list[tuple[str, ...]]) -> None:
    assert list(pieces_of(title)) == pieces


@pytest.mark.parametrize(
    ("long", "short", "is_part"),
    [("a b c", "b c", True), ("a b c", "a c", False), ("ab c", "b c", False), ("a", "", True), ("", "a", False)],
)
def test_runs(long: str, short: str, is_part: bool) -> None:
    assert holds(long.split(), short.split()) is is_part


@pytest.mark.parametrize(
    ("one", "other", "is_slot"),
    [
        ("open thread monday", "open thread tuesday", True),
        ("monday open thread", "tuesday open thread", True),
        ("open monday thread", "open tuesday thread", True),
        ("open thread", "open monday thread", False),
        ("open thread", "open thread monday", False),
        ("a b c d", "a x y d", True),
        ("a b c d e", "a x y z e", False),
        ("a b c d", "x y c d", True),
        ("a b c d e", "x y z d e", False),
        ("a b", "a b", False),
        ("a b c", "a b c d e x", False),
        ("a b c x", "a b d e x", True),
        ("a", "b", False),
        ("", "", False),
    ],
)
def test_one_slot(one: str, other: str, is_slot: bool) -> None:
    assert (slot_of(one.split(), other.split()) is not None) is is_slot
    assert (slot_of(other.split(), one.split()) is not None) is is_slot


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("Straße ＡＢＣ", "strasse abc"),
        ("發布", "发布"),
        ("שָׁלוֹם", "שלום"),
        ("كِتَـاب", "كتاب"),
        ("Café", "cafe"),
        ("İSTANBUL ılık", "istanbul ilik"),
        ("ｶｲﾌﾞ 한글 é", "カイブ 한글 e"),
        ("می\u200cشود ۱۲", "مي شود 12"),
        ("أحمد إلى مدرسة ٣", "احمد الي مدرسه 3"),
        ("co\u00adop\u200berate", "cooperate"),
    ],
)
def test_the_form_in_which_texts_are_compared(text: str, form: str) -> None:
    assert folded(text) == form


LABELS = {
    "ar": "ملخص الملخص عاجل تحديث منقول حصري",
    "de": "Zusammenfassung Eilmeldung Aktualisiert Update Übernommen Exklusiv Teaser",
    "en": "Summary Abstract TLDR TL;DR Breaking Update Updated Correction Corrected Repost Reposted Re-post Excerpt RT",
    "es": "Resumen Actualización Actualizado Reedición Republicado Corrección Exclusiva",
    "fa": "خلاصه چکیده فوری به‌روزرسانی بازنشر اختصاصی",
    "fr": "Résumé Rediffusion Reprise Correction Exclusif",
    "he": "תקציר סיכום מבזק עדכון בלעדי",
    "hi": "सारांश संक्षेप अपडेट साभार",
    "ja": "要約 概要 速報 更新 再掲 転載 訂正 独自",
    "ko": "요약 속보 업데이트 재게시 정정 단독",
    "pt": "Resumo Urgente Atualização Atualizado Republicação Republicado Correção Exclusivo",
    "ru": "Кратко Коротко Резюме Срочно Обновлено Обновление Перепост Репост Исправлено Эксклюзив",
    "tr": "Özet Güncelleme Güncellendi Alıntı Düzeltme Özel",
    "zh-Hans": "摘要 概要 快讯 更新 转载 转发 重发 更正 独家",
    "zh-Hant": "摘要 概要 快訊 更新 轉載 轉發 重發 更正 獨家",
}


@pytest.mark.parametrize("language", LABELS)
def test_a_label_before_a_text_or_a_title_is_no_part_of_it(language: str) -> None:
    for label in LABELS[language].split():
        for labelled in (f"{label}: Ferry sails", f"[{label}] Ferry sails", f"【{label}】Ferry sails"):
            assert (without_boilerplate(labelled), without_label(labelled)) == ("Ferry sails",) * 2, label
        assert without_boilerplate(f"{label} Ferry sails") == f"{label} Ferry sails"


def test_tokens_and_their_weight() -> None:
    assert list(tokens_of("v15 news_feed 3.5€ 한국 カナ")) == ["v", "15", "news", "feed", "3", "5", *"한국カナ"]
    assert weight(["news", "15", "布", "a"]) == 6
    assert weight([]) == 0
    assert (is_number("15"), is_number("v"), is_number("٣")) == (True, False, True)


LAST_LABELS = (
    "حصري Teaser RT Re-post repost TLDR Exclusiva اختصاصی Exclusif בלעדי "
    "साभार 独自 단독 Exclusivo Эксклюзив Özel 独家 獨家"
)
LAST_NOTES = """
جميع الحقوق محفوظة
Alle Rechte vorbehalten
All rights reserved
Todos los derechos reservados
تمام حقوق
Tous droits réservés
כל הזכויות שמורות
सर्वाधिकार सुरक्षित
無断転載
무단 전재
Todos os direitos reservados
Все права защищены
Tüm hakları saklıdır
未经许可
未經許可
"""


@pytest.mark.parametrize("label", LAST_LABELS.split())
def test_a_label_of_each_language_is_no_part_of_a_title(label: str) -> None:
    assert without_label(f"{label}: the lamp") == without_label(f"[{label}] the lamp") == "the lamp"
    assert without_label(f"{label} the lamp") == f"{label} the lamp"


@pytest.mark.parametrize("note", LAST_NOTES.strip().splitlines())
def test_a_note_of_each_language_is_no_part_of_a_text(note: str) -> None:
    assert without_boilerplate(f"The lamp is back. {note}.") == "The lamp is back."
    assert without_boilerplate(f"The lamp is back {note}.") == f"The lamp is back {note}."
