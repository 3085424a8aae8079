"""Decodes a body to text (I2 to I8): finds the character set, records the reason, handles bytes that do not fit."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from aggregator.model.charset import NAME_ENCODING, Charset, Step
from aggregator.parse.detect import are_both_latin, detect, implausibility, is_2022, other_codecs
from aggregator.parse.encodings import EXTENDED_CODECS, MULTIBYTE_CODECS, WIDE_CODECS, codec_of, name_of
from aggregator.parse.mixed_charsets import decode_mixed
from aggregator.text.xml_chars import legal

# Byte order marks, longest first: the mark of UTF-32 begins with that of UTF-16.
_MARKS = (
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
# First bytes of documents without a mark whose characters take two or four bytes (XML 1.0, appendix F.1).
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
_C1 = re.compile(rb"\xc2[\x80-\x9f]")  # C1 controls, searched in UTF-8 bytes: a fourth of the time of a search in text
_WINDOWS = {code: char for code in range(0x80, 0xA0) if (char := bytes([code]).decode("cp1252", "ignore"))}
_BYTES = {ord(char): code for code, char in _WINDOWS.items()}
_NO_BYTE = re.compile(f"[^\x00-\xff{re.escape(''.join(_WINDOWS.values()))}]")  # what neither of the two sets has
_SEQUENCE = re.compile(rb"[\xc2-\xf4][\x80-\xbf]{1,3}")
# A letter and a sign that stand for two bytes of UTF-8 (`Ã©`, `â€`); searched in UTF-8 bytes for the same reason.
_DOUBLE_ENCODED = re.compile(rb"\xc3[\x82-\xb4](?:\xc2[\x80-\xbf]|[\xc5-\xe2][\x80-\xbf])")
_TWICE_FROM = 8  # from so many of them on, the text was probably encoded twice
_HIGH = re.compile(rb"[\x80-\xff]")
_SNIFFED = 4096  # bytes that are searched for a declaration: stray text may come before the declaration (I8)
_DOUBTED = 0.05  # from this `implausibility` on, a declared character set is compared with the detected one
_BETTER_FACTOR = 3  # the detected set replaces the declared one if its `implausibility` is this many times smaller
_BY_CHANCE = 0.3  # from this `implausibility` on, valid UTF-8 sequences in a document may be there by chance
_BYTES_PER_ERROR = 50  # a declared set is kept with at most one undecodable byte in this many non-ASCII bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """A body as text, without characters that XML forbids."""

    text: str
    encoding: str  # the encoding that was used
    charset: Charset  # why this encoding was chosen
    notices: tuple[str, ...] = ()


@dataclass(slots=True)
class _Decoding:
    """State of the search for the encoding of one body."""

    body: bytes
    step: Step = Step.FALLBACK
    codec: str = "cp1252"
    lossy: int = 0
    mixed: int = 0
    rejected: list[tuple[Step, str]] = field(default_factory=list)  # declared labels that were not used
    notices: list[str] = field(default_factory=list)

    def choose(self, step: Step, codec: str, text: str) -> str:
        self.step, self.codec = step, codec
        return text

    def choose_lossy(self, step: Step, codec: str, body: bytes) -> str:
        text = _strict(body, codec)
        if text is None:
            text = body.decode(codec, "replace")
            self.lossy = text.count("\ufffd")
        return self.choose(step, codec, text)


def decode(body: bytes, *, content_type: str | None, override: str | None) -> Decoded:
    """Decode a body (I2): by BOM; `encoding:`; HTTP charset; XML declaration; `<meta>`; as UTF-8; by detection.

    The first encoding that decodes without errors is used, so a wrong header gives way to a right declaration (I4). A
    declared legacy encoding is not used if the bytes are valid UTF-8 and that can't be chance, or if the text is much
    more plausible in the detected encoding. A detected encoding is never preferred to valid UTF-8. Bytes that no
    encoding can decode become U+FFFD, with a notice (I6).

    Args:
        body: as received.
        content_type: the header, for its charset parameter. The media type is ignored: text/xml does not mean ASCII
            (I3).
        override: the operator's `encoding:`.
    """
    decoding = _Decoding(body)
    text = _decoded(decoding, content_type, override)
    text = text.lstrip("\ufeff")  # some publishers send two marks
    text = _fix_double_encoded(text, decoding)
    if (clean := legal(text)) is not text:
        if len(clean) < len(text.rstrip("\x00")):  # NUL padding at the end needs no notice
            decoding.notices.append("control characters removed")
        text = clean
    if not text.isascii() and _C1.search(text.encode()):  # Windows-1252 quotes that were decoded as ISO-8859-1
        text = text.translate(_WINDOWS)
    charset = Charset(
        step=decoding.step,
        against=tuple(f"{step}: {label}" for step, label in decoding.rejected),
        lossy=decoding.lossy,
        mixed=decoding.mixed,
    )
    return Decoded(text=text, encoding=name_of(decoding.codec), charset=charset, notices=tuple(_notices(decoding)))


def is_encoded_twice(body: bytes) -> bool:
    """Return whether a body in UTF-8 was encoded a second time as a whole, so that `decode` undoes it."""
    if body.isascii() or not _may_be_encoded_twice(body):
        return False
    return _encoded_once(body.decode("utf-8", "replace").lstrip("\ufeff")) is not None


def fix_double_encoding(text: str) -> str:
    """Undo a second encoding: UTF-8 bytes that were decoded as ISO-8859-1 and encoded as UTF-8 again."""
    if text.isascii():
        return text
    try:
        return text.encode("latin-1").decode("utf-8")
    except ValueError:
        return text


def _decoded(decoding: _Decoding, content_type: str | None, override: str | None) -> str:
    body = decoding.body
    for mark, codec in _MARKS:
        if body.startswith(mark):
            return decoding.choose_lossy(Step.MARK, codec, body[len(mark) :])
    if override:
        if chosen := codec_of(override):
            return decoding.choose_lossy(Step.OPERATOR, chosen, body)
        decoding.notices.append(f"encoding: {override} is not a known character set")
    for shape, codec in _SHAPES:
        if body.startswith(shape):
            return decoding.choose_lossy(Step.SHAPE, codec, body)
    if b"\x1b" in body[: 1 << 20] and is_2022(body[: 1 << 20]) and (text := _strict(body, "iso2022_jp")) is not None:
        rejected = dict(_declared_labels(body, content_type))
        agreed = next((step for step, label in rejected.items() if codec_of(label) == "iso2022_jp"), None)
        decoding.rejected = [] if agreed else list(rejected.items())
        return decoding.choose(agreed or Step.DETECTED, "iso2022_jp", text)
    return _decode_as_declared(decoding, content_type)


def _decode_as_declared(decoding: _Decoding, content_type: str | None) -> str:
    """Decode with the declared encodings in their order, then as UTF-8, then with the detected encoding."""
    body = decoding.body
    utf8 = _strict(body, "utf-8")
    lossy_claims: list[tuple[Step, str]] = []
    for step, label in _declared_labels(body, content_type):
        claimed = codec_of(label)
        if claimed is None:
            decoding.notices.append(
                f"the {step} says {label}, which is not a character set; the publisher should correct it"
            )
            continue
        if utf8 is not None and claimed != "utf-8" and _is_surely_utf8(body, claimed):
            decoding.rejected.append((step, label))
            return decoding.choose(Step.UTF8, "utf-8", utf8)
        text = utf8 if claimed == "utf-8" else _strict(body, claimed)
        if text is not None and (claimed not in WIDE_CODECS or "<" in text or "{" in text):
            if utf8 is not None or (better_codec := _better_codec(body, claimed, text)) is None:
                return decoding.choose(step, claimed, text)
            decoding.rejected.append((step, label))
            return decoding.choose_lossy(Step.DETECTED, better_codec, body)
        decoding.rejected.append((step, label))
        if claimed not in WIDE_CODECS and claimed != "utf-8":
            lossy_claims.append((step, claimed))
    if utf8 is not None:
        return decoding.choose(Step.UTF8, "utf-8", utf8)
    return _decode_by_content(decoding, lossy_claims)


def _decode_by_content(decoding: _Decoding, lossy_claims: list[tuple[Step, str]]) -> str:
    """Decode bytes that are invalid in every declared encoding and in UTF-8."""
    body = decoding.body
    guess = detect(body) or "cp1252"
    whole = _strict(body, guess)
    # One foreign byte in a Chinese feed in UTF-8 must not turn the whole feed into accented letters. But Japanese in
    # EUC-JP contains many valid UTF-8 sequences by chance; as UTF-8 that text is implausible.
    mixed_text = decode_mixed(body)
    score = implausibility(mixed_text.text)
    by_chance = whole is not None and score >= _BY_CHANCE and implausibility(whole) * _BETTER_FACTOR <= score
    if 3 * mixed_text.utf8_characters > mixed_text.other_bytes and not by_chance:
        decoding.lossy, decoding.mixed = mixed_text.lossy, mixed_text.mixed
        declared = next((claim for claim in decoding.rejected if codec_of(claim[1]) == "utf-8"), None)
        if declared:
            decoding.rejected.remove(declared)
        return decoding.choose(declared[0] if declared else Step.UTF8, "utf-8", mixed_text.text)
    high = len(_HIGH.findall(body))
    for step, codec in lossy_claims:
        text = body.decode(codec, "replace")
        if text.count("\ufffd") * _BYTES_PER_ERROR > high:
            continue
        if whole is None or guess == codec or implausibility(whole) >= implausibility(text):
            decoding.rejected = [claim for claim in decoding.rejected if claim[0] is not step]
            return decoding.choose_lossy(step, codec, body)
    return decoding.choose_lossy(Step.FALLBACK if guess == "cp1252" else Step.DETECTED, guess, body)


def _declared_labels(body: bytes, content_type: str | None) -> Iterator[tuple[Step, str]]:
    """Return the encodings that header, XML declaration or `<meta>` declare, as (step, label)."""
    if match := _CHARSET.search(content_type or ""):
        yield Step.HEADER, match[1]
    head = body[:_SNIFFED]
    if declared := _DECLARED.search(head):
        label = declared[1].decode("ascii")
        # A readable declaration proves that characters do not take two bytes: use UTF-8, as browsers do.
        yield Step.DECLARATION, "utf-8" if codec_of(label) in WIDE_CODECS else label
    elif _PAGE.search(head) and (meta := _META.search(head)):
        label = meta[1].decode("ascii")
        yield Step.META, "utf-8" if codec_of(label) in WIDE_CODECS else label


def _is_surely_utf8(body: bytes, codec: str) -> bool:
    """Return True if bytes that are valid UTF-8 can't be in the encoding `codec` instead.

    In a single-byte encoding, letters hardly ever form valid UTF-8 sequences throughout a text. A short Chinese text in
    GBK can.
    """
    if body.isascii():
        return False
    return codec not in MULTIBYTE_CODECS or len(_SEQUENCE.findall(body)) >= 8


def _better_codec(body: bytes, claimed: str, text: str) -> str | None:
    """Return the detected codec if the declared one decodes the bytes, but to a much less plausible text (I4)."""
    if text.isascii():
        return None
    score, others = implausibility(text), other_codecs(body, claimed)
    if score < _DOUBTED and not others:  # whatever is detected: detecting takes 14 ms for 64 KiB of Chinese
        return None
    guess = detect(body)
    if guess is None or guess == claimed or (other := _strict(body, guess)) is None:
        return None
    other_score = implausibility(other)
    if guess in others:
        return guess if other_score <= score else None
    is_much_better = score >= _DOUBTED and other_score * _BETTER_FACTOR <= score
    return guess if is_much_better and not are_both_latin(guess, claimed) else None


def _strict(body: bytes, codec: str) -> str | None:
    for each in (codec, *EXTENDED_CODECS.get(codec, ())):
        try:
            return body.decode(each)
        except (UnicodeDecodeError, ValueError):
            continue
    return None


def _fix_double_encoded(text: str, decoding: _Decoding) -> str:
    """Undo a second encoding of the whole document: UTF-8 that was decoded as Windows-1252 or ISO-8859-1."""
    once = _encoded_once(text) if decoding.codec == "utf-8" and _may_be_encoded_twice(decoding.body) else None
    if once is None:
        return text
    decoding.notices.append("the text was encoded twice: UTF-8 read as windows-1252 and written as UTF-8; undone")
    return once


def _may_be_encoded_twice(body: bytes) -> bool:
    return sum(1 for _ in islice(_DOUBLE_ENCODED.finditer(body), _TWICE_FROM)) == _TWICE_FROM


def _encoded_once(text: str) -> str | None:
    """Return what was encoded twice; None if that can't be."""
    if _NO_BYTE.search(text):  # nearly always found at once, where translating takes 9 ms for 100 kB
        return None
    try:
        return text.translate(_BYTES).encode("latin-1").decode("utf-8")
    except ValueError:
        return None


def _notices(decoding: _Decoding) -> Iterator[str]:
    """Return notices about contradicting declarations as advice, the most important first."""
    found = name_of(decoding.codec)
    advice = "" if found == "utf-8" else f"{NAME_ENCODING}{found}"
    declared = " and ".join(f"the {step} says {label}" for step, label in decoding.rejected)
    if decoding.step is Step.OPERATOR and decoding.lossy:
        yield f"encoding: {found} does not fit the bytes; remove it, so that the character set is detected"
    elif declared and decoding.step in (Step.DETECTED, Step.FALLBACK, Step.UTF8):
        yield f"{declared}, the bytes are {found}{advice}"
    elif declared:
        yield f"{declared}, the bytes are {found}, as the {decoding.step} says"
    elif decoding.step in (Step.DETECTED, Step.FALLBACK):
        yield f"no character set is declared, the bytes look like {found}{advice}"
    if decoding.mixed:
        mixed = f"{decoding.mixed} characters are not in {found} like the rest"
        yield f"{mixed}; they were decoded with another character set"
    if decoding.lossy:
        yield f"lossy: {decoding.lossy} characters could not be decoded"
    yield from decoding.notices
