"""Decodes documents in more than one character set: UTF-8 with pieces that a script copied from elsewhere."""

import re
from dataclasses import dataclass

from aggregator.parse.detect import detect, implausibility

_OTHER_BYTE = re.compile("[\udc80-\udcff]")  # a byte that is not UTF-8, as `surrogateescape` decodes it
_NON_ASCII = re.compile("[^\x00-\x7f\udc80-\udcff]")
_SPAN = re.compile("[\x00-\x7f\udc80-\udcff]+")  # the text between two non-ASCII characters of UTF-8
_LONE_ACCENT = re.compile("(?<![A-Za-z])[\u00c0-\u00ff](?![A-Za-z])")  # an accented letter outside of a word
# The first bytes of a UTF-8 character whose rest is missing, as in a text that was shortened by bytes. A single byte
# does not count: it may be a letter of Windows-1252.
_CUT_CHARACTER = re.compile("[\udce0-\udcef][\udc80-\udcbf]|[\udcf0-\udcf4][\udc80-\udcbf]{1,2}")
_MIN_BYTES = 6  # with fewer foreign bytes, only Windows-1252 is tried
_PIECE = re.compile("[^<>]+|[<>]")  # a text between tags, or the inside of a tag
# Quotes, dashes and the like of Windows-1252, which word processors put into text of any language.
_TYPOGRAPHY = {0xDC00 + code: bytes([code]).decode("cp1252") for code in (0x80, 0x85, *range(0x91, 0x98), 0x99)}


@dataclass(frozen=True, slots=True, kw_only=True)
class MixedText:
    """A document that is not entirely UTF-8, decoded."""

    text: str
    utf8_characters: int  # number of non-ASCII characters that are UTF-8
    other_bytes: int  # number of bytes that are not UTF-8
    mixed: int  # number of characters that were decoded with another codec
    lossy: int  # number of bytes that no codec could decode


def decode_mixed(body: bytes) -> MixedText:
    """Decode a document as UTF-8, and its pieces that are not UTF-8 with the codec that is detected for them.

    A piece is foreign if it contains no UTF-8 and its text in the other codec is plausible. Within UTF-8 text, accented
    letters of Windows-1252 are accepted inside of words, and its typography everywhere. The rest becomes U+FFFD (I6):
    incomplete UTF-8 characters, and too few bytes to detect a codec.
    """
    text = body.decode("utf-8", "surrogateescape")
    other_bytes = len(_OTHER_BYTE.findall(text))
    utf8_characters = len(_NON_ASCII.findall(text))
    codec = None
    if (
        3 * utf8_characters > other_bytes
    ):  # otherwise the document is not UTF-8 at all, and the caller does not use the text
        foreign = " ".join(piece[0] for piece in _PIECE.finditer(text) if _is_foreign(piece[0]))
        is_enough = len(_OTHER_BYTE.findall(foreign)) >= _MIN_BYTES
        codec = detect(foreign.encode("utf-8", "surrogateescape")) if is_enough else None
    mixed = 0
    pieces: list[str] = []
    for piece in _PIECE.finditer(text):
        piece_text = piece[0]
        if _OTHER_BYTE.search(piece_text) and not _is_cut_character(piece_text):
            if codec and _is_foreign(piece_text):
                read = _decode_as(piece_text, codec)
            else:
                read = _SPAN.sub(_decode_accents, piece_text).translate(_TYPOGRAPHY)
            mixed += len(_NON_ASCII.findall(read)) - len(_NON_ASCII.findall(piece_text))
            piece_text = read
        pieces.append(piece_text)
    text = "".join(pieces)
    return MixedText(
        text=_OTHER_BYTE.sub("\ufffd", text),
        utf8_characters=utf8_characters,
        other_bytes=other_bytes,
        mixed=mixed,
        lossy=len(_OTHER_BYTE.findall(text)),
    )


def _is_foreign(piece: str) -> bool:
    return bool(_OTHER_BYTE.search(piece)) and not _NON_ASCII.search(piece) and not _is_cut_character(piece)


def _is_cut_character(piece: str) -> bool:
    """Return True if the bytes of a piece that are not UTF-8 are the beginning of one UTF-8 character."""
    return _CUT_CHARACTER.fullmatch("".join(_OTHER_BYTE.findall(piece))) is not None


def _decode_as(piece: str, codec: str) -> str:
    try:
        read = piece.encode("utf-8", "surrogateescape").decode(codec)
    except ValueError:
        return piece.translate(_TYPOGRAPHY)
    return read if implausibility(read) == 0 else piece.translate(_TYPOGRAPHY)


def _decode_accents(span: re.Match[str]) -> str:
    """Decode a span between UTF-8 characters as Windows-1252, unless an accented letter is outside of a word."""
    if not _OTHER_BYTE.search(span[0]):
        return span[0]
    read = _decode_as(span[0], "cp1252")
    return span[0] if _LONE_ACCENT.search(read) else read
