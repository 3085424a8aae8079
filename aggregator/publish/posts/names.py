"""File names of posts: readable, safe on any disk whatever an entry's key holds, and none twice (S50, S51)."""

import re
from collections.abc import Container
from hashlib import sha256

from aggregator.text.slugs import in_ascii

MAX_NAME = 150  # characters of a name or folder
MAX_FOLDERS = 4  # that a name may lie in

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_DEVICE = re.compile(r"(?:con|nul|prn|aux|com[0-9]|lpt[0-9])(?:\.|\Z)", re.IGNORECASE)  # no files on Windows


def safe_part(text: str) -> str:
    """Return a text of an entry as part of a name: no slash, no sign but `.`, `_` and `-`; other scripts romanised."""
    return _UNSAFE.sub("-", in_ascii(text)).strip("-.")


def name_of(rendered: str, page_id: str) -> str:
    """Return the name that a post may have.

    Args:
        rendered: what the template of names gave; its slashes are the operator's own.
        page_id: of the story, for a name of which nothing remains.

    Returns:
        A path with slashes. No part of it is hidden, a folder above, a gzip copy or a device of Windows.
    """
    segments = [segment for text in rendered.split("/") if (segment := _segment(text))]
    name = "/".join(segments[-MAX_FOLDERS - 1 :]) or f"{page_id}.md"
    return f"{name[:-3]}-gz" if name.lower().endswith(".gz") else name


def _segment(text: str) -> str:
    safe = _UNSAFE.sub("-", in_ascii(text)).lstrip("-._").rstrip("-.")
    if len(safe) > MAX_NAME:
        stem, dot, suffix = safe.rpartition(".")
        if not dot or len(suffix) > 10:
            stem, dot, suffix = safe, "", ""
        mark = sha256(safe.encode()).hexdigest()[:8]
        safe = f"{stem[: MAX_NAME - len(suffix) - 10].rstrip('-.')}-{mark}{dot}{suffix}"
    return f"post-{safe}" if _DEVICE.match(safe) else safe


def free_name(name: str, of: str, taken: Container[str]) -> str:
    """Return a name that no other post has: the name itself, or with a digest of the post's id added.

    Args:
        name: a safe one.
        of: id of the post.
        taken: names of other posts, in lower case: disks may not tell case apart.
    """
    if name.lower() not in taken:
        return name
    folder, slash, file = name.rpartition("/")
    stem, dot, suffix = file.rpartition(".")
    if not dot:
        stem, suffix = file, ""
    digits = sha256(of.encode()).hexdigest()
    for length in range(8, len(digits)):
        found = f"{folder}{slash}{stem}-{digits[:length]}{dot}{suffix}"
        if found.lower() not in taken:
            return found
    raise AssertionError("that many names can't be taken")
