"""Finds the language of a text by its script, for texts whose language nobody says. Pure."""

import re
import unicodedata
from collections import Counter
from functools import lru_cache
from typing import Final

SAMPLE: Final = 600  # characters that are looked at

# First word of a character's name in Unicode: the most likely language, and others that are written so.
_LANGUAGES: Final[dict[str, tuple[str, ...]]] = {
    "HIRAGANA": ("ja",),
    "KATAKANA": ("ja",),
    "HANGUL": ("ko",),
    "CJK": ("zh", "ja", "yue", "ko"),
    "BOPOMOFO": ("zh",),
    "HEBREW": ("he", "yi"),
    "ARABIC": ("ar", "fa", "ur", "ps", "ckb", "sd", "ug", "ks"),
    "SYRIAC": ("syr",),
    "THAANA": ("dv",),
    "NKO": ("nqo",),
    "CYRILLIC": ("ru", "uk", "be", "bg", "sr", "mk", "kk", "ky", "mn", "tg", "tt", "bs"),
    "GREEK": ("el",),
    "ARMENIAN": ("hy",),
    "GEORGIAN": ("ka",),
    "DEVANAGARI": ("hi", "mr", "ne", "sa"),
    "BENGALI": ("bn", "as"),
    "GURMUKHI": ("pa",),
    "GUJARATI": ("gu",),
    "ORIYA": ("or",),
    "TAMIL": ("ta",),
    "TELUGU": ("te",),
    "KANNADA": ("kn",),
    "MALAYALAM": ("ml",),
    "SINHALA": ("si",),
    "THAI": ("th",),
    "LAO": ("lo",),
    "TIBETAN": ("bo", "dz"),
    "MYANMAR": ("my",),
    "KHMER": ("km",),
    "ETHIOPIC": ("am", "ti"),
}
LATIN: Final = "und-Latn"  # a language that is written in Latin letters, which tell no more
_DENSE: Final = {"CJK", "HIRAGANA", "KATAKANA", "HANGUL"}
_WEIGHT: Final = 3  # letters for which a character of these stands
_KANA: Final = 0.05  # share of kana above which a text in Han characters is Japanese
# Letters that only one language of a script has.
_TELLING: Final = (
    ("CYRILLIC", "uk", re.compile("[їєґЇЄҐ]")),
    ("CYRILLIC", "be", re.compile("[ўЎ]")),
    ("CYRILLIC", "mk", re.compile("[ѓќѕЃЌЅ]")),
    ("CYRILLIC", "sr", re.compile("[ђћџљњјЂЋЏЉЊЈ]")),
    ("CYRILLIC", "kk", re.compile("[әғқңұһӘҒҚҢҰҺ]")),
    ("CYRILLIC", "ru", re.compile("[ыэёЫЭЁ]")),
    ("CYRILLIC", "bg", re.compile("[ъЪ]")),
    ("ARABIC", "ur", re.compile("[ٹڈڑےں]")),
    ("ARABIC", "ps", re.compile("[ټډړښځڅ]")),
    ("ARABIC", "fa", re.compile("[پچژگ]")),
)


def language_by_script(text: str, expected: str) -> str | None:
    """Return the language of a text as far as its script tells it; None if it may be the expected one.

    Args:
        text: plain text; its beginning is looked at.
        expected: the language tag of what surrounds the text.
    """
    weights: Counter[str] = Counter()
    for char in text[:SAMPLE]:
        script = _script_of(char)
        if script:
            weights[script] += _WEIGHT if script in _DENSE else 1
    if not weights:
        return None
    home = expected.partition("-")[0].lower()
    kana = weights["HIRAGANA"] + weights["KATAKANA"]
    if kana > _KANA * (kana + weights["CJK"]):
        weights["HIRAGANA"] = kana + weights.pop("CJK", 0) + 1
    script, _ = max(weights.items(), key=lambda pair: pair[1])
    if script == "LATIN":
        return LATIN if any(home in languages for languages in _LANGUAGES.values()) else None
    for of, language, letters in _TELLING:
        if of == script and letters.search(text[:SAMPLE]):
            return None if home == language else language
    languages = _LANGUAGES[script]
    return None if home in languages else languages[0]


@lru_cache(maxsize=4096)
def _script_of(char: str) -> str:
    """Return the script of a letter as `_LANGUAGES` names it; empty for signs, figures and other scripts."""
    if not char.isalpha():
        return ""
    if char.isascii():
        return "LATIN"
    script = unicodedata.name(char, "").partition(" ")[0].partition("-")[0]
    return script if script in _LANGUAGES or script == "LATIN" else ""
