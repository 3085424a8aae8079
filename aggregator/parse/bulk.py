"""Whether a page is for people, or made to keep whoever parses it busy (S14, S64). Takes time linear in its length.

An HTML parser looks up the open elements for each tag, and at all attributes of a tag for each of them: a page of 2 MiB
that is nothing else takes minutes.
"""

import re
from typing import Final

MAX_TAGS: Final = 50_000  # start tags; long articles have a tenth of that
MAX_OPEN: Final = 1_000  # elements that were begun and not ended, by count alone
MAX_ATTRIBUTES: Final = 1_000  # of one tag
_LONG: Final = 8_000  # characters of a tag whose attributes are counted
# What needs no end tag, or has none.
_OPTIONAL: Final = frozenset(
    "p li dt dd td th tr tbody thead tfoot caption colgroup option optgroup rt rp html head body "
    "area base br col embed hr img input link meta param source track wbr".split()
)
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]{0,20})")
_VALUE = re.compile(r"\"[^\"]*\"|'[^']*'")


def fault_of(text: str) -> str | None:
    """Say what makes a page too much to be parsed; None if nothing does."""
    tags = depth = 0
    end = -1  # of the tag under way
    for found in _TAG.finditer(text):
        if found.start() > end:
            end = text.find(">", found.end())
            end = len(text) if end < 0 else end
            if end - found.end() > _LONG and _attributes(text[found.end() : end]) > MAX_ATTRIBUTES:
                return f"a tag with over {MAX_ATTRIBUTES} attributes"
        name = found[2].lower()
        if found[1]:
            depth = max(0, depth - (name not in _OPTIONAL))
            continue
        tags += 1
        depth += name not in _OPTIONAL
        if tags > MAX_TAGS:
            return f"over {MAX_TAGS} tags"
        if depth > MAX_OPEN:
            return f"over {MAX_OPEN} elements within each other"
    return None


def _attributes(tag: str) -> int:
    return len(_VALUE.sub("", tag).split())
