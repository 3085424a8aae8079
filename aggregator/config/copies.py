"""What the operator puts beside our outputs: `publish.aliases` and `publish.static` (DESIGN 3.1; S51).

What would stand where an output of ours does is refused here, with its line, as far as it can be known: the files of
`static` are those that lie there now; what joins them later is passed over when it is published.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from aggregator.config.compounds import Pair
from aggregator.config.document import Node
from aggregator.config.findings import Findings, Unfit, quoted
from aggregator.model.output_paths import HIDDEN, MAX_DEPTH, collides, format_of, is_output, is_path

MAX_NAMED = 3  # that one message names


def alias_path(text: str) -> str:
    """Check an old address.

    Raises:
        Unfit: no file may stand there, or one of ours may.
    """
    if text.startswith("/"):
        raise Unfit(f"begins with a slash; write {text.lstrip('/') or 'atom.xml'}")
    if not is_path(text):
        raise Unfit("is no path below publish.to; write one such as atom.xml, of letters, digits, `.`, `_` and `-`")
    if collides(text):
        raise Unfit("is where an output of ours may stand; write another path")
    return text


def target_path(text: str) -> str:
    """Check what an old address leads to now.

    Raises:
        Unfit: it is no output.
    """
    if not is_output(text):
        raise Unfit("is no output; write one such as all.atom or category/python.atom")
    return text


def read_aliases(
    pairs: Sequence[Pair[str, str]], formats: frozenset[str], found: Findings
) -> tuple[tuple[str, str], ...]:
    """Give the old addresses with their targets; those that stand in each other's way are noted."""
    seen: dict[str, str] = {}
    for pair in pairs:
        lower = pair.name.lower()
        for other, written in seen.items():
            if lower == other or lower.startswith(f"{other}/") or other.startswith(f"{lower}/"):
                what = f"{quoted(pair.name)} can't stand beside {quoted(written)}; write another path"
                found.problem_at(pair.key, what)
        seen[lower] = pair.name
        needed = format_of(pair.value)
        if needed is not None and needed not in formats:
            found.problem_at(pair.node, f"{pair.value} is not published; add {needed} to formats, or write another")
    return tuple((pair.name, pair.value) for pair in pairs)


def read_static(
    folder: Path, place: Node, aliases: Sequence[tuple[str, str]], private: Sequence[Path], found: Findings
) -> None:
    """Look at the folder that is copied as it is.

    Args:
        folder: absolute.
        place: where feeds.yaml names it.
        aliases: that stand beside its files.
        private: feeds.yaml, the store and publish.to, none of which may lie in it.
        found: takes what is wrong.
    """
    if not folder.is_dir():
        found.warn(place, f"there is no folder {quoted(folder.name)}, so nothing is copied; make it, or remove static")
        return
    real = folder.resolve()
    for path in private:
        if path.resolve().is_relative_to(real):
            what = f"{quoted(path.name)} lies in this folder and would be published; write a folder of its own"
            found.problem_at(place, what)
            return
    if any(real.is_relative_to(path.resolve()) for path in private):
        found.problem_at(place, "this folder lies in publish.to; write one outside")
        return
    taken = {alias.lower() for alias, _ in aliases}
    folders = {inside for alias in taken for inside in _folders(alias)}
    bad = []
    for file in files_below(folder):
        lower = file.lower()
        if collides(file) or lower in taken | folders or not taken.isdisjoint(_folders(lower)):
            bad.append(file)
    if bad:
        named = ", ".join(bad[:MAX_NAMED]) + (f" and {len(bad) - MAX_NAMED} more" if len(bad) > MAX_NAMED else "")
        found.problem_at(place, f"outputs or aliases may stand where {named} would; give them other names")


def _folders(path: str) -> list[str]:
    """Give every folder on the way to a file."""
    parts = path.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts))]


def files_below(folder: Path, inside: str = "", depth: int = MAX_DEPTH) -> Iterator[str]:
    """Give the paths of a folder's files, in order, whatever they are; hidden ones only if a web server looks for them.

    No symbolic link is followed; nothing is raised for what can't be read.
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
