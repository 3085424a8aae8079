"""The alarm `silent` over a store: learned from the days with news, and `silent_after` of a source (R46)."""

from aggregator.app import App
from tests.fake_source import FakeSource, said
from tests.sample_site import SampleSite


def silent(site: SampleSite, app: App) -> list[str]:
    """Return the texts of the alarms `silent`."""
    alarms = app.store.status(app.in_force.roster, site.clock()).alarms
    return [alarm.text for alarm in alarms if alarm.code == "silent"]


def test_r46_a_newspaper_that_ends_is_noticed_after_seven_working_days(sample_site: SampleSite) -> None:
    site = sample_site
    site.writes("sources: [{key: a, url: 'https://a.example/'}]")
    site.clock.move(days=-2)  # a Monday
    with site.opened() as app:
        source = FakeSource(app)
        for day in range(12 * 7):
            if day % 7 < 5:
                source.says("a", said(day, published=site.clock.now))
            else:
                source.unchanged(["a"])
            site.clock.move(days=1)
        for _ in range(9):  # Monday to the Tuesday after the next: six working days, and seven when it is over
            source.unchanged(["a"])
            assert silent(site, app) == []
            site.clock.move(days=1)
        source.unchanged(["a"])
        assert silent(site, app) == [
            "no new entry since 2026-05-22; it had some on most of its usual days, and now on none of 7"
        ]
        site.clock.move(days=1)
        source.says("a", said(999, published=site.clock.now))
        assert silent(site, app) == []


def test_silent_after_of_a_source_is_what_counts(sample_site: SampleSite) -> None:
    site = sample_site
    site.writes("sources: [{key: a, url: 'https://a.example/', silent_after: 30d}]")
    with site.opened() as app:
        FakeSource(app).says("a", said(1, published=site.clock.now))
        site.clock.move(days=29)
        FakeSource(app).unchanged(["a"])
        assert silent(site, app) == []
        site.clock.move(days=1)
        FakeSource(app).unchanged(["a"])
        assert silent(site, app) == ["no new entry since 2026-03-04, and silent_after is over"]
    site.writes("sources: [{key: a, url: 'https://a.example/', silent_after: 900d}]")
    site.clock.move(days=500)
    with site.opened() as app:
        FakeSource(app).unchanged(["a"])
        assert silent(site, app) == []
