"""Tokens of a text, without word segmentation: results of segmenters differ between versions.

A word or a number is one token, and so is each character of a script that writes no blanks between words. Titles are
compared by their tokens, without what sites add to them. Labels and notes that agencies, blogs and sites write before
and after texts and titles, in fifteen languages, say nothing about a story. A longer text is compared without its head
and tail anyway (`CORE`); of a short text they would be half.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum, auto
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final

from aggregator.identify.budget import BoundedMatcher, Steps
from aggregator.text.xml_chars import normalised

# Kana, bopomofo, hangul, Han with its extensions: scripts that write no blanks between words, or glue them together.
_CJK = (
    "\u3040-\u30ff\u3100-\u312f\u31a0-\u31bf\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
_TOKEN = re.compile(rf"[{_CJK}]|\d+|[^\W\d_{_CJK}]+")
# Marks after which something new begins: a sentence, the text after an agency's head, a line.
_PARTED = re.compile(rf"({_TOKEN.pattern})|[.!?…。！？؟।;:：；)\]】）」』=＝|\n–—]|\s-")
# What a text may have or lack without being another text: soft hyphens, joiners, marks of direction; accents of Latin,
# Greek and Cyrillic letters; points, vowel marks and stretching strokes of Hebrew and Arabic; the nukta of Devanagari.
_OPTIONAL = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff\u0300-\u036f\u0483-\u0487"
    "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed\u093c]"
)
_NON_JOINER = re.compile("(?<=[\u0600-\u06ff])\u200c(?=[\u0600-\u06ff])")  # Persian: so, or a blank
_ACCENTED = re.compile("[\u00c0-\u024f\u0370-\u0451\u0457\u045e\u1e00-\u1fff]")
_FOLDED = re.compile("[\u0131\u02bc\u0621-\u06ff\u0901\u4e00-\u9fff]|(?![0-9])\\d")
# A form of a letter and the form in which it is compared, in turn: Arabic and Persian, Turkish, a mark used as an
# apostrophe, Devanagari.
_FORMS = "أاإاآاٱاىيیيېيۍيةهۀهہهک\u0643ڪ\u0643ؤوıi\u02bc'\u0901\u0902"
WORD_WEIGHT = 2  # a word has about as much information as two characters


def folded(text: str) -> str:
    """Return the form in which texts are compared.

    NFKC, case folded, without optional marks; one form for letters that writers of a language exchange (Arabic and
    Persian yeh and kaf, alef with and without hamza, Turkish dotless i), ASCII digits, simplified Han characters.
    """
    text = normalised("NFKC", text).casefold()
    if text.isascii():
        return text
    is_accented = _ACCENTED.search(text)
    text = _OPTIONAL.sub("", _NON_JOINER.sub(" ", normalised("NFD", text) if is_accented else text))
    if is_accented:  # kana and hangul were taken apart as well
        text = normalised("NFC", text)
    return text.translate(_letters()) if _FOLDED.search(text) else text


def tokens_of(text: str) -> Iterator[str]:
    """Return the tokens of a text, in order."""
    return iter(_TOKEN.findall(folded(text)))  # at once: a generator takes twice as long


def marks_of(text: str, most: int) -> frozenset[int]:
    """Return the places of the tokens before which a mark ends a sentence or a head, with 0 and the number of tokens.

    Args:
        text: a text.
        most: the number of its tokens that count.
    """
    found, place = {0, most}, 0
    for token in _PARTED.findall(folded(text)):
        if token:
            place += 1
        elif place < most:
            found.add(place)
    return frozenset(found)


def is_number(token: str) -> bool:
    """Return whether a token is a number, or part of a version or a date. Where numbers differ, so do the stories."""
    return token[0].isdigit()


def is_part(token: str) -> bool:
    """Return whether a token is a part of a word: a character of a script without blanks, or letters between marks."""
    return token[0] >= "\u0900" and len(token) < _WHOLE


def weight(tokens: Iterable[str]) -> int:
    """Return how much information tokens have, in characters of a script like Chinese."""
    lengths = list(map(len, tokens))
    return WORD_WEIGHT * len(lengths) - (WORD_WEIGHT - 1) * lengths.count(1)


@cache
def _letters() -> dict[int, str]:
    """Return the form in which a letter or digit is compared, of those that have several.

    Traditional characters become simplified by OpenCC's table; of several forms, the first.
    """
    table = files("opencc").joinpath("dictionary/TSCharacters.txt").read_text(encoding="utf-8")
    pairs = (line.split("\t") for line in table.splitlines() if "\t" in line)
    digits = (code for code in range(0x80, 0x20000) if chr(code).isdecimal())
    return {
        **{ord(old): new.split()[0] for old, new in pairs if len(old) == 1},
        **{code: str(int(chr(code))) for code in digits},
        **{ord(form): letter for form, letter in zip(_FORMS[::2], _FORMS[1::2], strict=True)},
    }


# "UPDATE 1-", as agencies count their versions. Other words in capitals are places and firms, and stay.
_WIRE = re.compile(
    r"^(?:UPDATE|WRAPUP|REFILE|RPT|REPEAT|CORRECTED|EXCLUSIVE|BREAKING|ADVISORY|REUTERS|AFP|AP|DPA|EFE"
    r"|ANSA|TASS|UPI|KYODO|YONHAP|XINHUA)(?: \d{1,2})?\s*[-–—:]\s*"
)
_BETWEEN = re.compile(r"\s[|\-–—·•»/]\s|[|_：:]|\s?[-–—](?=[^\x00-\x7f])")  # a site's name, a label, a section
_PIECE = 4  # weight from which a piece between such marks may be a whole title
_RUN = 8  # the same for consecutive words without a mark around them
_HALF = 0.5
_REORDERED = 0.7  # share of words that alike titles have in another order
STEM = 5  # letters by which two forms of a word are known
_ENDING = 3  # letters
_WHOLE = 4  # letters of a token that is a word in scripts that write vowels as marks, as those of India


class Titles(Enum):
    """Result of comparing two titles."""

    SAME = auto()  # apart from a site's name, a label, blanks
    WITHIN = auto()  # one title contains the other
    ALIKE = auto()  # half of it is shared
    OTHER = auto()
    NUMBERS = auto()  # another issue, version, price or date: two stories, however alike they are


def compare_titles(one: str, other: str, steps: Steps) -> Titles:
    """Compare two titles; a missing title is like any other.

    Raises:
        TooCostly: the steps are used up.
    """
    ours, theirs = _tokens_of_title(one), _tokens_of_title(other)
    if not ours or not theirs:
        return Titles.ALIKE
    if ours == theirs or _is_piece(ours, other) or _is_piece(theirs, one):
        return Titles.SAME
    short, long = sorted(("".join(ours), "".join(theirs)), key=len)  # a blank may have got into a word, or out of it
    if short == long:
        return Titles.SAME
    if min(weight(ours), weight(theirs)) >= _RUN and _goes_on(ours, theirs, short, long):
        return Titles.NUMBERS if any(map(str.isdigit, long.replace(short, "", 1))) else Titles.WITHIN
    if _numbers(ours) != _numbers(theirs):
        return Titles.NUMBERS
    is_alike = ratio(ours, theirs, steps) >= _HALF or _reordered(ours, theirs) >= _REORDERED
    return Titles.ALIKE if is_alike else Titles.OTHER


def ratio(one: Sequence[str], other: Sequence[str], steps: Steps) -> float:
    """Return the similarity of two sequences of tokens, 0 to 1; the order of the two does not count."""
    return max(BoundedMatcher(*pair, steps).ratio() for pair in ((one, other), (other, one)))


def _reordered(one: Sequence[str], other: Sequence[str]) -> float:
    """Return the share of the words of two titles that both have, in whatever order, by their first letters."""
    ours, theirs = (Counter(token[:STEM] for token in title) for title in (one, other))
    return 2 * (ours & theirs).total() / (len(one) + len(other))


def _goes_on(one: Sequence[str], other: Sequence[str], short: str, long: str) -> bool:
    """Return whether one title has all words of the other in one place, or was cut inside of a word."""
    if holds(one, other) or holds(other, one):
        return True
    return long.startswith(short) and len(long) - len(short) > _ENDING  # a word may end in several ways


@lru_cache(256)  # a new entry is compared with several
def _tokens_of_title(title: str) -> tuple[str, ...]:
    return tuple(tokens_of(_bare(title)))


@lru_cache(256)
def pieces_of(title: str) -> tuple[tuple[str, ...], ...]:
    """Return the pieces of a title between the marks that sites put around additions."""
    return tuple(piece for part in _BETWEEN.split(_bare(title)) if (piece := tuple(tokens_of(part))))


def holds(long: Sequence[str], short: Sequence[str]) -> bool:
    """Return whether a sequence of tokens contains another one without a gap."""
    return not short or _spaced(short) in _spaced(long)  # no token has a blank in it; Python's `in` is linear


def slot_of(one: Sequence[str], other: Sequence[str]) -> tuple[Sequence[str], Sequence[str]] | None:
    """Return what two titles have in the one place in which they differ: "Open thread: Monday".

    Issues of a series have such titles, and their texts may be the same each time.

    Returns:
        None if only one title has something there, or less than half of the shorter title is shared.
    """
    least = min(len(one), len(other))
    before = next((i for i in range(least) if one[i] != other[i]), least)
    after = next((i for i in range(least - before) if one[-1 - i] != other[-1 - i]), least - before)
    if before + after >= least or before + after < _HALF * least:
        return None
    return one[before : len(one) - after], other[before : len(other) - after]


def _bare(title: str) -> str:
    """Return a title without an agency's count of its versions and labels."""
    return without_label(_WIRE.sub("", title))


