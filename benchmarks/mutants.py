"""Random mutants of the package, and how many of them the tests of their own folder kill.

`python -m benchmarks.mutants --count 200 --seed 1`

Each mutant changes one place of one module. It is killed if a usual test of `tests/<folder of the module>` fails within
60 seconds of processor time. Each folder's tests run once without a mutant, to see which test executes which lines;
those that execute the statement with the mutant then run, for the others can't notice it. The working tree is never
changed: what the tests need is copied to a temporary folder.

One pytest collects the tests of a folder and forks for each mutant, which replaces the code of one function
(`mutants_plugin`). What this can't replace, such as a constant of a module, and what survives it though it was executed
while modules were imported, is tried anew with a pytest of its own and all tests of the folder.

Modules that need a PostgreSQL server are tried with the tests of their folder that start one (`SERVED`).

Left out, because no test of behaviour could find them: docstrings, log calls, annotations, decorators, assertions,
sentences (texts with a space), arguments without an effect on results (`strict`, `timeout`, sizes of caches ...),
conditions of `TYPE_CHECKING`, and mutants that compile to the same code. Migrations are frozen once released and left
out, too.
"""

import argparse
import ast
import difflib
import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from types import CodeType

ROOT = Path(__file__).resolve().parent.parent
AREAS = ("decide", "identify", "cadence", "store", "render", "fetch/guard.py")
COPIED = (
    "aggregator",
    "tests",
    "benchmarks",
    "samples",
    "docs",
    "pyproject.toml",
    "README.md",
    "CHANGELOG.md",
    "feeds.yaml",
)
BEFORE = "before the first test"
TOGETHER = 20  # mutants of one warm pytest
MARKS = ("-m", "not slow and not service")
SERVED = {"store/postgres.py": "store/test_postgres.py", "store/moving.py": "store/test_moving.py"}
LOG_METHODS = {"debug", "info", "warning", "error", "exception", "critical"}
FLAGS = {
    "strict",
    "maxsize",
    "timeout",
    "stacklevel",
    "slots",
    "frozen",
    "kw_only",
    "repr",
    "daemon",
    "cache_ok",
    "max_bytes",
    "each_bytes",
}
SYMMETRIC = {"min", "max", "isinstance", "issubclass", "zip", "and_", "or_", "union", "gcd"}
COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One changed place of one module."""

    module: Path  # relative to the package
    kind: str
    line: int
    before: str  # source of the module
    after: str

    @property
    def diff(self) -> str:
        """Return the change as a unified diff."""
        name = f"aggregator/{self.module}"
        lines = difflib.unified_diff(self.before.splitlines(True), self.after.splitlines(True), name, name, n=1)
        return "".join(lines)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Result of the tests for one mutant: killed, survived or timeout."""

    mutant: Mutant
    word: str
    seconds: float


Place = tuple[Path, ast.expr | ast.stmt, str, str]  # module, what is replaced, kind, its new source


