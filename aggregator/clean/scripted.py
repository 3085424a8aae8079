"""What a page would show by its scripts, or for want of them, as plain HTML: done before nh3, which makes it safe."""

import html as entities
import re
from typing import Final

_WITHOUT_END = ("iframe", "object", "script", "style", "textarea", "title", "select", "noembed", "noframes", "template")
_SCRIPTED = re.compile(rf"<(?:{'|'.join((*_WITHOUT_END, 'noscript', 'amp-', 'math'))})")  # in lower case
_MANY: Final = 300  # elements of a kind; a text with more is no article
_SWALLOWING = re.compile(rf"<(/?)({'|'.join(_WITHOUT_END)})\b[^<>]*>", re.IGNORECASE)
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


def without_scripts(html: str, lower: str) -> str:
    """Put the plain form in the place of what needs a script.

    A picture that stands in noscript takes the place of the lazy one before it (S37), elements of AMP get their names
    of HTML, a formula becomes its text (D12), and an iframe whose end tag is missing doesn't swallow the article.

    Args:
        html: anything; the result is no safer than it.
        lower: the same in lower case.
    """
    if not _SCRIPTED.search(lower):
        return html
    if any(lower.count(f"<{name}") > lower.count(f"</{name}") for name in _WITHOUT_END):
        html = _closed(html)
    if 0 < lower.count("<noscript") <= min(lower.count("</noscript"), _MANY):
        html = _NOSCRIPT.sub(r"\1", html)
    if "<amp-" in lower:
        html = _AMP_YOUTUBE.sub(r'<iframe src="https://www.youtube.com/embed/\1"></iframe>', html)
        html = _AMP.sub(_plain, _AMP_IMAGE_END.sub("", html))
    if 0 < lower.count("<math") <= min(lower.count("</math"), _MANY):
        html = _MATH.sub(_formula, html)
    return html


def _closed(html: str) -> str:
    """Close at once what is never closed: an iframe or an object, and whatever closes itself as XML would have it."""
    tags = list(_SWALLOWING.finditer(html))
    ends: dict[str, int] = {}  # the next end tag of a kind, seen from the end
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


def _plain(tag: re.Match[str]) -> str:
    name = tag[2].lower()
    return f"<{tag[1]}{'img' if name == 'anim' else name}"


def _formula(math: re.Match[str]) -> str:
    """Give the text of a formula: its alternative text, its TeX, else what stands in it."""
    alternative = _ALTTEXT.search(math[1])
    tex = _TEX.search(math[2])
    text = (alternative[1] or alternative[2] or "") if alternative else tex[1] if tex else ""
    if not text.strip():
        text = _TAG.sub("", _ANNOTATION.sub("", math[2]))
    return entities.escape(entities.unescape(text).strip())
