"""Tokens that need no word segmentation: segmenters differ between versions, and what we compare must not.

A Latin word or a number is one token, a run of CJK characters is its bigrams (FIELD, near-duplicates in news).
"""

import re
import unicodedata
from collections.abc import Iterator

# Kana, bopomofo, hangul, Han with its extensions: scripts that write no blanks between words.
_CJK = (
    "\u3040-\u30ff\u3100-\u312f\u31a0-\u31bf\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
_RUN = re.compile(rf"[{_CJK}]+|[^\W_{_CJK}]+")
_BY_BIGRAMS = re.compile(rf"[{_CJK}]")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")


def folded(text: str) -> str:
    """Give the form in which texts are compared: NFKC, case folded."""
    return unicodedata.normalize("NFKC", text).casefold()


def tokens_of(text: str) -> Iterator[str]:
    """Give the mixed tokens of a text, in order."""
    for match in _RUN.finditer(folded(text)):
        run = match[0]
        if _BY_BIGRAMS.match(run):
            yield from (run[i : i + 2] for i in range(max(1, len(run) - 1)))
        else:
            yield run


def numbers_of(text: str) -> frozenset[str]:
    """Give the numbers, versions and dates in a text: where they differ, so do the stories."""
    return frozenset(_NUMBER.findall(folded(text)))
