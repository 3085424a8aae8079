"""Runs cases of a seed one after the other; reduces and keeps each new finding."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

from tests.fuzz.cases import Case
from tests.fuzz.mutations import ENCODINGS, spoil
from tests.fuzz.reducer import reduced
from tests.fuzz.sandbox_runner import SandboxRunner
from tests.fuzz.verdict import Finding

TYPES = (
    None,
    None,
    "application/xml",
    "text/xml; charset=us-ascii",
    "application/rss+xml; charset=gb2312",
    "text/html; charset=windows-1252",
    "application/feed+json",
    "text/plain; charset=utf-16",
    'application/xml; charset="',
)
ZONES = ("UTC", "Asia/Shanghai", "America/St_Johns", "Pacific/Apia")


def case_of(number: int, seed: int, seeds: Sequence[bytes]) -> Case:
    """Return case `number` of a seed: always the same one, independent of the cases before."""
    chance = Random(f"{seed} {number}")
    body = spoil(chance, chance.choice(seeds), chance.choice(seeds))
    encoding = chance.choice(ENCODINGS) if chance.random() < 0.05 else None
    return Case(body=body, content_type=chance.choice(TYPES), encoding=encoding, timezone=chance.choice(ZONES))


@dataclass
class Hunt:
    """Findings of a hunt so far.

    Args:
        seeds: documents to begin with.
        seed: which cases.
        kept: the folder for what was found; None: nowhere.
    """

    seeds: Sequence[bytes]
    seed: int
    kept: Path | None = None
    cases: int = 0
    found: dict[str, int] = field(default_factory=dict)  # signature to number of occurrences
    smallest: dict[str, tuple[Case, Finding]] = field(default_factory=dict)

    def run(self, goes_on: Callable[[], bool], say: Callable[[str], None]) -> None:
        """Run cases as long as `goes_on` returns True."""
        with SandboxRunner() as sandbox_runner:
            while goes_on():
                case = case_of(self.cases, self.seed, self.seeds)
                self.cases += 1
                finding = sandbox_runner.judge(case)
                if finding is None:
                    continue
                self.found[finding.signature] = self.found.get(finding.signature, 0) + 1
                if finding.signature not in self.smallest:
                    small = self._reduced(case, finding, sandbox_runner)
                    self.smallest[finding.signature] = (small, finding)
                    self._keep(small, finding)
                    say(f"case {self.cases - 1}: {finding.signature}: {len(case.body)} to {len(small.body)} bytes")

    def _reduced(self, case: Case, finding: Finding, sandbox_runner: SandboxRunner) -> Case:
        def shows(body: bytes) -> bool:
            again = sandbox_runner.judge(replace(case, body=body))
            return again is not None and again.signature == finding.signature

        tries = 40 if finding.signature in ("hang", "slow") else 1500
        return replace(case, body=reduced(case.body, shows, tries=tries))

    def _keep(self, case: Case, finding: Finding) -> None:
        if self.kept is None:
            return
        self.kept.mkdir(parents=True, exist_ok=True)
        name = hashlib.sha256(finding.signature.encode()).hexdigest()[:12]
        (self.kept / f"{name}.body").write_bytes(case.body)
        about = f"{finding.signature}\ntype: {case.content_type}\nencoding: {case.encoding}\nzone: {case.timezone}\n\n"
        (self.kept / f"{name}.txt").write_text(about + finding.detail, encoding="utf-8", errors="backslashreplace")
