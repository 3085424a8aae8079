"""What is left of HTML when what nobody may see is gone: empty paragraphs, and breaks upon breaks."""

import re

# As nh3 writes them. Cells, code, and what may stand empty with a meaning are not among them.
_BLOCKS = "p|div|section|article|aside|header|footer|main|nav|figure|figcaption|blockquote|picture|ul|ol|dl|h[1-6]"
_INLINE = "span|a|b|i|em|strong|u|s|small|big|sub|sup|mark|cite|abbr"
_EMPTY = re.compile(rf"<({_BLOCKS})(?: [^<>]*)?>(?:\s|&nbsp;|<br>)*</\1>|<({_INLINE})(?: [^<>]*)?>(\s*)</\2>")
# Begins behind a start tag, never inside a row of breaks: each would be looked at once for every break before it.
_MAY_BE_EMPTY = re.compile(r">(?<!<br>)(?:\s|&nbsp;|<br>)*</")
_BREAKS = re.compile(r"<br>(?:\s*<br>){2,}")


def without_leftovers(canonical: str) -> str:
    """Remove elements with nothing in them, and breaks beyond two in a row.

    Args:
        canonical: HTML as nh3 wrote it, nested no deeper than its limit: each round takes one level away.
    """
    while _MAY_BE_EMPTY.search(canonical):  # costs a sixth of the other search
        left = _EMPTY.sub(lambda element: element[3] or "", canonical)
        if left == canonical:
            break
        canonical = left
    if "<br>" in canonical and "<pre" not in canonical:
        canonical = _BREAKS.sub("<br><br>", canonical)
        while (inner := canonical.strip().removeprefix("<br>").removesuffix("<br>")) != canonical.strip():
            canonical = inner  # two at most at either end
    return canonical
