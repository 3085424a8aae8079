"""What an operator has taken out of texts by CSS selectors, before they are sanitised and lose their class names."""

import re
from collections.abc import Container, Sequence
from typing import Final

from selectolax.lexbor import LexborHTMLParser, LexborNode

from aggregator.clean.depth import bounded

MAX_COUNTED: Final = 5000  # elements; with more, selectors that count siblings are left out: they take its square
_COUNTS = re.compile(r":(?:nth|first|last|only)-", re.IGNORECASE)


def stripped(html: str, selectors: Sequence[str]) -> str:
    """Take elements out of a text that is no whole page (S64).

    Args:
        html: as the source gave it; where nothing matches, it is given back as it is.
        selectors: in CSS, which feeds.yaml was checked for.
    """
    if "<" not in html:
        return html
    html = bounded(html)
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
    """Tell whether one of its ancestors is taken out, which takes it along: its memory is free then."""
    above = node.parent
    while above is not None:
        if above.mem_id in chosen:
            return True
        above = above.parent
    return False
