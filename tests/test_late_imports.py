"""Quiet runs import no more than they use: the table of late imports, and what each kind of run may load."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import aggregator
from aggregator.late import late
from tests.feed_server import FeedServer
from tests.patience import PATIENCE
from tests.sample_site import LOOPBACK, item, rss

ROOT = Path(aggregator.__file__).parent

# Modules that are imported at first use (`aggregator/late.py`), by the module that names them. A new line needs a run
# that is spared the import, and a measured gain.
LATE = {
    "app": "aggregator.poll.poller aggregator.publish.posts.post aggregator.render.search_page",
    "cli.add": "aggregator.dry_run.advice aggregator.dry_run.discovery aggregator.dry_run.probe",
    "cli.open": "aggregator.app aggregator.in_force aggregator.publish.destination aggregator.render.theme "
    "aggregator.restore.lost_state aggregator.store.database",
    "cli.poll": "aggregator.notify.messages aggregator.poll.corrections aggregator.poll.details "
    "aggregator.poll.dispatcher aggregator.poll.due_queue",
    "decide.article": "aggregator.identify.tokens",
    "decide.changed_ids": "aggregator.identify.similarity",
    "decide.losses": "aggregator.identify.keys aggregator.rules.rewriting",
    "decide.poll": "aggregator.decide.document",
    "dry_run.plan": "aggregator.decide.rules_again",
    "identify.matching": "aggregator.identify.similarity aggregator.identify.telling",
    "poll.pipeline": "aggregator.identify.keys aggregator.poll.corrections aggregator.poll.details "
    "aggregator.poll.hooks aggregator.poll.pagination aggregator.rules.rewriting",
    "poll.poller": "aggregator.reader.pool",
    "publish.aliases": "aggregator.publish.alarm_feed",
    "publish.formats": "aggregator.render.fields aggregator.render.renderer",
    "publish.publisher": "aggregator.publish.adopt aggregator.publish.posts.export aggregator.render.status_json "
    "aggregator.render.status_page",
    "publish.river": "aggregator.render.river",
    "publish.site": "aggregator.render.fields aggregator.render.html_pages aggregator.render.opml "
    "aggregator.render.source_pages",
    "publish.site_files": "aggregator.clean.text aggregator.render.fields aggregator.render.html_pages",
    "publish.source_pages": "aggregator.render.source_pages",
    "publish.story_pages": "aggregator.render.fields aggregator.render.html_pages",
    "render.status_json": "aggregator.render.fields",
    "render.theme": "aggregator.render.compiled_templates aggregator.render.sandbox aggregator.render.theme_check "
    "jinja2",
    "render.visibility": "aggregator.clean.text aggregator.clean.titles aggregator.render.html_fragments "
    "aggregator.render.redaction",
    "service.store_jobs": "aggregator.notify.messages",
    "store.alarms": "aggregator.cadence.silence",
    "store.documents": "aggregator.decide.publications",
    "store.entry_rows": "aggregator.identify.keys aggregator.identify.matching",
    "store.known": "aggregator.identify.minhash",
    "store.queries": "aggregator.clean.text",
    "store.transaction": "aggregator.store.channels aggregator.store.documents aggregator.store.known "
    "aggregator.store.restoring aggregator.store.search aggregator.store.source_categories aggregator.store.status "
    "aggregator.store.stored_entries aggregator.store.taking_in aggregator.store.why",
}

PARSERS = "aggregator.parse aggregator.identify.keys aggregator.decide.document feedparser lxml"
CLEANER = "aggregator.clean nh3"
RENDERERS = (
    "aggregator.render.atom aggregator.render.rss aggregator.render.jsonfeed aggregator.render.html_pages "
    "aggregator.render.fields feedgen jinja2"
)
NETWORK = "aggregator.fetch aggregator.poll.dispatcher requests urllib3"
NEVER = "alembic sqlalchemy.dialects.postgresql apscheduler waitress granian trafilatura xpinyin procrastinate"


LOADED = """
import sys
from aggregator.cli.main import main
code = main(sys.argv[1:], {})
print(*sys.modules, sep="\\n", file=sys.stderr)
sys.exit(code)
"""

# What a run must not import, by its arguments: modules with what is below them, and libraries.
SPARED = {
    "poll": f"{NEVER} {PARSERS} {CLEANER} {RENDERERS} {NETWORK}",  # nothing is due
    "poll --all": f"{NEVER} {PARSERS} {CLEANER} {RENDERERS}",  # the answer is a 304
    "check": f"{NEVER} {PARSERS} {CLEANER} {RENDERERS} {NETWORK}",
    "status": f"{NEVER} {PARSERS} {CLEANER} {RENDERERS} {NETWORK}",
    # Its sentences quote texts without markup.
    "why a": f"{NEVER} aggregator.parse aggregator.clean.feed feedparser lxml {RENDERERS} {NETWORK}",
}


def test_the_table_names_every_late_import() -> None:
    found: dict[str, str] = {}
    for path in sorted(ROOT.rglob("*.py")):
        calls = [
            node.args[0].value
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "late"
            if isinstance(node.args[0], ast.Constant)
        ]
        if calls:
            found[".".join(path.relative_to(ROOT).with_suffix("").parts)] = " ".join(sorted(map(str, calls)))
    assert found == LATE


def test_a_late_module_is_always_as_the_module_is(monkeypatch: pytest.MonkeyPatch) -> None:
    module = late("aggregator.text.slugs")
    assert module.is_slug("a")
    monkeypatch.setattr("aggregator.text.slugs.is_slug", lambda text: False)
    assert not module.is_slug("a")
    with pytest.raises(AttributeError, match="nothing"):
        module.nothing  # noqa: B018


def loaded(folder: Path, *arguments: str) -> set[str]:
    """Run a command in a process of its own, and return the modules that it has loaded."""
    command = [sys.executable, "-c", LOADED, "-q", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.splitlines())


@pytest.mark.slow
def test_runs_import_only_what_they_use(tmp_path: Path, publisher: FeedServer) -> None:
    url = publisher.serve("/a", rss(item(1)))
    (tmp_path / "feeds.yaml").write_text(
        f"{LOOPBACK}sources: [{{key: a, url: '{url}', dedupe: exact}}]\n", encoding="utf-8"
    )
    news = loaded(tmp_path, "poll")
    assert {"feedparser", "nh3", "feedgen", "jinja2"} <= news
    assert "aggregator.identify.tokens" not in news  # `exact` compares no words
    found = {arguments: loaded(tmp_path, *arguments.split()) for arguments in SPARED}
    assert len(publisher.asked) == 2
    for arguments, names in found.items():
        spared = tuple(f"{one}." for one in SPARED[arguments].split())
        assert not sorted(name for name in names if f"{name}.".startswith(spared)), arguments


# Arguments that are wrong, with the beginning of what is said of them on stderr.
REFUSED = {
    "poll --for soon": "--for soon: not a duration",
    "poll none": "no source none",
    "check a": "KEY is for",
    "check --live none": "no source none",
    "status none": "no source none",
    "preview none": "no source none",
    "pause none": "no source none",
    "remove none": "no source none",
    "move none x": "no source none",
    "rename none x": "no source none",
    "replay": "name a folder",
    "replay --stored none": "no source none",
    "why none": "nothing is called none. Looked up:",
    "why https://none.example/x": "nothing is called https://none.example/x.",
    "merge none other": "nothing in the store is called none:",
    "unmerge none": "nothing in the store is called none:",
    "retract 99": "nothing in the store is called 99:",
    "forget none": "nothing in the store is called none:",
    "accept none": "no source none",
    "plan none.yaml": "",
    "backup none/x": "there is no folder none",
    "restore none": "none: there is no such file",
    "replay none": "none is not a folder",
    "restore": "write the file of a backup",
    "fix --yes": "--yes is for",
    "add ::": "::: it is not the address of a source",
    "import none": "none can't be read",
    "move-store ftp://x": "TO ",
}


@pytest.mark.slow
def test_what_is_refused_imports_no_library_that_takes_long(tmp_path: Path, publisher: FeedServer) -> None:
    url = publisher.serve("/a", rss(item(1)))
    (tmp_path / "feeds.yaml").write_text(f"{LOOPBACK}sources: [{{key: a, url: '{url}'}}]\n", encoding="utf-8")
    loaded(tmp_path, "poll")
    for arguments, said in REFUSED.items():
        command = [sys.executable, "-c", LOADED, "-q", *arguments.split()]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=PATIENCE)
        assert done.returncode in (1, 2, 3), arguments
        message, *modules = done.stderr.splitlines()
        assert message.startswith(f"aggregator: {said}" if said else "none.yaml:1:1: "), arguments
        slow = f"sqlalchemy feedparser {NETWORK} {RENDERERS}"
        found = {name for name in modules if f"{name}.".startswith(tuple(f"{one}." for one in slow.split()))}
        assert not found, arguments
