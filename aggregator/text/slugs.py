"""Makes slugs, the readable path names of categories, from category keys (S50).

A slug is made once, when the category is first published, and is then stored: later versions of this program may make
another slug of the same key.
"""

import itertools
import re
from collections.abc import Container
from functools import cache
from typing import Any

MAX_SLUG = 64  # characters (S50)
RESERVED = frozenset(
    "index feeds static archive con nul prn aux all category entry status sources opml search healthz readyz metrics "
    "websub style gone".split()
    + [f"{device}{number}" for device in ("com", "lpt") for number in range(1, 10)]
)
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
HAN = re.compile(r"[\u2e80-\u2fdf\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af]")
_NAMELESS = "category"  # slug of a key without any letter or digit; reserved, and so always numbered (S50)


def is_slug(text: str) -> bool:
    """Return True if a text can be a slug in a path; reserved names can't."""
    return _SLUG.fullmatch(text) is not None and text not in RESERVED


def slug_of(key: str) -> str:
    """Return the slug of a category that has no slug yet.

    Returns:
        The key itself if it is a valid slug. Otherwise the key in lower case, with blanks, underscores and symbols as
            hyphens, Chinese as pinyin without separators, and other scripts romanised. A reserved name gets a number
            from 2; so does `category`, the slug of a key without any letter or digit.
    """
    return free_slug(key, ())


def free_slug(key: str, taken: Container[str]) -> str:
    """Return a slug for a key that no other category has.

    Args:
        key: key of the category.
        taken: slugs in use, all in lower case.
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
    """Return a text with Chinese characters as pinyin, one reading each, no separators; the rest is unchanged."""
    if not HAN.search(text):
        return text
    return str(_readings().get_pinyin(text, ""))


@cache
def _readings() -> Any:
    """Return the readings of all Chinese characters. They take 15 ms to load, so they are kept."""
    from xpinyin import Pinyin  # late: few runs need it

    return Pinyin()


def in_ascii(text: str) -> str:
    """Return a text in ASCII: Chinese as pinyin, other scripts romanised; characters without a reading are removed."""
    text = pinyin(text)
    if not text.isascii():
        from anyascii import anyascii  # late, for the same reason

        text = str(anyascii(text))
    return text


def _romanised(key: str) -> str:
    text = in_ascii(key)
    text = re.sub(r"['`’]", "", text.lower())
    return re.sub(r"[^a-z0-9]+", "-", text).strip("-")[:MAX_SLUG].rstrip("-")
