"""`serve` as an operator runs it: stopped, killed, edited under way, beside other commands."""

import http.client
import os
import subprocess
from pathlib import Path

import pytest

from tests.feed_server import FeedServer, Garbage, Hangs, Reply, Reset
from tests.patience import PATIENCE
from tests.rows import rows
from tests.running import Running
from tests.sample_site import LOOPBACK, item, rss

FAST = "publish: {formats: [atom, json, html]}\n"


@pytest.mark.slow
def test_r54_sigterm_with_sixteen_hanging_polls_and_a_kept_reader(tmp_path: Path, publisher: FeedServer) -> None:
    urls = [publisher.says(f"/{n}", Hangs()) for n in range(16)]
    good = publisher.serve("/good", rss(item(1)))
    lines = "".join(f"  - {{url: '{url}', timeout: 60s}}\n" for url in urls)
    with Running(tmp_path, f"{LOOPBACK}{FAST}workers: 17\nsources:\n  - '{good}'\n{lines}") as running:
        publisher.wait_until_asked(17)
        running.wait_for(lambda: b"Title 1" in running.get("category/general.atom")[1])
        reader = http.client.HTTPConnection("127.0.0.1", running.port)
        reader.request("GET", "/category/general.atom")
        reader.getresponse().read()  # and the connection is kept
        before = rows(tmp_path, "SELECT key, failures FROM source WHERE failures > 0")
        code, seconds = running.stop()
        reader.close()
        assert (code, before) == (0, [])
        assert seconds < 10
        assert [path.name for path in (tmp_path / "var").iterdir()] == ["aggregator.db"], "one file, no lock"
        assert rows(tmp_path, "SELECT key FROM source WHERE failures > 0 OR claims > 0") == []
        asked = len(publisher.asked)
        running.start()
        publisher.wait_until_asked(asked + 16)
        assert [a.path for a in publisher.asked[asked:]].count("/good") == 0, "what is not due is not asked (P64)"


@pytest.mark.slow
def test_r27_a_second_process_is_turned_away_and_readers_are_not(tmp_path: Path, publisher: FeedServer) -> None:
    url = publisher.serve("/feed.xml", rss(item(1)))
    with Running(tmp_path, f"{LOOPBACK}{FAST}sources: ['{url}']\n") as running:
        second = subprocess.run(running.command("poll"), capture_output=True, text=True, check=False, timeout=PATIENCE)
        assert second.returncode == 4
        assert f"serve, process {running.process.pid if running.process else 0}" in second.stderr
        running.wait_for(lambda: running.status()["sources"][0]["state"] == "ok")
        check = subprocess.run(running.command("check"), capture_output=True, text=True, check=False, timeout=PATIENCE)
        assert check.returncode == 0


@pytest.mark.slow
def test_r50_an_edit_is_taken_up_and_a_broken_one_is_not(tmp_path: Path, publisher: FeedServer) -> None:
    one = publisher.serve("/one.xml", rss(item(1)))
    two = publisher.serve("/two.xml", rss(item(2)), host="127.0.0.2")
    with Running(tmp_path, f"{LOOPBACK}{FAST}sources: ['{one}']\n") as running:
        running.wait_for(lambda: b"Title 1" in running.get("category/general.atom")[1])
        running.write(f"{LOOPBACK}{FAST}sources: ['{one}', '{two}', {{url: nonsense}}]\n")
        running.wait_for(lambda: "refuse_config" in running.log())
        assert running.process is not None
        assert running.process.poll() is None
        assert "feeds.yaml:" in str(running.status()["config"]["error"]), "status works, and says so"
        error = rows(tmp_path, "SELECT config_error FROM store")[0][0]
        assert "feeds.yaml:" in str(error), "with its line"
        running.wait_for(lambda: b"The last edit of this site" in running.get("status.html")[1], 40)
        running.write(f"{LOOPBACK}{FAST}sources: ['{one}', '{two}']\n")
        publisher.wait_until_asked(1, "/two.xml")
        running.wait_for(lambda: rows(tmp_path, "SELECT config_error FROM store") == [(None,)])
        assert [asked.path for asked in publisher.asked].count("/one.xml") == 1, (
            "what did not change is not asked (P65)"
        )
        assert running.status()["config"]["error"] is None
        (tmp_path / "feeds.yaml").unlink()
        running.wait_for(lambda: "this file does not exist" in running.log())
        assert "Errno" not in running.log()


