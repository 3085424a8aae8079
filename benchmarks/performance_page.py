"""docs/performance.md: tables and plots of what `benchmarks.performance` found."""

import os
import platform
import shlex
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from importlib.metadata import version
from pathlib import Path

SCENARIOS = ("COLD", "IDLE", "TICK", "NOCHANGE")
LIBRARIES = ("feedparser", "lxml", "nh3", "requests", "sqlalchemy")
LEFT, SCALE, LINE = 190, 420, 22  # pixels of a plot: before the bars, the longest bar, a line


@dataclass(frozen=True)
class Row:
    """A workload with its limits.

    Attributes:
        values: of each round; empty: not measured.
    """

    name: str
    values: Sequence[float]
    accept: float
    goal: float

    @property
    def falls_short(self) -> bool:
        """True if it was measured, and its median is over the limit."""
        return bool(self.values) and statistics.median(self.values) > self.accept

    @property
    def verdict(self) -> str:
        """What is reached."""
        if not self.values:
            return "not measured"
        return (
            "falls short" if self.falls_short else "goal" if statistics.median(self.values) <= self.goal else "accepted"
        )


def number(value: float) -> str:
    """Write a number with three digits that count."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def table(rows: Sequence[Row]) -> str:
    """Write the workloads with median, spread and limits."""
    lines = ["| workload | median | rounds | accept | goal | reached |", "| --- | ---: | --- | ---: | ---: | --- |"]
    for row in rows:
        median = number(statistics.median(row.values)) if row.values else "–"
        each = ", ".join(map(number, row.values))
        lines.append(f"| {row.name} | {median} | {each} | {row.accept:g} | {row.goal:g} | {row.verdict} |")
    return "\n".join(lines)


def bars(title: str, values: Sequence[tuple[str, float]]) -> str:
    """Draw horizontal bars as SVG."""
    most = max((value for _, value in values), default=1.0) or 1.0
    lines = []
    for place, (name, value) in enumerate(values):
        y, width = (place + 2) * LINE, max(0.0, value) / most * SCALE
        lines.append(f'<text x="{LEFT - 8}" y="{y}" text-anchor="end">{escape(name)}</text>')
        lines.append(f'<rect x="{LEFT}" y="{y - 13}" width="{width:.0f}" height="16" fill="#4477aa"/>')
        lines.append(f'<text x="{LEFT + width + 6:.0f}" y="{y}">{number(value)}</text>')
    width, height = LEFT + SCALE + 70, (len(values) + 2) * LINE
    style = f'width="{width}" height="{height}" font-family="sans-serif" font-size="13"'
    drawn = "\n".join(lines)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {style}>\n<rect width="100%" height="100%" fill="white"/>\n'
        f'<text x="8" y="18" font-weight="bold">{escape(title)}</text>\n{drawn}\n</svg>\n'
    )


def page(
    path: Path,
    rows: Sequence[Row],
    values: Mapping[str, Sequence[float]],
    stages: Mapping[str, Mapping[str, float]],
    *,
    feeds: int,
    rounds: int,
) -> None:
    """Write the page, and its plots into a folder of its name.

    `values` are CPU ms of a source by workload and who did it, such as `TICK bare`; `stages` are by scenario and stage.
    """
    plots = path.with_suffix("")
    plots.mkdir(exist_ok=True)
    parts = [_head(feeds, rounds), table(rows), _costs(values)]
    for scenario in ("COLD", "TICK"):
        sides = [(who, values.get(f"{scenario} {who}")) for who in ("bare", "reader", "ours", "near", "serve")]
        shown = [(who, statistics.median(found)) for who, found in sides if found]
        name = f"{scenario.lower()}.svg"
        (plots / name).write_text(bars(f"{scenario}: CPU ms a source", shown), encoding="utf-8")
        parts.append(f"![{scenario}: CPU of a source]({plots.name}/{name})")
    parts.append(_stages(stages))
    shown = sorted(stages["TICK"].items(), key=lambda item: -item[1])[:14]
    (plots / "stages.svg").write_text(bars("TICK by stage: CPU ms a source", shown), encoding="utf-8")
    parts.append(f"![TICK by stage]({plots.name}/stages.svg)")
    path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def _head(feeds: int, rounds: int) -> str:
    program = shlex.join(["python", "-m", "benchmarks.performance", *_arguments()])
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return f"""# Performance

What polling costs, measured by one command on {datetime.now(UTC):%Y-%m-%d}; don't edit this page.

```
{program}
```

- {feeds} feeds of 97 kB and 21 entries on average (RSS 2.0, podcast, Atom, RDF; English, Chinese; three charsets;
  `benchmarks/feeds.py`), in ten categories of four formats, `dedupe: exact`, no entry pages; rounds: {rounds}.
- COLD is a first poll, IDLE one of 304s, TICK one with a new entry in each feed, NOCHANGE one of equal bodies without
  validators.
- Figures are CPU, start-up taken off, as ratios to others in the same round: *bare* asks by `requests` and makes a
  digest of each body; [*reader*](https://reader.readthedocs.io/) is a library that stores entries and publishes
  nothing.
- Python {platform.python_version()}, {libraries};
  {platform.machine()}, {os.cpu_count()} cores, load {load}.
- On a machine that others use, too, CPU of the same run differs by 20 %: compare ratios, not milliseconds of two dates.

## Limits

A row is *accepted* at the first limit; the second is the goal."""


def _arguments() -> list[str]:
    """Return the arguments of this run, without the path of a Python of this machine."""
    given = sys.argv[1:]
    return ["PYTHON" if before == "--reader" else now for before, now in zip(["", *given], given, strict=False)]


def _costs(values: Mapping[str, Sequence[float]]) -> str:
    lines = ["## CPU of a source, ms", "| | COLD | IDLE | TICK | NOCHANGE |", "| --- | ---: | ---: | ---: | ---: |"]
    for who, told in (
        ("bare", "bare"),
        ("reader", "`reader`"),
        ("ours", "ours, `dedupe: exact`"),
        ("near", "ours, `dedupe: near`"),
        ("serve", "ours, under `serve`"),
    ):
        found = [values.get(f"{scenario} {who}") for scenario in SCENARIOS]
        cells = " | ".join(number(statistics.median(each)) if each else "" for each in found)
        lines.append(f"| {told} | {cells} |")
    return lines[0] + "\n\n" + "\n".join(lines[1:])


def _stages(stages: Mapping[str, Mapping[str, float]]) -> str:
    names = sorted({name for found in stages.values() for name in found}, key=lambda name: -stages["TICK"].get(name, 0))
    lines = []
    for name in names:
        found = [stages[scenario].get(name, 0.0) for scenario in SCENARIOS]
        if max(found) >= 0.05:
            lines.append(f"| {name} | {' | '.join(map(number, found))} |")
    totals = " | ".join(number(sum(stages[scenario].values())) for scenario in SCENARIOS)
    rows = "\n".join(lines)
    return f"""## Where the time goes

CPU ms of a source in one run of each scenario, start-up included, by the folder of `aggregator` whose code is
innermost; what libraries take is counted where they are called (`benchmarks/stages.py`; sampling adds some percent).

| stage | COLD | IDLE | TICK | NOCHANGE |
| --- | ---: | ---: | ---: | ---: |
{rows}
| whole run | {totals} |"""
