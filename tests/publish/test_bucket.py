"""Outputs as objects: the same promises as for files, over a real connection."""

import gzip
import hashlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from apscheduler.schedulers.background import BackgroundScheduler

from aggregator.app import App
from aggregator.cli.poll import OneShot
from aggregator.errors import PublishError, StrangerInTheWay
from aggregator.extras import install_command
from aggregator.model.settings import BucketAddress
from aggregator.publish.bucket import DIGEST, MAX_PARALLEL, Bucket
from aggregator.service import Service
from aggregator.service.outputs import OutputWatch
from tests.bucket import PATIENCE, ObjectService, Stored
from tests.feed_server import FeedServer, Reply
from tests.sample_site import SampleSite, item, rss

PATH = "category/python.atom"
KEY = f"site/{PATH}"
YAML = """
site: {{base_url: 'https://planet.example/'}}
publish: {{to: 's3://planet/site'}}
sources: [{{url: '{url}', category: python}}]
"""


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectService]:
    with ObjectService() as service:
        for name, value in service.environ.items():
            monkeypatch.setenv(name, value)
        yield service


@pytest.fixture
def bucket(service: ObjectService) -> Bucket:
    return Bucket(BucketAddress("planet", "site"))


def test_a70_a75_a76_an_object_carries_type_coding_and_cache_headers(service: ObjectService, bucket: Bucket) -> None:
    assert bucket.replace(PATH, b"one", gzip=True, max_age=450) is True
    stored = service.objects[KEY]
    assert gzip.decompress(stored.body) == b"one"
    assert stored.headers == {
        "content-type": "application/atom+xml; charset=utf-8",
        "content-encoding": "gzip",
        "cache-control": "public, max-age=450, stale-if-error=86400",
        f"x-amz-meta-{DIGEST}": hashlib.sha256(b"one").hexdigest(),
    }
    bucket.replace("entry/ab/ab0123456789abcd.html", b"<p>", gzip=False)
    page = service.objects["site/entry/ab/ab0123456789abcd.html"]
    assert (page.body, page.headers["content-type"]) == (b"<p>", "text/html; charset=utf-8")
    assert "content-encoding" not in page.headers


def test_a31_what_stands_there_is_not_put_again(service: ObjectService, bucket: Bucket) -> None:
    bucket.replace(PATH, b"one", gzip=True, max_age=450)
    service.puts()
    assert bucket.replace(PATH, b"one", gzip=True, max_age=450) is False
    assert service.puts() == []
    assert bucket.replace(PATH, b"one", gzip=True, max_age=900) is False, "other headers are no other bytes"
    assert bucket.replace(PATH, b"one", gzip=False, max_age=900) is False
    assert service.puts() == [KEY, KEY]
    assert "content-encoding" not in service.objects[KEY].headers
    assert bucket.replace(PATH, b"two", gzip=False, max_age=900) is True
    service.objects[KEY] = Stored(b"somebody was here")
    assert bucket.replace(PATH, b"two", gzip=False, max_age=900) is True, "what stands in the bucket counts"


def test_strangers_are_told_from_our_own(service: ObjectService, bucket: Bucket) -> None:
    assert bucket.stranger(PATH) is None
    bucket.replace(PATH, b"one", gzip=True)
    assert bucket.stranger(PATH) is True
    service.objects[KEY] = Stored(b"their own")
    assert bucket.stranger(PATH) is False
    service.objects[KEY] = Stored(gzip.compress(b"/* generator: aggregator */"))  # copied here by another tool
    assert bucket.stranger(PATH) is True
    service.objects[KEY] = Stored(b"")
    assert bucket.stranger(PATH) is False


def test_only_what_is_ours_is_removed(service: ObjectService, bucket: Bucket) -> None:
    assert bucket.remove(PATH) is False
    bucket.replace(PATH, b"one", gzip=True)
    assert bucket.remove(PATH) is True
    service.objects[KEY] = Stored(b"their own")
    assert bucket.remove(PATH) is False
    assert list(service.objects) == [KEY]


