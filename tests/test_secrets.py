"""Values of `${NAME}` appear in no output, log or event, whatever a publisher echoes (S44)."""

import gzip
from dataclasses import replace

import pytest

from aggregator.errors import ConnectionLost
from aggregator.model.ask import Ask
from aggregator.model.poll import Answer
from aggregator.poll.pipeline import gather
from tests.fake_source import FakeSource
from tests.feed_server import FeedServer, Reply
from tests.rows import rows
from tests.sample_site import SampleSite, item, rss

TOKEN, HEADER = "TOKEN-9f8e7d6c", "HEADER-5b4a3928"
MAY_HOLD = {("source", "url"), ("source", "url_in_use"), ("source", "validators_url")}  # or we could not ask


def outputs_with(sample_site: SampleSite, *secrets: str) -> list[str]:
    found = []
    for path in sorted(path for path in (sample_site.folder / "public").rglob("*") if path.is_file()):
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        found += [path.name for secret in secrets if secret.encode() in data]
    return found


def columns_with(sample_site: SampleSite, *secrets: str) -> set[tuple[str, str]]:
    return {
        (table, name)
        for (table,) in rows(sample_site.folder, "SELECT name FROM sqlite_master WHERE type = 'table'")
        for row in rows(sample_site.folder, f"SELECT * FROM {table}")
        for name, value in row._mapping.items()
        for secret in secrets
        if secret in str(value)
    }


def a_source(publisher: FeedServer, path: str = "/feed", **more: str) -> str:
    said = "".join(f", {name}: {value}" for name, value in more.items())
    address = f"http://127.0.0.1:{publisher.port}{path}?t=${{TOKEN}}"
    return f"sources: [{{key: a, url: '{address}', headers: {{X-Key: '${{HEADER}}'}}{said}}}]\n"


@pytest.fixture
def sample_site(sample_site: SampleSite) -> SampleSite:
    sample_site.environ = {"TOKEN": TOKEN, "HEADER": HEADER}
    return sample_site


@pytest.mark.parametrize("private", ["true", "false"])
def test_s44_what_a_feed_echoes_is_never_stored(sample_site: SampleSite, publisher: FeedServer, private: str) -> None:
    path = f"/feed?t={TOKEN}"
    site = f"http://127.0.0.1:{publisher.port}"
    told = f'<p>You sent {HEADER}. <a href="#top">Top</a> <img src="/i.png?{TOKEN}">{"Some words more. " * 9}</p>'
    echoing = item(
        1,
        guid=f"{site}/item?t={TOKEN}",
        link=f"https://news.example/1?t={TOKEN}&x={HEADER}",
        description=told,
    )
    publisher.serve(path, rss(echoing, title=f"Feed of {TOKEN}", link=f"{site}{path}"))
    sample_site.writes(a_source(publisher, private=private))
    assert sample_site.poll()["new"] == 1
    assert outputs_with(sample_site, TOKEN, HEADER) == []
    assert columns_with(sample_site, TOKEN, HEADER) <= MAY_HOLD
    assert "You sent ***" in sample_site.items()[0]["content_html"]
    assert sample_site.poll()["not_modified"] == 1


def test_p4_the_same_echo_again_is_the_same_body(sample_site: SampleSite, publisher: FeedServer) -> None:
    publisher.serve(f"/feed?t={TOKEN}", rss(item(1, description=f"You sent {HEADER}")), tags=False)
    sample_site.writes(a_source(publisher))
    sample_site.poll()
    before = sample_site.files()
    report = sample_site.poll()
    assert (report["fetched"], report["new"], report["revised"]) == (1, 0, 0)
    assert sample_site.files() == before


def test_s44_a_new_token_makes_no_entry_new(sample_site: SampleSite, publisher: FeedServer) -> None:
    for token in (TOKEN, "TOKEN-of-tomorrow"):
        sample_site.environ["TOKEN"] = token
        guid = f"http://127.0.0.1:{publisher.port}/item?t={token}"
        publisher.serve(f"/feed?t={token}", rss(item(1, guid=guid, link=guid)))
        sample_site.writes(a_source(publisher))
        report = sample_site.poll()
    assert (report["new"], report["revised"]) == (0, 0)
    assert columns_with(sample_site, TOKEN) == set()
    facts = [row for row in columns_with(sample_site, "TOKEN-of-tomorrow") if row not in MAY_HOLD]
    assert facts == [], "events name hosts"


def test_s44_an_error_shows_no_secret(
    sample_site: SampleSite, publisher: FeedServer, caplog: pytest.LogCaptureFixture
) -> None:
    publisher.says(f"/feed?t={TOKEN}", Reply(302, b"", {"Location": f"http://{TOKEN}.invalid/?{TOKEN}"}))
    sample_site.writes(a_source(publisher))
    (row,) = sample_site.poll()["results"]
    assert row["outcome"] == "failed"
    assert TOKEN.lower() not in str(row["error"]).lower()
    assert columns_with(sample_site, TOKEN, TOKEN.lower()) <= MAY_HOLD
    assert outputs_with(sample_site, TOKEN, TOKEN.lower()) == []
    assert not [record for record in caplog.records if TOKEN.lower() in str(record.__dict__).lower()]


@pytest.mark.parametrize("error", [ValueError(f"a fault near {TOKEN}"), ConnectionLost, None], ids=str)
def test_s44_a_crash_is_logged_without_secrets(
    sample_site: SampleSite, publisher: FeedServer, caplog: pytest.LogCaptureFixture, error: Exception | None
) -> None:
    def fetch(ask: Ask) -> Answer:
        if isinstance(error, ValueError):
            raise error
        if error is None:
            raise RuntimeError("a fault")
        raise ConnectionLost(ask.url, f"said {HEADER}")

    sample_site.writes(a_source(publisher))
    with sample_site.opened() as app:
        poll = gather(FakeSource(app).claim("a"), replace(app.poller.ports, fetch=fetch))
    said = getattr(poll.answer, "text", TOKEN)
    assert TOKEN not in said
    assert HEADER not in said
    shown = caplog.text + str([record.__dict__ for record in caplog.records])
    assert TOKEN not in shown.replace(repr(str(error)), "")
    if error is None:
        assert "RuntimeError: a fault" in caplog.text, "a traceback without secrets is logged as it is"


def test_s44_events_name_the_hosts_of_a_moved_source(sample_site: SampleSite, publisher: FeedServer) -> None:
    sample_site.writes(a_source(publisher))
    with sample_site.opened():
        pass
    sample_site.writes(a_source(publisher, path="/other"))
    with sample_site.opened():
        pass
    facts = rows(sample_site.folder, "SELECT facts FROM event WHERE code = 'move_settings'")
    assert facts == [('{"host":["127.0.0.1","127.0.0.1"]}',)]
