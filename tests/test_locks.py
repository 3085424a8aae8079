"""The lock files say exactly what is installed, and pyproject.toml asks for that; checked without a network (S62)."""

import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parent.parent
LOCKS = ("requirements.lock", "requirements-dev.lock")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
FAULTY = {  # versions with a published fault that bears on what we do with the package; neither lock nor range has them
    "brotli": ("<1.2", "CVE-2025-6176: a small body unpacks without an end"),
    "certifi": ("<2024.7.4", "CVE-2024-39689: roots that are trusted no more"),
    "idna": ("<3.7", "CVE-2024-3651: a host that takes quadratic time"),
    "jinja2": ("<3.1.6", "CVE-2025-27516: a way out of the sandbox"),
    "lxml": ("<4.9.1", "CVE-2022-2309: a document that ends the program"),
    "lxml-html-clean": ("<0.4", "CVE-2024-52595: script in SVG and style"),
    "mako": ("<1.2.2", "CVE-2022-40023: a template that takes exponential time"),
    "pyyaml": ("<5.4", "CVE-2020-14343: code in YAML"),
    "requests": ("<2.32.4", "CVE-2024-47081: .netrc credentials sent to a stranger"),
    "urllib3": ("<2.6", "CVE-2025-66418, CVE-2025-66471: bodies that unpack without an end"),
    "waitress": ("<3.0.1", "CVE-2024-49768, CVE-2024-49769: requests read twice, sockets that stay open"),
}


def requirements(lock: str) -> Iterator[tuple[Requirement, list[str]]]:
    """Yield each requirement of a lock with its hashes; any line of another shape is an error."""
    text = re.sub(r"\\\n\s*", " ", (ROOT / lock).read_text(encoding="utf-8"))
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        said, *hashes = re.split(r"\s+--hash=", line.strip())
        yield Requirement(said), hashes


def locked(lock: str) -> dict[str, Version]:
    return {canonicalize_name(each.name): version_of(each) for each, _ in requirements(lock)}


def version_of(requirement: Requirement) -> Version:
    (pin,) = requirement.specifier
    return Version(pin.version)


def wanted(lock: str) -> Iterator[Requirement]:
    """Yield what pyproject.toml asks for directly."""
    yield from map(Requirement, PROJECT["project"]["dependencies"])
    if lock == "requirements-dev.lock":
        yield from map(Requirement, PROJECT["dependency-groups"]["dev"])


@pytest.mark.parametrize("lock", LOCKS)
def test_s62_each_line_is_one_version_with_its_hashes_and_nothing_else(lock: str) -> None:
    found = list(requirements(lock))
    names = [canonicalize_name(each.name) for each, _ in found]
    assert len(names) == len(set(names)) > 0
    for requirement, hashes in found:
        assert [pin.operator for pin in requirement.specifier] == ["=="], str(requirement)
        assert "*" not in str(requirement.specifier)
        assert requirement.url is None, "from no other place than the index"
        assert hashes, str(requirement)
        assert all(re.fullmatch("sha256:[0-9a-f]{64}", each) for each in hashes), str(requirement)


@pytest.mark.parametrize("lock", LOCKS)
def test_s62_a_lock_has_what_pyproject_asks_for_and_in_its_ranges(lock: str) -> None:
    versions = locked(lock)
    for requirement in wanted(lock):
        version = versions.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement.name} is not locked"
        assert requirement.specifier.contains(version, prereleases=True), f"{requirement}: {version} is locked"


def test_s62_extras_are_locked_for_tests_in_their_ranges() -> None:
    versions = locked("requirements-dev.lock")
    for requirement in map(
        Requirement, [r for extra in PROJECT["project"]["optional-dependencies"].values() for r in extra]
    ):
        assert versions[canonicalize_name(requirement.name)] in requirement.specifier, str(requirement)


def test_s62_what_is_tested_is_what_is_installed() -> None:
    dev, core = (locked(lock) for lock in reversed(LOCKS))
    assert {name: dev.get(name) for name in core} == core


@pytest.mark.parametrize("lock", LOCKS)
def test_s62_what_locked_packages_need_is_locked_too(lock: str) -> None:
    """As `pip check` does, but of the lock: where hashes are required, what is missing there can't be installed."""
    versions, looked_at = locked(lock), 0
    environment = {**default_environment(), "extra": ""}
    for name, version in versions.items():
        try:
            installed = distribution(name)
        except PackageNotFoundError:  # for another platform
            continue
        if Version(installed.version) != version:
            continue
        looked_at += 1
        for requirement in map(Requirement, installed.requires or ()):
            if requirement.marker is None or requirement.marker.evaluate({k: str(v) for k, v in environment.items()}):
                needed = versions.get(canonicalize_name(requirement.name))
                assert needed is not None, f"{name} needs {requirement}"
                assert requirement.specifier.contains(needed, prereleases=True), f"{name} needs {requirement}"
    assert looked_at > len(versions) // 2, "the tests run on what the lock names"


@pytest.mark.parametrize("name", sorted(FAULTY))
def test_s62_no_version_with_a_known_fault_is_locked_or_in_range(name: str) -> None:
    versions, why = FAULTY[name]
    faulty = Requirement(f"{name}{versions}").specifier
    for lock in LOCKS:
        version = locked(lock).get(name)
        assert version is None or version not in faulty, why
    last = Version(versions.removeprefix("<"))
    extras = [r for extra in PROJECT["project"]["optional-dependencies"].values() for r in extra]
    for requirement in map(Requirement, [*PROJECT["project"]["dependencies"], *extras]):
        if canonicalize_name(requirement.name) == name:
            floors = [Version(each.version) for each in requirement.specifier if each.operator == ">="]
            assert max(floors, default=Version("0")) >= last, f"{requirement} lets {versions} in: {why}"


@pytest.mark.parametrize("lock", LOCKS)
def test_s62_every_locked_package_says_who_needs_it(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    entries = re.split(r"(?m)^(?=[a-z0-9])", text)[1:]
    known = set(locked(lock)) | {"planet-aggregator"}
    for entry in entries:
        name = re.match("[a-z0-9._-]+", entry)
        via = re.findall(r"(?m)^    # (?:via|  ) *([a-z0-9._]\S*)", entry)
        assert via, entry
        assert set(map(canonicalize_name, via)) <= known, (name, via)


def test_s71_what_security_md_names_is_there() -> None:
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    named = re.findall(r"\]\(([^):]+)\)|`((?:tests|\.ci)/[\w./*]+|requirements[\w.-]+)`", text)
    assert len(named) > 8
    for link, path in named:
        assert list(ROOT.glob(link or path)), link or path
    assert "the form for private vulnerability reports of the repository" in text