def test_digest_is_of_the_plain_bytes(bucket: Bucket) -> None:
    assert bucket.digest(PATH) is None
    bucket.replace(PATH, b"one", gzip=True)
    assert bucket.digest(PATH) == hashlib.sha256(b"one").hexdigest()
    assert bucket.missing([PATH, "index.html"]) == {"index.html"}
    assert bucket.digests([PATH, "index.html"]) == {PATH: bucket.digest(PATH), "index.html": None}


@pytest.mark.parametrize("path", ["../x", "/x", "a//b", ".hidden", "a/../b", "x.gz"])
def test_s51_odd_paths_are_refused(service: ObjectService, bucket: Bucket, path: str) -> None:
    with pytest.raises(PublishError):
        bucket.replace(path, b"one", gzip=False)
    assert service.puts() == []


@pytest.mark.parametrize(
    ("status", "code", "says"),
    [
        (403, "AccessDenied", "access denied: let our key list the bucket"),
        (403, "SignatureDoesNotMatch", "AWS_SECRET_ACCESS_KEY"),
        (403, "InvalidAccessKeyId", "AWS_ACCESS_KEY_ID"),
        (403, "Strange", "refuses our key"),
        (400, "ExpiredToken", "AWS_SESSION_TOKEN"),
        (404, "NoSuchBucket", "there is no such bucket"),
    ],
)
def test_r32_refusals_are_told_in_an_operators_words(service: ObjectService, status: int, code: str, says: str) -> None:
    service.refusals.append((status, code))
    with pytest.raises(PublishError, match=says) as caught:
        Bucket(BucketAddress("planet", "site"))
    assert "Authorization" not in str(caught.value)
    assert "Credential" not in str(caught.value)
    assert str(caught.value).startswith("s3://planet/site: ")


