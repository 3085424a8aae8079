"""Reads what feeds.yaml says of the operator's own programs: commands that are sources, and hooks."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from aggregator.config.addresses import program_path
from aggregator.config.compounds import Pair
from aggregator.config.document import Scalar
from aggregator.config.findings import Findings, Unfit, quoted
from aggregator.config.keys import HookKeys
from aggregator.config.source_keys import SourceKeys
from aggregator.config.tables import Key, Values
from aggregator.model.settings import Program, Secret

MAX_SECONDS = timedelta(minutes=1)  # of all hooks of a source together: a poll has a worker for itself


def command_of(values: Values, timeout: timedelta, root: Path, findings: Findings) -> Program | None:
    """Return the program of a `kind: command`; None if its path can't be used, which is reported where it is read."""
    return _program(values, SourceKeys.url, (SourceKeys.arguments, SourceKeys.environment), timeout, root, findings)


def hooks_of(hooks: Sequence[Values], root: Path, findings: Findings) -> tuple[Program, ...]:
    """Return the hooks of a source; one whose path can't be used is reported and left out."""
    made: list[Program] = []
    for values in hooks:
        others = HookKeys.arguments, HookKeys.environment
        program = _program(values, HookKeys.run, others, values[HookKeys.timeout], root, findings)
        if program is not None:
            made.append(replace(program, holds=values[HookKeys.on_error]))
    together = sum((hook.timeout for hook in made), timedelta(0))
    if together > MAX_SECONDS:
        what = f"the hooks of a source may take {together.total_seconds():g} s together"
        findings.problem_at(hooks[-1].node, f"{what}; write timeouts of at most 60s in all")
    return tuple(made)


def _program(
    values: Values,
    run: Key[str | None],
    others: tuple[Key[tuple[str, ...]], Key[tuple[Pair[str, str], ...]]],
    timeout: timedelta,
    root: Path,
    findings: Findings,
) -> Program | None:
    text, (arguments, environment) = values[run], others
    if text is None:
        return None
    place = values.place(run)
    name = place.raw if isinstance(place, Scalar) else text
    try:
        path = program_path(text, root)
    except Unfit as unfit:
        findings.problem_at(place, f"{quoted(name)} {unfit}")
        return None
    return Program(
        path=path,
        name=name,
        folder=root,
        arguments=tuple(map(Secret, values[arguments])),
        environment=tuple((pair.name, Secret(pair.value)) for pair in values[environment]),
        timeout=timeout,
        line=place.line,
    )
