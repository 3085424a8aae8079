"""Opening of published files."""

import gzip
import hashlib
import os
import socket
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aggregator.serve import published_folder as module
from aggregator.serve.published_folder import PublishedFolder
from tests.serve.conftest import ATOM, SECRET, Folder


def read(published: PublishedFolder, path: str, coding: str | None = None) -> bytes | None:
    document = published.open(path)
    if document is None:
        return None
    with document:
        copy = document.gzip if coding else document.plain
        return document.read(copy) if copy else None


def test_a71_tags_are_of_the_bytes_and_differ_by_coding(folder: Folder, published: PublishedFolder) -> None:
    folder.publish("all.atom", ATOM, modified=1_700_000_000)
    document = published.open("/all.atom")
    assert document is not None
    with document:
        assert document.gzip is not None
        assert document.plain.digest == hashlib.sha256(ATOM).hexdigest()[:32]
        assert document.gzip.digest == hashlib.sha256((folder.root / "all.atom.gz").read_bytes()).hexdigest()[:32]
        assert document.plain.size == len(document.read(document.plain)) == len(ATOM)
        assert document.gzip.size == len(document.read(document.gzip)) < len(ATOM)
        assert document.modified == 1_700_000_000
        assert document.max_age == 300


def test_a71_the_same_bytes_again_keep_their_tag(folder: Folder, published: PublishedFolder) -> None:
    tags = set()
    for modified in (1_700_000_000, 1_700_000_100):
        folder.publish("all.atom", ATOM, modified=modified)
        document = published.open("/all.atom")
        assert document is not None
        with document:
            tags.add((document.plain.digest, document.gzip and document.gzip.digest))
    assert len(tags) == 1


def test_r30_a_replaced_file_is_seen_at_once(folder: Folder, published: PublishedFolder) -> None:
    for number in range(200):  # many versions within one step of the file system's clock, all of the same size and date
        body = b"%04d" % number * 100
        folder.publish("all.atom", body, modified=1_700_000_000)
        assert read(published, "/all.atom") == body
        packed = read(published, "/all.atom", "gzip")
        assert packed is not None
        assert gzip.decompress(packed) == body


def test_r30_an_open_document_stays_what_it_was(folder: Folder, published: PublishedFolder) -> None:
    document = published.open("/all.atom")
    assert document is not None
    with document:
        folder.publish("all.atom", b"new")
        (folder.root / "all.atom.gz").unlink()
        assert document.read(document.plain) == ATOM
        assert document.gzip is not None
        assert gzip.decompress(document.read(document.gzip)) == ATOM
    assert read(published, "/all.atom") == b"new"


def test_a76_a_twin_that_is_ahead_waits_for_its_file(folder: Folder, published: PublishedFolder) -> None:
    folder.replace("all.atom.gz", gzip.compress(b"new"))
    assert read(published, "/all.atom") == ATOM
    assert read(published, "/all.atom", "gzip") is None
    folder.replace("all.atom", b"new")
    assert read(published, "/all.atom") == b"new"
    assert read(published, "/all.atom", "gzip") is not None


@pytest.mark.parametrize(
    "twin",
    [
        pytest.param(gzip.compress(b"old"), id="old"),
        pytest.param(gzip.compress(ATOM)[:-1], id="cut"),
        pytest.param(gzip.compress(ATOM) + b"x", id="more"),
        pytest.param(gzip.compress(ATOM) + gzip.compress(b""), id="two-members"),
        pytest.param(gzip.compress(bytes(50_000_000)), id="bomb"),
        pytest.param(ATOM, id="no-gzip"),
        pytest.param(b"", id="empty"),
    ],
)
def test_a76_a_twin_of_something_else_is_not_used(folder: Folder, published: PublishedFolder, twin: bytes) -> None:
    folder.replace("all.atom.gz", twin)
    assert read(published, "/all.atom") == ATOM
    assert read(published, "/all.atom", "gzip") is None


def test_a_twin_without_its_file_is_nothing(folder: Folder, published: PublishedFolder) -> None:
    (folder.root / "all.atom").unlink()
    assert read(published, "/all.atom") is None


def test_an_empty_file_is_served(folder: Folder, published: PublishedFolder) -> None:
    folder.publish("all.atom", b"")
    assert read(published, "/all.atom") == b""
    assert read(published, "/all.atom", "gzip") is not None


def test_a_file_that_was_cut_short_is_an_error(folder: Folder, published: PublishedFolder) -> None:
    document = published.open("/all.atom")
    assert document is not None
    with document:
        os.truncate(folder.root / "all.atom", 10)
        with pytest.raises(OSError, match="cut short"):
            document.read(document.plain)
    assert read(published, "/all.atom") == ATOM[:10]


# --- files that are not published


@pytest.mark.parametrize(
    "target", ["../secret.atom", "/etc/passwd", ".hidden", "category/.hidden", "all.rss", "nowhere", "category"]
)
def test_s51_links_out_of_the_root_or_to_hidden_files_are_refused(
    folder: Folder, published: PublishedFolder, target: str
) -> None:
    (folder.root / ".hidden").write_bytes(SECRET)
    (folder.root / "category" / ".hidden").write_bytes(SECRET)
    (folder.root / "all.rss").symlink_to(target)
    assert published.open("/all.rss") is None


