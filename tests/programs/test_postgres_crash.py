"""PostgreSQL or the program is killed at any moment: nothing is lost, nothing is doubled, `serve` waits (R2, R27)."""

import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.feed_server import FeedServer
from tests.patience import PATIENCE
from tests.programs.postgres import Cluster, cluster, postgres_programs
from tests.running import Running
from tests.sample_site import LOOPBACK, SampleSite, item, rss

SOURCES = 6
ROUNDS = int(os.environ.get("KILLS", "15"))  # more for whoever has more time
pytestmark = [
    pytest.mark.slow,
    pytest.mark.service,
    pytest.mark.skipif(not postgres_programs(), reason="PostgreSQL is not installed: apt-get install postgresql"),
]


@pytest.fixture
def server() -> Iterator[Cluster]:
    """Yield a PostgreSQL server of its own: other tests must not see it crash."""
    programs = postgres_programs()
    assert programs
    with cluster(programs) as running:
        yield running


def test_kills_of_the_server_and_of_the_program_lose_and_double_nothing(
    server: Cluster, publisher: FeedServer, tmp_path: Path
) -> None:
    """Each source gains an entry a round, in which one of the two is stopped or killed at a random moment."""
    chance = random.Random(20261201)
    rooms = [[item(f"{source}-0")] for source in range(SOURCES)]
    urls = [publisher.serve(f"/{n}.xml", rss(*items), host=f"127.0.0.{n + 2}") for n, items in enumerate(rooms)]
    site = Running(tmp_path, _yaml(server, urls))
    poll = site.command("poll", "--all")
    began = time.monotonic()
    assert subprocess.run(poll, capture_output=True, check=False, timeout=PATIENCE).returncode == 0
    whole = min(3.0, time.monotonic() - began)  # on this machine, under this load
    ended = Counter[tuple[str, str, int]]()
    for number in range(1, ROUNDS + 1):
        for source, items in enumerate(rooms):
            items.insert(0, item(f"{source}-{number}"))
            publisher.edit(f"/{source}.xml", rss(*items), host=f"127.0.0.{source + 2}")
        command = ["poll", "serve"][number % 2]
        mishap = chance.choice(["kill", "kill a session", "crash", "stop"])
        with (tmp_path / "log").open("ab") as log:
            run = subprocess.Popen(site.command(command), stdout=log, stderr=log)
        time.sleep(whole * chance.uniform(0.3, 1.5))  # the only way to be killed at no special moment
        if mishap == "kill":
            run.kill()
        elif mishap == "kill a session":
            server.kill_a_session(chance)
        else:
            server.crash() if mishap == "crash" else server.stop()
            server.start()
        site.wait_for(server.is_ready)
        if command == "serve" and mishap != "kill":
            assert run.poll() is None, site.log()
            run.terminate()
        ended[command, mishap, run.wait(PATIENCE)] += 1
    allowed = {"poll": (0, 3, -signal.SIGKILL), "serve": (0, -signal.SIGKILL, -signal.SIGTERM)}  # SIGTERM: too early
    assert all(code in allowed[command] for command, _, code in ended), (ended, site.log())
    assert "Traceback" not in site.log()
    for _ in range(2):
        assert subprocess.run(poll, capture_output=True, check=False, timeout=PATIENCE).returncode == 0
    published, found, path = SampleSite(tmp_path), Counter[str](), "category/general"
    while path:
        found.update(published.titles(f"{path}.atom"))
        path = published.previous(path)
    expected = sorted(f"Title {source}-{number}" for source in range(SOURCES) for number in range(ROUNDS + 1))
    assert sorted(found.elements()) == expected, ended


def test_serve_waits_for_a_server_that_is_not_there_yet(server: Cluster, publisher: FeedServer, tmp_path: Path) -> None:
    site = Running(tmp_path, _yaml(server, [publisher.serve("/feed.xml", rss(item(1)))]))
    server.stop()
    with (tmp_path / "log").open("ab") as log:
        site.process = subprocess.Popen(site.command("serve"), stdout=log, stderr=log)
    site.wait_for(lambda: "trying again for 60 seconds" in site.log())
    server.start()
    site.wait_for(lambda: site.get("category/general.atom")[0] == 200)
    assert site.stop()[0] == 0
    assert site.log().count("trying again") == 1


def _yaml(server: Cluster, urls: Sequence[str]) -> str:
    return (
        f"{LOOPBACK}store: {server.url.replace('postgres:', 'postgresql:', 1)}\nsite: {{base_url: 'http://127.0.0.1:8080/'}}\n"
        "defaults: {dedupe: off}\npublish: {formats: [atom], entries: 10, archive_page: 10}\nsources:\n"
    ) + "".join(f"  - '{url}'\n" for url in urls)
