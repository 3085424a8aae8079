"""No stage imports a later one, each library has one home, pure stages stay pure, and a poll passes few modules."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.house import LIMITS, measures, sources

ORDER = (
    "late clock text urls extras rights container errors model config programs fetch parse clean identify reader rules "
    "render secrecy cadence decide store in_force publish search poll app dry_run restore websub notify service serve "
    "distributed cli library __init__ __main__"
).split()
HOMES = {
    "requests": {"fetch"},
    "urllib3": {"fetch"},
    "feedparser": {"parse"},
    "chardetng_py": {"parse"},
    "nh3": {"clean"},
    "sqlalchemy": {"store"},
    "alembic": {"store"},
    "feedgen": {"render"},
    "jinja2": {"publish", "render"},
    "yaml": {"config", "publish"},
    "ruamel": {"config"},
    "can_ada": {"urls"},
    "publicsuffixlist": {"urls"},
    "xpinyin": {"text"},
    "anyascii": {"text"},
    "re2": {"config", "rules"},
    "waitress": {"serve"},
    "prometheus_client": {"serve"},
    "granian": {"serve"},
    "obstore": {"publish"},
    "psycopg": {"store"},
    "trafilatura": {"parse"},
    "apprise": {"notify"},
    "apscheduler": {"service", "cadence"},
    "procrastinate": {"distributed"},
    "rensa": {"identify"},
    "jmespath": {"config", "parse"},
    "selectolax": {"config", "parse", "clean"},
    "lxml": {"config", "parse", "clean", "publish", "render", "restore"},
}
TREES = dict(sources())
MODULES = sorted(TREES)


def imported(module: Path) -> Iterator[str]:
    """Return the dotted names that a module imports, those under TYPE_CHECKING and in functions included."""
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{name.name}" for name in node.names)


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_imports_point_backwards(module: Path) -> None:
    layer = module.parts[0].removesuffix(".py")
    assert layer in ORDER, f"{layer} has no place in the order"
    for name in imported(module):
        top, *rest = name.split(".")
        if top == "aggregator" and rest and rest[0] in ORDER:
            assert ORDER.index(rest[0]) <= ORDER.index(layer), f"{layer} imports {name}"
        assert layer in HOMES.get(top, {layer}), f"{top} is hidden inside {HOMES[top]}"


@pytest.mark.parametrize("module", [m for m in MODULES if m.parts[0] in ("fetch", "reader")], ids=str)
def test_fetch_and_reader_know_a_request_and_no_job(module: Path) -> None:
    assert not [name for name in imported(module) if name.startswith("aggregator.model.job")]


PURE = ("identify", "rules", "render", "cadence", "decide")
IMPURE = (
    "aggregator.store",
    "aggregator.fetch",
    "aggregator.clock.utc_now",
    "threading",
    "time",
    "sqlalchemy",
    "requests",
)
ALLOWED = {
    ("identify/budget.py", "time.thread_time"): "default of an argument: the limit holds where a caller names no clock",
    ("render/cache.py", "threading.Lock"): "documents are rendered by several threads, which share the cache",
}


@pytest.mark.parametrize("module", [path for path in MODULES if path.parts[0] in PURE], ids=str)
def test_pure_stages_use_neither_store_nor_network_nor_clock(module: Path) -> None:
    found = {name for name in imported(module) if any(f"{name}.".startswith(f"{one}.") for one in IMPURE)}
    assert not {name for name in found if (module.as_posix(), name) not in ALLOWED}


def test_the_way_of_a_poll_stays_short() -> None:
    found = measures()
    assert not {name: (found[name], limit) for name, limit in LIMITS.items() if found[name] > limit}


STORE_MAY_USE = {
    "backfill": "an edit of feeds.yaml fills categories part by part: 100,000 sources do not fit into one decision",
    "changed_ids": "says which look-ups a document with unknown ids needs",
    "losses": "says which samples a look-up for lost fields needs; whether an alarm is raised",
    "order": "which dates are believed",
    "publications": "`when` of a tombstone; publications after an edit of feeds.yaml (see backfill)",
    "revisions": "says of which entries of a document the texts and the stories are looked up",
    "same_address": "whether two sources share an answer",
    "source_health": "adds addresses to what was observed of a source",
}


def test_the_store_takes_plain_helpers_from_decide() -> None:
    modules = [path for path in MODULES if path.parts[0] == "store"]
    names = {name for path in modules for name in imported(path) if name.startswith("aggregator.decide.")}
    assert {name.split(".")[2] for name in names} == STORE_MAY_USE.keys()
