"""The characters that XML 1.0 forbids (section 2.2; I7, A33): read of no source, published nowhere. Normal forms."""

import re
import unicodedata
from typing import Final, Literal

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_CONTROLS: Final = bytes(code for code in range(32) if code not in (9, 10, 13))

MAX_MARKS: Final = 100  # one after the other that normalising puts in order: it takes the square of their number
# Marks, and what becomes marks: no \w but the two halfwidth sound marks. Others are found by their category.
_RUN = re.compile(rf"[\W\uff9e\uff9f]{{{MAX_MARKS + 1},}}")
_JOINER: Final = "\u034f"  # the combining grapheme joiner, which is seen by nobody and parts runs (UAX 15, section 13)


def legal(text: str) -> str:
    """Remove them: controls, lone surrogates, U+FFFE and U+FFFF. Idempotent.

    Returns:
        The text itself, not a copy, if there are none.
    """
    return _FORBIDDEN.sub("", text) if _may_hold_some(text) else text


def _may_hold_some(text: str) -> bool:
    """Tell whether a text is worth the search, which costs three times what these tests do."""
    if text.isprintable():
        return False
    try:
        data = text.encode()
    except UnicodeEncodeError:  # a lone surrogate
        return True
    return len(data.translate(None, _CONTROLS)) < len(data) or b"\xef\xbf\xbe" in data or b"\xef\xbf\xbf" in data


def normalised(form: Literal["NFC", "NFKC", "NFKD"], text: str) -> str:
    """Return the normal form of a text, in linear time.

    `unicodedata.normalize` took 10 s for 80,000 combining marks, and lets no other thread run meanwhile. A run of over
    `MAX_MARKS` is parted first, as in Unicode's Stream-Safe Text Format; no language has such runs.
    """
    if text.isascii():
        return text
    return unicodedata.normalize(form, _RUN.sub(_parted, text))


def _parted(run: re.Match[str]) -> str:
    """Put a joiner after each `MAX_MARKS` marks in a run."""
    parts: list[str] = []
    count = 0
    for char in run[0]:
        if char == _JOINER or (unicodedata.category(char)[0] != "M" and char not in "\uff9e\uff9f"):
            count = 0
        elif count == MAX_MARKS:
            parts.append(_JOINER)
            count = 1
        else:
            count += 1
        parts.append(char)
    return "".join(parts)
