"""Selectors of pages in feeds.yaml: CSS or XPath, perhaps with an attribute.

`h2 a@href` is the attribute `href` of the element that `h2 a` finds, `@id` an attribute of the item itself, `.` the
whole item. A selector that begins with `//` is XPath.
"""

import re
from typing import Final

from aggregator.model.record import record

SELF: Final = "."
_ATTRIBUTE = re.compile(r"@([A-Za-z_][\w:.-]*)$")


@record(kw_only=False)
class Selector:
    """A parsed selector."""

    path: str  # CSS or XPath; empty for the item itself
    attribute: str | None = None

    @property
    def is_xpath(self) -> bool:
        """True if the path is XPath, False if it is CSS."""
        return self.path.startswith("//")


def selector_of(text: str) -> Selector:
    """Parse a selector. The path is not checked."""
    text = text.strip()
    if text.startswith("//"):
        return Selector(text)
    found = _ATTRIBUTE.search(text)
    path = text[: found.start()].strip() if found else text
    return Selector("" if path == SELF else path, found[1].lower() if found else None)