@pytest.mark.slow
def test_invariant_6_killed_between_commit_and_publish(tmp_path: Path, publisher: FeedServer) -> None:
    """After each start the files are what the store says."""
    items = [item(0)]
    publisher.serve("/feed.xml", rss(*items))
    url = publisher.url("/feed.xml")
    running = Running(tmp_path, f"{LOOPBACK}{FAST}sources: [{{url: '{url}', every: 1s}}]\n")
    kills = int(os.environ.get("KILLS", "12"))  # more for whoever has more time
    for number in range(1, kills + 1):
        items.insert(0, item(number))
        publisher.edit("/feed.xml", rss(*items))
        with running:
            latest = f"SELECT count(*) FROM entry WHERE title = 'Title {number}'"
            running.wait_for(lambda: rows(tmp_path, latest) == [(1,)])  # noqa: B023 - it is waited for here
            running.kill()
    running.start()
    expected = [f"Title {n}".encode() for n in range(kills + 1)]
    running.wait_for(lambda: all(title in running.get("category/general.atom")[1] for title in expected))
    running.stop()
    done = subprocess.run(running.command("publish", "--all", "--json"), capture_output=True, text=True, check=True)
    assert '"category/general.atom"' not in done.stdout, "rendered anew from the store it is the same"


@pytest.mark.slow
def test_r40_bad_sources_delay_nobody_and_status_says_what_is_wrong(tmp_path: Path, publisher: FeedServer) -> None:
    bad = {"hang": Hangs(), "reset": Reset(), "junk": Garbage(), "page": Reply(200, b"<html><p>Sold!</html>")}
    lines = []
    for number in range(60):
        kind = list(bad)[number % 6] if number % 6 < 4 else "good"
        host = f"127.0.1.{number + 1}"
        if kind == "good":
            url = publisher.serve(f"/{kind}{number}", rss(item(number)), host=host)
        else:
            url = publisher.says(f"/{kind}{number}", bad[kind], host=host)
        lines.append(f"  - {{key: {kind}{number}, url: '{url}', timeout: 5s, every: 2s}}\n")
    with Running(tmp_path, f"{LOOPBACK}{FAST}workers: 8\nsources:\n{''.join(lines)}") as running:
        for number in (4, 5, 10, 11, 16, 17):
            publisher.wait_until_asked(3, f"/good{number}")
        failing = "SELECT count(*) FROM source WHERE failures > 0"
        running.wait_for(lambda: rows(tmp_path, failing) == [(40,)])
        codes = {row["key"]: (row["error"] or "").partition(":")[0] for row in running.status()["sources"]}
        wrong = {key: code for key, code in codes.items() if code}
        assert {key.rstrip("0123456789"): code for key, code in wrong.items()} == {
            "hang": "timeout",
            "reset": "reset",
            "junk": "http",
            "page": "not_a_feed",
        }
        assert len(wrong) == 40
        assert all(row["advice"] for row in running.status()["sources"] if row["state"] == "failing")


def test_a_port_that_is_taken_ends_with_3(tmp_path: Path, publisher: FeedServer) -> None:
    running = Running(tmp_path, "sources: ['https://a.example/']\n")
    running.port = publisher.port
    running.write("sources: ['https://a.example/']\n")
    done = subprocess.run(running.command("serve"), capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 3
    assert f"127.0.0.1:{publisher.port}" in done.stderr


@pytest.mark.slow
def test_r51_a_start_with_a_broken_file_needs_last_good(tmp_path: Path, publisher: FeedServer) -> None:
    url = publisher.serve("/feed.xml", rss(item(1)))
    running = Running(tmp_path, f"{LOOPBACK}{FAST}sources: ['{url}']\n")
    subprocess.run(running.command("poll"), check=True, capture_output=True)
    (tmp_path / "feeds.yaml").write_text("sources: [{url: nonsense}]\n", encoding="utf-8")
    plain = subprocess.run(running.command("serve"), check=False, capture_output=True, timeout=PATIENCE)
    assert plain.returncode == 2
    running.arguments = ("serve", "--last-good")
    with running:
        running.wait_for(lambda: b"Title 1" in running.get("category/general.atom")[1])
        assert "nonsense" in running.status()["config"]["error"]
        running.write(f"{LOOPBACK}{FAST}sources: ['{url}']\n")
        running.wait_for(lambda: rows(tmp_path, "SELECT config_error FROM store") == [(None,)])
