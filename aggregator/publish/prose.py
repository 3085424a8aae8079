"""How foreign HTML, sanitised, fits into a page of ours, and how a text is shortened."""

import re
import unicodedata

_TOKEN = re.compile(r'<[^<>"]*(?:"[^"]*"[^<>"]*)*>|[^<]+')
_TAG = re.compile(r"</?([A-Za-z][A-Za-z0-9]*)")
_CHANGED = re.compile(r"<(?:h[1-6]|pre|table|img)\b", re.IGNORECASE)  # start tags that a page has otherwise
_ATTRIBUTE = re.compile(r'\s([^\s"\'<>/=]+)(?:="[^"]*")?')


def dress(html: str) -> str:
    """Fit sanitised HTML into a page: headings below the story's own (A61), images that load late (A62, A68).

    Code and tables may be wider than a phone. They scroll by themselves, so the keyboard has to get there (WCAG 2.1.1).

    Tokens are read as our sanitiser writes them: text without `<`, attributes in double quotes. Anything else is given
    back as it came: adding an attribute in the wrong place could open a hole.
    """
    if not _CHANGED.search(html):
        return html
    tokens = []
    at = 0
    while at < len(html):
        match = _TOKEN.match(html, at)
        if match is None:
            return html
        tokens.append(match[0])
        at = match.end()
    names = [_TAG.match(token) for token in tokens]
    levels = [int(name[1][1]) for name in names if name and _is_heading(name[1])]
    shift = 3 - min(levels, default=3)
    return "".join(_dressed(token, name, shift) for token, name in zip(tokens, names, strict=True))


def _dressed(token: str, name: re.Match[str] | None, shift: int) -> str:
    if name is None:
        return token
    if _is_heading(name[1]):
        level = min(max(int(name[1][1]) + shift, 3), 6)
        return f"{token[: name.start(1)]}h{level}{token[name.end() :]}"
    tag, closes = name[1].lower(), token.startswith("</")
    if tag == "pre" and not closes:
        return f'{token[: name.end()]} tabindex="0"{token[name.end() :]}'
    if tag == "table":
        return f"{token}</div>" if closes else f'<div class="scroll" tabindex="0">{token}'
    if tag == "img" and not closes:
        has = {attribute.lower() for attribute in _ATTRIBUTE.findall(token)}
        wanted = (("loading", "lazy"), ("referrerpolicy", "no-referrer"), ("alt", ""))
        return token[: name.end()] + "".join(f' {k}="{v}"' for k, v in wanted if k not in has) + token[name.end() :]
    return token


def _is_heading(name: str) -> bool:
    return len(name) == 2 and name[0] in "hH" and name[1] in "123456"


def shorten(text: str, limit: int) -> str:
    """Cut a text to at most `limit` code points, the ellipsis included, never inside what people see as one (A65)."""
    if len(text) <= limit:
        return text
    end = limit - 1
    while end > 0 and _joins(text, end):
        end -= 1
    return text[:end].rstrip() + "…"


def _joins(text: str, at: int) -> bool:
    """Tell whether the code point at a place belongs to the one before it."""
    char, before = text[at], text[at - 1]
    return (
        unicodedata.category(char) in ("Mn", "Me", "Mc")
        or char in "\u200c\u200d"
        or before == "\u200d"
        or 0x1F3FB <= ord(char) <= 0x1F3FF  # skin tones
        or (0x1F1E6 <= ord(char) <= 0x1F1FF and 0x1F1E6 <= ord(before) <= 0x1F1FF)  # flags
        or (0xAC00 <= ord(before) <= 0xD7A3 and 0x1160 <= ord(char) <= 0x11FF)  # Hangul
    )
