"""Labelled pairs of entries in fifteen languages: one story told again, or another one that looks like it.

Each file of `languages/` has one article and what its look-alikes are made of; the kinds below are made from them.
"""

import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

LANGUAGES = Path(__file__).parent / "languages"
_DATE = "2026-03-{}T10:15:37+00:00"
_ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
DIGITS = {
    "ar": _ARABIC,
    "fa": str.maketrans("۰۱۲۳۴۵۶۷۸۹", "0123456789"),
    "hi": str.maketrans("0123456789", "०१२३४५६७८९"),
    **dict.fromkeys(("ja", "ko", "zh-Hans", "zh-Hant"), str.maketrans("0123456789", "０１２３４５６７８９")),
}
_LETTERS = {  # another way to write the same letters, which typewriters, old systems and keyboards produce
    "ar": str.maketrans({"أ": "ا", "إ": "ا", "آ": "ا", "ى": "ي", "ة": "ه", "ً": "", "ّ": "", "ُ": ""}),
    "fa": str.maketrans({"ی": "ي", "ک": "ك", "\u200c": " "}),
    "de": str.maketrans({"ß": "ss"}),
    "he": str.maketrans({"ה": "הָ", "ש": "שׁ", "ת": "תִ"}),
    "hi": str.maketrans({"\u0901": "\u0902", "\u093c": ""}),  # candrabindu as anusvara, no nukta
    "tr": str.maketrans({"î": "i", "â": "a"}),
    "ru": str.maketrans({"ё": "е"}),
    "zh-Hans": str.maketrans({"，": ",", "。": ".", "（": "(", "）": ")"}),
    "ja": str.maketrans({"カ": "ｶ", "ニ": "ﾆ"}),
}
LABELS = {  # what a site writes before and after a text that it took from another
    "ar": ("منقول", "نشر هذا المقال في موقع آخر"),
    "de": ("Zusammenfassung", "Dieser Beitrag erschien zuerst anderswo."),
    "en": ("Repost", "This post first appeared elsewhere."),
    "es": ("Resumen", "Esta entrada apareció antes en otro sitio."),
    "fa": ("بازنشر", "ادامه مطلب در سایت"),
    "fr": ("Reprise", "Cet article est d'abord paru ailleurs."),
    "he": ("תקציר", "לקריאה נוספת באתר"),
    "hi": ("सारांश", "पूरा पढ़ें"),
    "ja": ("転載", "続きを読む"),
    "ko": ("요약", "전문 보기"),
    "pt": ("Resumo", "Leia mais no site"),
    "ru": ("Кратко", "Читать далее на сайте"),
    "tr": ("Özet", "Devamını oku"),
    "zh-Hans": ("转载", "阅读全文"),
    "zh-Hant": ("轉載", "閱讀全文"),
}
MARKS = str.maketrans({"'": "\u2019", '"': "\u201d", "-": "\u2011", ",": "\u201a", "„": '"', "«": '"', "»": '"'})


def all_pairs() -> list[dict[str, Any]]:
    """Return all pairs, in the form of a file of pairs (`benchmarks.nearness`)."""
    return [pair for path in sorted(LANGUAGES.glob("*.toml")) for pair in pairs_of(path.stem)]


@cache
def language(code: str) -> dict[str, Any]:
    """Return the texts of a language."""
    return tomllib.loads((LANGUAGES / f"{code}.toml").read_text(encoding="utf-8"))


def pairs_of(code: str) -> Iterator[dict[str, Any]]:
    """Make the pairs of one language."""
    told = language(code)
    for label, kinds in (("same", _same), ("different", _different)):
        for kind, one, other in kinds(told, code):
            later = "05" if kind.endswith("a day later") else "04"
            sides = {
                "a": {"title": one[0], "html": one[1], "link": "https://a.example/1", "published": _DATE.format("04")},
                "b": {
                    "title": other[0],
                    "html": other[1],
                    "link": "https://b.example/2",
                    "published": _DATE.format(later),
                },
            }
            yield {"label": label, "kind": kind, "lang": code, **sides}


_Side = tuple[str, str]
_Pairs = Iterator[tuple[str, _Side, _Side]]


def _html(paragraphs: list[str]) -> str:
    return "".join(f"<p>{text}</p>" for text in paragraphs)


