"""No stage imports a later one, and each library has one home (STYLE, section 1)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import aggregator

ROOT = Path(aggregator.__file__).parent
ORDER = (
    "clock text urls extras rights errors model config fetch parse clean identify reader rules render secrecy "
    "cadence decide store publish search poll app dry_run restore websub service serve distributed cli __init__ "
    "__main__"
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
    "trafilatura": {"parse"},
    "apscheduler": {"service", "cadence"},
    "procrastinate": {"distributed"},
    "rensa": {"identify"},
    "jmespath": {"config", "parse"},
    "selectolax": {"config", "parse", "clean"},
    "lxml": {"config", "parse", "clean", "publish", "render", "restore"},
}
MODULES = sorted(p.relative_to(ROOT) for p in ROOT.rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """Give the dotted names that a module imports, those under TYPE_CHECKING and in functions included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{name.name}" for name in node.names)


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_imports_point_backwards(module: Path) -> None:
    layer = module.parts[0].removesuffix(".py")
    assert layer in ORDER, f"{layer} has no place in the order"
    for name in imported(ROOT / module):
        top, *rest = name.split(".")
        if top == "aggregator" and rest and rest[0] in ORDER:
            assert ORDER.index(rest[0]) <= ORDER.index(layer), f"{layer} imports {name}"
        assert layer in HOMES.get(top, {layer}), f"{top} is hidden inside {HOMES[top]}"