@pytest.mark.parametrize("endpoint", ["nonsense", "ftp://host", "http://", "http://me:secret@host", "http://a b"])
def test_an_endpoint_that_is_no_address_is_named(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    with pytest.raises(PublishError, match="AWS_ENDPOINT_URL is no address"):
        Bucket(BucketAddress("planet"))


@pytest.mark.parametrize("without", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
@pytest.mark.parametrize("empty", [False, True], ids=["missing", "empty"])
def test_half_a_key_is_named(
    service: ObjectService, monkeypatch: pytest.MonkeyPatch, without: str, *, empty: bool
) -> None:
    monkeypatch.setenv(without, "") if empty else monkeypatch.delenv(without)
    with pytest.raises(PublishError, match=f"{without} is missing or empty"):
        Bucket(BucketAddress("planet"))
    assert service.puts() == []


def test_r32_a_busy_service_is_asked_again_and_then_given_up(service: ObjectService, bucket: Bucket) -> None:
    service.refusals.extend([(503, "SlowDown")] * 2)
    assert bucket.replace(PATH, b"one", gzip=False) is True
    service.refusals.extend([(503, "SlowDown")] * 4)
    with pytest.raises(PublishError, match="answered 503"):
        bucket.replace(PATH, b"two", gzip=False)
    assert service.objects[KEY].body == b"one"
    assert bucket.replace(PATH, b"two", gzip=False) is True


def test_r54_a_service_that_is_away_costs_one_try_not_one_for_each_output(
    service: ObjectService, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.stop()
    with pytest.raises(PublishError, match="can't be reached"):
        bucket.replace(PATH, b"one", gzip=False)
    monkeypatch.setattr(bucket, "_store", None)  # whoever asks again now meets a fault
    with pytest.raises(PublishError, match="can't be reached"):
        bucket.replace(PATH, b"one", gzip=False)
    Bucket(BucketAddress("planet"))  # R32: no reason not to start


# --- the whole program


def test_a_planet_in_a_bucket(service: ObjectService, sample_site: SampleSite, publisher: FeedServer) -> None:
    url = publisher.says("/feed.xml", Reply(200, rss(item(1))), Reply(200, rss(item(1), item(2))), Reply(304))
    sample_site.writes(YAML.format(url=url))
    assert PATH in sample_site.poll()["published"]
    first = service.puts()
    assert first.index(KEY) < first.index("site/index.html"), "R31"
    service.objects["site/own.html"] = Stored(b"somebody else's")
    sample_site.clock.move(hours=1)
    published = sample_site.poll()["published"]
    second = service.puts()
    assert {f"site/{path}" for path in published} == {*second}
    assert "site/style.css" not in second
    assert b"Title 2" in gzip.decompress(service.objects[KEY].body)
    assert not (sample_site.folder / "public").exists()
    with sample_site.opened() as app:
        assert app.publisher.publish(everything=True).changed == ()
    assert {key.removeprefix("site/") for key in service.puts()} <= {"status.json", "status.html"}
    text = (sample_site.folder / "feeds.yaml").read_text(encoding="utf-8")
    (sample_site.folder / "feeds.yaml").write_text(text.replace("planet/site'", "planet/site', formats: [atom]"))
    with sample_site.opened() as app:
        app.publisher.publish()
    assert {"site/own.html", KEY} <= set(service.objects)
    assert not {"site/index.html", "site/category/python.json"} & set(service.objects), "no longer published"


def test_r31_stories_are_put_side_by_side_and_nothing_before_what_it_leads_to(
    service: ObjectService, sample_site: SampleSite, publisher: FeedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aggregator.publish.bucket.REQUEST_SECONDS", 2 * PATIENCE)  # a put waits for others here
    url = publisher.says("/feed.xml", Reply(200, rss(*(item(n) for n in range(45)))))
    sample_site.writes(YAML.format(url=url).replace("{to:", "{entries: 10, archive_page: 10, to:"))
    service.meet(MAX_PARALLEL)
    published = sample_site.poll()["published"]
    assert service.most == MAX_PARALLEL
    assert {f"site/{path}" for path in published} == {*service.put} == {*service.objects}
    place = {key.removeprefix("site/"): number for number, key in enumerate(service.put)}
    pages = [number for path, number in place.items() if path.startswith("entry/")]
    archives = [place[f"category/python/archive/{number}.atom"] for number in (1, 2, 3, 4)]
    feeds = [place[f"category/python.{form}"] for form in ("atom", "rss", "json")]
    assert len(pages) == 45
    assert max(pages) < min(feeds)
    assert max(feeds) < place["category/python.html"] < place["all.atom"] < place["index.html"]
    assert place["index.html"] < min(archives), "of a backfill"
    assert archives == sorted(archives), "each leads to the one before"


def test_r32_what_fails_beside_others_harms_none_and_is_made_up_for(
    service: ObjectService, sample_site: SampleSite, publisher: FeedServer
) -> None:
    url = publisher.says("/feed.xml", Reply(200, rss(*(item(n) for n in range(20)))))
    sample_site.writes(YAML.format(url=url))
    with sample_site.opened() as app:
        app.publisher.publish()
        OneShot(app).poll([], everything=True, limit=timedelta(0))
        service.refusals.extend([(403, "AccessDenied")] * 3)  # whichever three ask first what stands there
        first = app.publisher.publish()
        stand = {key for key in service.objects if key.startswith("site/entry/")}
        assert (len(first.failed), len(stand)) == (3, 17)
        second = app.publisher.publish()
    assert second.failed == ()
    assert {f"site/{path}" for path in first.failed} <= {*service.objects}
    assert len([key for key in service.put if key.startswith("site/entry/")]) == 20, "each once"


def test_a_stranger_in_the_bucket_is_respected(
    service: ObjectService, sample_site: SampleSite, publisher: FeedServer
) -> None:
    service.objects[KEY] = Stored(b"their own")
    sample_site.writes(YAML.format(url=publisher.says("/feed.xml", Reply(200, rss(item(1))))))
    with pytest.raises(StrangerInTheWay, match=r"s3://planet/site/category/python\.atom exists"):
        sample_site.poll()
    assert service.objects[KEY].body == b"their own"


def test_a_refusal_ends_a_command_with_3(service: ObjectService, sample_site: SampleSite, tmp_path: Path) -> None:
    sample_site.writes(YAML.format(url="http://127.0.0.1:9/").replace("planet/site", "nothing-here"))
    done = subprocess.run(
        [sys.executable, "-m", "aggregator", "-c", str(sample_site.folder / "feeds.yaml"), "publish"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 3
    assert done.stderr.splitlines()[-1].endswith(
        "s3://nothing-here: there is no such bucket: make it, or mend publish.to"
    )


@pytest.mark.parametrize("command", ["check", "publish"])
def test_the_extra_that_is_missing_is_named(sample_site: SampleSite, command: str) -> None:
    sample_site.writes(YAML.format(url="http://127.0.0.1:9/"))
    code = "import sys; sys.modules['obstore'] = None; from aggregator.__main__ import run; sys.exit(run())"
    done = subprocess.run(
        [sys.executable, "-c", code, "-c", str(sample_site.folder / "feeds.yaml"), command],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert "feeds.yaml:4:15: a bucket needs the extra s3" in done.stderr
    assert install_command("s3") in done.stderr


class Hours:
    """A steady clock that is moved."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@contextmanager
def served(sample_site: SampleSite, hours: Hours) -> Iterator[tuple[Service, App]]:
    """Run a service whose jobs the test does itself."""
    with sample_site.opened("serve") as app:
        scheduler = BackgroundScheduler()
        service = Service(app, {}, outputs=OutputWatch(app, hours), scheduler=scheduler)
        service.start()
        scheduler.pause()
        try:
            yield service, app
        finally:
            service.stop()


def test_what_is_removed_from_a_bucket_is_put_again_for_a_request_an_hour(
    service: ObjectService, sample_site: SampleSite, publisher: FeedServer
) -> None:
    sample_site.writes(YAML.format(url=publisher.serve("/feed.xml", rss(item(1)))))
    sample_site.poll()
    before = {key for key in service.objects if not key.startswith("site/status.")}
    hours = Hours()
    with served(sample_site, hours) as (running, _):

        def look(minutes: float) -> int:
            """Move the clock minute by minute; return how many requests that made."""
            service.asked.clear()
            for _ in range(round(minutes)):
                hours.seconds += 60
                running.jobs["outputs"].run()
            asked = len(service.asked)
            sample_site.clock.move(minutes=minutes)
            running.jobs["flush"].run()
            return asked

        assert look(59) == 0
        assert look(1) == 1
        assert look(180) == 3
        service.objects.clear()
        assert look(59) == 0
        assert look(1) > 1
        assert before <= service.objects.keys(), "all of it was cleared"
        del service.objects[KEY]
        look(23 * 60)
        assert KEY not in service.objects
        look(60)
        assert KEY in service.objects, "one was lost"
        assert look(60) == 1


def test_a_bucket_that_does_not_answer_is_asked_again_at_the_next_look(
    service: ObjectService, sample_site: SampleSite, publisher: FeedServer
) -> None:
    sample_site.writes(YAML.format(url=publisher.serve("/feed.xml", rss(item(1)))))
    sample_site.poll()
    hours = Hours()
    with served(sample_site, hours) as (running, _):
        hours.seconds += 3600
        service.refusals.append((403, "AccessDenied"))
        with pytest.raises(PublishError):
            running.jobs["outputs"].run()
        service.asked.clear()
        running.jobs["outputs"].run()
        running.jobs["outputs"].run()
        assert len(service.asked) == 1
