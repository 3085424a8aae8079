"""`${NAME}` in values: the environment's part of feeds.yaml, and the only home of secrets (S54)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

_VARIABLE = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)\}|\$\{")
_USERINFO = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://([^/?#]*)@")


@dataclass(frozen=True, slots=True)
class Expanded:
    """A value with its variables filled in."""

    text: str
    used: tuple[str, ...] = ()  # the values that came from the environment
    missing: tuple[str, ...] = ()  # names that the environment lacks
    broken: bool = False  # a `${` that begins no variable


def has_variable(raw: str) -> bool:
    """Tell whether a value, as written, takes anything from the environment."""
    return any(match[1] for match in _VARIABLE.finditer(raw))


def expand(raw: str, environ: Mapping[str, str]) -> Expanded:
    """Fill in the variables of a value, once: what a variable holds is not looked at again.

    `$${` is a literal `${`. In the user and password of a URL the value is percent-encoded, for it may hold an `@` or
    a `/`; they are decoded when they are taken out of the URL (P85).
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