def test_s51_a_linked_folder_out_of_the_root_is_refused(folder: Folder, published: PublishedFolder) -> None:
    outside = folder.root.parent / "outside"
    outside.mkdir()
    (outside / "ab0123456789abcd.html").write_bytes(SECRET)
    (folder.root / "entry" / "ab").rename(folder.root / "entry" / "ac")
    (folder.root / "entry" / "ab").symlink_to(outside)
    assert published.open("/entry/ab/ab0123456789abcd.html") is None


def test_s51_a_linked_twin_out_of_the_root_is_not_used(folder: Folder, published: PublishedFolder) -> None:
    (folder.root / "all.atom.gz").rename(folder.root.parent / "all.atom.gz")
    (folder.root / "all.atom.gz").symlink_to(folder.root.parent / "all.atom.gz")
    assert read(published, "/all.atom") == ATOM
    assert read(published, "/all.atom", "gzip") is None


def test_s51_a_link_inside_the_root_is_followed(folder: Folder, published: PublishedFolder) -> None:
    (folder.root / "all.rss").symlink_to("all.atom")
    assert read(published, "/all.rss") == ATOM


def test_s51_folders_pipes_and_sockets_are_no_documents(folder: Folder, published: PublishedFolder) -> None:
    (folder.root / "all.rss").mkdir()
    os.mkfifo(folder.root / "all.json")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(folder.root / "status.html"))
        for path in ("/all.rss", "/all.json", "/status.html", "/status.html/index.html"):
            assert published.open(path) is None


def test_the_root_may_come_later_and_change_its_target(tmp_path: Path) -> None:
    published = PublishedFolder(tmp_path / "current", lambda _: 300)
    assert published.open("/all.atom") is None
    for release in ("one", "two"):
        (tmp_path / release).mkdir()
        (tmp_path / release / "all.atom").write_bytes(release.encode())
        (tmp_path / "next").symlink_to(release)
        (tmp_path / "next").replace(tmp_path / "current")
        assert read(published, "/all.atom") == release.encode()


# --- remembered ETags


def test_an_old_file_is_read_once(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    published = PublishedFolder(folder.root, lambda _: 300, clock=lambda: datetime.now(UTC) + timedelta(minutes=1))
    reads: list[bytes] = []

    def unpacks_to(packed: bytes, _: bytes) -> bool:
        reads.append(packed)
        return True

    monkeypatch.setattr(module, "_unpacks_to", unpacks_to)
    for _ in range(3):
        assert published.open("/all.atom")
    assert len(reads) == 1
    folder.publish("all.atom", b"new")
    assert published.open("/all.atom")
    assert len(reads) == 2


def test_not_more_is_remembered_than_has_a_place(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_KNOWN", 3)
    published = PublishedFolder(folder.root, lambda _: 300, clock=lambda: datetime.now(UTC) + timedelta(minutes=1))

    def opened(number: int) -> object:
        document = published.open(f"/category/python/archive/{number}.atom")
        assert document is not None
        with document:
            assert document.read(document.plain) == b"%d" % number
        return document.plain

    for number in range(1, 9):
        folder.publish(f"category/python/archive/{number}.atom", b"%d" % number)
    first = {number: opened(number) for number in range(1, 9)}
    again = [number for number in range(8, 0, -1) if opened(number) is first[number]]
    assert again == [8, 7, 6], "the others were read anew"


def test_no_handle_stays_open(folder: Folder, published: PublishedFolder) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    (folder.root / "all.json").mkdir()
    for path in ("/all.atom", "/all.json", "/all.rss", "/nothing", "/category/python.atom"):
        read(published, path)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_r30_readers_beside_a_writer_see_one_version_or_another(folder: Folder, published: PublishedFolder) -> None:
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            folder.publish("all.atom", b"%06d" % number * 2000)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(500):
            document = published.open("/all.atom")
            assert document is not None
            with document:
                body = document.read(document.plain)
                assert hashlib.sha256(body).hexdigest()[:32] == document.plain.digest
                assert body == body[:6] * 2000 or body == ATOM
                if document.gzip is not None:
                    packed = document.read(document.gzip)
                    assert hashlib.sha256(packed).hexdigest()[:32] == document.gzip.digest
                    assert gzip.decompress(packed) == body
    finally:
        stop.set()
        writer.join()


def test_a_part_of_a_file_is_read_like_a_file(folder: Folder, published: PublishedFolder) -> None:
    body = os.urandom(700_000)
    folder.publish("all.atom", body, twin=False)
    document = published.open("/all.atom")
    assert document is not None
    with document:
        part = document.part(document.plain, 1000, 600_000)
    folder.publish("all.atom", b"another version", twin=False)
    assert part.seek(0, os.SEEK_END) == part.size == 600_000
    assert part.read() == b""
    assert part.seek(0) == part.tell() == 0
    assert b"".join(iter(part.read, b"")) == body[1000:601_000]
    assert (part.seek(10), part.seek(5, os.SEEK_CUR), part.read(3)) == (10, 15, body[1015:1018])
    part.close()
    part.close()  # close can be called again
