"""What feeds.yaml writes to say where something stands on a page: CSS or XPath, and an attribute (DESIGN, section 6).

`h2 a@href` is the attribute `href` of what `h2 a` finds, `@id` an attribute of the item itself, `.` the whole item, and
what begins with `//` is XPath.
"""

import re
from dataclasses import dataclass
from typing import Final

SELF: Final = "."
_ATTRIBUTE = re.compile(r"@([A-Za-z_][\w:.-]*)$")


@dataclass(frozen=True, slots=True)
class Selector:
    """A selector in its parts."""

    path: str  # CSS or XPath; empty: the item itself
    attribute: str | None = None

    @property
    def is_xpath(self) -> bool:
        """Tell whether it is XPath; else it is CSS."""
        return self.path.startswith("//")


def selector_of(text: str) -> Selector:
    """Take a selector apart; whether its path is one is for others to say."""
    text = text.strip()
    if text.startswith("//"):
        return Selector(text)
    found = _ATTRIBUTE.search(text)
    path = text[: found.start()].strip() if found else text
    return Selector("" if path == SELF else path, found[1].lower() if found else None)
