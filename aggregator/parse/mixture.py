"""Documents in more than one character set: UTF-8, with pieces that a careless script copied in from elsewhere."""

import re
from dataclasses import dataclass

from aggregator.parse.detect import detect, oddity

_STRAY = re.compile("[\udc80-\udcff]")  # a byte that is no UTF-8, as `surrogateescape` brings it
_BEYOND = re.compile("[^\x00-\x7f\udc80-\udcff]")
_SPAN = re.compile("[\x00-\x7f\udc80-\udcff]+")  # between characters that are UTF-8
_LONELY = re.compile("(?<![A-Za-z])[\u00c0-\u00ff](?![A-Za-z])")  # an accent that is in no word
# The beginning of a character of UTF-8 that was cut off, as where a text is shortened by its bytes. One byte alone is
# none: it may be a letter of Windows-1252.
_TORN = re.compile("[\udce0-\udcef][\udc80-\udcbf]|[\udcf0-\udcf4][\udc80-\udcbf]{1,2}")
_FEW = 6  # bytes, from which on a set other than Windows-1252 can be told
_PIECE = re.compile("[^<>]+|[<>]")  # a text between tags, or what stands in a tag
# Windows-1252's typography is what a word processor leaves behind, in the text of any language.
_TYPOGRAPHY = {0xDC00 + code: bytes([code]).decode("cp1252") for code in (0x80, 0x85, *range(0x91, 0x98), 0x99)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    """What was made of a document that is not all UTF-8."""

    text: str
    beyond: int  # characters beyond ASCII that are UTF-8
    stray: int  # bytes that are not
    mixed: int  # characters that were read in another set
    lossy: int  # bytes that nobody can read


def unmix(body: bytes) -> Mixture:
    """Read a document as UTF-8, and its pieces that are not in the set that they seem to be in.

    A piece counts as foreign if none of it is UTF-8 and it reads well in the other set. In the middle of UTF-8, accents
    are believed inside of words, and typography everywhere. What remains becomes U+FFFD (I6): half a character of
    UTF-8, and bytes too few to tell which set they are in.
    """
    text = body.decode("utf-8", "surrogateescape")
    stray = len(_STRAY.findall(text))
    beyond = len(_BEYOND.findall(text))
    codec = None
    if 3 * beyond > stray:  # or it is not UTF-8 at all, and nothing below would be used
        foreign = " ".join(piece[0] for piece in _PIECE.finditer(text) if _is_foreign(piece[0]))
        is_enough = len(_STRAY.findall(foreign)) >= _FEW
        codec = detect(foreign.encode("utf-8", "surrogateescape")) if is_enough else None
    mixed = 0
    pieces: list[str] = []
    for piece in _PIECE.finditer(text):
        told = piece[0]
        if _STRAY.search(told) and not _is_torn(told):
            if codec and _is_foreign(told):
                read = _read_as(told, codec)
            else:
                read = _SPAN.sub(_accented, told).translate(_TYPOGRAPHY)
            mixed += len(_BEYOND.findall(read)) - len(_BEYOND.findall(told))
            told = read
        pieces.append(told)
    text = "".join(pieces)
    return Mixture(
        text=_STRAY.sub("\ufffd", text), beyond=beyond, stray=stray, mixed=mixed, lossy=len(_STRAY.findall(text))
    )


def _is_foreign(piece: str) -> bool:
    return bool(_STRAY.search(piece)) and not _BEYOND.search(piece) and not _is_torn(piece)


def _is_torn(piece: str) -> bool:
    """Tell whether all that is not UTF-8 in a piece is half of one character."""
    return _TORN.fullmatch("".join(_STRAY.findall(piece))) is not None


def _read_as(piece: str, codec: str) -> str:
    try:
        read = piece.encode("utf-8", "surrogateescape").decode(codec)
    except ValueError:
        return piece.translate(_TYPOGRAPHY)
    return read if oddity(read) == 0 else piece.translate(_TYPOGRAPHY)


def _accented(span: re.Match[str]) -> str:
    """Read a stretch of Western words that stands between UTF-8."""
    if not _STRAY.search(span[0]):
        return span[0]
    read = _read_as(span[0], "cp1252")
    return span[0] if _LONELY.search(read) else read
