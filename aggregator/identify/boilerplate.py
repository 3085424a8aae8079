"""What agencies, blogs and sites write before and after texts and titles, in fifteen languages.

It says nothing about a story. A longer text is compared without its head and tail anyway (`CORE`); of a short text it
would be half.
"""

import re
from typing import Final

_MAX_TAIL: Final = 200  # characters from a note to the end of the text
_MAX_NOTES: Final = 8

# Labels before a colon or in brackets, at the beginning of a text or a title.
_LABELS: Final = {
    "ar": "ملخص|الملخص|عاجل|تحديث|إعادة نشر|منقول|حصري",
    "de": "Zusammenfassung|Kurz gesagt|Eilmeldung|Aktualisiert|Update|Übernommen|Exklusiv|Teaser",
    "en": "Summary|Abstract|TL;?DR|Breaking|Updated?|Correction|Corrected|Repost(?:ed)?|Re-?post|Exclusive|Excerpt|RT",
    "es": "Resumen|Última hora|Actualización|Actualizado|Reedición|Republicado|Corrección|Exclusiva",
    "fa": "خلاصه|چکیده|فوری|به‌روزرسانی|بازنشر|اختصاصی",
    "fr": "Résumé|En bref|Dernière minute|Mise à jour|Rediffusion|Reprise|Correction|Exclusif",
    "he": "תקציר|סיכום|מבזק|עדכון|פרסום חוזר|בלעדי",
    "hi": "सारांश|संक्षेप|ताज़ा ख़बर|ताजा खबर|अपडेट|पुनः प्रकाशित|साभार",
    "ja": "要約|概要|速報|更新|再掲|転載|訂正|独自",
    "ko": "요약|속보|업데이트|재게시|퍼온 글|정정|단독",
    "pt": "Resumo|Urgente|Última hora|Atualização|Atualizado|Republicação|Republicado|Correção|Exclusivo",
    "ru": "Кратко|Коротко|Резюме|Срочно|Обновлено|Обновление|Перепост|Репост|Исправлено|Эксклюзив",
    "tr": "Özet|Son dakika|Güncelleme|Güncellendi|Yeniden yayın|Alıntı|Düzeltme|Özel",
    "zh-Hans": "摘要|概要|快讯|更新|转载|转发|重发|更正|独家",
    "zh-Hant": "摘要|概要|快訊|更新|轉載|轉發|重發|更正|獨家",
}
# Beginnings of a note at the end of a text, after a sentence, in brackets or on a line of its own.
_NOTES: Final = {
    "ar": "إعداد|تحرير|تقرير|نُشر هذا|نشر هذا|ظهر هذا|ظهرت هذه|اقرأ المزيد|لقراءة المزيد|جميع الحقوق محفوظة",
    "de": "Bericht(?:e|et)? von|Redaktion:|Bearbeitet von|Dieser (?:Beitrag|Artikel) (?:erschien|ist zuerst)"
    "|Der Beitrag .{1,120} erschien zuerst|Weiterlesen|Mehr lesen|Alle Rechte vorbehalten",
    "en": "Reporting by|Editing by|Writing by|Additional reporting|(?:This|The) (?:post|article"
    "|story) .{0,120}appeared"
    "|Originally published|First published|Read (?:more|the full|the rest)|Continue reading|Click here"
    "|All rights reserved",
    "es": "Reporte de|Información de|Editado por|Est[ea] (?:entrada|artículo|post) .{0,40}apareció"
    "|La entrada .{1,120} apareció"
    "|Publicado originalmente|Leer más|Seguir leyendo|Todos los derechos reservados",
    "fa": "گزارش از|ویرایش|این (?:مطلب|نوشته|مقاله) (?:نخستین|اولین|پیش)|ادامه مطلب|بیشتر بخوانید|تمام حقوق",
    "fr": "Reportage de|Rédigé par|Édité par|Cet article .{0,40}(?:paru|publié|apparu)|L.article .{1,120} est apparu"
    "|Publié initialement|Lire la suite|Lire l.article|En savoir plus|Tous droits réservés",
    "he": "דיווח:|דיווח מאת|עריכה:|ערך:|הפוסט .{0,80}הופיע|הכתבה .{0,80}פורסמה|לקריאה נוספת|המשך קריאה"
    "|כל הזכויות שמורות",
    "hi": "रिपोर्ट:|रिपोर्टिंग|संपादन|यह (?:लेख|पोस्ट|ख़बर|खबर) (?:सबसे )?पहले|और पढ़ें|आगे पढ़ें|पूरा पढ़ें|सर्वाधिकार सुरक्षित",
    "ja": "取材・|取材:|記者・|編集:|編集・|この記事は|本記事は|続きを読む|もっと読む|全文を読む|無断転載",
    "ko": "취재|편집|이 (?:글|기사|포스트)는|더 보기|더 읽기|계속 읽기|전문 보기|저작권자|무단 전재",
    "pt": "Reportagem de|Edição de|Est[ea] (?:post|artigo|texto) .{0,40}(?:apareceu|publicado)"
    "|O post .{1,120} apareceu"
    "|Publicado originalmente|Leia mais|Ler mais|Continue lendo|Continuar a ler|Todos os direitos reservados",
    "ru": "Подготовил|Репортаж|Редактор|Материал подготовил|Эт(?:а|от) (?:запись|статья|пост|материал) "
    "|Запись .{1,120} впервые|Читать далее|Читать дальше|Подробнее|Все права защищены",
    "tr": "Haber:|Haberi yazan|Düzenleyen|Bu (?:yazı|haber|içerik) ilk|.{0,80} yazısı ilk önce|Devamını oku"
    "|Haberin devamı|Daha fazla oku|Tüm hakları saklıdır",
    "zh-Hans": r"(?:本报)?(?:记者|编辑|责任编辑|责编)[:：/／\s]|本文(?:首发|最初|原载|转载)|文章首发|阅读全文|阅读更多"
    "|继续阅读|查看全文|版权所有|未经许可",
    "zh-Hant": r"(?:本報)?(?:記者|編輯|責任編輯|責編)[:：/／\s]|本文(?:首發|最初|原載|轉載)|文章首發|閱讀全文|閱讀更多"
    "|繼續閱讀|查看全文|版權所有|未經許可",
}
_LABEL = "|".join(_LABELS.values())
_NOTE = "|".join(_NOTES.values())
_BEFORE = re.compile(
    rf"\s*(?:[\[【(（「]\s*(?:{_LABEL})\s*[\]】)）」]\s*[:：]?|(?:{_LABEL})\s*[:：])\s*", re.IGNORECASE
)
_AFTER = re.compile(
    rf"(?<=[.!?…。！？؟।:\n(（\[【—–-])\s*(?:{_NOTE})[^\n。！？)）\]】]{{0,{_MAX_TAIL}}}[\s.。।!！?？)）\]】]*\Z",
    re.IGNORECASE,
)
_OPEN: Final = " \t\n(（[【—–-"


def without_boilerplate(text: str) -> str:
    """Return a text without labels at its beginning and notes at its end."""
    text = text[_label_end(text) :]
    for _ in range(_MAX_NOTES):
        note = _AFTER.search(text, max(0, len(text) - 2 * _MAX_TAIL))
        if note is None:
            break
        text = text[: note.start()].rstrip(_OPEN)
    return text


def without_label(title: str) -> str:
    """Return a title without labels at its beginning; a title that is nothing else stays."""
    return title[_label_end(title) :] or title


def _label_end(text: str) -> int:
    end = 0
    while (label := _BEFORE.match(text, end)) is not None:
        end = label.end()
    return end
