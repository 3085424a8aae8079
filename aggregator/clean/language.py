"""Reads language tags (BCP 47; I60)."""

import re

from aggregator.clean.iso639 import shortest

_TAG = re.compile(r"([A-Za-z]{2,3}|[A-Za-z]{5,8})((?:[-_][A-Za-z0-9]{1,8}){0,6})")
# Names that publishers write instead of a code.
_NAMES = {
    "english": "en",
    "german": "de",
    "deutsch": "de",
    "french": "fr",
    "spanish": "es",
    "chinese": "zh",
    "russian": "ru",
}
# Country codes that publishers use as languages, and codes that ISO 639 withdrew.
_WRONG = {"cn": "zh-CN", "jp": "ja", "cz": "cs", "dk": "da", "gr": "el", "ua": "uk", "iw": "he", "in": "id", "ji": "yi"}
_UNKNOWN = frozenset({"und", "zxx", "mul", "mis", "xx"})


def language_of(*candidates: str | None) -> str | None:
    """Return the first candidate that is a language tag, in usual case (`zh-Hans-CN`, `en-US`), or None."""
    for candidate in candidates:
        if candidate and (tag := _normal(candidate.strip())):
            return tag
    return None


def _normal(text: str) -> str | None:
    text = text.partition(",")[0].strip()  # a header may name several languages
    text = _NAMES.get(text.lower(), text)
    match = _TAG.fullmatch(text)
    if match is None or match[1].lower() in _UNKNOWN or match[1].lower() in ("true", "false"):
        return None
    primary = match[1].lower()
    parts = [part for part in re.split(r"[-_]", match[2]) if part]
    if primary in _WRONG:
        primary, *region = _WRONG[primary].split("-")
        parts = parts or region
    if len(primary) > 3:
        return None  # no language with five or more letters is registered
    code = shortest(primary)
    return "-".join([code, *map(_subtag, parts)]) if code else None


def _subtag(part: str) -> str:
    if len(part) == 4 and part.isalpha():
        return part.capitalize()  # a script
    if len(part) == 2 and part.isalpha():
        return part.upper()  # a region
    return part.lower()
