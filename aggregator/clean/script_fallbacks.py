"""Replaces content that needs scripts by plain HTML, before nh3 makes the HTML safe."""

import html as entities
import re
from typing import Final

_CONTAINERS = ("iframe", "object", "script", "style", "textarea", "title", "select", "noembed", "noframes", "template")
_SCRIPTED = re.compile(rf"<(?:{'|'.join((*_CONTAINERS, 'noscript', 'amp-', 'math'))})")  # in lower case
_MAX_REPLACED: Final = 300  # elements of a kind that are replaced; a text with more is not an article
_CONTAINER_TAG = re.compile(rf"<(/?)({'|'.join(_CONTAINERS)})\b[^<>]*>", re.IGNORECASE)
_NOSCRIPT = re.compile(
    r"(?:<img\b[^<>]*>\s*)?<noscript\b[^<>]*>([^<]*<img\b(?:(?!</noscript).)*)</noscript\s*>", re.IGNORECASE | re.DOTALL
)
_AMP_IMAGE_END = re.compile(r"</amp-(?:img|anim)\b[^<>]*>", re.IGNORECASE)
_AMP = re.compile(r"<(/?)amp-(img|anim|video|audio)\b", re.IGNORECASE)
_AMP_YOUTUBE = re.compile(r"<amp-youtube\b[^<>]*?\bdata-videoid\s*=\s*[\"']?([\w-]{5,20})[^<>]*>", re.IGNORECASE)
_MATH = re.compile(r"<math\b([^<>]*)>((?:(?!</?math\b).)*)</math\s*>", re.IGNORECASE | re.DOTALL)
_ALTTEXT = re.compile(r"\balttext\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE)
_TEX = re.compile(r"<annotation\b[^<>]*encoding\s*=\s*[\"']application/x-tex[\"'][^<>]*>([^<]*)", re.IGNORECASE)
_ANNOTATION = re.compile(r"<annotation(?:-xml)?\b(?:(?!</annotation).)*", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^<>]*>")


def with_script_fallbacks(html: str, lower: str) -> str:
    """Replace elements that need a script.

    A picture in noscript replaces the lazy picture before it (S37). AMP elements become the HTML elements of the same
    meaning. A formula becomes its text (D12). An iframe without an end tag is closed, so that it does not contain the
    rest of the article.

    Args:
        html: any HTML; the result is not yet safe.
        lower: the same HTML in lower case.
    """
    if not _SCRIPTED.search(lower):
        return html
    if any(lower.count(f"<{name}") > lower.count(f"</{name}") for name in _CONTAINERS):
        html = _close_unclosed(html)
    if 0 < lower.count("<noscript") <= min(lower.count("</noscript"), _MAX_REPLACED):
        html = _NOSCRIPT.sub(r"\1", html)
    if "<amp-" in lower:
        html = _AMP_YOUTUBE.sub(r'<iframe src="https://www.youtube.com/embed/\1"></iframe>', html)
        html = _AMP.sub(_html_tag_of_amp, _AMP_IMAGE_END.sub("", html))
    if 0 < lower.count("<math") <= min(lower.count("</math"), _MAX_REPLACED):
        html = _MATH.sub(_formula, html)
    return html


def _close_unclosed(html: str) -> str:
    """Close elements that have no end tag: iframe and object, and elements that end with "/>" as in XML."""
    tags = list(_CONTAINER_TAG.finditer(html))
    ends: dict[str, int] = {}  # whether the next tag with this name, seen from the end, is an end tag
    pieces: list[str] = []
    at = len(html)
    for tag in reversed(tags):
        name = tag[2].lower()
        if tag[1]:
            ends[name] = 1
        elif ends.get(name):
            ends[name] = 0
        elif name in ("iframe", "object") or tag[0].endswith("/>"):
            pieces += (html[tag.end() : at], f"</{name}>")
            at = tag.end()
    return html[:at] + "".join(reversed(pieces))


def _html_tag_of_amp(tag: re.Match[str]) -> str:
    name = tag[2].lower()
    return f"<{tag[1]}{'img' if name == 'anim' else name}"


def _formula(math: re.Match[str]) -> str:
    """Return the text of a formula: its alttext, its TeX, otherwise its content."""
    alternative = _ALTTEXT.search(math[1])
    tex = _TEX.search(math[2])
    text = (alternative[1] or alternative[2] or "") if alternative else tex[1] if tex else ""
    if not text.strip():
        text = _TAG.sub("", _ANNOTATION.sub("", math[2]))
    return entities.escape(entities.unescape(text).strip())