class Places(ast.NodeVisitor):
    """Collects the changes of one module: node, kind, and the source that replaces the node."""

    def __init__(self) -> None:
        self.found: list[tuple[ast.expr | ast.stmt, str, str]] = []

    def add(self, node: ast.expr | ast.stmt, kind: str, new: ast.AST | str) -> None:
        """Record a change; an expression gets parentheses, so that its surroundings read it as a whole."""
        if isinstance(new, str):
            text = new
        else:
            text = f"({ast.unparse(new)})" if isinstance(new, ast.expr) else ast.unparse(new)
        self.found.append((node, kind, text))

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        for part in (*node.args.defaults, *filter(None, node.args.kw_defaults), *node.body):
            self.visit(part)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        if not any(isinstance(base, ast.Name) and base.id == "Protocol" for base in node.bases):
            for part in node.body:
                self.visit(part)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_Assert(self, node: ast.Assert) -> None:
        """Leave assertions out."""

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """Leave formatted texts out: positions inside of them are not exact before Python 3.12."""

    def visit_Assign(self, node: ast.Assign) -> None:
        names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        if any(name.startswith("__") or name in FLAGS for name in names):
            return
        if all(isinstance(target, ast.Attribute | ast.Subscript) for target in node.targets):
            self.add(node, "statement", "pass")
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.add(node, "statement", "pass")
        if type(node.op) in ARITHMETIC:
            self.add(node, "arithmetic", ast.AugAssign(node.target, ARITHMETIC[type(node.op)](), node.value))
        self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Constant) or is_log(node.value):
            return
        if isinstance(node.value, ast.Call):
            self.add(node, "statement", "pass")
        self.generic_visit(node)

    def visit_Return(self, node: ast.Return) -> None:
        if node.value is None:
            return
        self.add(node, "return", "return None")
        self.visit(node.value)

    def visit_If(self, node: ast.If) -> None:
        if "TYPE_CHECKING" not in ast.unparse(node.test):
            self._condition(node.test)
            self.generic_visit(node)

    def visit_While(self, node: ast.While) -> None:
        self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self._condition(node.test)
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        for test in node.ifs:
            self._condition(test)
        self.generic_visit(node)

    def _condition(self, test: ast.expr) -> None:
        if not isinstance(test, ast.Compare | ast.UnaryOp):  # those have mutants of their own that say the same
            self.add(test, "not", ast.UnaryOp(ast.Not(), test))

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.Not | ast.USub):
            self.add(node, "not" if isinstance(node.op, ast.Not) else "arithmetic", node.operand)
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        self.add(node, "and/or", ast.BoolOp(other, node.values))
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        for number, operator in enumerate(node.ops):
            for other in COMPARISONS[type(operator)]:
                ops = [*node.ops[:number], other(), *node.ops[number + 1 :]]
                self.add(node, "comparison", ast.Compare(node.left, ops, node.comparators))
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if type(node.op) in ARITHMETIC and not is_type_union(node):
            self.add(node, "arithmetic", ast.BinOp(node.left, ARITHMETIC[type(node.op)](), node.right))
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        if is_log(node):
            return
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        plain = [part for part in node.args[:2] if not isinstance(part, ast.Starred)]
        if len(plain) == 2 and ast.dump(plain[0]) != ast.dump(plain[1]) and name not in SYMMETRIC:
            self.add(node, "arguments", ast.Call(node.func, [plain[1], plain[0], *node.args[2:]], node.keywords))
        self.visit(node.func)
        for part in (*node.args, *(k.value for k in node.keywords if k.arg not in FLAGS)):
            self.visit(part)

    def visit_Constant(self, node: ast.Constant) -> None:
        value = node.value
        if isinstance(value, bool):
            self.add(node, "constant", repr(not value))
        elif isinstance(value, int | float):
            self.add(node, "constant", repr(value + 1))
        elif isinstance(value, str | bytes) and not set(value) & set(" " if isinstance(value, str) else b" "):
            self.add(node, "constant", repr(value + ("X" if isinstance(value, str) else b"X")))


def is_log(node: ast.expr) -> bool:
    """Return whether an expression is a call of a logger."""
    function = node.func if isinstance(node, ast.Call) else None
    return (
        isinstance(function, ast.Attribute)
        and function.attr in LOG_METHODS
        and isinstance(function.value, ast.Name)
        and function.value.id in ("log", "logger", "logging")
    )


def is_type_union(node: ast.BinOp) -> bool:
    """Return whether `a | b` names types: `int | None`, `Atom | Rss`."""
    names = (part.id if isinstance(part, ast.Name) else "" for part in (node.left, node.right))
    return isinstance(node.op, ast.BitOr) and any(name[:1].isupper() or name in ("int", "str") for name in names)


def places_of(module: Path) -> list[Place]:
    """Return all places of a module of the package that can be changed."""
    source = (ROOT / "aggregator" / module).read_text(encoding="utf-8")
    places = Places()
    places.visit(ast.parse(source))
    return [(module, *found) for found in places.found]


def mutant_at(module: Path, node: ast.expr | ast.stmt, kind: str, new: str) -> Mutant | None:
    """Return the mutant with a place changed; None if it does not compile, or to the same code as the module."""
    source = (ROOT / "aggregator" / module).read_text(encoding="utf-8")
    data = source.encode()
    starts = [0]
    for line in data.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    start, end = starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset
    after = (data[:start] + new.encode() + data[end:]).decode()
    try:
        same = parts(compile(after, "", "exec")) == parts(compile(source, "", "exec"))
    except SyntaxError:  # the pattern of a match statement, for example
        return None
    return None if same else Mutant(module, kind, node.lineno, source, after)


def choose(count: int, seed: int, only: str) -> Iterator[Mutant]:
    """Return random mutants, each place with the same chance."""
    places = [place for module in modules() if str(module).startswith(only) for place in places_of(module)]
    random.Random(seed).shuffle(places)
    return itertools.islice(filter(None, itertools.starmap(mutant_at, places)), count)


def parts(code: object) -> object:
    """Return code in a form that can be compared, without positions."""
    if isinstance(code, CodeType):
        return (code.co_code, code.co_names, *map(parts, code.co_consts))
    return repr(code)


def modules() -> Iterator[Path]:
    """Return the modules of AREAS, relative to the package."""
    for area in AREAS:
        path = ROOT / "aggregator" / area
        for module in [path] if path.is_file() else sorted(path.rglob("*.py")):
            if "migrations" not in module.parts:
                yield module.relative_to(ROOT / "aggregator")


