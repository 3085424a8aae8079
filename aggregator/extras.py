"""Makes the shell command that installs the libraries of an extra, for the way in which this program was installed.

On the public package index `aggregator` is another program. Ours is called `planet-aggregator`; no command has that
name without an address, since what an index has under it need not be what is installed here.
"""

import json
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from importlib.metadata import Distribution

NAME = "planet-aggregator"
EARLIER = "aggregator"  # its name in installations of before it was renamed
SOURCE = Path(__file__).resolve().parents[1]  # source folder of an editable installation


def install_command(extra: str) -> str:
    """Return the shell command that installs the libraries of an extra for the interpreter that runs this program."""
    found = own_distribution()
    if found is None:  # the program runs from a source folder that was never installed
        return command_for(extra, {"url": SOURCE.as_uri(), "dir_info": {"editable": True}}, (), installer=installer())
    direct = json.loads(found.read_text("direct_url.json") or "null")
    if direct is not None and direct.get("dir_info", {}).get("editable") and (SOURCE / "pyproject.toml").is_file():
        direct |= {"url": SOURCE.as_uri()}
    return command_for(
        extra, direct, found.requires or (), installer=installer((found.read_text("INSTALLER") or "").strip())
    )


def own_distribution() -> "Distribution | None":
    """Return the metadata of this program as it was installed; None if it was not."""
    from importlib.metadata import PackageNotFoundError, distribution  # late: the import takes 20 ms

    for name in (NAME, EARLIER):
        with suppress(PackageNotFoundError):
            return distribution(name)
    return None


def command_for(
    extra: str, direct: Mapping[str, Any] | None, requires: Sequence[str], *, installer: Sequence[str]
) -> str:
    """Return the command for one way in which this program was installed.

    Args:
        extra: name of the extra.
        direct: direct_url.json as the packaging specification has it; None where an index or a system package brought
            the program.
        requires: requirements in the metadata of the distribution.
        installer: command of the installer, such as `python -m pip install`.

    Returns:
        The command that installs the source of this program with the extra. If the source is not known or no longer
        exists, the command installs only the libraries of the extra.
    """
    libraries = [
        text.strip() for text, _, marker in (line.partition(";") for line in requires) if _is_of(marker, extra)
    ]
    source = _source_of(direct, extra)
    if source is None or (libraries and not _is_there(str(direct and direct.get("url")))):
        source = libraries
    return shlex.join([*installer, *source])


def installer(name: str = "") -> list[str]:
    """Return the command of the installer, given its name. Environments that uv made have no pip."""
    if name == "uv" and find_spec("pip") is None:
        return ["uv", "pip", "install", "--python", sys.executable]
    return [sys.executable, "-m", "pip", "install"]


def _source_of(direct: Mapping[str, Any] | None, extra: str) -> list[str] | None:
    if direct is None:
        return None
    url = str(direct["url"])
    if direct.get("dir_info", {}).get("editable"):
        return ["-e", f"{_path_of(url)}[{extra}]"]
    if "dir_info" in direct:
        return [f"{_path_of(url)}[{extra}]"]
    if vcs := direct.get("vcs_info"):
        url = f"{vcs['vcs']}+{url}@{vcs['commit_id']}"
    folder = f"#subdirectory={direct['subdirectory']}" if direct.get("subdirectory") else ""
    return [f"{NAME}[{extra}] @ {url}{folder}"]


def _path_of(url: str) -> str:
    return unquote(urlsplit(url).path)


def _is_there(url: str) -> bool:
    return not url.startswith("file:") or Path(_path_of(url)).exists()


def _is_of(marker: str, extra: str) -> bool:
    return re.search(rf"""\bextra\s*==\s*["']{re.escape(extra)}["']""", marker) is not None
