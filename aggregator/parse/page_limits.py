"""Refuses pages that are expensive to parse, in time linear in their length (S14, S64).

For each tag, an HTML parser searches the open elements, and for each attribute all attributes of its tag. A page of 2
MiB that consists of nothing else takes minutes.
"""

import re
from typing import Final

MAX_TAGS: Final = 50_000  # start tags; long articles have a tenth of this number
MAX_OPEN: Final = 1_000  # start tags minus end tags
MAX_ATTRIBUTES: Final = 1_000  # per tag
_LONG: Final = 8_000  # characters; attributes are counted in longer tags only
# Elements whose end tag is optional or does not exist.
_OPTIONAL: Final = frozenset(
    "p li dt dd td th tr tbody thead tfoot caption colgroup option optgroup rt rp html head body "
    "area base br col embed hr img input link meta param source track wbr".split()
)
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]{0,20})")
_VALUE = re.compile(r"\"[^\"]*\"|'[^']*'")


def exceeded_limit(text: str) -> str | None:
    """Return which limit a page exceeds; None if it exceeds none."""
    tags = depth = 0
    end = -1  # end of the current tag
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
            return f"over {MAX_OPEN} nested elements"
    return None


def _attributes(tag: str) -> int:
    return len(_VALUE.sub("", tag).split())
