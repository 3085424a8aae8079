"""Detects the character set of bytes whose set is not declared, or is declared wrongly (I2).

Two independent methods are combined. chardetng proposes a codec: it counts the letters and letter pairs of each
language. `implausibility` scores a decoded text without knowing its language: letters of another script in the middle
of a word, capitals after small letters, ideographs that are hardly ever used. A proposed codec is used only if its text
scores better than the text that it replaces.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from aggregator.parse.encodings import codec_of

SAMPLE: Final = 1 << 16  # bytes that are examined: more bytes do not change the result
_SCORED: Final = 4000  # characters that `implausibility` examines
_MARKUP = re.compile(rb"<!\[CDATA\[|\]\]>|<[^<>]{0,4000}>|&lt;[^<>&]{0,4000}(?:&gt;)?|&#?\w{1,8};")
_LANGUAGE = re.compile(
    rb"<(?:dc:)?language>\s*(?:<!\[CDATA\[)?\s*([A-Za-z]{2})|\b(?:xml:)?lang=[\"']([A-Za-z]{2})\b", re.IGNORECASE
)
_ESCAPES = re.compile(rb"\x1b\$[@B]|\x1b\$\(D")  # of ISO-2022-JP: two-byte characters begin
# For languages outside of Western Europe: the top-level domain, which chardetng takes as a hint, and the codecs of the
# language. Chinese has no domain: the language tag does not tell which of its two scripts is used.
_CYRILLIC = ("cp1251", "koi8_r", "koi8_u", "iso8859_5", "cp866", "mac_cyrillic")
_CENTRAL = ("cp1250", "iso8859_2")
_BALTIC = ("cp1257", "iso8859_13", "iso8859_4")
_CODECS_OF_LANGUAGE: dict[bytes, tuple[bytes | None, tuple[str, ...]]] = {
    b"ar": (None, ("cp1256", "iso8859_6")),
    b"be": (b"by", _CYRILLIC),
    b"bg": (b"bg", _CYRILLIC),
    b"cs": (b"cz", _CENTRAL),
    b"el": (b"gr", ("cp1253", "iso8859_7")),
    b"et": (b"ee", _BALTIC),
    b"fa": (b"ir", ("cp1256",)),
    b"he": (b"il", ("cp1255", "iso8859_8")),
    b"hr": (b"hr", _CENTRAL),
    b"hu": (b"hu", _CENTRAL),
    b"iw": (b"il", ("cp1255", "iso8859_8")),
    b"ja": (b"jp", ("cp932", "euc_jp", "iso2022_jp")),
    b"ko": (b"kr", ("cp949",)),
    b"lt": (b"lt", _BALTIC),
    b"lv": (b"lv", _BALTIC),
    b"pl": (b"pl", _CENTRAL),
    b"ro": (b"ro", (*_CENTRAL, "iso8859_16")),
    b"ru": (b"ru", _CYRILLIC),
    b"sk": (b"sk", _CENTRAL),
    b"sl": (b"si", _CENTRAL),
    b"sr": (b"rs", (*_CYRILLIC, *_CENTRAL)),
    b"th": (b"th", ("cp874",)),
    b"tr": (b"tr", ("cp1254", "iso8859_9")),
    b"uk": (b"ua", _CYRILLIC),
    b"vi": (b"vn", ("cp1258",)),
    b"zh": (None, ("gb18030", "big5hkscs")),
}
_WESTERN = frozenset(b"af ca da de en es eu fi fr ga gl is it nb nl nn no pt sv".split())
_LATIN = frozenset("cp1250 cp1254 cp1257 cp1258 iso8859_2 iso8859_3 iso8859_4 iso8859_10 iso8859_13 iso8859_14".split())
_FEW: Final = 4  # up to so many non-ASCII bytes, a plausible Western text is accepted without chardetng's proposal


def detect(body: bytes) -> str | None:
    """Propose a codec for bytes that are not UTF-8, or whose declared character set is doubtful.

    Args:
        body: the document. Markup and ASCII characters are ignored.

    Returns:
        None if there is no non-ASCII character to examine.
    """
    sample = body[:SAMPLE] if not body[:SAMPLE].isascii() else body[: 32 * SAMPLE]
    if is_2022(sample):
        return "iso2022_jp"
    text = _MARKUP.sub(b" ", sample)
    if text.isascii():
        text = sample  # all non-ASCII text is in attributes
    if text.isascii():
        return None
    from chardetng_py import EncodingDetector  # late: hardly any feed needs it

    language = _language(sample)
    domain, _ = _CODECS_OF_LANGUAGE.get(language, (None, ()))
    detector = EncodingDetector()
    detector.feed(text, last=len(sample) == len(body))
    guess = codec_of(detector.guess(tld=domain, allow_utf8=False))
    western = _western_codec(text)
    plain = implausibility(text.decode(western, "replace"))
    if guess is None or guess == "cp1252" or (guess in _LATIN and language in _WESTERN):
        guess = "cp874"  # chardetng proposes cp874 for Thai domains only
        return guess if plain > 0 and implausibility(text.decode(guess, "replace")) == 0 else western
    if guess == "koi8_u" and not _UKRAINIAN.search(text):
        guess = "koi8_r"
    if plain == 0 and sum(byte > 0x7F for byte in text) <= _FEW:
        return western
    return guess if implausibility(text.decode(guess, "replace")) <= plain else western


def are_both_latin(guess: str, claimed: str) -> bool:
    """Return True if both codecs are of Latin letters: the bytes alone hardly distinguish them."""
    return {guess, claimed} <= _LATIN | {"cp1252", "iso8859_15", "iso8859_9"}


def other_codecs(body: bytes, claimed: str) -> tuple[str, ...]:
    """Return the codecs of the language that the document names; none if it names none, or if `claimed` is one."""
    _, codecs = _CODECS_OF_LANGUAGE.get(_language(body[:SAMPLE]), (None, ()))
    return () if claimed in codecs else codecs


def _language(sample: bytes) -> bytes:
    found = _LANGUAGE.search(sample)
    return (found[1] or found[2]).lower() if found else b""


def is_2022(body: bytes) -> bool:
    """Return True for ISO-2022-JP, recognised by its escape sequences: no other XML can contain an escape character."""
    return body.isascii() and bool(_ESCAPES.search(body))


_UKRAINIAN = re.compile(
    rb"[\xa4\xa6\xa7\xad\xb4\xb6\xb7\xbd]"
)  # these bytes are letters in KOI8-U, and box lines in KOI8-R
_EURO = re.compile(rb"\xa4|[A-Za-z]\xbd|\xbd[a-z]")
_C1 = re.compile(rb"[\x80-\x9f]")


def _western_codec(text: bytes) -> str:
    """Choose between ISO-8859-15 and Windows-1252.

    ISO-8859-15 has the euro sign and the ligature oe where Windows-1252 has signs that are hardly ever written.
    """
    return "iso8859_15" if _EURO.search(text) and not _C1.search(text) else "cp1252"


def implausibility(text: str) -> float:
    """Return the share of non-ASCII characters that stand where no writer puts them.

    Returns:
        0 for a text as people write it; close to 1 for a text that was decoded with a wrong codec.
    """
    shape = "".join(map(_kind, "".join(_non_ascii_runs(text))))
    foreign = sum(len(run) for run in _FOREIGN.findall(shape))
    if not foreign:
        return 0.0
    implausible = sum(
        len(match[0]) * (0.5 if match.lastgroup == "capitals" else 1.0) for match in _IMPLAUSIBLE.finditer(shape)
    )
    return min(1.0, implausible / foreign)


_RUN = re.compile(r"[A-Za-z]{0,2}[^\x00-\x7f][^\x00-\x7f\s]{0,60}[A-Za-z]{0,2}")
_FOREIGN = re.compile("[^a. ]+")
# Matches the string of character kinds that `_kind` makes of a text.
_IMPLAUSIBLE = re.compile(
    r"[xZw]"  # not a character, a rare ideograph, half-width katakana
    r"|(?<=[alLcCgGhrtKkzZ])s|s(?=[alLcCgGhrtKkzZ])"  # a sign in a word
    r"|[lL]{4,}"  # no language of Europe has four accented letters in a row
    r"|(?<=[al])L(?=[al])|(?<=[cl])C(?=c)|(?<=g)G(?=g)|(?<=c)C+"  # a capital after a small letter
    r"|(?<=[alLgGhrt])[cC]|(?<=[alLcChrt])[gG]|(?<=[alLcCgGrt])h|(?<=[alLcCgGht])r|(?<=[alLcCgGhr])t"  # two scripts
    r"|[cCgGhrt](?=[a])"
    r"|(?<=K)[zk]|(?<=[zk])K"  # Hangul right beside ideographs
    r"|(?P<capitals>C{4,}|G{4,})"
)


def _non_ascii_runs(text: str) -> Iterator[str]:
    """Return the non-ASCII characters with up to two ASCII letters on either side, runs separated by blanks."""
    left = _SCORED
    for run in _RUN.finditer(text):
        yield f"{run[0]} "
        left -= len(run[0])
        if left < 0:
            return


_SCRIPTS = {
    "CYRILLIC": "c",
    "GREEK": "g",
    "HEBREW": "h",
    "ARABIC": "r",
    "THAI": "t",
    "HIRAGANA": "k",
    "KATAKANA": "k",
    "KATAKANA-HIRAGANA": "k",
    "HANGUL": "K",
    "HALFWIDTH": "w",
    "LATIN": "l",
}


_LEVELS: Final = {"gb2312": range(0xB0, 0xD8), "big5": range(0xA4, 0xC7), "euc_jp": range(0xB0, 0xD0)}  # first bytes


@lru_cache(maxsize=20_000)
def _kind(char: str) -> str:
    """Return a letter for the kind of a character: its script, upper case for capitals; `.` for punctuation."""
    if char < "\x80":
        return "a" if char.isalpha() else " "
    category = unicodedata.category(char)
    if char in "ªº²³´":  # written beside letters: 1ª, m², l´air
        return "."
    if category in ("Cc", "Co", "Cn", "Cs") or char == "\ufffd":
        return "x"
    if "\u3400" <= char <= "\u9fff" or char >= "\U00020000" or "\uf900" <= char <= "\ufaff":
        return "z" if _is_common(char) else "Z"
    if "\u2500" <= char <= "\u259f":  # box-drawing characters, which have the codes of letters in DOS codecs
        return "x"
    if category[0] in "LM":
        script = _SCRIPTS.get(unicodedata.name(char, "").split(" ")[0], ".")
        return script.upper() if category == "Lu" and script in "lcg" else script
    return "." if category[0] in "PZ" or category in ("Cf", "Nd") or char in "©®™°·€£§×" else "s"


def _is_common(ideograph: str) -> bool:
    """Return whether an ideograph is in use: it is of the first level of a standard of China, Taiwan or Japan."""
    for codec, levels in _LEVELS.items():
        code = ideograph.encode(codec, "ignore")
        if len(code) == 2 and code[0] in levels:
            return True
    return False
