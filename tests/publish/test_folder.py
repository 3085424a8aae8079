"""Outputs on the disk: real files in a temporary folder."""

import errno
import gzip
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aggregator.errors import PublishError
from aggregator.publish import folder as files
from aggregator.publish.folder import Folder
from aggregator.render.atom import render_atom
from aggregator.render.html_pages import render_category
from aggregator.render.jsonfeed import render_json
from aggregator.render.mark import bears_mark
from aggregator.render.theme import plain_style
from tests.render.records import SAMPLE, SITE, STORE, a_start_page

PATH = "category/python.atom"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "public")


@pytest.fixture
def _narrow_umask() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


def facts(file: Path) -> tuple[int, int, int]:
    """Return values that change if a file is written."""
    found = file.stat()
    return found.st_ino, found.st_mtime_ns, found.st_ctime_ns


def names_in(folder: Folder) -> set[str]:
    return {str(p.relative_to(folder.root)) for p in folder.root.rglob("*") if not p.is_dir()}


def test_r30_file_and_twin_are_put_in_place(folder: Folder) -> None:
    assert folder.replace(PATH, b"one", gzip=True) is True
    assert (folder.root / PATH).read_bytes() == b"one"
    assert gzip.decompress((folder.root / f"{PATH}.gz").read_bytes()) == b"one"
    assert names_in(folder) == {PATH, f"{PATH}.gz"}


def test_missing_folders_are_made(tmp_path: Path) -> None:
    Folder(tmp_path / "a" / "b").replace("entry/0f/0f00.html", b"x", gzip=False)
    assert (tmp_path / "a" / "b" / "entry" / "0f" / "0f00.html").exists()


