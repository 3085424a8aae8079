"""A publication that fails says so: alarm `output` in status and status.json, for as long as it lasts (R32, R67)."""

import json
from pathlib import Path

import pytest

from aggregator.app import App
from aggregator.cli import main
from aggregator.errors import StrangerInTheWay
from tests.desk import FakeSource, said
from tests.newsroom import SampleSite

YAML = "publish: {formats: [atom, html]}\nsources: [{key: a, url: 'https://a.example/', category: a, paused: true}]\n"
THEIRS = b"<h1>Somebody else's</h1>"


@pytest.fixture
def room(newsroom: SampleSite) -> SampleSite:
    newsroom.writes(YAML)
    with newsroom.opened() as app:
        FakeSource(app).says("a", said(1))
        app.publish()
    return newsroom


def put_in_the_way(room: SampleSite, path: str, *, ours: bool) -> Path:
    """Take a file off the list, so that it is one that we did not write; somebody else's has no mark."""
    with room.opened() as app, app.store.begin() as tx:
        tx.files.unlist([path])
        tx.files.forget_looks()
    file = room.folder / "public" / path
    if not ours:
        file.with_name(f"{file.name}.gz").unlink(missing_ok=True)
        file.write_bytes(THEIRS)
    return file


def alarms(room: SampleSite) -> list[str]:
    """Give the codes of what status.json says is wrong."""
    return [one["code"] for one in json.loads(room.published("status.json"))["alarms"]]


def told(app: App) -> list[str]:
    """Give what `status` says of the alarm."""
    return [one.text for one in app.store.status(app.roster, app.clock()).alarms if one.code.value == "output"]


@pytest.mark.parametrize("ours", [True, False], ids=["ours", "theirs"])
@pytest.mark.parametrize("path", ["category/a.atom", "index.html", "status.html"])
def test_r67_a_file_in_the_way_is_an_alarm_until_it_is_gone(room: SampleSite, path: str, ours: bool) -> None:
    file = put_in_the_way(room, path, ours=ours)
    with room.opened() as app:
        with pytest.raises(StrangerInTheWay):
            app.publish()
        [text] = told(app)
        assert text.startswith(f"{path} stands there and is not in this store; ")
        assert alarms(room) == ["output"]
        with pytest.raises(StrangerInTheWay):
            app.publish()
        assert (told(app), alarms(room)) == ([text], ["output"])
    with room.opened() as app:
        with pytest.raises(StrangerInTheWay):
            app.publish()
        assert (told(app), alarms(room)) == ([text], ["output"])
    file.unlink()
    file.with_name(f"{file.name}.gz").unlink(missing_ok=True)
    with room.opened() as app:
        app.publish()
        assert (told(app), alarms(room)) == ([], [])


def test_r67_a_copy_in_the_way_is_told_too(room: SampleSite) -> None:
    room.writes(YAML.replace("html]", "html], aliases: {old.xml: all.atom, state: status.json}"))
    (room.folder / "public" / "old.xml").write_bytes(THEIRS)
    with room.opened() as app:
        with pytest.raises(StrangerInTheWay):
            app.publish()
        assert told(app)[0].startswith("old.xml stands there")
    assert alarms(room) == ["output"]
    (room.folder / "public" / "old.xml").unlink()
    with room.opened() as app:
        app.publish()
    assert alarms(room) == []
    assert room.published("state") == room.published("status.json"), "an old address of it says the same"


def test_r67_a_poll_that_can_not_publish_says_so(room: SampleSite, capsys: pytest.CaptureFixture[str]) -> None:
    put_in_the_way(room, "category/a.atom", ours=True)
    command = ["-q", "-c", str(room.folder / "feeds.yaml")]
    assert main([*command, "poll"], {}) == 3
    assert alarms(room) == ["output"]
    capsys.readouterr()
    assert main([*command, "status", "--json"], {}) == 0
    assert [one["code"] for one in json.loads(capsys.readouterr().out)["alarms"]] == ["output"]
