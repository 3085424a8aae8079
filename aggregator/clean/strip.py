"""Removes the elements that `strip:` selects, before the sanitiser removes class names."""

import re
from collections.abc import Container, Sequence
from typing import Final

from selectolax.lexbor import LexborHTMLParser, LexborNode

from aggregator.clean.depth import limit_depth

MAX_COUNTED: Final = (
    5000  # elements; in longer texts, selectors that count siblings are ignored, since they take quadratic time
)
_COUNTS = re.compile(r":(?:nth|first|last|only)-", re.IGNORECASE)


def stripped(html: str, selectors: Sequence[str]) -> str:
    """Remove elements from a text that is a fragment of a page (S64).

    Args:
        html: as the source has it; returned unchanged if no selector matches.
        selectors: CSS, checked when feeds.yaml was loaded.
    """
    if "<" not in html:
        return html
    html = limit_depth(html)
    is_long = html.count("<") > MAX_COUNTED
    chosen = [css for css in selectors if not (is_long and _COUNTS.search(css))]
    body = LexborHTMLParser(f"<!doctype html><body>{html}").body
    found = [node for css in chosen for node in (body.css(css) if body else ()) if node.tag not in ("html", "body")]
    if body is None or not found:
        return html
    chosen_ids = {node.mem_id for node in found}
    for node in {node.mem_id: node for node in found if not _is_within(node, chosen_ids)}.values():
        node.decompose()
    return str(body.inner_html)


def _is_within(node: LexborNode, chosen: Container[int]) -> bool:
    """Return True if an ancestor is removed: removing the ancestor frees the memory of the node."""
    above = node.parent
    while above is not None:
        if above.mem_id in chosen:
            return True
        above = above.parent
    return False
