"""`check` and `status` advise fewer entries if a feed is large (A22)."""

import json
from pathlib import Path

from aggregator.cli.check import heavy_feeds
from aggregator.config import load_config
from tests.command import aggregator
from tests.fake_source import FakeSource, said
from tests.sample_site import SampleSite

YAML = "sources: [{key: a, url: 'https://a.example/', category: a}]\n"


def typed(site: SampleSite, *arguments: str) -> str:
    done = aggregator("-c", "feeds.yaml", *arguments, cwd=site.folder)
    assert done.returncode == 0
    return done.stdout + done.stderr


def test_a22_a_feed_of_over_a_mebibyte_is_named_and_no_entry_is_shortened(tmp_path: Path) -> None:
    site = SampleSite(tmp_path)
    site.writes(YAML)
    long = "".join(f"<p>{n} Some words of a long article.</p>" for n in range(5000))
    with site.opened() as app:
        FakeSource(app).says("a", *(said(n, text=f"<p>{n}</p>{long}") for n in range(8)))
        app.publisher.publish()
        settings = app.in_force.settings
    heavy = heavy_feeds(settings)
    assert [line.split()[0] for line in heavy] == ["category/a", "all"]
    assert heavy[0].endswith(
        "MiB, and readers fetch all of it at each change; write fewer entries: for this category, or show: summary"
    )
    assert all(site.published("category/a.atom").count(f"{n} Some words".encode()) >= 8 for n in (0, 4999))
    assert "category/a has " in typed(site, "check")
    assert "category/a has " in typed(site, "status")
    assert any(
        "category/a has " in line for line in json.loads(typed(site, "check", "--json").splitlines()[0])["warnings"]
    )


def test_a22_what_is_light_and_what_is_no_feed_is_not_named(tmp_path: Path) -> None:
    site = SampleSite(tmp_path)
    site.writes(YAML)
    with site.opened() as app:
        FakeSource(app).says("a", said(1))
        app.publisher.publish()
    public = tmp_path / "public"
    (public / "category" / "a.html").write_bytes(b"x" * 2**21)
    (public / "category" / "Mine.atom").write_bytes(b"x" * 2**21)
    assert heavy_feeds(load_config(tmp_path / "feeds.yaml", {})) == []
