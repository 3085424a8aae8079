"""Readable names for addresses: a category's key becomes the slug in its path (S50; DESIGN 3.1, Categories).

A slug is made once, at first publication, and stored; nothing here may be asked twice for the same category.
"""

import itertools
import re
from collections.abc import Container

MAX_SLUG = 64  # characters (S50)
RESERVED = frozenset(
    "index feeds static archive con nul prn aux all category entry status sources opml search healthz readyz metrics "
    "websub style gone".split()
    + [f"{device}{number}" for device in ("com", "lpt") for number in range(1, 10)]
)
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
HAN = re.compile(r"[\u2e80-\u2fdf\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af]")
_NAMELESS = "category"  # stands in for a key without a letter or digit; reserved, and so always numbered (S50)


def is_slug(text: str) -> bool:
    """Tell whether a text may stand as a slug in a path; a reserved name may not."""
    return _SLUG.fullmatch(text) is not None and text not in RESERVED


def slug_of(key: str) -> str:
    """Give the slug of a category that has none of its own.

    Returns:
        The key itself if it fits; else the key in lower case, blanks, underscores and signs as hyphens, Chinese as
        pinyin without separators and other scripts romanised. A reserved name, and what nothing remains of, is
        numbered from 2.
    """
    return free_slug(key, ())


def free_slug(key: str, taken: Container[str]) -> str:
    """Give the slug of a key that no other category has.

    Args:
        key: of the category.
        taken: slugs in use; they are all in lower case, so case makes no difference.
    """
    base = key if _SLUG.fullmatch(key) else _romanised(key) or _NAMELESS
    if base not in RESERVED and base not in taken:
        return base
    for number in itertools.count(2):
        suffix = f"-{number}"
        slug = base[: MAX_SLUG - len(suffix)].rstrip("-") + suffix
        if slug not in taken:
            return slug
    raise AssertionError("numbers don't end")


def pinyin(text: str) -> str:
    """Write Chinese characters as pinyin, a reading for each and nothing between; all else stays as it is."""
    if not HAN.search(text):
        return text
    from xpinyin import Pinyin  # late: 40 ms that few runs need

    return str(Pinyin().get_pinyin(text, ""))


def in_ascii(text: str) -> str:
    """Write a text in ASCII: Chinese as pinyin, other scripts romanised; what has no reading goes."""
    text = pinyin(text)
    if not text.isascii():
        from anyascii import anyascii  # late, for the same reason

        text = str(anyascii(text))
    return text


def _romanised(key: str) -> str:
    text = in_ascii(key)
    text = re.sub(r"['`’]", "", text.lower())
    return re.sub(r"[^a-z0-9]+", "-", text).strip("-")[:MAX_SLUG].rstrip("-")
