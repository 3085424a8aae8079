"""Which character set bytes are in that nobody names, or that somebody names wrongly (I2).

Two judges that know nothing of each other. The detector proposes: it counts which letters and pairs a language uses.
`oddity` looks at a reading as somebody would who can't read the language: letters in the middle of a word that belong
to another script, capitals after small letters, ideographs that nobody writes. Only a proposal that reads better than
what it replaces is taken.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Final

from aggregator.parse.encodings import codec_of

SAMPLE: Final = 1 << 16  # bytes that are looked at: more changes no verdict
_TAKEN: Final = 4000  # characters that `oddity` looks at
_MARKUP = re.compile(rb"<!\[CDATA\[|\]\]>|<[^<>]{0,4000}>|&lt;[^<>&]{0,4000}(?:&gt;)?|&#?\w{1,8};")
_LANGUAGE = re.compile(
    rb"<(?:dc:)?language>\s*(?:<!\[CDATA\[)?\s*([A-Za-z]{2})|\b(?:xml:)?lang=[\"']([A-Za-z]{2})\b", re.IGNORECASE
)
_ESCAPES = re.compile(rb"\x1b\$[@B]|\x1b\$\(D")  # of ISO-2022-JP: two-byte characters begin
# Where a language other than those of Western Europe is read, which the detector weighs; and the sets that it used to
# be written in. Of Chinese no domain: the tag says little about which of two scripts it is written in.
_CYRILLIC = ("cp1251", "koi8_r", "koi8_u", "iso8859_5", "cp866", "mac_cyrillic")
_CENTRAL = ("cp1250", "iso8859_2")
_BALTIC = ("cp1257", "iso8859_13", "iso8859_4")
_HOMES: dict[bytes, tuple[bytes | None, tuple[str, ...]]] = {
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
_FEW: Final = 4  # bytes beyond ASCII, up to which Western text is believed if it reads well at all


def detect(body: bytes) -> str | None:
    """Propose a codec for bytes that are not UTF-8, or that are said to be in some other set.

    Args:
        body: the document. Its markup, and what is ASCII, says nothing and is left out.

    Returns:
        None if there is nothing to go by.
    """
    sample = body[:SAMPLE] if not body[:SAMPLE].isascii() else body[: 32 * SAMPLE]
    if is_2022(sample):
        return "iso2022_jp"
    text = _MARKUP.sub(b" ", sample)
    if text.isascii():
        text = sample  # all of it stands in attributes
    if text.isascii():
        return None
    from chardetng_py import EncodingDetector  # late: hardly any feed needs it

    language = _language(sample)
    domain, _ = _HOMES.get(language, (None, ()))
    detector = EncodingDetector()
    detector.feed(text, last=len(sample) == len(body))
    guess = codec_of(detector.guess(tld=domain, allow_utf8=False))
    western = _with_euro(text)
    plain = oddity(text.decode(western, "replace"))
    if guess is None or guess == "cp1252" or (guess in _LATIN and language in _WESTERN):
        guess = "cp874"  # which it proposes for Thai domains only
        return guess if plain > 0 and oddity(text.decode(guess, "replace")) == 0 else western
    if guess == "koi8_u" and not _UKRAINIAN.search(text):
        guess = "koi8_r"
    if plain == 0 and sum(byte > 0x7F for byte in text) <= _FEW:
        return western
    return guess if oddity(text.decode(guess, "replace")) <= plain else western


def are_kin(guess: str, claimed: str) -> bool:
    """Tell whether two sets are both of Latin letters: by the bytes alone they are hard to tell apart."""
    return {guess, claimed} <= _LATIN | {"cp1252", "iso8859_15", "iso8859_9"}


def is_at_home(body: bytes, guess: str, claimed: str) -> bool:
    """Tell whether the language that a document names was written in the one set, and never in the other."""
    _, homes = _HOMES.get(_language(body[:SAMPLE]), (None, ()))
    return guess in homes and claimed not in homes


def _language(sample: bytes) -> bytes:
    found = _LANGUAGE.search(sample)
    return (found[1] or found[2]).lower() if found else b""


def is_2022(body: bytes) -> bool:
    """Tell ISO-2022-JP by its escape sequences: in no other XML can there be an escape."""
    return body.isascii() and bool(_ESCAPES.search(body))


_UKRAINIAN = re.compile(rb"[\xa4\xa6\xa7\xad\xb4\xb6\xb7\xbd]")  # letters of KOI8-U, lines of KOI8-R
_EURO = re.compile(rb"\xa4|[A-Za-z]\xbd|\xbd[a-z]")
_C1 = re.compile(rb"[\x80-\x9f]")


def _with_euro(text: bytes) -> str:
    """Tell ISO-8859-15 from Windows-1252: a euro or an oe where the other has signs that hardly anybody writes."""
    return "iso8859_15" if _EURO.search(text) and not _C1.search(text) else "cp1252"


def oddity(text: str) -> float:
    """Say how odd a reading is: the share of its characters beyond ASCII that stand where no writer puts them.

    Returns:
        0 for a text as people write them, towards 1 for one in a wrong character set.
    """
    shape = "".join(map(_kind, _beyond_ascii(text)))
    foreign = sum(len(run) for run in _FOREIGN.findall(shape))
    if not foreign:
        return 0.0
    odd = sum(len(match[0]) * (0.5 if match.lastgroup == "capitals" else 1.0) for match in _ODD.finditer(shape))
    return min(1.0, odd / foreign)


_RUN = re.compile(r"[A-Za-z]{0,2}[^\x00-\x7f][^\x00-\x7f\s]{0,60}[A-Za-z]{0,2}")
_FOREIGN = re.compile("[^a. ]+")
# Of a text as its kinds of characters: see `_kind`.
_ODD = re.compile(
    r"[xZw]"  # no character, an ideograph that is hardly used, half a katakana
    r"|(?<=[alLcCgGhrtKkzZ])s|s(?=[alLcCgGhrtKkzZ])"  # a sign in a word
    r"|[lL]{4,}"  # no language of Europe has four accented letters in a row
    r"|(?<=[al])L(?=[al])|(?<=[cl])C(?=c)|(?<=g)G(?=g)|(?<=c)C+"  # a capital after a small letter
    r"|(?<=[alLgGhrt])[cC]|(?<=[alLcChrt])[gG]|(?<=[alLcCgGrt])h|(?<=[alLcCgGht])r|(?<=[alLcCgGhr])t"  # two scripts
    r"|[cCgGhrt](?=[a])"
    r"|(?<=K)[zk]|(?<=[zk])K"  # Hangul right beside ideographs
    r"|(?P<capitals>C{4,}|G{4,})"
)


def _beyond_ascii(text: str) -> Iterator[str]:
    """Give the characters beyond ASCII, each run with what it touches."""
    left = _TAKEN
    for run in _RUN.finditer(text):
        yield from run[0]
        yield " "
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


@lru_cache(maxsize=20_000)
def _kind(char: str) -> str:
    """Give a letter for the kind of a character: of its script, a capital one for capitals; `.` for punctuation."""
    if char < "\x80":
        return "a" if char.isalpha() else " "
    category = unicodedata.category(char)
    if char in "ªº²³´":  # written beside letters: 1ª, m², l´air
        return "."
    if category in ("Cc", "Co", "Cn", "Cs") or char == "\ufffd":
        return "x"
    if "\u3400" <= char <= "\u9fff" or char >= "\U00020000" or "\uf900" <= char <= "\ufaff":
        return "z" if char in _common() else "Z"
    if "\u2500" <= char <= "\u259f":  # boxes, which take the place of letters in the sets of DOS
        return "x"
    if category[0] in "LM":
        script = _SCRIPTS.get(unicodedata.name(char, "").split(" ")[0], ".")
        return script.upper() if category == "Lu" and script in "lcg" else script
    return "." if category[0] in "PZ" or category in ("Cf", "Nd") or char in "©®™°·€£§×" else "s"


@cache
def _common() -> frozenset[str]:
    """Collect the ideographs in use: the first levels of the standards of China, Taiwan and Japan."""
    levels = (
        ("gb2312", range(0xB0, 0xD8), (range(0xA1, 0xFF),)),
        ("big5", range(0xA4, 0xC7), (range(0x40, 0x7F), range(0xA1, 0xFF))),
        ("euc_jp", range(0xB0, 0xD0), (range(0xA1, 0xFF),)),
    )
    return frozenset(
        char
        for codec, leads, trails in levels
        for lead in leads
        for trail in trails
        for second in trail
        for char in bytes((lead, second)).decode(codec, "ignore")
    )
