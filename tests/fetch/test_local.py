"""Sources of `kind: file` (S2)."""

import os
from pathlib import Path

import pytest

from aggregator.fetch import Client
from aggregator.fetch.adapter import Adapter
from aggregator.fetch.coding import MAX_DECODED_BYTES
from aggregator.model.ask import Ask
from aggregator.model.settings import Kind, Reading
from aggregator.urls import Url
from tests.fetch.conftest import ATOM, NOW, again, ask_for, failed, fetched


def ask_file(path: Path) -> Ask:
    """Return the request of a file as `config` makes it: the path as written, and the resolved one in the URL."""
    return ask_for(Url(path.resolve().as_uri()), path=path, reading=Reading(kind=Kind.FILE))


def test_a_file_is_a_body(client: Client, tmp_path: Path) -> None:
    file = tmp_path / "feed 日.xml"
    file.write_bytes(ATOM)
    ask = ask_file(file)
    answer = fetched(client.fetch(ask))
    assert (answer.body, answer.url, answer.asked_at) == (ATOM, ask.url, NOW)
    assert (answer.etag, answer.last_modified, answer.content_type, answer.same_body) == (None, None, None, False)


def test_p4_the_same_file_is_told(client: Client, tmp_path: Path) -> None:
    file = tmp_path / "feed.xml"
    file.write_bytes(ATOM)
    ask = again(ask_file(file), client.fetch(ask_file(file)))
    assert fetched(client.fetch(ask)).same_body
    file.write_bytes(ATOM + b" ")
    assert not fetched(client.fetch(ask)).same_body


def test_no_file(client: Client, tmp_path: Path) -> None:
    answer = failed(client.fetch(ask_file(tmp_path / "feed.xml")))
    assert answer.code == "not_found"


def test_an_empty_file(client: Client, tmp_path: Path) -> None:
    (tmp_path / "feed.xml").touch()
    assert failed(client.fetch(ask_file(tmp_path / "feed.xml"))).code == "empty"


def test_p82_a_file_over_the_limit(client: Client, tmp_path: Path) -> None:
    with (tmp_path / "feed.xml").open("wb") as file:
        file.truncate(MAX_DECODED_BYTES + 1)
    assert failed(client.fetch(ask_file(tmp_path / "feed.xml"))).code == "too_large"


def test_no_regular_file(client: Client, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "folder"):
        assert failed(client.fetch(ask_file(tmp_path / name))).code == "not_found"


def test_symlinks_in_a_circle(client: Client, tmp_path: Path) -> None:
    ask = ask_file(tmp_path / "a")
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    assert failed(client.fetch(ask)).code == "not_found"


def test_a_symlink_that_config_has_seen_is_followed(client: Client, tmp_path: Path) -> None:
    (tmp_path / "today.xml").write_bytes(ATOM)
    (tmp_path / "feed.xml").symlink_to("today.xml")
    ask = ask_file(tmp_path / "feed.xml")
    assert fetched(client.fetch(ask)).body == ATOM
    (tmp_path / "tomorrow.xml").write_bytes(ATOM + b" ")
    (tmp_path / "feed.xml").unlink()
    (tmp_path / "feed.xml").symlink_to("tomorrow.xml")
    assert fetched(client.fetch(ask)).body == ATOM + b" "


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_s2_a_symlink_that_was_put_there_since_is_not(client: Client, tmp_path: Path, kind: str) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "feed.xml").write_bytes(b"secret")
    folder = tmp_path / "feeds"
    folder.mkdir()
    (folder / "feed.xml").write_bytes(ATOM)
    ask = ask_file(folder / "feed.xml")
    (folder / "feed.xml").unlink()
    if kind == "file":
        (folder / "feed.xml").symlink_to(tmp_path / "secret" / "feed.xml")
    else:
        folder.rmdir()
        folder.symlink_to(tmp_path / "secret")
    answer = failed(client.fetch(ask))
    assert answer.code == "not_found"
    assert "reload" in answer.text


def test_s2_only_kind_file_reads_files(client: Client, tmp_path: Path) -> None:
    (tmp_path / "feed.xml").write_bytes(ATOM)
    answer = client.fetch(ask_for(Url((tmp_path / "feed.xml").as_uri()), path=tmp_path / "feed.xml"))
    assert failed(answer).code == "refused"


def test_a_file_does_not_touch_the_network(client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(Adapter, "ask")
    (tmp_path / "feed.xml").write_bytes(ATOM)
    fetched(client.fetch(ask_file(tmp_path / "feed.xml")))