def _is_piece(title: tuple[str, ...], other: str) -> bool:
    """Return whether a title is one piece of another, and no number is in the rest."""
    pieces = pieces_of(other)
    if weight(title) < _PIECE or title not in pieces:
        return False
    return not any(is_number(token) for piece in pieces if piece != title for token in piece)


def _numbers(tokens: Sequence[str]) -> list[str]:
    return [token for token in tokens if is_number(token)]


def _spaced(tokens: Sequence[str]) -> str:
    return f" {' '.join(tokens)} "


# --- labels and notes

_MAX_TAIL: Final = 200  # characters from a note to the end of the text
_MAX_NOTES: Final = 8
_LONGEST_NOTE: Final = 80
_DIGIT: Final = re.compile(r"\d")

# Labels before a colon or in brackets, at the beginning of a text or a title.
_LABELS: Final = (
    # ar
    "ملخص|الملخص|عاجل|تحديث|إعادة نشر|منقول|حصري",
    # de
    "Zusammenfassung|Kurz gesagt|Eilmeldung|Aktualisiert|Update|Übernommen|Exklusiv|Teaser",
    # en
    "Summary|Abstract|TL;?DR|Breaking|Updated?|Correction|Corrected|Repost(?:ed)?|Re-?post|Exclusive|Excerpt|RT",
    # es
    "Resumen|Última hora|Actualización|Actualizado|Reedición|Republicado|Corrección|Exclusiva",
    # fa
    "خلاصه|چکیده|فوری|به‌روزرسانی|بازنشر|اختصاصی",
    # fr
    "Résumé|En bref|Dernière minute|Mise à jour|Rediffusion|Reprise|Correction|Exclusif",
    # he
    "תקציר|סיכום|מבזק|עדכון|פרסום חוזר|בלעדי",
    # hi
    "सारांश|संक्षेप|ताज़ा ख़बर|ताजा खबर|अपडेट|पुनः प्रकाशित|साभार",
    # ja
    "要約|概要|速報|更新|再掲|転載|訂正|独自",
    # ko
    "요약|속보|업데이트|재게시|퍼온 글|정정|단독",
    # pt
    "Resumo|Urgente|Última hora|Atualização|Atualizado|Republicação|Republicado|Correção|Exclusivo",
    # ru
    "Кратко|Коротко|Резюме|Срочно|Обновлено|Обновление|Перепост|Репост|Исправлено|Эксклюзив",
    # tr
    "Özet|Son dakika|Güncelleme|Güncellendi|Yeniden yayın|Alıntı|Düzeltme|Özel",
    # zh-Hans
    "摘要|概要|快讯|更新|转载|转发|重发|更正|独家",
    # zh-Hant
    "摘要|概要|快訊|更新|轉載|轉發|重發|更正|獨家",
)
# Beginnings of a note at the end of a text, after a sentence, in brackets or on a line of its own.
_NOTES: Final = (
    # ar
    "إعداد|تحرير|تقرير|نُشر هذا|نشر هذا|ظهر هذا|ظهرت هذه|اقرأ المزيد|لقراءة المزيد|جميع الحقوق محفوظة",
    # de
    "Bericht(?:e|et)? von|Redaktion:|Bearbeitet von|Dieser (?:Beitrag|Artikel) (?:erschien|ist zuerst)"
    "|Der Beitrag .{1,120} erschien zuerst|Weiterlesen|Mehr lesen|Alle Rechte vorbehalten",
    # en
    "Reporting by|Editing by|Writing by|Additional reporting|(?:This|The) (?:post|article"
    "|story) .{0,120}appeared"
    "|Originally published|First published|Read (?:more|the full|the rest)|Continue reading|Click here"
    "|All rights reserved",
    # es
    "Reporte de|Información de|Editado por|Est[ea] (?:entrada|artículo|post) .{0,40}apareció"
    "|La entrada .{1,120} apareció"
    "|Publicado originalmente|Leer más|Seguir leyendo|Todos los derechos reservados",
    # fa
    "گزارش از|ویرایش|این (?:مطلب|نوشته|مقاله) (?:نخستین|اولین|پیش)|ادامه مطلب|بیشتر بخوانید|تمام حقوق",
    # fr
    "Reportage de|Rédigé par|Édité par|Cet article .{0,40}(?:paru|publié|apparu)|L.article .{1,120} est apparu"
    "|Publié initialement|Lire la suite|Lire l.article|En savoir plus|Tous droits réservés",
    # he
    "דיווח:|דיווח מאת|עריכה:|ערך:|הפוסט .{0,80}הופיע|הכתבה .{0,80}פורסמה|לקריאה נוספת|המשך קריאה|כל הזכויות שמורות",
    # hi
    "रिपोर्ट:|रिपोर्टिंग|संपादन|यह (?:लेख|पोस्ट|ख़बर|खबर) (?:सबसे )?पहले|और पढ़ें|आगे पढ़ें|पूरा पढ़ें|सर्वाधिकार सुरक्षित",
    # ja
    "取材・|取材:|記者・|編集:|編集・|この記事は|本記事は|続きを読む|もっと読む|全文を読む|無断転載",
    # ko
    "취재|편집|이 (?:글|기사|포스트)는|더 보기|더 읽기|계속 읽기|전문 보기|저작권자|무단 전재",
    # pt
    "Reportagem de|Edição de|Est[ea] (?:post|artigo|texto) .{0,40}(?:apareceu|publicado)"
    "|O post .{1,120} apareceu"
    "|Publicado originalmente|Leia mais|Ler mais|Continue lendo|Continuar a ler|Todos os direitos reservados",
    # ru
    "Подготовил|Репортаж|Редактор|Материал подготовил|Эт(?:а|от) (?:запись|статья|пост|материал) "
    "|Запись .{1,120} впервые|Читать далее|Читать дальше|Подробнее|Все права защищены",
    # tr
    "Haber:|Haberi yazan|Düzenleyen|Bu (?:yazı|haber|içerik) ilk|.{0,80} yazısı ilk önce|Devamını oku"
    "|Haberin devamı|Daha fazla oku|Tüm hakları saklıdır",
    # zh-Hans
    r"(?:本报)?(?:记者|编辑|责任编辑|责编)[:：/／\s]|本文(?:首发|最初|原载|转载)|文章首发|阅读全文|阅读更多"
    "|继续阅读|查看全文|版权所有|未经许可",
    # zh-Hant
    r"(?:本報)?(?:記者|編輯|責任編輯|責編)[:：/／\s]|本文(?:首發|最初|原載|轉載)|文章首發|閱讀全文|閱讀更多"
    "|繼續閱讀|查看全文|版權所有|未經許可",
)
_LABEL = "|".join(_LABELS)
_NOTE = "|".join(_NOTES)
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
        if note is None or len(note[0]) > _LONGEST_NOTE or _DIGIT.search(note[0]):  # it tells something
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
