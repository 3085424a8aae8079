"""Reads `publish.aliases` and `publish.static`: the operator's own files and paths beside our outputs (S51).

A path that an output may take is refused here, with its line. Only the files that `static` contains now can be checked;
a file that is added later and conflicts with an output is skipped when the folder is published.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from aggregator.config.compounds import Pair
from aggregator.config.document import Node
from aggregator.config.findings import Findings, Unfit, quoted
from aggregator.model.output_paths import HIDDEN, MAX_DEPTH, PATH, collides, format_of, is_output

MAX_NAMED = 3  # files that one message lists


def alias_path(text: str) -> str:
    """Check the old address of an alias and return it unchanged.

    Raises:
        Unfit: the text is not a path below publish.to, or an output may have this path.
    """
    if text.startswith("/"):
        raise Unfit(f"begins with a slash; write {text.lstrip('/') or 'atom.xml'}")
    if not PATH.fullmatch(text):
        raise Unfit("is not a path below publish.to; write one such as atom.xml, of letters, digits, `.`, `_` and `-`")
    if collides(text):
        raise Unfit("is reserved for outputs of the program; write another path")
    return text


def target_path(text: str) -> str:
    """Check the target of an alias and return it unchanged.

    Raises:
        Unfit: the path is not that of an output.
    """
    if not is_output(text):
        raise Unfit("is not an output; write one such as all.atom or category/python.atom")
    return text


def read_aliases(
    pairs: Sequence[Pair[str, str]], formats: frozenset[str], findings: Findings
) -> tuple[tuple[str, str], ...]:
    """Return old addresses with their targets. Addresses that conflict with each other are reported to `findings`."""
    seen: dict[str, str] = {}
    for pair in pairs:
        lower = pair.name.lower()
        for other, written in seen.items():
            if lower == other or lower.startswith(f"{other}/") or other.startswith(f"{lower}/"):
                what = f"{quoted(pair.name)} conflicts with {quoted(written)}; write another path"
                findings.problem_at(pair.key, what)
        seen[lower] = pair.name
        needed = format_of(pair.value)
        if needed is not None and needed not in formats:
            findings.problem_at(pair.node, f"{pair.value} is not published; add {needed} to formats, or write another")
    return tuple((pair.name, pair.value) for pair in pairs)


def read_static(
    folder: Path, place: Node, taken_paths: Sequence[str], private: Sequence[Path], findings: Findings
) -> None:
    """Check the folder that is copied unchanged (`publish.static`).

    Args:
        folder: absolute path of the folder.
        place: position of its name in feeds.yaml.
        taken_paths: of `publish.aliases` and `alarms.feed`, which its files must not have.
        private: feeds.yaml, the store and publish.to, none of which may be in the folder.
        findings: collects problems and warnings.
    """
    if not folder.is_dir():
        findings.warn(place, f"the folder {quoted(folder.name)} does not exist; create it, or remove static")
        return
    real = folder.resolve()
    for path in private:
        if path.resolve().is_relative_to(real):
            what = f"{quoted(path.name)} is in this folder and would be published; write another folder"
            findings.problem_at(place, what)
            return
    if any(real.is_relative_to(path.resolve()) for path in private):
        findings.problem_at(place, "this folder is inside publish.to; write a folder outside of it")
        return
    taken = {path.lower() for path in taken_paths}
    folders = {inside for alias in taken for inside in _folders(alias)}
    bad = []
    for file in files_below(folder):
        lower = file.lower()
        if collides(file) or lower in taken | folders or not taken.isdisjoint(_folders(lower)):
            bad.append(file)
    if bad:
        named = ", ".join(bad[:MAX_NAMED]) + (f" and {len(bad) - MAX_NAMED} more" if len(bad) > MAX_NAMED else "")
        findings.problem_at(place, f"outputs or aliases may have the same paths as {named}; rename these files")


def _folders(path: str) -> list[str]:
    """Return every parent folder of a path."""
    parts = path.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts))]


def files_below(folder: Path, inside: str = "", depth: int = MAX_DEPTH) -> Iterator[str]:
    """Yield the paths of everything below a folder that is not a folder, sorted by name within each folder.

    Hidden names are left out, except those that web servers look for (`HIDDEN`). Symbolic links are not followed. A
    folder that can't be read is skipped.
    """
    try:
        with os.scandir(folder) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return
    for entry in listed:
        if entry.name.startswith(".") and entry.name not in HIDDEN:
            continue
        path = inside + entry.name
        if entry.is_dir(follow_symlinks=False):
            if depth > 1:
                yield from files_below(folder / entry.name, f"{path}/", depth - 1)
        else:
            yield path
