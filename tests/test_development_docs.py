"""The pages for contributors agree with the code: modules, cited rules, links, decisions."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DEVELOPMENT = ROOT / "docs" / "development"
ARCHITECTURE = DEVELOPMENT / "architecture.md"
RULE = re.compile(r"(?<![\w.\-#/])[PIASRLDMTNK][1-9][0-9]{0,2}(?![\w\-])")
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def modules() -> list[str]:
    paths = (path.relative_to(ROOT).as_posix() for path in (ROOT / "aggregator").rglob("*.py"))
    return sorted(path for path in paths if not path.endswith("__init__.py") and "/versions/" not in path)


def rows() -> list[str]:
    return re.findall(r"^\| `(aggregator/[\w/]+\.py)` \| \S", ARCHITECTURE.read_text(encoding="utf-8"), re.M)


def test_the_map_has_each_module_once_and_no_other() -> None:
    assert sorted(rows()) == modules()


def cited() -> Iterator[tuple[str, str]]:
    for folder in ("aggregator", "tests", "benchmarks"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for rule in RULE.findall(re.sub("noqa: .*", "", path.read_text(encoding="utf-8"))):
                yield rule, path.relative_to(ROOT).as_posix()


def test_every_cited_rule_is_explained() -> None:
    text = (DEVELOPMENT / "standards.md").read_text(encoding="utf-8")
    explained = set(re.findall(r'^- <a id="\w+"></a>\*\*(\w+)\*\* \S', text, re.M))
    assert {(rule, where) for rule, where in cited() if rule not in explained} == set()


def test_the_anchor_of_a_rule_is_its_number() -> None:
    text = (DEVELOPMENT / "standards.md").read_text(encoding="utf-8")
    pairs = re.findall(r'<a id="(\w+)"></a>\*\*(\w+)\*\*', text)
    assert [rule.lower() for _, rule in pairs] == [anchor for anchor, _ in pairs]
    assert len(set(pairs)) == len(pairs) > 300


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page: those written out, and those that GitHub makes of headings."""
    text = page.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$", text, re.M)
    made = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return made | set(re.findall(r'<a id="([\w-]+)"', text))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_between_pages_resolve(page: Path) -> None:
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.S)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_paths_of_the_program_in_the_pages_for_contributors_exist() -> None:
    for page in (*DEVELOPMENT.glob("*.md"), ROOT / "CONTRIBUTING.md"):
        for path in re.findall(r"`((?:aggregator|tests|docs)/[\w./]*)`", page.read_text(encoding="utf-8")):
            assert (ROOT / path).exists(), f"{page.name}: {path}"


def test_every_decision_is_in_the_index_once() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = re.findall(
        r"^- \[(\d{4})\]\((\1-[\w-]+\.md)\) \S", (folder / "README.md").read_text(encoding="utf-8"), re.M
    )
    assert sorted(name for _, name in listed) == sorted(path.name for path in folder.glob("0*.md"))
