"""No body costs more than its size allows, in any format (S14, S15, I10, I15)."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.answers import atom, rss

ROOT = Path(__file__).parents[2]
# Reads a file in a separate process, because peak memory is measured per process.
READER = """
import sys, time
from pathlib import Path
from tests.answers import cleaned
from aggregator.errors import ParseError
body = Path(sys.argv[1]).read_bytes()
start = time.process_time()
try:
    entries = len(cleaned(body).entries)
except ParseError as error:
    entries = type(error).__name__
# Not ru_maxrss: across exec it keeps what the process had that started this one.
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(time.process_time() - start, int(peak.split()[1]) / 1024, entries)
"""
VERSION = "https://jsonfeed.org/version/1"
MEGABYTE = 1 << 20
DEEP = 100_000
MANY = "".join(f"<item><title>t{n}</title><guid>g{n}</guid></item>" for n in range(20_000))
BOMB = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))


@pytest.mark.slow
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(rss("<a>" * DEEP), id="deep-rss"),
        pytest.param(atom("<entry><content type='xhtml'>" + "<div>" * DEEP), id="deep-atom"),
        pytest.param("<rdf:RDF>" * DEEP, id="deep-rdf"),
        pytest.param('{"version": "https://jsonfeed.org/version/1.1", "items": ' + "[" * DEEP, id="deep-json"),
        pytest.param("[" * DEEP + "]" * DEEP, id="deep-list"),
        pytest.param(rss(f"<item><title>{'&lt;b&gt;' * DEEP}</title></item>"), id="deep-html"),
        pytest.param(rss(f"<item><enclosure url='http://x.example/{'a' * MEGABYTE}'/></item>"), id="long-attribute"),
        pytest.param(rss("x", namespaces=" ".join(f'xmlns:n{n}="u:{n}"' for n in range(DEEP))), id="namespaces"),
        pytest.param(rss("".join(f"<n{n}:x/>" for n in range(DEEP))), id="undeclared-prefixes"),
        pytest.param(rss("".join(f'<x xmlns="u:{n}"/>' for n in range(DEEP))), id="namespace-after-namespace"),
        pytest.param(rss(MANY), id="entries"),
        pytest.param(json.dumps({"version": VERSION, "items": [{"id": n} for n in range(50_000)]}), id="json-entries"),
        pytest.param(f'<!DOCTYPE r [<!ENTITY l0 "lol">{BOMB}]>' + rss("<item><title>&l11;</title></item>"), id="bomb"),
        pytest.param(rss("<item>" * DEEP), id="items-in-items"),
        pytest.param("<html>" + "<link rel=alternate type=application/rss+xml href=/x>" * DEEP, id="links"),
        pytest.param(rss(f"<item><description>{'x' * 10 * MEGABYTE}</description></item>"), id="long-text"),
    ],
)  # fmt: skip
def test_s15_no_body_takes_ten_seconds_or_300_mb(body: str, tmp_path: Path) -> None:
    (tmp_path / "body").write_text(body, encoding="utf-8")
    command = [sys.executable, "-c", READER, str(tmp_path / "body")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)
    seconds, megabytes, entries = done.stdout.split()
    assert float(seconds) < 10
    assert float(megabytes) < 300
    assert not entries.isdigit() or int(entries) <= 5000