def test_r30_the_twin_goes_first(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    order = []
    replace = os.replace

    def noted(temporary: str, name: str, **more: int) -> None:
        order.append(name)
        replace(temporary, name, **more)

    monkeypatch.setattr(os, "replace", noted)
    folder.replace(PATH, b"one", gzip=True)
    assert order == ["python.atom.gz", "python.atom"]


def test_a_disk_that_is_full_leaves_both_as_they_were(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin takes less room than the file, so it may be the only one of the two that fits."""
    folder.replace(PATH, b"one", gzip=True)
    write = os.write

    def little_room(descriptor: int, data: memoryview) -> int:
        if len(data) > 1000:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", little_room)
    with pytest.raises(PublishError, match="disk is full"):
        folder.replace(PATH, b"two" * 1000, gzip=True)
    found = {file.name: file.read_bytes() for file in (folder.root / "category").iterdir()}
    assert (found.pop("python.atom"), gzip.decompress(found.pop("python.atom.gz"))) == (b"one", b"one")
    assert found == {}, "nothing is left over"


def test_a71_file_and_twin_have_one_date(folder: Folder) -> None:
    def dates() -> tuple[int, int]:
        return (folder.root / PATH).stat().st_mtime_ns, (folder.root / f"{PATH}.gz").stat().st_mtime_ns

    folder.replace(PATH, b"one", gzip=True)
    first = dates()
    assert first[0] == first[1]
    folder.replace(PATH, b"two", gzip=True)
    assert first[0] <= dates()[0] == dates()[1]
    os.utime(folder.root / PATH, (1_700_000_000, 1_700_000_000))
    (folder.root / f"{PATH}.gz").unlink()
    folder.replace(PATH, b"two", gzip=True)
    assert dates() == (1_700_000_000 * 10**9, 1_700_000_000 * 10**9)


def test_a31_same_bytes_touch_nothing(folder: Folder) -> None:
    folder.replace(PATH, b"one", gzip=True)
    before = facts(folder.root / PATH), facts(folder.root / f"{PATH}.gz"), facts(folder.root / "category")
    assert folder.replace(PATH, b"one", gzip=True) is False
    assert (facts(folder.root / PATH), facts(folder.root / f"{PATH}.gz"), facts(folder.root / "category")) == before


def test_a31_what_stands_on_the_disk_counts(folder: Folder) -> None:
    folder.replace(PATH, b"one", gzip=True)
    (folder.root / PATH).write_bytes(b"two")
    assert folder.replace(PATH, b"one", gzip=True) is True
    assert (folder.root / PATH).read_bytes() == b"one"


def test_a_missing_twin_is_made_and_the_file_left_alone(folder: Folder) -> None:
    folder.replace(PATH, b"one", gzip=False)
    before = facts(folder.root / PATH)
    assert folder.replace(PATH, b"one", gzip=True) is False
    assert gzip.decompress((folder.root / f"{PATH}.gz").read_bytes()) == b"one"
    assert facts(folder.root / PATH) == before


@pytest.mark.parametrize("twin", [gzip.compress(b"two", mtime=0), b"", b"no gzip at all, but long enough"])
def test_a_twin_of_other_bytes_is_made_anew(folder: Folder, twin: bytes) -> None:
    """A killed run leaves one behind, and then its news is taken back."""
    folder.replace(PATH, b"one", gzip=True)
    (folder.root / f"{PATH}.gz").write_bytes(twin)
    assert folder.replace(PATH, b"one", gzip=True) is False
    assert gzip.decompress((folder.root / f"{PATH}.gz").read_bytes()) == b"one"


def test_a_twin_that_is_not_wanted_any_more_is_removed(folder: Folder) -> None:
    folder.replace(PATH, b"one", gzip=True)
    assert folder.replace(PATH, b"one", gzip=False) is False
    assert names_in(folder) == {PATH}


def test_a76_twins_have_no_name_and_no_time(folder: Folder) -> None:
    folder.replace(PATH, b"one" * 1000, gzip=True)
    folder.replace("category/other.atom", b"one" * 1000, gzip=True)
    twin = (folder.root / f"{PATH}.gz").read_bytes()
    assert twin == (folder.root / "category/other.atom.gz").read_bytes()
    assert twin[3] == 0  # no flags: no name, no comment
    assert twin[4:8] == b"\0\0\0\0"


@pytest.mark.usefixtures("_narrow_umask")
def test_s61_outputs_can_be_read_by_a_web_server(folder: Folder) -> None:
    folder.replace(PATH, b"one", gzip=True)
    for name in (PATH, f"{PATH}.gz"):
        assert stat.S_IMODE((folder.root / name).stat().st_mode) == 0o644
    for name in (".", "category"):
        assert stat.S_IMODE((folder.root / name).stat().st_mode) == 0o755 or name == "."


@pytest.mark.usefixtures("_narrow_umask")
def test_s61_the_root_we_make_can_be_read_too(tmp_path: Path) -> None:
    Folder(tmp_path / "new" / "public")
    for made in ("new", "new/public"):
        assert stat.S_IMODE((tmp_path / made).stat().st_mode) == 0o755


# --- paths


@pytest.mark.parametrize(
    "path",
    [
        "", ".", "..", "/etc/passwd", "../x", "category/../../x", "category//x", "category/", "./x", "a/.hidden",
        "category/x\0y", "category/x\ny", "category/пример.atom", "a\\b", "C:x", "x" * 201, "a/b/c/d/e/f/g/h/i",
        "category/x.atom.gz", "-rf", "~/x",
    ],
)  # fmt: skip
def test_s51_odd_paths_are_refused(folder: Folder, path: str) -> None:
    with pytest.raises(PublishError):
        folder.replace(path, b"x", gzip=False)
    with pytest.raises(PublishError):
        folder.remove(path)
    with pytest.raises(PublishError):
        folder.stranger(path)
    assert names_in(folder) == set()


@pytest.mark.parametrize(
    "path",
    [
        "index.html", "style.css", "gone.txt", "all.json", "category/a-b-2.rss", "category/x/archive/12.html",
        "entry/0f/0f1e2d3c4b5a6978.html", "sources.opml", "feeds.schema.json", "CNAME", "_headers",
    ],
)  # fmt: skip
def test_s51_our_own_shapes_pass(folder: Folder, path: str) -> None:
    assert folder.replace(path, b"x", gzip=True)
    assert folder.remove(path)
    assert names_in(folder) == set()


def test_s51_a_linked_folder_is_not_followed(folder: Folder, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (folder.root / "category").symlink_to(outside)
    with pytest.raises(PublishError, match="symbolic link"):
        folder.replace(PATH, b"x", gzip=True)
    with pytest.raises(PublishError, match="symbolic link"):
        folder.remove(PATH)
    with pytest.raises(PublishError, match="symbolic link"):
        folder.stranger(PATH)
    assert list(outside.iterdir()) == []


def test_s51_a_linked_file_is_replaced_not_followed(folder: Folder, tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_bytes(b"theirs")
    (folder.root / "index.html").symlink_to(outside)
    assert folder.replace("index.html", b"theirs", gzip=False) is True
    assert outside.read_bytes() == b"theirs"
    assert not (folder.root / "index.html").is_symlink()


def test_the_root_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "public").symlink_to(tmp_path / "disk")
    Folder(tmp_path / "public").replace("index.html", b"x", gzip=False)
    assert (tmp_path / "disk" / "index.html").exists()


# --- failures


def test_r32_a_full_disk_keeps_the_old_file(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.replace(PATH, b"one", gzip=True)

    def full(descriptor: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(PublishError, match="disk is full") as caught:
        folder.replace(PATH, b"two", gzip=True)
    assert caught.value.output == PATH
    assert (folder.root / PATH).read_bytes() == b"one"
    assert gzip.decompress((folder.root / f"{PATH}.gz").read_bytes()) == b"one"
    assert names_in(folder) == {PATH, f"{PATH}.gz"}


def test_r30_short_writes_are_completed(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, bytes(data[:3])))
    folder.replace(PATH, b"0123456789", gzip=False)
    assert (folder.root / PATH).read_bytes() == b"0123456789"


@pytest.mark.parametrize("what", ["a folder where the file goes", "a file where the folder goes"])
def test_what_stands_in_the_way_is_named(folder: Folder, what: str) -> None:
    if what.startswith("a folder"):
        (folder.root / PATH).mkdir(parents=True)
    else:
        (folder.root / "category").write_bytes(b"theirs")
    with pytest.raises(PublishError, match=r"move it away") as caught:
        folder.replace(PATH, b"x", gzip=False)
    assert caught.value.output == PATH
    assert not [name for name in names_in(folder) if name.endswith("aggregator-tmp")]


def test_a_root_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "public").write_bytes(b"")
    with pytest.raises(PublishError, match="move it away"):
        Folder(tmp_path / "public")


def test_r30_a_kill_at_any_instant_leaves_the_old_or_the_new_file(tmp_path: Path) -> None:
    """A child dies at each system call in turn; what stands there is whole, and the next start cleans up."""
    script = """
import os, sys
from pathlib import Path
from aggregator.publish import folder as files
step, root = int(sys.argv[1]), Path(sys.argv[2])
calls = 0
def dying(name):
    real = getattr(os, name)
    def call(*args, **more):
        global calls
        calls += 1
        if calls == step:
            os._exit(9)
        return real(*args, **more)
    return call
folder = files.Folder(root)
folder.replace("category/python.atom", b"one" * 5000, gzip=True)
for name in ("write", "fsync", "fchmod", "replace", "close", "open"):
    setattr(os, name, dying(name))
folder.replace("category/python.atom", b"other" * 4000, gzip=True)
"""
    whole = {b"one" * 5000, b"other" * 4000}
    for step in range(1, 40):
        root = tmp_path / str(step)
        died = subprocess.run([sys.executable, "-c", script, str(step), str(root)], check=False).returncode
        assert died in (0, 9)
        assert (root / PATH).read_bytes() in whole
        assert gzip.decompress((root / f"{PATH}.gz").read_bytes()) in whole
        folder = Folder(root)
        folder.sweep()
        assert names_in(folder) == {PATH, f"{PATH}.gz"}
        folder.replace(PATH, b"one" * 5000, gzip=True)
        assert gzip.decompress((root / f"{PATH}.gz").read_bytes()) == b"one" * 5000
        if died == 0:
            return
    pytest.fail("the child never lived to the end")


# --- durability


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note what is synced: 'file' or 'folder'."""
    found: list[str] = []
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        found.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    return found


def test_r30_files_and_their_folder_are_synced(folder: Folder, synced: list[str]) -> None:
    folder.replace(PATH, b"one", gzip=True)
    synced.clear()
    folder.replace(PATH, b"two", gzip=True)
    assert synced == ["file", "file", "folder"]
    synced.clear()
    folder.replace(PATH, b"two", gzip=True)
    assert synced == []


def test_r30_entry_pages_cost_one_sync(folder: Folder, synced: list[str]) -> None:
    for number in range(20):
        folder.replace(f"entry/{number:02}/{number}.html", b"x", gzip=False, durable=False)
    synced.clear()
    folder.sync_folders()
    assert synced == []


def test_r30_entry_pages_cost_a_sync_a_folder_where_the_system_has_nothing_better(
    folder: Folder, synced: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_SYNC", None)
    folder.replace("entry/0f/first.html", b"x", gzip=False, durable=False)
    synced.clear()
    for number in range(20):
        folder.replace(f"entry/0f/{number}.html", b"x", gzip=False, durable=False)
    folder.replace("index.html", b"x", gzip=False, durable=False)
    assert synced == []
    folder.sync_folders()
    assert synced == ["folder", "folder"]
    folder.sync_folders()
    assert synced == ["folder", "folder"]


# --- removal, strangers, leftovers


def test_remove_takes_file_and_twin(folder: Folder) -> None:
    folder.replace(PATH, b"one", gzip=True)
    assert folder.remove(PATH) is True
    assert folder.remove(PATH) is False
    assert folder.remove("category/none/archive/1.atom") is False
    assert names_in(folder) == set()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.atom", render_atom(SAMPLE, SITE, html=True)),
        ("a.json", render_json(SAMPLE, SITE, STORE, html=True)),
        ("a.html", render_category(SAMPLE, SITE, frozenset({"atom"}))),
        ("index.html", a_start_page([], SITE, frozenset())),
        ("style.css", plain_style().theme.stylesheet),
    ],
)
def test_every_output_is_known_again(folder: Folder, name: str, data: bytes) -> None:
    assert bears_mark(data)
    folder.replace(name, data, gzip=True)
    assert folder.stranger(name) is True
    (folder.root / name).unlink()
    assert folder.stranger(name) is True  # by its twin


@pytest.mark.parametrize("data", [b"", b"<feed><generator>other</generator></feed>", b"\x1f\x8b broken", b"\0" * 100])
def test_somebody_elses_file_is_told(folder: Folder, data: bytes) -> None:
    (folder.root / "index.html").write_bytes(data)
    assert folder.stranger("index.html") is False


def test_nothing_there_is_no_stranger(folder: Folder) -> None:
    assert folder.stranger("index.html") is None
    assert folder.stranger("category/x/archive/1.atom") is None


def test_our_file_with_somebody_elses_twin_is_a_stranger(folder: Folder) -> None:
    folder.replace("style.css", plain_style().theme.stylesheet, gzip=False)
    (folder.root / "style.css.gz").write_bytes(gzip.compress(b"theirs"))
    assert folder.stranger("style.css") is False


def test_folders_and_links_are_strangers(folder: Folder) -> None:
    (folder.root / "index.html").mkdir()
    (folder.root / "style.css").symlink_to("/nowhere")
    assert folder.stranger("index.html") is False
    assert folder.stranger("style.css") is False


def test_r30_stale_temporary_files_are_swept_nothing_else(folder: Folder, tmp_path: Path) -> None:
    folder.replace(PATH, b"one", gzip=True)
    stale = folder.root / "category" / ".python.atom.0123456789abcdef.aggregator-tmp"
    stale.write_bytes(b"half")
    theirs = folder.root / "category" / ".theirs.tmp"
    theirs.write_bytes(b"x")
    outside = tmp_path / "outside"
    outside.mkdir()
    kept = outside / ".x.0123456789abcdef.aggregator-tmp"
    kept.write_bytes(b"x")
    (folder.root / "link").symlink_to(outside)
    assert folder.sweep() == 1
    assert not stale.exists()
    assert theirs.exists()
    assert kept.exists()
    assert folder.sweep() == 0


def test_what_is_missing_in_the_folder_is_found_at_once(folder: Folder) -> None:
    folder.replace("style.css", b"x", gzip=True)
    folder.replace("entry/0f/0f00.html", b"x", gzip=False)
    (folder.root / "icon.svg").symlink_to("style.css")
    (folder.root / "index.html").mkdir()
    assert folder.missing(["style.css", "icon.svg", "index.html", "all.atom"]) == {"icon.svg", "index.html", "all.atom"}
    shutil.rmtree(folder.root)
    assert folder.missing(["style.css"]) == {"style.css"}


def test_digests_of_several_files_are_those_of_each(folder: Folder) -> None:
    folder.replace(PATH, b"one", gzip=True)
    (folder.root / "icon.svg").symlink_to(PATH)
    (folder.root / "robots.txt").write_bytes(b"theirs")
    paths = [PATH, "icon.svg", "robots.txt", "entry/0f/0f00.html"]
    assert folder.digests(paths) == {path: folder.digest(path) for path in paths}
    assert folder.digests(["../x"]) == {"../x": None}
