"""A format that is registered by one row of the table is published, linked to, served and restored like ours."""

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from aggregator.model.formats import FORMATS
from aggregator.render.renderer import renderer_of

PROGRAM = """
import json, sys
from aggregator.model.formats import FORMATS, Format

FORMATS["lines"] = Format(name="lines", label="Lines", media_type="text/plain", module="tests.publish.text_format")

from pathlib import Path
from aggregator.errors import StateLost
from aggregator.publish.folder import Folder
from aggregator.render.media_types import media_of
from aggregator.restore.lost_state import refuse_lost
from aggregator.serve.names import is_document, name_of
from tests.fake_source import FakeSource, said
from tests.sample_site import SampleSite

site = SampleSite(Path(sys.argv[1]))
site.writes('''publish: {formats: [html, lines], entries: 10, archive_page: 10}
sources: [{key: a, url: "https://a.example/", category: a, paused: true}]
''')
with site.opened() as app:
    FakeSource(app).says("a", *(said(number) for number in range(30)))
    app.publisher.publish()
    public, settings = site.folder / "public", app.in_force.settings
    facts = {
        "files": sorted(str(path.relative_to(public)) for path in public.rglob("*.lines")),
        "lines": site.published("category/a.lines").decode().splitlines(),
        "index": site.published("index.html").decode(),
        "page": site.published("category/a.html").decode(),
        "opml": site.published("opml.xml").decode(),
        "types": [media_of(name)[0] for name in ("category/a.lines", "all.lines", "gone.txt")],
        "roles": [media_of(name)[1].value for name in ("category/a.lines", "gone.txt")],
        "served": name_of("/category/a.lines"),
        "document": is_document("/category/a.lines"),
    }
for path in public.rglob("*"):
    if path.is_file() and path.suffix != ".lines":
        path.unlink()
try:
    refuse_lost(Folder(public), settings)
except StateLost as error:
    facts["lost"] = str(error)
print(json.dumps(facts))
"""


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """Publish a site with a format of our own in a process of its own, since modules read the table when imported."""
    command = [sys.executable, "-c", PROGRAM, str(tmp_path_factory.mktemp("site"))]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=Path(__file__).parents[2])
    assert ran.returncode == 0, ran.stderr
    found: dict[str, object] = json.loads(ran.stdout)
    return found


def test_its_files_are_published(facts: dict[str, object]) -> None:
    assert facts["files"] == [
        "all.lines",
        "category/a.lines",
        "category/a/archive/1.lines",
        "category/a/archive/2.lines",
    ]
    lines = facts["lines"]
    assert isinstance(lines, list)
    assert lines[0] == "generator=aggregator"
    assert len(lines) == 12
    assert "\tTitle 0\t" in lines[2]


def test_pages_and_lists_link_to_it(facts: dict[str, object]) -> None:
    assert 'type="text/plain" title="Planet (Lines)" href="http://127.0.0.1:8080/all.lines"' in str(facts["index"])
    assert 'href="http://127.0.0.1:8080/category/a.lines"' in str(facts["page"])
    assert 'xmlUrl="http://127.0.0.1:8080/category/a.lines"' in str(facts["opml"])


def test_it_is_served_as_a_feed(facts: dict[str, object]) -> None:
    assert facts["types"] == ["text/plain; charset=utf-8"] * 3
    assert facts["roles"] == ["feed", "other"]
    assert facts["served"] == "category/a.lines"
    assert facts["document"]


def test_a_lost_state_is_noticed_by_it(facts: dict[str, object]) -> None:
    assert "category/a.lines" in str(facts["lost"])


def test_each_format_names_a_module_with_a_renderer() -> None:
    for one in FORMATS.values():
        assert renderer_of(one) is import_module(one.module).RENDERER
        assert (renderer_of(one).verify is not None) == one.is_feed, "what feed readers get is read back (A35)"
