"""`aggregator check`: what is wrong with feeds.yaml, without touching network or store (R56)."""

import argparse
import json
import logging
import re
import sys
from collections.abc import Mapping

from aggregator.config import load_config
from aggregator.errors import ConfigError

LEVEL = logging.WARNING


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Say everything that is wrong; exit 2 if anything is."""
    try:
        settings = load_config(options.config, environ)
    except ConfigError as error:
        if options.json:
            problems = [{"file": p.file, "line": p.line, "column": p.column, "problem": p.what} for p in error.problems]
            print(json.dumps({"version": 1, "ok": False, "problems": problems, "warnings": []}, ensure_ascii=False))
            return 2
        raise
    warnings = sorted((*settings.warnings, *settings.notes), key=_place)
    if settings.site.contact is None:
        warnings.append(
            f"{options.config}: no site.contact; write an address that a host may turn to, it goes into the User-Agent"
        )
    if options.json:
        print(json.dumps({"version": 1, "ok": True, "problems": [], "warnings": warnings}, ensure_ascii=False))
        return 0
    for warning in warnings:
        print(warning, file=sys.stderr)
    polled = sum(not source.paused for source in settings.sources)
    print(f"{options.config}: good. {polled} sources to poll, {len(settings.categories)} categories.")
    return 0


def _place(said: str) -> tuple[int, int]:
    """Give line and column of `file:line:column: text`, for sorting."""
    match = re.search(r":(\d+):(\d+): ", said)
    return (int(match[1]), int(match[2])) if match else (0, 0)