class Coverage:
    """Which tests of a folder execute which lines, recorded by one run of the folder's tests without a mutant."""

    def __init__(self) -> None:
        self._tests: dict[str, dict[int, list[tuple[float, str]]]] = {}  # module, line: seconds and id of each test

    def record(self, folder: str, copy: Path) -> None:
        """Run the tests of a folder in a copy of the repository."""
        record = copy.parent / f"lines-{folder}"
        if run_tests(folder, copy, 900, {"MUTANTS_RECORD": str(record), "MUTANTS_FOLDER": folder}) != 0:
            raise SystemExit(f"the tests of {folder} fail without a mutant, or take over 15 minutes")
        for text in record.read_text(encoding="utf-8").splitlines():
            test, seconds, executed = json.loads(text)
            for module, lines in executed.items():
                tests = self._tests.setdefault(module, {})
                for line in lines:
                    tests.setdefault(line, []).append((seconds, test))

    def of(self, mutant: Mutant) -> tuple[list[str], bool]:
        """Return the tests that execute a line of the statement with the mutant, quick ones first.

        Also return whether it was executed before the first test, when modules were imported.
        """
        by_line = self._tests.get(str(mutant.module), {})
        lines = lines_of_statement(ast.parse(mutant.before), mutant.line)
        found = {test: seconds for line in lines for seconds, test in by_line.get(line, ())}
        return sorted(found.keys() - {BEFORE}, key=lambda test: found[test]), BEFORE in found


def lines_of_statement(tree: ast.Module, line: int) -> range:
    """Return the lines of the innermost statement around a line; those before its body if the line is one of them."""
    around = [node for node in ast.walk(tree) if isinstance(node, ast.stmt) and line in span(node)]
    inner = min(around, key=lambda node: len(span(node)))
    body: list[ast.stmt] = getattr(inner, "body", [])
    return range(inner.lineno, body[0].lineno) if body and line < body[0].lineno else span(inner)


def span(node: ast.stmt) -> range:
    """Return the lines of a statement."""
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


def judge_together(mutants: Sequence[Mutant], copy: Path, coverage: Coverage, *, seconds: int) -> Iterator[Verdict]:
    """Try mutants of one folder in forks of one pytest, with the tests that execute them.

    A mutant gets a pytest of its own, with all tests of the folder, if a fork can't replace its code, or if it survives
    and is imported.
    """
    tasks, results = copy / "tasks", copy / "results"
    covered = [coverage.of(mutant) for mutant in mutants]
    asked = [
        {"module": str(mutant.module), "before": mutant.before, "after": mutant.after, "tests": tests}
        for mutant, (tests, _) in zip(mutants, covered, strict=True)
    ]
    tasks.write_text(json.dumps({"seconds": seconds, "mutants": asked}), encoding="utf-8")
    results.write_text("")
    environ = {"MUTANTS_TASKS": str(tasks), "MUTANTS_RESULTS": str(results)}
    run_tests(mutants[0].module.parts[0], copy, 6 * seconds * len(mutants), environ)
    done = results.read_text(encoding="utf-8").splitlines()
    for mutant, (tests, is_imported), line in itertools.zip_longest(mutants, covered, done):
        word, taken = json.loads(line or '["unknown", 0]')
        if word == "unknown" or (word == "survived" and is_imported):
            yield judge(mutant, copy, tests, seconds=seconds)
        else:
            yield Verdict(mutant, word, taken)


def judge(mutant: Mutant, copy: Path, first: Sequence[str], *, seconds: int) -> Verdict:
    """Run the tests of a mutant's folder, some of them first, in a copy of the repository that holds the mutant."""
    order = copy.parent / "first"
    order.write_text(json.dumps(first), encoding="utf-8")
    path = copy / "aggregator" / mutant.module
    path.write_text(mutant.after, encoding="utf-8")
    forget_compiled(path)
    started = time.monotonic()
    try:
        tests = SERVED.get(str(mutant.module), mutant.module.parts[0])
        code = run_tests(tests, copy, seconds, {"MUTANTS_FIRST": str(order)})
    finally:
        path.write_text(mutant.before, encoding="utf-8")
        forget_compiled(path)
    if code not in (None, 0, 1, 2, 3, 4):  # 4: a conftest that can't be imported
        raise SystemExit(f"pytest ended with {code} for {mutant.module}:{mutant.line}")
    word = "timeout" if code is None else "killed" if code else "survived"
    return Verdict(mutant, word, time.monotonic() - started)


