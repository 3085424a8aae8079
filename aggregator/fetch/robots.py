"""Parses robots.txt (RFC 9309; P89). Pure: `Client` fetches the file."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

MAX_BYTES: Final = 500 * 1024  # of the file; more need not be read (section 2.5)
MAX_RULES: Final = 2000
MAX_PATTERNS: Final = 64 * 1024  # characters of them together: they are kept for each site that a link leads to
MAX_DELAY: Final = 60.0  # seconds; who wants more is polled no more often than `every` says in any case
_ANYBODY: Final = "*"
_NUMBER = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,3})?")


def may_fetch(robots: bytes, agent: str, path: str) -> bool:
    """Return whether a crawler may fetch a path.

    The longest rule that matches decides, `Allow` where two have one length (section 2.2.2); without one everything is
    allowed.

    Args:
        robots: the file, as received.
        agent: our product token.
        path: of the address, with its query.
    """
    rules, _ = rules_for(robots, agent)
    return allows(rules, path)


def rules_for(robots: bytes, agent: str) -> tuple[tuple[tuple[bool, str], ...], float]:
    """Read the rules of a file for a crawler.

    Args:
        robots: the file, as received.
        agent: its product token.

    Returns:
        The rules, as (allowed, pattern), and the seconds of Crawl-delay, at most `MAX_DELAY`; 0.0 if there is none.
    """
    groups = _groups(robots[:MAX_BYTES].decode("utf-8", "replace").lstrip("\ufeff"), agent.lower())
    group = groups.get(agent.lower(), groups.get(_ANYBODY, _Group()))
    return tuple((allowed, pattern) for allowed, pattern in group.rules if pattern), group.delay


def allows(rules: Sequence[tuple[bool, str]], path: str) -> bool:
    """Return whether the longest rule that matches a path allows it; without one all is allowed (section 2.2.2)."""
    best = (-1, True)
    for is_allowed, pattern in rules:
        if _matches(pattern, path):
            best = max(best, (len(pattern), is_allowed))
    return best[1]


@dataclass(slots=True)
class _Group:
    """The rules for one crawler."""

    rules: list[tuple[bool, str]] = field(default_factory=list)
    delay: float = 0.0
    size: int = 0  # characters of the patterns

    def add(self, pattern: str, *, allowed: bool) -> None:
        """Add a rule, if there is room."""
        if len(self.rules) < MAX_RULES and self.size + len(pattern) <= MAX_PATTERNS:
            self.rules.append((allowed, pattern))
            self.size += len(pattern)


def _groups(text: str, agent: str) -> dict[str, _Group]:
    """Return the rules for a crawler and those for any; groups of one token are joined (section 2.2.1).

    Rules for others are not kept: thousands of names before thousands of rules would be gigabytes.
    """
    groups: dict[str, _Group] = {}
    agents: set[str] = set()
    in_rules = False
    for line in text.splitlines():
        name, _, value = line.partition("#")[0].partition(":")
        name, value = name.strip().lower(), value.strip()
        if name == "user-agent":
            if in_rules:
                agents, in_rules = set(), False
            if (token := value.lower()) in (agent, _ANYBODY):
                agents.add(token)
                groups.setdefault(token, _Group())
        elif name in ("allow", "disallow"):
            in_rules = True
            for token in agents:
                groups[token].add(value, allowed=name == "allow")
        elif name == "crawl-delay" and (seconds := _seconds(value)):
            in_rules = True
            for token in agents:
                groups[token].delay = max(groups[token].delay, seconds)
    return groups


def _seconds(text: str) -> float:
    """Read a Crawl-delay, which no standard defines; an invalid one counts as none."""
    return min(float(text), MAX_DELAY) if _NUMBER.fullmatch(text) else 0.0


def _matches(pattern: str, path: str) -> bool:
    """Match a rule: `*` is any text, `$` at its end is the end of the path. Each part is searched once (S25)."""
    is_whole = pattern.endswith("$")
    first, *parts = pattern.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    if not parts:
        return not is_whole or path == first
    place = len(first)
    *middle, last = parts
    for part in middle:
        found = path.find(part, place)
        if found < 0:
            return False
        place = found + len(part)
    return path.endswith(last) and len(path) - len(last) >= place if is_whole else path.find(last, place) >= 0
