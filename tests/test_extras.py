"""The command that installs an extra fits the way in which the program was installed, and names no index."""

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from aggregator.extras import command_for, install_command

PIP = ("/venv/bin/python", "-m", "pip", "install")
REQUIRES = ["requests>=2", 'obstore<0.13,>=0.8; extra == "s3"', "lxml; python_version > '3' and extra == 'full-text'"]


@pytest.mark.parametrize(
    ("direct", "extra", "command"),
    [
        pytest.param({"dir_info": {"editable": True}, "url": "file:///"}, "s3", "-e '/[s3]'", id="clone"),
        pytest.param({"dir_info": {}, "url": "file:///"}, "s3", "'/[s3]'", id="folder"),
        pytest.param(
            {"archive_info": {}, "url": "https://x.example/a.whl"},
            "s3",
            "'planet-aggregator[s3] @ https://x.example/a.whl'",
            id="wheel",
        ),
        pytest.param(
            {"vcs_info": {"vcs": "git", "commit_id": "0a1"}, "url": "https://x.example/a.git", "subdirectory": "b"},
            "s3",
            "'planet-aggregator[s3] @ git+https://x.example/a.git@0a1#subdirectory=b'",
            id="git",
        ),
        pytest.param(None, "s3", "'obstore<0.13,>=0.8'", id="no-address"),
        pytest.param(None, "full-text", "lxml", id="among-other-markers"),
        pytest.param(
            {"archive_info": {}, "url": "file:///no/such.whl"}, "s3", "'obstore<0.13,>=0.8'", id="wheel-that-is-gone"
        ),
    ],
)
def test_the_command_installs_from_where_the_program_came(
    direct: dict[str, Any] | None, extra: str, command: str
) -> None:
    assert command_for(extra, direct, REQUIRES, installer=PIP) == f"/venv/bin/python -m pip install {command}"


def test_the_command_of_a_clone_names_its_folder_and_the_interpreter() -> None:
    words = shlex.split(install_command("metrics"))
    assert words[0] in (sys.executable, "uv")
    assert (Path(words[-1].partition("[")[0]) / "pyproject.toml").is_file()


@pytest.mark.slow
def test_a_wheel_that_was_installed_names_itself(tmp_path: Path) -> None:
    """Build a wheel with the metadata of ours, install it in an environment of its own, and ask it there."""
    from zipfile import ZipFile

    wheel = tmp_path / "planet_aggregator-0.1.0-py3-none-any.whl"
    info = "planet_aggregator-0.1.0.dist-info"
    source = Path(command_for.__code__.co_filename).read_text(encoding="utf-8")
    with ZipFile(wheel, "w") as file:
        file.writestr("aggregator/__init__.py", "")
        file.writestr("aggregator/extras.py", source)
        file.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: planet-aggregator\nVersion: 0.1.0\nProvides-Extra: s3\n"
        )
        file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{info}/RECORD", "")
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True, timeout=120)
    subprocess.run([python, "-m", "pip", "install", "-q", "--no-index", str(wheel)], check=True, timeout=120)
    asked = [
        str(python),
        "-c",
        "import json; from aggregator.extras import install_command as c; print(json.dumps(c('s3')))",
    ]
    command = json.loads(subprocess.run(asked, check=True, capture_output=True, timeout=60).stdout)
    assert shlex.split(command) == [str(python), "-m", "pip", "install", f"planet-aggregator[s3] @ {wheel.as_uri()}"]
    subprocess.run([*shlex.split(command), "-q", "--no-index"], check=True, timeout=120)
