"""From bytes to text, once (I2 to I8): which character set, and what to do where it does not fit."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from aggregator.parse.encodings import MULTIBYTE, WIDE, codec_of, name_of

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
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_C1 = re.compile("[\x80-\x9f]")
_WINDOWS = {code: char for code in range(0x80, 0xA0) if (char := bytes([code]).decode("cp1252", "ignore"))}
_SEQUENCE = re.compile(rb"[\xc2-\xf4][\x80-\xbf]{1,3}")
_SNIFFED = 4096  # bytes in which a declaration is looked for: stray text may stand before it (I8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """A body as text, with no character that XML forbids."""

    text: str
    encoding: str  # the one that worked
    notices: tuple[str, ...] = ()


def decode(body: bytes, *, content_type: str | None, override: str | None) -> Decoded:
    """Make text of a body (I2): BOM; the operator's word; HTTP charset; XML declaration; UTF-8; Windows-1252.

    The first that decodes strictly wins, so a wrong header gives way to a right declaration (I4). A legacy character
    set is not believed where the bytes are valid UTF-8 beyond chance: such text is hardly ever anything else. Bytes
    that fit nowhere become U+FFFD, with a notice (I6).

    Args:
        body: as received.
        content_type: the header, for its charset parameter. The media type says nothing: text/xml is not ASCII (I3).
        override: what the operator wrote in `encoding:`.
    """
    notices: list[str] = []
    codec, text = _decoded(body, content_type, override, notices)
    text = text.lstrip("\ufeff")  # some publishers put two
    if _FORBIDDEN.search(text):
        if _FORBIDDEN.search(text.rstrip("\x00")):  # padding at the end is no news
            notices.append("control characters removed")
        text = _FORBIDDEN.sub("", text)
    if _C1.search(text):  # Windows-1252 smart quotes that took a way through ISO-8859-1
        text = text.translate(_WINDOWS)
    return Decoded(text=text, encoding=name_of(codec), notices=tuple(notices))


def without_forbidden(text: str) -> str:
    """Remove the characters that XML 1.0 forbids (section 2.2; I7)."""
    return _FORBIDDEN.sub("", text)


def once_encoded(text: str) -> str:
    """Undo a second encoding: UTF-8 that was taken for ISO-8859-1 and written as UTF-8 again."""
    if text.isascii():
        return text
    try:
        return text.encode("latin-1").decode("utf-8")
    except ValueError:
        return text


def _decoded(body: bytes, content_type: str | None, override: str | None, notices: list[str]) -> tuple[str, str]:
    for mark, codec in _MARKS:
        if body.startswith(mark):
            return codec, _lossy(body[len(mark) :], codec, notices)
    if override:
        if chosen := codec_of(override):
            return chosen, _lossy(body, chosen, notices)
        notices.append(f"encoding: {override} is no known character set")
    for shape, codec in _SHAPES:
        if body.startswith(shape):
            return codec, _lossy(body, codec, notices)
    utf8 = _strict(body, "utf-8")
    for where, label in _claims(body, content_type):
        claimed = codec_of(label)
        if claimed is None:
            notices.append(f"unknown character set {label} in the {where}")
            continue
        if utf8 is not None and claimed != "utf-8" and _is_surely_utf8(body, claimed):
            notices.append(f"{label} in the {where}, but the text is UTF-8")
            return "utf-8", utf8
        text = utf8 if claimed == "utf-8" else _strict(body, claimed)
        if text is not None and (claimed not in WIDE or "<" in text or "{" in text):
            return claimed, text
        notices.append(f"the text is not {label}, as the {where} says")
    if utf8 is not None:
        return "utf-8", utf8
    # Neither: one stray byte in a Chinese feed must not turn all of it into accented letters.
    valid = len(_SEQUENCE.findall(body))
    repaired = body.decode("utf-8", "replace")
    if valid > repaired.count("\ufffd"):
        return "utf-8", _counted(repaired, notices)
    return "cp1252", _lossy(body, "cp1252", notices)


def _claims(body: bytes, content_type: str | None) -> Iterator[tuple[str, str]]:
    if match := _CHARSET.search(content_type or ""):
        yield "header", match[1]
    if declared := _DECLARED.search(body[:_SNIFFED]):
        label = declared[1].decode("ascii")
        # The declaration itself could be read, so its text is not in two-byte characters: as the web does, UTF-8.
        yield "declaration", "utf-8" if codec_of(label) in WIDE else label


def _is_surely_utf8(body: bytes, codec: str) -> bool:
    """Tell whether bytes that are valid UTF-8 can be nothing else.

    Two letters of a single-byte set hardly ever make a UTF-8 sequence, and all of a text never do. Chinese in GBK can
    by chance, if it is short.
    """
    if body.isascii():
        return False
    return codec not in MULTIBYTE or len(_SEQUENCE.findall(body)) >= 8


def _strict(body: bytes, codec: str) -> str | None:
    try:
        return body.decode(codec)
    except (UnicodeDecodeError, ValueError):
        return None


def _lossy(body: bytes, codec: str, notices: list[str]) -> str:
    return _counted(body.decode(codec, "replace"), notices) if _strict(body, codec) is None else body.decode(codec)


def _counted(text: str, notices: list[str]) -> str:
    notices.append(f"lossy: {text.count(chr(0xFFFD))} characters could not be decoded")
    return text