def run_tests(where: str, copy: Path, seconds: int, environ: Mapping[str, str]) -> int | None:
    """Return the exit code of pytest, None if it used up its time: processor time, or five times that by the clock."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "benchmarks.mutants_plugin", "-p", "no:cacheprovider"]
    command.append(f"--basetemp={copy.parent / 'tmp'}")  # the next run removes what a killed one leaves
    marks = ("-m", "not slow") if where in SERVED.values() else MARKS
    process = subprocess.Popen(
        ["sh", "-c", 'ulimit -t "$0"; exec "$@"', str(seconds), *command, *marks, f"tests/{where}"],
        cwd=copy,
        env={**os.environ, **environ, "PYTHONPATH": str(copy)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        code = process.wait(5 * seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return None
    return None if code in (-signal.SIGXCPU, -signal.SIGKILL) else code


def forget_compiled(path: Path) -> None:
    """Delete the compiled form of a module: a mutant may have the size and the second of the module."""
    for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*"):
        compiled.unlink()


def copy_repository(folder: Path) -> Path:
    """Copy what the tests read; the corpora beside the repository are linked."""
    copy = folder / "copy"
    for name in COPIED:
        source, target = ROOT / name, copy / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
        else:
            shutil.copy2(source, target)
    (folder / "shared").symlink_to(ROOT.parent / "shared")
    return copy


def main() -> int:
    """Print a line for each mutant, the diffs of those that survived, and the share of those killed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200, help="how many mutants (200)")
    parser.add_argument("--seed", type=int, default=1, help="which mutants (1)")
    parser.add_argument("--seconds", type=int, default=60, help="processor time for the tests of one mutant (60)")
    parser.add_argument("--jobs", type=int, default=1, help="how many mutants at a time (1)")
    parser.add_argument("--only", default="", help="modules whose path begins with this, such as store/ev")
    parser.add_argument("--list", action="store_true", help="print the mutants that would be tried, and try none")
    options = parser.parse_args()
    chosen = list(choose(options.count, options.seed, options.only))
    if options.list:
        print(*(m.diff for m in chosen), sep="\n")
        return 0
    verdicts = try_all(chosen, jobs=options.jobs, seconds=options.seconds)
    count = Counter(verdict.word for verdict in verdicts)
    for folder in sorted({v.mutant.module.parts[0] for v in verdicts}):
        words = Counter(v.word for v in verdicts if v.mutant.module.parts[0] == folder)
        print(f"{folder:10} {words['killed']:4} of {words.total():4} killed")
    share = 100 * count["killed"] / len(verdicts)
    print(f"killed {count['killed']}, survived {count['survived']}, timeout {count['timeout']}: {share:.1f} % killed")
    return 0 if share >= 95 else 1


def try_all(chosen: Sequence[Mutant], *, jobs: int, seconds: int) -> list[Verdict]:
    """Try mutants, each of `jobs` threads in a copy of its own."""
    copies: SimpleQueue[Path] = SimpleQueue()
    coverage = Coverage()

    @contextmanager
    def borrowed() -> Iterator[Path]:
        copy = copies.get()
        try:
            yield copy
        finally:
            copies.put(copy)

    def record(folder: str) -> None:
        with borrowed() as copy:
            coverage.record(folder, copy)

    def attempt(mutants: Sequence[Mutant]) -> list[Verdict]:
        verdicts = []
        with borrowed() as copy:
            if str(mutants[0].module) in SERVED:
                found = iter([judge(mutants[0], copy, [], seconds=seconds)])
            else:
                found = judge_together(mutants, copy, coverage, seconds=seconds)
            for verdict in found:
                mutant = verdict.mutant
                place = f"{mutant.module}:{mutant.line}"
                print(f"{verdict.word:8} {verdict.seconds:5.1f} s  {mutant.kind:10} {place}", flush=True)
                if verdict.word != "killed":
                    print(mutant.diff, flush=True)
                verdicts.append(verdict)
        return verdicts

    with ExitStack() as stack:
        for _ in range(jobs):
            copies.put(copy_repository(Path(stack.enter_context(tempfile.TemporaryDirectory()))))
        pool = stack.enter_context(ThreadPoolExecutor(jobs))
        folders = sorted({mutant.module.parts[0] for mutant in chosen})
        list(pool.map(record, folders))
        together = [[mutant] for mutant in chosen if str(mutant.module) in SERVED]
        for folder in folders:
            mutants = [m for m in chosen if m.module.parts[0] == folder and str(m.module) not in SERVED]
            together += [mutants[start : start + TOGETHER] for start in range(0, len(mutants), TOGETHER)]
        return [verdict for verdicts in pool.map(attempt, together) for verdict in verdicts]


if __name__ == "__main__":
    sys.exit(main())
