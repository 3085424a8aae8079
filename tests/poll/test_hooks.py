"""Commands and hooks in whole runs: what is stored, published and told of them (docs/hooks.md)."""

import json
import sys
from textwrap import dedent
from typing import Any

import pytest

from tests.command import aggregator
from tests.feed_server import FeedServer
from tests.rows import rows
from tests.sample_site import SampleSite, item, rss

TIDY = """
for line in sys.stdin:
    entry = json.loads(line)
    with open("seen", "a") as file:
        print(entry["title"], file=file)
    if "ad" in entry["title"]:
        entry["drop"] = "an advertisement"
    entry["title"] = entry["title"].upper()
    entry["content_html"] += "<script>alert(1)</script><p onclick='x()'>More</p>"
    entry["tags"] = ["Food", "Food", "", "x\\0y"]
    entry["url"] = "https://elsewhere.example.org/"
    print(json.dumps(entry))
"""


def program(site: SampleSite, name: str, body: str) -> None:
    path = site.folder / name
    path.write_text(
        f"#!{sys.executable}\nimport json, os, signal, subprocess, sys, time\n{dedent(body)}", encoding="utf-8"
    )
    path.chmod(0o755)


def seen(site: SampleSite) -> list[str]:
    """Return the titles that the hook was given since the last call."""
    file = site.folder / "seen"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    file.unlink(missing_ok=True)
    return lines


def told(site: SampleSite, *arguments: str) -> str:
    done = aggregator("-q", *arguments, cwd=site.folder)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


def notices(site: SampleSite) -> dict[str, Any]:
    """Return what `status KEY` notes of each source, by key."""
    found = rows(site.folder, "SELECT key, notices FROM source")
    return {key: json.loads(said) if said else None for key, said in found}


def test_a_hook_changes_and_drops_new_entries(sample_site: SampleSite, publisher: FeedServer) -> None:
    url = publisher.serve("/a", rss(item(1, title="Soup"), item(2, title="An ad"), item(3, title="Rice")))
    sample_site.writes(f"sources: [{{key: a, url: '{url}', hooks: [tidy]}}]\n")
    program(sample_site, "tidy", TIDY)
    report = sample_site.poll()["results"][0]
    assert (report["new"], report["rejected"]) == (3, 1)
    assert sorted(sample_site.titles()) == ["RICE", "SOUP"]
    entry = sample_site.items()[0]
    assert entry["tags"] == ["Food", "xy"]
    assert "<script" not in entry["content_html"]
    assert "onclick" not in entry["content_html"]
    assert entry["content_html"].endswith("<p>More</p>")
    assert "elsewhere" not in entry["url"]
    assert sorted(seen(sample_site)) == ["An ad", "Rice", "Soup"]
    # Known entries are neither revised nor dropped by another answer; only the new one is given to the hook.
    program(sample_site, "tidy", TIDY.replace("upper", "lower").replace('"ad"', '""'))
    publisher.serve(
        "/a", rss(item(4, title="Tea"), item(1, title="Soup"), item(2, title="An ad"), item(3, title="Rice"))
    )
    sample_site.clock.move(hours=2)
    report = sample_site.poll()["results"][0]
    assert (report["new"], report["revised"], report["rejected"]) == (1, 0, 1)
    assert sorted(sample_site.titles()) == ["RICE", "SOUP"]
    assert seen(sample_site) == ["Tea"]
    why = told(sample_site, "why", "item-2")
    assert "was rejected: hook tidy dropped it: an advertisement" in why
    assert "rewritten by hook tidy; its source says: Soup" in told(sample_site, "why", "item-1")
    # A revised entry is shown as the hook leaves it.
    program(sample_site, "tidy", TIDY)
    publisher.serve("/a", rss(item(1, title="Hot soup"), item(3, title="Rice")))
    sample_site.clock.move(hours=2)
    assert sample_site.poll()["results"][0]["revised"] == 1
    assert "HOT SOUP" in sample_site.titles()
    assert seen(sample_site) == ["Hot soup"]


