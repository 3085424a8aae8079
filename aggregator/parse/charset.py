"""From bytes to text, once (I2 to I8): which character set, why that one, and what to do where it does not fit."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from aggregator.model.charset import NAME_ENCODING, Charset, Step
from aggregator.parse.detect import are_kin, detect, is_2022, is_at_home, oddity
from aggregator.parse.encodings import MULTIBYTE, SPARE, WIDE, codec_of, name_of
from aggregator.parse.mixture import unmix
from aggregator.text.xml_chars import legal

# Longest first: the mark of UTF-32 begins with that of UTF-16.
_MARKS = (
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
# A document without a mark whose first character takes two or four bytes (XML 1.0, appendix F.1).
_SHAPES = (
    (b"<\x00\x00\x00", "utf-32-le"),
    (b"\x00\x00\x00<", "utf-32-be"),
    (b"<\x00", "utf-16-le"),
    (b"\x00<", "utf-16-be"),
    (b"{\x00", "utf-16-le"),
    (b"\x00{", "utf-16-be"),
)
_DECLARED = re.compile(rb"<\?xml\b[^>]{0,200}?\bencoding\s*=\s*[\"']([A-Za-z0-9_.:\-]{1,40})[\"']", re.IGNORECASE)
_CHARSET = re.compile(r";\s*charset\s*=\s*[\"']?([A-Za-z0-9_.:\-]{1,40})", re.IGNORECASE)
_PAGE = re.compile(rb"<(?:!doctype\s+html|html|head)\b", re.IGNORECASE)
_META = re.compile(rb"<meta\b[^>]{0,200}?\bcharset\s*=\s*[\"']?\s*([A-Za-z0-9_.:\-]{1,40})", re.IGNORECASE)
_C1 = re.compile(rb"\xc2[\x80-\x9f]")  # in UTF-8, where it is found in a fourth of the time
_WINDOWS = {code: char for code in range(0x80, 0xA0) if (char := bytes([code]).decode("cp1252", "ignore"))}
_BYTES = {ord(char): code for code, char in _WINDOWS.items()}
_SEQUENCE = re.compile(rb"[\xc2-\xf4][\x80-\xbf]{1,3}")
# A letter and a sign that stand for two bytes of UTF-8 (`Ã©`, `â€`), in UTF-8: found in a fourth of the time there.
_TWICE = re.compile(rb"\xc3[\x82-\xb4](?:\xc2[\x80-\xbf]|[\xc5-\xe2][\x80-\xbf])")
_HIGH = re.compile(rb"[\x80-\xff]")
_SNIFFED = 4096  # bytes in which a declaration is looked for: stray text may stand before it (I8)
_ODD = 0.05  # `oddity` from which on a declared character set is doubted
_BETTER = 3  # so many times less odd must another be
_BY_CHANCE = 0.3  # `oddity` of what is UTF-8 in a document by chance only
_TORN = 50  # of so many bytes beyond ASCII, one may be broken before a declaration is doubted


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """A body as text, with no character that XML forbids."""

    text: str
    encoding: str  # the one that worked
    charset: Charset  # why that one
    notices: tuple[str, ...] = ()


@dataclass(slots=True)
class _Reading:
    """How far the search has come."""

    body: bytes
    step: Step = Step.FALLBACK
    codec: str = "cp1252"
    lossy: int = 0
    mixed: int = 0
    claims: list[tuple[Step, str]] = field(default_factory=list)  # that were not followed
    notices: list[str] = field(default_factory=list)

    def take(self, step: Step, codec: str, text: str) -> str:
        self.step, self.codec = step, codec
        return text

    def take_lossy(self, step: Step, codec: str, body: bytes) -> str:
        text = _strict(body, codec)
        if text is None:
            text = body.decode(codec, "replace")
            self.lossy = text.count("\ufffd")
        return self.take(step, codec, text)


def decode(body: bytes, *, content_type: str | None, override: str | None) -> Decoded:
    """Make text of a body (I2): BOM; the operator's word; HTTP charset; XML declaration; `<meta>`; UTF-8; the bytes.

    The first that decodes strictly wins, so a wrong header gives way to a right declaration (I4). A legacy character
    set is not believed where the bytes are valid UTF-8 beyond chance, nor where they read far better in the set that
    they seem to be in. A guess never beats strict UTF-8. Bytes that fit nowhere become U+FFFD, with a notice (I6).

    Args:
        body: as received.
        content_type: the header, for its charset parameter. The media type says nothing: text/xml is not ASCII (I3).
        override: what the operator wrote in `encoding:`.
    """
    reading = _Reading(body)
    text = _decoded(reading, content_type, override)
    text = text.lstrip("\ufeff")  # some publishers put two
    text = _encoded_twice(text, reading)
    if (clean := legal(text)) is not text:
        if len(clean) < len(text.rstrip("\x00")):  # padding at the end is no news
            reading.notices.append("control characters removed")
        text = clean
    if not text.isascii() and _C1.search(text.encode()):  # Windows-1252 smart quotes that took a way through ISO-8859-1
        text = text.translate(_WINDOWS)
    charset = Charset(
        step=reading.step,
        against=tuple(f"{step}: {label}" for step, label in reading.claims),
        lossy=reading.lossy,
        mixed=reading.mixed,
    )
    return Decoded(text=text, encoding=name_of(reading.codec), charset=charset, notices=tuple(_notices(reading)))


def once_encoded(text: str) -> str:
    """Undo a second encoding: UTF-8 that was taken for ISO-8859-1 and written as UTF-8 again."""
    if text.isascii():
        return text
    try:
        return text.encode("latin-1").decode("utf-8")
    except ValueError:
        return text


def _decoded(reading: _Reading, content_type: str | None, override: str | None) -> str:
    body = reading.body
    for mark, codec in _MARKS:
        if body.startswith(mark):
            return reading.take_lossy(Step.MARK, codec, body[len(mark) :])
    if override:
        if chosen := codec_of(override):
            return reading.take_lossy(Step.OPERATOR, chosen, body)
        reading.notices.append(f"encoding: {override} is no known character set")
    for shape, codec in _SHAPES:
        if body.startswith(shape):
            return reading.take_lossy(Step.SHAPE, codec, body)
    if is_2022(body[: 1 << 20]) and (text := _strict(body, "iso2022_jp")) is not None:
        claims = dict(_claims(body, content_type))
        agreed = next((step for step, label in claims.items() if codec_of(label) == "iso2022_jp"), None)
        reading.claims = [] if agreed else list(claims.items())
        return reading.take(agreed or Step.DETECTED, "iso2022_jp", text)
    return _as_claimed(reading, content_type)


def _as_claimed(reading: _Reading, content_type: str | None) -> str:
    """Try what is said of the bytes, in order; then UTF-8; then what they look like."""
    body = reading.body
    utf8 = _strict(body, "utf-8")
    torn: list[tuple[Step, str]] = []
    for step, label in _claims(body, content_type):
        claimed = codec_of(label)
        if claimed is None:
            reading.notices.append(f"the {step} says {label}, which is no character set; correct it")
            continue
        if utf8 is not None and claimed != "utf-8" and _is_surely_utf8(body, claimed):
            reading.claims.append((step, label))
            return reading.take(Step.UTF8, "utf-8", utf8)
        text = utf8 if claimed == "utf-8" else _strict(body, claimed)
        if text is not None and (claimed not in WIDE or "<" in text or "{" in text):
            if utf8 is not None or (better := _better(body, claimed, text)) is None:
                return reading.take(step, claimed, text)
            reading.claims.append((step, label))
            return reading.take_lossy(Step.DETECTED, better, body)
        reading.claims.append((step, label))
        if claimed not in WIDE and claimed != "utf-8":
            torn.append((step, claimed))
    if utf8 is not None:
        return reading.take(Step.UTF8, "utf-8", utf8)
    return _as_it_looks(reading, torn)


def _as_it_looks(reading: _Reading, torn: list[tuple[Step, str]]) -> str:
    """Read bytes that are strictly in no set that anybody named, nor in UTF-8."""
    body = reading.body
    guess = detect(body) or "cp1252"
    whole = _strict(body, guess)
    # One stray byte in a Chinese feed must not turn all of it into accented letters. Japanese in EUC-JP, though, makes
    # many sequences of UTF-8 by chance, which then read like nothing.
    mixture = unmix(body)
    odd = oddity(mixture.text)
    by_chance = whole is not None and odd >= _BY_CHANCE and oddity(whole) * _BETTER <= odd
    if 3 * mixture.beyond > mixture.stray and not by_chance:
        reading.lossy, reading.mixed = mixture.lossy, mixture.mixed
        said = next((claim for claim in reading.claims if codec_of(claim[1]) == "utf-8"), None)
        if said:
            reading.claims.remove(said)
        return reading.take(said[0] if said else Step.UTF8, "utf-8", mixture.text)
    high = len(_HIGH.findall(body))
    for step, codec in torn:
        text = body.decode(codec, "replace")
        if text.count("\ufffd") * _TORN > high:
            continue
        if whole is None or guess == codec or oddity(whole) >= oddity(text):
            reading.claims = [claim for claim in reading.claims if claim[0] is not step]
            return reading.take_lossy(step, codec, body)
    return reading.take_lossy(Step.FALLBACK if guess == "cp1252" else Step.DETECTED, guess, body)


def _claims(body: bytes, content_type: str | None) -> Iterator[tuple[Step, str]]:
    if match := _CHARSET.search(content_type or ""):
        yield Step.HEADER, match[1]
    head = body[:_SNIFFED]
    if declared := _DECLARED.search(head):
        label = declared[1].decode("ascii")
        # The declaration itself could be read, so its text is not in two-byte characters: as the web does, UTF-8.
        yield Step.DECLARATION, "utf-8" if codec_of(label) in WIDE else label
    elif _PAGE.search(head) and (meta := _META.search(head)):
        label = meta[1].decode("ascii")
        yield Step.META, "utf-8" if codec_of(label) in WIDE else label


def _is_surely_utf8(body: bytes, codec: str) -> bool:
    """Tell whether bytes that are valid UTF-8 can be nothing else.

    Two letters of a single-byte set hardly ever make a UTF-8 sequence, and all of a text never do. Chinese in GBK can
    by chance, if it is short.
    """
    if body.isascii():
        return False
    return codec not in MULTIBYTE or len(_SEQUENCE.findall(body)) >= 8


def _better(body: bytes, claimed: str, text: str) -> str | None:
    """Give the codec that bytes are evidently in, where what is claimed of them decodes, but reads oddly (I4)."""
    if text.isascii():
        return None
    guess = detect(body)
    if guess is None or guess == claimed or (other := _strict(body, guess)) is None:
        return None
    odd, less = oddity(text), oddity(other)
    if is_at_home(body, guess, claimed):
        return guess if less <= odd else None
    return guess if odd >= _ODD and less * _BETTER <= odd and not are_kin(guess, claimed) else None


def _strict(body: bytes, codec: str) -> str | None:
    for each in (codec, *SPARE.get(codec, ())):
        try:
            return body.decode(each)
        except (UnicodeDecodeError, ValueError):
            continue
    return None


def _encoded_twice(text: str, reading: _Reading) -> str:
    """Undo a second encoding of a whole document: UTF-8 read as Windows-1252 or ISO-8859-1, and written as UTF-8."""
    if reading.codec != "utf-8" or sum(1 for _ in islice(_TWICE.finditer(reading.body), 8)) < 8:
        return text
    try:
        once = text.translate(_BYTES).encode("latin-1").decode("utf-8")
    except ValueError:
        return text
    reading.notices.append("the text was encoded twice: UTF-8 read as windows-1252 and written as UTF-8; undone")
    return once


def _notices(reading: _Reading) -> Iterator[str]:
    """Say what was contradicted as advice, the weightiest first."""
    found = name_of(reading.codec)
    advice = "" if found == "utf-8" else f"{NAME_ENCODING}{found}"
    said = " and ".join(f"the {step} says {label}" for step, label in reading.claims)
    if reading.step is Step.OPERATOR and reading.lossy:
        yield f"encoding: {found} does not fit the bytes; leave it out, and see what is found"
    elif said and reading.step in (Step.DETECTED, Step.FALLBACK, Step.UTF8):
        yield f"{said}, the bytes are {found}{advice}"
    elif said:
        yield f"{said}, the bytes are {found}, as the {reading.step} says"
    elif reading.step in (Step.DETECTED, Step.FALLBACK):
        yield f"no character set is named, the bytes look like {found}{advice}"
    if reading.mixed:
        yield f"{reading.mixed} characters are not in {found} like the rest; they were read as they look"
    if reading.lossy:
        yield f"lossy: {reading.lossy} characters could not be decoded"
    yield from reading.notices
