"""A publication that fails says so: alarm `output` in status and status.json, for as long as it lasts (R32, R67)."""

import json
from pathlib import Path

import pytest

from aggregator.app import App
from aggregator.cli import main
from aggregator.errors import StrangerInTheWay
from tests.fake_source import FakeSource, said
from tests.sample_site import SampleSite

YAML = "publish: {formats: [atom, html]}\nsources: [{key: a, url: 'https://a.example/', category: a, paused: true}]\n"
THEIRS = b"<h1>Somebody else's</h1>"


@pytest.fixture
def site(sample_site: SampleSite) -> SampleSite:
    sample_site.writes(YAML)
    with sample_site.opened() as app:
        FakeSource(app).says("a", said(1))
        app.publisher.publish()
    return sample_site


def put_in_the_way(site: SampleSite, path: str, *, ours: bool) -> Path:
    """Take a file off the list, so that it is one that we did not write; somebody else's has no mark."""
    with site.opened() as app, app.store.begin() as tx:
        tx.files.unlist([path])
        tx.files.forget_looks()
    file = site.folder / "public" / path
    if not ours:
        file.with_name(f"{file.name}.gz").unlink(missing_ok=True)
        file.write_bytes(THEIRS)
    return file


def alarms(site: SampleSite) -> list[str]:
    """Return the codes of the alarms in status.json."""
    return [one["code"] for one in json.loads(site.published("status.json"))["alarms"]]


def told(app: App) -> list[str]:
    """Return the texts of the alarm in `status`."""
    return [one.text for one in app.store.status(app.in_force.roster, app.clock()).alarms if one.code.value == "output"]


@pytest.mark.parametrize("ours", [True, False], ids=["ours", "theirs"])
@pytest.mark.parametrize("path", ["category/a.atom", "index.html", "status.html"])
def test_r67_a_file_in_the_way_is_an_alarm_until_it_is_gone(site: SampleSite, path: str, ours: bool) -> None:
    file = put_in_the_way(site, path, ours=ours)
    with site.opened() as app:
        with pytest.raises(StrangerInTheWay):
            app.publisher.publish()
        [text] = told(app)
        assert text.startswith(f"{path} exists and is not in this store; ")
        assert alarms(site) == ["output"]
        with pytest.raises(StrangerInTheWay):
            app.publisher.publish()
        assert (told(app), alarms(site)) == ([text], ["output"])
    with site.opened() as app:
        with pytest.raises(StrangerInTheWay):
            app.publisher.publish()
        assert (told(app), alarms(site)) == ([text], ["output"])
    file.unlink()
    file.with_name(f"{file.name}.gz").unlink(missing_ok=True)
    with site.opened() as app:
        app.publisher.publish()
        assert (told(app), alarms(site)) == ([], [])


def test_r67_a_copy_in_the_way_is_told_too(site: SampleSite) -> None:
    site.writes(YAML.replace("html]", "html], aliases: {old.xml: all.atom, state: status.json}"))
    (site.folder / "public" / "old.xml").write_bytes(THEIRS)
    with site.opened() as app:
        with pytest.raises(StrangerInTheWay):
            app.publisher.publish()
        assert told(app)[0].startswith("old.xml exists")
    assert alarms(site) == ["output"]
    (site.folder / "public" / "old.xml").unlink()
    with site.opened() as app:
        app.publisher.publish()
    assert alarms(site) == []
    assert site.published("state") == site.published("status.json"), "an old address of it says the same"


def test_r67_a_poll_that_can_not_publish_says_so(site: SampleSite, capsys: pytest.CaptureFixture[str]) -> None:
    put_in_the_way(site, "category/a.atom", ours=True)
    command = ["-q", "-c", str(site.folder / "feeds.yaml")]
    assert main([*command, "poll"], {}) == 3
    assert alarms(site) == ["output"]
    capsys.readouterr()
    assert main([*command, "status", "--json"], {}) == 0
    assert [one["code"] for one in json.loads(capsys.readouterr().out)["alarms"]] == ["output"]
