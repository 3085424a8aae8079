"""Reads language tags (BCP 47; I60), with the codes of ISO 639-1; finds the language of a text by its script.

Of ISO 639-2 it has those codes that have no code in ISO 639-1.
"""

import re
import unicodedata
from collections import Counter
from functools import lru_cache
from typing import Final

# Two-letter code and the three-letter codes of the same language; BCP 47 requires the shorter code (RFC 5646, 2.2.1).
_PAIRS: Final = """
aa:aar ab:abk ae:ave af:afr ak:aka am:amh an:arg ar:ara as:asm av:ava ay:aym az:aze ba:bak be:bel bg:bul bh bi:bis
bm:bam bn:ben bo:bod,tib br:bre bs:bos ca:cat ce:che ch:cha co:cos cr:cre cs:ces,cze cu:chu cv:chv cy:cym,wel da:dan
de:deu,ger dv:div dz:dzo ee:ewe el:ell,gre en:eng eo:epo es:spa et:est eu:eus,baq fa:fas,per ff:ful fi:fin fj:fij
fo:fao fr:fra,fre fy:fry ga:gle gd:gla gl:glg gn:grn gu:guj gv:glv ha:hau he:heb hi:hin ho:hmo hr:hrv ht:hat hu:hun
hy:hye,arm hz:her ia:ina id:ind ie:ile ig:ibo ii:iii ik:ipk io:ido is:isl,ice it:ita iu:iku ja:jpn jv:jav ka:kat,geo
kg:kon ki:kik kj:kua kk:kaz kl:kal km:khm kn:kan ko:kor kr:kau ks:kas ku:kur kv:kom kw:cor ky:kir la:lat lb:ltz lg:lug
li:lim ln:lin lo:lao lt:lit lu:lub lv:lav mg:mlg mh:mah mi:mri,mao mk:mkd,mac ml:mal mn:mon mo mr:mar ms:msa,may
mt:mlt my:mya,bur na:nau nb:nob nd:nde ne:nep ng:ndo nl:nld,dut nn:nno no:nor nr:nbl nv:nav ny:nya oc:oci oj:oji
om:orm or:ori os:oss pa:pan pi:pli pl:pol ps:pus pt:por qu:que rm:roh rn:run ro:ron,rum ru:rus rw:kin sa:san sc:srd
sd:snd se:sme sg:sag sh si:sin sk:slk,slo sl:slv sm:smo sn:sna so:som sq:sqi,alb sr:srp ss:ssw st:sot su:sun sv:swe
sw:swa ta:tam te:tel tg:tgk th:tha ti:tir tk:tuk tl:tgl tn:tsn to:ton tr:tur ts:tso tt:tat tw:twi ty:tah ug:uig uk:ukr
ur:urd uz:uzb ve:ven vi:vie vo:vol wa:wln wo:wol xh:xho yi:yid yo:yor za:zha zh:zho,chi zu:zul
"""
# Languages that have a three-letter code only; few extinct languages are included.
THREE_LETTERS: Final = frozenset(
    "ace ach ada ady ain alt ang arn arp ast awa bal ban bas bej bem bho bik bin bla bua bug byn car ceb chk chm cho "
    "chr chy crh csb dak dar din doi dsb dua dyu efi ewo fan fil fon frr fur gaa gay gez gil gor grc gsw gwi hai haw "
    "hil hmn hsb iba ilo inh jbo kaa kab kac kam kbd kha kmb kok kos kpe krc krl kru kum lad lah lez loz lua luo lus "
    "mad mag mai mak mas mdf men mic min mni moh mos mus mwl mwr myv nap nds new nia niu nog nso nyn pag pam pap pau "
    "pon raj rap rar rom rup sad sah sat scn sco shn smj smn sms snk srn suk syr tem tet tig tiv tkl tli tpi tum tvl "
    "tyv udm umb vai war was xal yao yap zap".split()
)
# Macrolanguages and their languages, which may follow the code of the macrolanguage (RFC 5646, section 2.2.2).
_PARTS: Final = {
    "ar": "acm aeb afb apc arb arq ary arz".split(),
    "zh": "cdo cjy cmn cpx czh czo gan hak hsn lzh mnp nan wuu yue".split(),
}

_SHORTER: Final = {
    long: short
    for short, _, longs in (pair.partition(":") for pair in _PAIRS.split())
    for long in longs.split(",")
    if long
}
TWO_LETTERS: Final = frozenset(pair[:2] for pair in _PAIRS.split())
_WHOLE: Final = {part: whole for whole, parts in _PARTS.items() for part in parts}


def shortest(primary: str) -> str | None:
    """Return the shortest form of a code; None for two letters that are not a language."""
    if len(primary) == 2:
        return primary if primary in TWO_LETTERS else None
    return _SHORTER.get(primary, primary)


def well_known(tag: str) -> str | None:
    """Return a language tag that begins with a code that feed validators know.

    Args:
        tag: BCP 47; `yue` becomes `zh-yue`, which has the same meaning.

    Returns:
        None for one of the thousands of languages that only ISO 639-3 has.
    """
    primary, _, rest = tag.partition("-")
    code = primary.lower()
    if code in TWO_LETTERS or code in THREE_LETTERS:
        return tag
    known = _SHORTER.get(code) or (f"{_WHOLE[code]}-{code}" if code in _WHOLE else None)
    return (f"{known}-{rest}" if rest else known) if known else None


_TAG = re.compile(r"([A-Za-z]{2,3}|[A-Za-z]{5,8})((?:[-_][A-Za-z0-9]{1,8}){0,6})")
# Names that publishers write instead of a code.
_NAMES = {
    "english": "en",
    "german": "de",
    "deutsch": "de",
    "french": "fr",
    "spanish": "es",
    "chinese": "zh",
    "russian": "ru",
}
# Country codes that publishers use as languages, and codes that ISO 639 withdrew.
_WRONG = {"cn": "zh-CN", "jp": "ja", "cz": "cs", "dk": "da", "gr": "el", "ua": "uk", "iw": "he", "in": "id", "ji": "yi"}
_UNKNOWN = frozenset({"und", "zxx", "mul", "mis", "xx"})


def language_of(*candidates: str | None) -> str | None:
    """Return the first candidate that is a language tag, in usual case (`zh-Hans-CN`, `en-US`), or None."""
    for candidate in candidates:
        if candidate and (tag := _normal(candidate.strip())):
            return tag
    return None


def _normal(text: str) -> str | None:
    text = text.partition(",")[0].strip()  # a header may name several languages
    text = _NAMES.get(text.lower(), text)
    match = _TAG.fullmatch(text)
    if match is None or match[1].lower() in _UNKNOWN or match[1].lower() in ("true", "false"):
        return None
    primary = match[1].lower()
    parts = [part for part in re.split(r"[-_]", match[2]) if part]
    if primary in _WRONG:
        primary, *region = _WRONG[primary].split("-")
        parts = parts or region
    if len(primary) > 3:
        return None  # no language with five or more letters is registered
    code = shortest(primary)
    return "-".join([code, *map(_subtag, parts)]) if code else None


def _subtag(part: str) -> str:
    if len(part) == 4 and part.isalpha():
        return part.capitalize()  # a script
    if len(part) == 2 and part.isalpha():
        return part.upper()  # a region
    return part.lower()


# --- by script, for texts whose language nobody says

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
