"""Compiled templates are kept for the next process, and made again if they can't be used."""

import sys
from pathlib import Path

import jinja2
import pytest

from aggregator.render import compiled_templates
from aggregator.render.compiled_templates import CompiledTemplates

OPTIONS = {"trim_blocks": True}


def rendered(text: str, options: object = OPTIONS) -> str:
    """Render a template as a new process would."""
    environment = jinja2.Environment(
        loader=jinja2.DictLoader({"a.html": text}), bytecode_cache=CompiledTemplates(options), autoescape=True
    )
    return environment.get_template("a.html").render(name="you")


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder in which they are kept."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path))
    folder = tmp_path.joinpath(*Path(compiled_templates.__file__).parent.parts[1:])
    folder.mkdir(parents=True)
    return folder


def test_a_template_is_compiled_once(kept: Path) -> None:
    assert rendered("Hello {{ name }}") == "Hello you"
    (file,) = kept.iterdir()
    first = file.stat().st_mtime_ns, file.stat().st_ino
    assert rendered("Hello {{ name }}") == "Hello you"
    assert (file.stat().st_mtime_ns, file.stat().st_ino) == first
    assert rendered("Bye {{ name }}") == "Bye you"  # an upgrade brought another template
    assert file.stat().st_ino != first[1]
    second = file.stat().st_ino
    assert rendered("Bye {{ name }}", {"trim_blocks": False}) == "Bye you"
    assert file.stat().st_ino != second


@pytest.mark.parametrize("damage", [b"", b"j2", b"no bytecode at all", None])
def test_a_damaged_file_is_made_again(kept: Path, damage: bytes | None) -> None:
    rendered("Hello {{ name }}")
    (file,) = kept.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2] if damage is None else damage)
    assert rendered("Hello {{ name }}") == "Hello you"
    assert file.read_bytes() == whole


def test_nothing_is_kept_where_python_keeps_nothing(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert rendered("Hello {{ name }}") == "Hello you"
    assert not list(kept.iterdir())
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    kept.rmdir()
    assert rendered("Hello {{ name }}") == "Hello you"
    assert not kept.exists()
