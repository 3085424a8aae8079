"""Compares the versions of the installed libraries with the ranges that this program was tested with."""

import re
import shlex
from importlib.metadata import PackageNotFoundError, version

from aggregator.extras import installer, own_distribution

_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*([^()]*)")


def installed_out_of_range() -> list[tuple[str, str]]:
    """Return the required libraries that are missing or of a version that was not tested, each with a command.

    The libraries of an extra count if they are installed.
    """
    found_as = own_distribution()
    wrong = []
    for line in (found_as and found_as.requires) or ():
        wanted, _, marker = line.partition(";")
        name, ranges = _REQUIREMENT.findall(wanted)[0]
        try:
            found = version(name)
        except PackageNotFoundError:
            if not marker:
                wrong.append((f"{name} is not installed", shlex.join([*installer(), wanted.strip()])))
            continue
        if not all(_fits(found, each) for each in ranges.split(",") if each):
            wrong.append((f"{name} {found} is not in {ranges}", shlex.join([*installer(), wanted.strip()])))
    return wrong


def _fits(found: str, wanted: str) -> bool:
    """Return whether a version is in a range such as `>=2.0`; only the numbers of a release are compared."""
    match = re.fullmatch(r"\s*(>=|<=|==|!=|<|>)\s*([0-9.]+)\s*", wanted)
    if match is None:
        return True
    ours, theirs = ([int(part) for part in re.findall(r"\d+", text.partition("+")[0])] for text in (found, match[2]))
    width = max(len(ours), len(theirs))
    ours, theirs = (parts + [0] * (width - len(parts)) for parts in (ours, theirs))
    return {
        ">=": ours >= theirs,
        "<=": ours <= theirs,
        "==": ours == theirs,
        "!=": ours != theirs,
        "<": ours < theirs,
        ">": ours > theirs,
    }[match[1]]