def test_edited_rules_leave_what_a_hook_made_until_it_is_removed(
    sample_site: SampleSite, publisher: FeedServer
) -> None:
    url = publisher.serve("/a", rss(item(1, title="Soup"), item(2, title="An ad")))
    rest = f"url: '{url}'"
    sample_site.writes(f"sources: [{{key: a, {rest}, hooks: [tidy]}}]\n")
    program(sample_site, "tidy", TIDY)
    sample_site.poll()
    sample_site.writes(
        f'sources: [{{key: a, {rest}, hooks: [tidy], rewrite: [{{title: {{replace: o, with: "0"}}}}]}}]\n'
    )
    told(sample_site, "publish", "--rules")
    assert sample_site.titles() == ["SOUP"]
    sample_site.writes(f'sources: [{{key: a, {rest}, rewrite: [{{title: {{replace: o, with: "0"}}}}]}}]\n')
    told(sample_site, "publish", "--rules")
    assert sorted(sample_site.titles()) == ["An ad", "S0up"]


WRONG = {
    "crashes": ("os.kill(os.getpid(), signal.SIGSEGV)", "hook it was ended by SIGSEGV"),
    "no JSON": ("print('oh no')", "hook it wrote a line that is not JSON (line 1)"),
    "no key": ("print('{}')", "hook it wrote a line without the key of an entry (line 1)"),
    "no object": ("print('[]')", "hook it wrote a line without the key of an entry (line 1)"),
    "another key": (
        """print('{"key": "other"}')""",
        "hook it answered about an entry that it was not given (line 1)",
    ),
    "title": (
        "print(json.dumps({**json.loads(sys.stdin.readline()), 'title': 5}))",
        "hook it gave a title that is no text (line 1)",
    ),
    "tags": (
        "print(json.dumps({**json.loads(sys.stdin.readline()), 'tags': [1]}))",
        "hook it gave tags that are no list of texts (line 1)",
    ),
    "drop": (
        "print(json.dumps({**json.loads(sys.stdin.readline()), 'drop': 1}))",
        "hook it gave a drop that is neither a reason nor true or false (line 1)",
    ),
    "half an answer": ("print(sys.stdin.readline()); sys.exit(4)", "hook it ended with exit code 4"),
    "binary": ("sys.stdout.buffer.write(bytes(range(256)))", "hook it wrote a line that is not JSON (line 1)"),
    "too much": ("sys.stdout.write('x' * 21000000)", "hook it wrote over 20,971,520 bytes"),
    "hangs": ("subprocess.Popen(['sleep', '1000'], start_new_session=True); time.sleep(1000)", "hook it took over 1 s"),
}


def test_hooks_that_fail_harm_nobody(sample_site: SampleSite, publisher: FeedServer) -> None:
    lines = []
    for number, (name, (body, _)) in enumerate(WRONG.items()):
        program(sample_site, f"it{number}", body)
        url = publisher.serve(f"/{number}", rss(item(number, title=name)))
        for place, on_error in enumerate(("keep", "hold")):
            hooks = f"[{{run: it{number}, on_error: {on_error}, timeout: {'1s' if name == 'hangs' else '60s'}}}]"
            lines.append(f"  - {{key: {on_error}{number}, url: '{url}?{place}', hooks: {hooks}}}\n")
            publisher.serve(f"/{number}?{place}", rss(item(number, title=name)))
    good = publisher.serve("/good", rss(item(99, title="Good")))
    sample_site.writes(f"sources:\n{''.join(lines)}  - {{key: good, url: '{good}'}}\n")
    polled = {row["key"]: row for row in sample_site.poll()["results"]}
    noted = notices(sample_site)
    assert polled["good"]["new"] == 1
    for number, (_, why) in enumerate(WRONG.values()):
        why = why.replace("hook it", f"hook it{number}")
        kept, held = polled[f"keep{number}"], polled[f"hold{number}"]
        assert (kept["outcome"], kept["new"]) == ("fetched", 1)
        assert noted[f"keep{number}"] == [f"{why}; entries taken unchanged: 1"]
        assert (held["outcome"], held["new"]) == ("failed", 0)
        assert held["error"].startswith("program: ")
        assert why in held["error"]
    assert set(sample_site.titles()) >= {"Good", *WRONG}


