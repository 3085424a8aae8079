"""Replaces `${NAME}` in values by environment variables, so that secrets need not be in the file (S54)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

_VARIABLE = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)\}|\$\{")
_USERINFO = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://([^/?#]*)@")


@dataclass(frozen=True, slots=True)
class Expanded:
    """A value after its variables were replaced."""

    text: str
    used: tuple[str, ...] = ()  # the values that came from the environment
    missing: tuple[str, ...] = ()  # names that the environment lacks
    broken: bool = False  # a `${` does not begin a variable


def has_variable(raw: str) -> bool:
    """Report whether a value, as written, has a variable."""
    return any(match[1] for match in _VARIABLE.finditer(raw))


def expand(raw: str, environ: Mapping[str, str]) -> Expanded:
    """Replace the variables of a value. Variables inside the values of variables are not replaced.

    `$${` is a literal `${`. In the user and password of a URL the value is percent-encoded, because it may contain `@`
    or `/`; user and password are decoded when they are taken out of the URL (P85).
    """
    if "${" not in raw:
        return Expanded(raw)
    userinfo = _USERINFO.match(raw)
    encoded = userinfo.span(1) if userinfo else (0, 0)
    used: list[str] = []
    missing: list[str] = []
    broken = False

    def fill(match: re.Match[str]) -> str:
        nonlocal broken
        if match[0] == "$${":
            return "${"
        if match[1] is None:
            broken = True
            return match[0]
        value = environ.get(match[1])
        if value is None:
            missing.append(match[1])
            return ""
        used.append(value)
        return quote(value, safe="") if encoded[0] <= match.start() < encoded[1] else value

    return Expanded(_VARIABLE.sub(fill, raw), tuple(used), tuple(missing), broken)