def _same(told: dict[str, Any], code: str) -> _Pairs:
    title, said = told["title"], told["paragraphs"]
    whole = (title, _html(said))
    yield "excerpt against full text", whole, (title, f"<p>{said[0][:-1]} …</p>")
    yield "edited title, with the site's name", whole, (f"{told['edited']} | {told['site']}", whole[1])
    yield "equal text under another title", whole, (told["retitled"], whole[1])
    corrected = _corrected(said)
    yield "one number corrected", whole, (title, _html(corrected))
    yield "one number corrected, edited title", whole, (told["edited"], _html(corrected))
    yield "paragraphs reordered", whole, (title, _html([*said[:1], *reversed(said[1:])]))
    letters = [text.translate(DIGITS.get(code, {})).translate(MARKS).translate(_LETTERS.get(code, {})) for text in said]
    yield "letters, digits and marks", whole, (title.translate(_LETTERS.get(code, {})), _html(letters))
    yield "invisible characters", whole, (title.replace(" ", "\u00a0"), _html([_noisy(text) for text in said]))
    framed = [told["head"] + said[0], *said[1:], told["tail"]]
    yield "head and tail of an agency, edited title", whole, (told["edited"], _html(framed))
    yield "local introduction, edited title", whole, (told["edited"], _html([told["intro"], *said]))
    yield "local introduction, another title", whole, (told["retitled"], _html([told["intro"], *said]))
    yield "two typing errors", whole, (title, _html([_mistyped(said[0]), *said[1:4], _mistyped(said[4]), *said[5:]]))
    yield "capitals", whole, (_capitals(title, code), _html([_capitals(text, code) for text in said]))
    yield "report that goes on", whole, (title, _html([told["more"], *said]))
    short = _html([told["short"]["text"]])
    brief = f"{said[0].split('. ')[0].split('。')[0].split('، ')[0]}."
    label, note = LABELS[code]
    yield (
        "short text, labels of another site",
        (title, _html([brief])),
        (
            f"[{label}] {title} | {told['site']}",
            _html([f"{label}: {brief} ({note})"]),
        ),
    )
    before, after = told["short"]["titles"]
    yield "short text of one second, edited title", (before, short), (after, short)
    yield "paragraph more, paragraph less", whole, (title, _html([*said[:3], told["more"], *said[4:]]))


def _different(told: dict[str, Any], code: str) -> _Pairs:
    title, said = told["title"], told["paragraphs"]
    framed = (title, _html([told["head"] + said[0], *said[1:], told["tail"]]))
    other = [told["head"] + told["other"]["paragraphs"][0], *told["other"]["paragraphs"][1:], told["tail"]]
    yield "another story with the same head and tail", framed, (told["other"]["title"], _html(other))
    quoting = [*told["other"]["paragraphs"], said[1]]
    yield "another story that repeats a paragraph", (title, _html(said)), (told["other"]["title"], _html(quoting))
    notice = told["notice"]
    first, second, third = (
        (notice["title"].format(*notice[which]), _html([notice["text"].format(*notice[which])]))
        for which in ("first", "second", "third")
    )
    yield "notice with other numbers", first, second
    yield "notice with another name", first, third
    rules = told["form"]["text"]
    long, altered = (
        _html([rules, rules, text.format(*notice["first"])]) for text in (notice["text"], _altered(notice["text"]))
    )
    yield "long notice, one number, a day later", (first[0], long), (first[0], altered)
    follow = (told["other"]["title"], _html([*told["other"]["paragraphs"], *said[4:]]))
    yield "another story with the same background", (title, _html(said)), follow
    release = told["release"]
    old, new = (
        (release["title"].format(release[which]), _html([release["text"].format(release[which])]))
        for which in ("first", "second")
    )
    yield "next version", old, new
    yield "next version, not named in the text", old, (new[0], old[1])
    daily = told["daily"]
    yield "series with one title", (daily["title"], _html([daily["first"]])), (daily["title"], _html([daily["second"]]))
    first_issue, second_issue = (_html([daily[which], rules, rules, rules]) for which in ("first", "second"))
    yield (
        "series with one title and long rules, a day later",
        (daily["title"], first_issue),
        (daily["title"], second_issue),
    )
    one, another = told["form"]["titles"]
    form = _html([told["form"]["text"]])
    yield "rules of a thread under another title", (one, form), (another, form)
    yield "next number of a series, same text", (f"{daily['title']} 117", form), (f"{daily['title']} 118", form)
    yield (
        "short text under other titles",
        (one, _html([told["short"]["text"]])),
        (title, _html([told["short"]["text"]])),
    )


def _altered(text: str) -> str:
    """Put another number into the first field of a notice that takes a number."""
    return text.replace("{1}", "{2}")


def _capitals(text: str, code: str) -> str:
    return (text.replace("i", "İ") if code == "tr" else text).upper()


def _mistyped(text: str) -> str:
    """Exchange two letters in the middle of the longest word."""
    word = max(text.split(), key=len)
    if len(word) < 6:
        return text
    middle = len(word) // 2
    return text.replace(word, word[: middle - 1] + word[middle] + word[middle - 1] + word[middle + 1 :], 1)


def _corrected(said: list[str]) -> list[str]:
    """Change the first number of the fourth paragraph."""
    text = said[3]
    start = next(index for index, letter in enumerate(text) if letter.isdigit())
    new = chr(ord(text[start]) + (1 if text[start] not in "9۹" else -1))
    return [*said[:3], text[:start] + new + text[start + 1 :], *said[4:]]


def _noisy(text: str) -> str:
    """Put soft hyphens, joiners and other blanks into a text, as editors and typesetters do."""
    words = [word[:3] + "\u00ad" + word[3:] if len(word) > 6 else word for word in text.split(" ")]
    glued = "\u00a0".join(words[:8]) + " \u200b" + "\u202f".join(words[8:16]) + "\ufeff " + " ".join(words[16:])
    first = words[1] if len(words) > 1 else text[5]
    return glued.replace(first, f"\u2060{first}", 1)