def test_s44_what_programs_are_given_is_not_shown(sample_site: SampleSite) -> None:
    program(sample_site, "leak", "print(os.environ['TOKEN'], file=sys.stderr); sys.exit(1)")
    program(sample_site, "lunch", "print(json.dumps({'id': 1, 'title': 'by ' + os.environ['TOKEN']}))")
    program(sample_site, "tidy", TIDY.replace('["Food"', '[os.environ["TOKEN"]'))
    sample_site.environ["TOKEN"] = "a-secret-token"
    token = 'environment: {TOKEN: "${TOKEN}"}'
    sources = "".join(
        f"  - {{kind: command, url: {name}, arguments: ['${{TOKEN}}', {name}], {token}, hooks: [{hooks}]}}\n"
        for name, hooks in (("leak", ""), ("lunch", f"{{run: tidy, {token}}}, {{run: leak, {token}}}"))
    )
    sample_site.writes(f"sources:\n{sources}")
    report = json.dumps(sample_site.poll())
    assert "ended with exit code 1" in report
    assert sample_site.titles() == ["BY ***"]
    shown = [report, json.dumps(notices(sample_site)), sample_site.published("category/general.json").decode()]
    assert not [text for text in shown if "secret" in text.lower()]


def test_an_entry_that_was_held_comes_once_the_hook_works(sample_site: SampleSite, publisher: FeedServer) -> None:
    url = publisher.serve("/a", rss(item(1, title="Soup")))
    sample_site.writes(f"sources: [{{key: a, url: '{url}', hooks: [{{run: tidy, on_error: hold}}]}}]\n")
    assert sample_site.poll()["results"][0]["error"].startswith("program: ")  # there is no such file
    program(sample_site, "tidy", TIDY)
    sample_site.clock.move(hours=2)
    assert sample_site.poll()["results"][0]["new"] == 1
    assert sample_site.titles() == ["SOUP"]


def test_several_hooks_one_after_the_other_also_on_a_command(sample_site: SampleSite) -> None:
    program(
        sample_site,
        "lunch",
        """
        told = json.load(sys.stdin)
        with open("since", "a") as file:
            print(told["since"], file=file)
        for number in range(3):
            print(json.dumps({"id": f"{told['since']}-{number}", "title": f"Dish of {told['since']} {number}"}))
    """,
    )
    program(
        sample_site,
        "first",
        """
        for line in sys.stdin:
            entry = json.loads(line)
            number = entry["title"][-1]
            if number == "0":
                print(json.dumps({"key": entry["key"], "drop": True}))
            if number == "1":
                print(json.dumps({"key": entry["key"], "title": "First"}))
    """,
    )
    program(
        sample_site,
        "second",
        """
        for line in sys.stdin:
            entry = json.loads(line)
            print(json.dumps({"key": entry["key"], "title": entry["title"] + os.environ["END"] + sys.argv[1]}))
    """,
    )
    yaml = "defaults: {hooks: [first, {run: second, arguments: [b], environment: {END: a}}]}\n"
    sample_site.writes(f"{yaml}sources: [{{key: a, kind: command, url: lunch, arguments: [x]}}]\n")
    assert sample_site.poll()["results"][0]["rejected"] == 1
    assert sorted(sample_site.titles()) == ["Dish of None 2ab", "Firstab"]
    assert "dropped it: no reason given" in told(sample_site, "why", "None-0")
    sample_site.clock.move(hours=2)
    row = sample_site.poll()["results"][0]
    assert (row["new"], row["rejected"]) == (3, 1)
    assert (sample_site.folder / "since").read_text().splitlines() == ["None", "2026-03-04T12:00:00Z"]
    assert "overflow" not in told(sample_site, "status", "--all")  # the program was told what it need not tell again
    # After an edit of what it is told, a program gives everything again.
    sample_site.writes(f"{yaml}sources: [{{key: a, kind: command, url: lunch, arguments: [y]}}]\n")
    sample_site.clock.move(hours=2)
    sample_site.poll()
    assert (sample_site.folder / "since").read_text().splitlines()[-1] == "None"


@pytest.mark.parametrize("command", [("plan",), ("check",)])
def test_plan_and_check_name_a_program_that_can_not_be_started(sample_site: SampleSite, command: tuple[str]) -> None:
    sample_site.writes("sources:\n  - {kind: command, url: gone}\n  - {kind: command, url: plain, hooks: [open]}\n")
    (sample_site.folder / "plain").touch(mode=0o644)
    program(sample_site, "open", "")
    (sample_site.folder / "open").chmod(0o757)
    done = aggregator(*command, cwd=sample_site.folder)
    assert f"feeds.yaml:3:1: there is no file {sample_site.folder}/gone\n" in done.stderr
    assert f"feeds.yaml:4:1: {sample_site.folder}/plain is not executable; run chmod +x on it\n" in done.stderr
    assert f"feeds.yaml:4:1: any user of this machine may change {sample_site.folder}/open" in done.stderr
