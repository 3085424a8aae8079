"""Removes the characters that XML 1.0 forbids (section 2.2; I7, A33), and computes normal forms of Unicode."""

import re
import unicodedata
from typing import Final, Literal

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_CONTROLS: Final = bytes(code for code in range(32) if code not in (9, 10, 13))

MAX_MARKS: Final = 100  # combining marks in a row; normalising takes time quadratic in their number
# Characters that may be marks: everything but \w, and the two half-width sound marks. `_split_run` checks the category.
_RUN = re.compile(rf"[\W\uff9e\uff9f]{{{MAX_MARKS + 1},}}")
# Every twentieth character of a text that has such a run: a search in those costs a twentieth.
_STEP: Final = 20
_SAMPLED_RUN = re.compile(rf"[\W\uff9e\uff9f]{{{MAX_MARKS // _STEP}}}")
# Signs of East Asian texts with another form in NFKC and NFKD. `unicodedata.normalize` takes 250 ns for each character
# of a text that is not in the normal form yet, and 1 ns if it is.
_WIDE: Final = {sign: unicodedata.normalize("NFKD", sign) for sign in "，！？：；（）\u3000…～\xa0"}
_JOINER: Final = "\u034f"  # the combining grapheme joiner, invisible, which separates runs (UAX 15, section 13)


def legal(text: str) -> str:
    """Remove the characters that XML forbids: controls, lone surrogates, U+FFFE and U+FFFF. Idempotent.

    Returns:
        The same object if the text has no such character.
    """
    return _FORBIDDEN.sub("", text) if _may_contain_forbidden(text) else text


def _may_contain_forbidden(text: str) -> bool:
    """Return False if a text has no forbidden character. The full search takes three times the time of these tests."""
    if text.isprintable():
        return False
    try:
        data = text.encode()
    except UnicodeEncodeError:  # a lone surrogate
        return True
    return len(data.translate(None, _CONTROLS)) < len(data) or b"\xef\xbf\xbe" in data or b"\xef\xbf\xbf" in data


def normalised(form: Literal["NFC", "NFD", "NFKC", "NFKD"], text: str) -> str:
    """Return the normal form of a text in linear time.

    `unicodedata.normalize` takes 10 s for 80,000 combining marks, and blocks all threads meanwhile. Runs of more than
    `MAX_MARKS` marks are split first, as in Unicode's Stream-Safe Text Format; no language has such runs.
    """
    if text.isascii():
        return text
    if _SAMPLED_RUN.search(text[::_STEP]):
        text = _RUN.sub(_split_run, text)
    if form != "NFC" and not unicodedata.is_normalized(form, text):
        for sign, plain in _WIDE.items():
            text = text.replace(sign, plain)
    return unicodedata.normalize(form, text)


def _split_run(run: re.Match[str]) -> str:
    """Insert a joiner after each `MAX_MARKS` marks of a run."""
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
