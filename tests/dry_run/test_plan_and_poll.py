"""What `plan` says of an edit of feeds.yaml is what the next `poll` and `publish --rules` do, file for file."""

import copy
import io
import json
import shutil
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aggregator.cli.main import main
from tests.sample_site import SampleSite, item, rss

SOURCES = ("one", "two", "three", "four", "five")
NEW = ("six", "seven")
CATEGORIES = ("x", "y", "z")
FEEDS = ("atom", "json", "rss")
WORDS = ("Ferry", "Tram", "Rain")  # each title has one of them


@dataclass
class Config:
    """A feeds.yaml as an operator edits it."""

    sources: dict[str, dict[str, Any]]  # by key
    categories: dict[str, dict[str, Any]]
    top: dict[str, Any] = field(default_factory=lambda: {"publish": {"formats": ["atom", "json", "html"]}})

    def text(self) -> str:
        """Return it as YAML (every JSON is)."""
        rows = [{"key": key} | one for key, one in self.sources.items()]
        whole = self.top | {"categories": self.categories, "sources": rows}
        return "".join(f"{name}: {json.dumps(value)}\n" for name, value in whole.items())


def config() -> Config:
    """Return the feeds.yaml with which each example begins."""
    places = dict(zip(SOURCES, (["x"], ["x", "y"], ["y"], ["z"], ["y"]), strict=True))
    return Config(
        {key: {"kind": "file", "url": f"feeds/{key}.xml", "category": places[key]} for key in SOURCES},
        {key: {} for key in CATEGORIES},
    )


LOOKS = (
    ("pages", "images", "off"),
    ("pages", "show", "titles"),
    ("alarms", "feed", "alarms-1.atom"),
    ("site", "front", "categories"),
    ("site", "description", "All news"),
    ("publish", "feed_style", True),
    ("publish", "fair", False),
    ("publish", "hub", "https://hub.example/"),
)

# Edits. Each gets the config, and two numbers that choose what it is about.


def rename_source(now: Config, one: int, two: int) -> None:
    key = pick(now.sources, one)
    was = now.sources[key].get("was", [])
    now.sources = {
        (f"{key}-{two}" if name == key else name): ({**source, "was": [key, *was]} if name == key else source)
        for name, source in now.sources.items()
    }


def rename_category(now: Config, one: int, two: int) -> None:
    key = pick(now.categories, one)
    new, was = f"{key}{two}", now.categories[key].get("was", [])
    now.categories = {
        (new if name == key else name): ({**each, "was": [key, *was]} if name == key else each)
        for name, each in now.categories.items()
    }
    for source in now.sources.values():
        source["category"] = [new if name == key else name for name in source["category"]]
        for route in source.get("route", []):
            route["to"] = new if route["to"] == key else route["to"]


def move(now: Config, one: int, two: int) -> None:
    source, key = now.sources[pick(now.sources, one)], pick(now.categories, two)
    source["category"] = [key]


def enter(now: Config, one: int, two: int) -> None:
    source, key = now.sources[pick(now.sources, one)], pick(now.categories, two)
    source["category"] = [*dict.fromkeys([*source["category"], key])]


def remove(now: Config, one: int, two: int) -> None:
    if len(now.sources) > 2:
        del now.sources[pick(now.sources, one)]


def add(now: Config, one: int, two: int) -> None:
    there = {source["url"] for source in now.sources.values()}
    new = [key for key in (*NEW, *SOURCES) if f"feeds/{key}.xml" not in there and key not in now.sources]
    if new:
        key = new[one % len(new)]
        now.sources[key] = {"kind": "file", "url": f"feeds/{key}.xml", "category": [pick(now.categories, two)]}


def add_category(now: Config, one: int, two: int) -> None:
    now.categories.setdefault(f"new{one % 3}", {})


def remove_category(now: Config, one: int, two: int) -> None:
    key = pick(now.categories, one)
    if len(now.categories) > 2 and not any(key in places_of(now, name) for name in now.sources):
        del now.categories[key]


def rule(now: Config, one: int, two: int) -> None:
    name = ("include", "exclude")[two % 2]
    now.sources[pick(now.sources, one)][name] = [{"title": WORDS[two % 3]}]


def rule_of_category(now: Config, one: int, two: int) -> None:
    name = ("include", "exclude")[two % 2]
    now.categories[pick(now.categories, one)][name] = [{"title": WORDS[two % 3]}]


def no_rules(now: Config, one: int, two: int) -> None:
    for name in ("include", "exclude", "route", "rewrite"):
        now.sources[pick(now.sources, one)].pop(name, None)


def route(now: Config, one: int, two: int) -> None:
    to = pick(now.categories, two)
    now.sources[pick(now.sources, one)]["route"] = [{"when": {"title": WORDS[two % 3]}, "to": to}]


def rewrite(now: Config, one: int, two: int) -> None:
    step = {"title": {"replace": WORDS[two % 3], "with": f"Word{two}"}}
    now.sources[pick(now.sources, one)]["rewrite"] = [step]


def title_source(now: Config, one: int, two: int) -> None:
    now.sources[pick(now.sources, one)]["title"] = f"Source {two}"


def title_category(now: Config, one: int, two: int) -> None:
    now.categories[pick(now.categories, one)]["title"] = f"Category {two}"


def title_site(now: Config, one: int, two: int) -> None:
    now.top["site"] = {"title": f"Planet {two}"}


def formats(now: Config, one: int, two: int) -> None:
    chosen = [name for at, name in enumerate(("atom", "rss", "html")) if (one >> at) & 1]
    now.top["publish"] = now.top["publish"] | {"formats": ["json", *chosen]}


def alias(now: Config, one: int, two: int) -> None:
    aliases = {"old.xml": f"category/{pick(now.categories, one)}.json"} if two % 3 else {}
    now.top["publish"] = now.top["publish"] | {"aliases": aliases}


def source_pages(now: Config, one: int, two: int) -> None:
    now.top["pages"] = {"sources": ("off", "on")[two % 2]}


def look(now: Config, one: int, two: int) -> None:
    table, name, value = LOOKS[two % len(LOOKS)]
    now.top[table] = now.top.get(table, {}) | {name: value}


def sizes(now: Config, one: int, two: int) -> None:
    now.top["publish"] = now.top["publish"] | {"entries": 10 + two}


def entry_pages(now: Config, one: int, two: int) -> None:
    now.top["publish"] = now.top["publish"] | {"entry_pages": bool(two % 2)}


def show_of_source(now: Config, one: int, two: int) -> None:
    now.sources[pick(now.sources, one)]["show"] = ("full", "summary", "title")[two % 3]


def show_of_category(now: Config, one: int, two: int) -> None:
    now.categories[pick(now.categories, one)]["show"] = ("full", "summary", "title")[two % 3]


def flag_of_source(now: Config, one: int, two: int) -> None:
    source, name = now.sources[pick(now.sources, one)], ("paused", "private", "noindex")[two % 3]
    source[name] = not source.get(name, False)


def unlist(now: Config, one: int, two: int) -> None:
    category = now.categories[pick(now.categories, one)]
    category["unlisted"] = not category.get("unlisted", False)


def read_otherwise(now: Config, one: int, two: int) -> None:
    now.sources[pick(now.sources, one)]["timezone"] = ("Europe/Berlin", "Asia/Tokyo", "UTC")[two % 3]


def poll_otherwise(now: Config, one: int, two: int) -> None:
    name, value = (("every", "2h"), ("priority", two), ("silent_after", "90d"), ("language", "de"))[two % 4]
    now.sources[pick(now.sources, one)][name] = value


def order(now: Config, one: int, two: int) -> None:
    now.sources = dict(reversed(now.sources.items()))


def pick(these: dict[str, Any], number: int) -> str:
    """Return one of the keys."""
    return list(these)[number % len(these)]


EDITS = (
    rename_source,
    rename_category,
    move,
    enter,
    remove,
    add,
    add_category,
    remove_category,
    rule,
    rule_of_category,
    no_rules,
    route,
    rewrite,
    title_source,
    title_category,
    title_site,
    formats,
    alias,
    source_pages,
    look,
    sizes,
    entry_pages,
    show_of_source,
    show_of_category,
    flag_of_source,
    unlist,
    read_otherwise,
    poll_otherwise,
    order,
)
edits = st.lists(st.tuples(st.sampled_from(EDITS), st.integers(0, 9), st.integers(0, 9)), max_size=3)


@pytest.fixture(scope="module")
def polled(tmp_path_factory: pytest.TempPathFactory) -> SampleSite:
    """Return a planet that was polled once."""
    site = SampleSite(tmp_path_factory.mktemp("planned") / "site")
    (site.folder / "feeds").mkdir(parents=True)
    for at, key in enumerate((*SOURCES, *NEW)):
        told = [
            item(
                f"{key}-{number}",
                title=f"{WORDS[number % 3]} of {key} {number}",
                link=f"https://{key}.example/{number}",
                pubDate=f"Wed, 04 Mar 2026 {number:02}:{at:02}:00 GMT",
                description=f"{key} tells of day {number} what nobody else does: {' '.join([key[::-1]] * number)}.",
            )
            for number in range(1, 8)
        ]
        body = rss(*told, title=f"News of {key}", link=f"https://{key}.example/")
        (site.folder / "feeds" / f"{key}.xml").write_bytes(body)
    site.writes(config().text())
    site.poll()
    return site


@pytest.fixture(scope="module", autouse=True)
def at_its_time(polled: SampleSite) -> Iterator[SampleSite]:
    """Have `plan` look at the clock of the example."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("aggregator.cli.plan.utc_now", lambda: CLOCK[0].clock())
        yield polled


CLOCK: list[SampleSite] = []


class Round:
    """One edit: its plan, and the site before and after."""

    def __init__(self, site: SampleSite, old: Config, new: Config) -> None:
        self.site, self.old = site, old
        self.plan = planned(site, new)
        self.before = outputs(site)
        self.shown_before = shown(site)
        site.writes(new.text())
        self.report = site.poll(everything=False)
        self.after = outputs(site)
        self.shown_after = shown(site)


def planned(site: SampleSite, new: Config) -> dict[str, Any]:
    """Return the record of `plan` for a config."""
    kept = (site.folder / "feeds.yaml").read_bytes()
    place = site.folder / "new.yaml"
    site.writes(new.text())
    (site.folder / "feeds.yaml").replace(place)
    (site.folder / "feeds.yaml").write_bytes(kept)
    CLOCK[:] = [site]
    out = io.StringIO()
    with redirect_stdout(out):
        assert main(["-q", "-c", str(site.folder / "feeds.yaml"), "plan", str(place), "--json"], site.environ) == 0
    record: dict[str, Any] = json.loads(out.getvalue())
    return record


def outputs(site: SampleSite) -> dict[str, bytes]:
    """Return all outputs but status.* and compressed copies."""
    return {path: data for path, data in site.outputs().items() if not path.endswith(".gz")}


def shown(site: SampleSite) -> dict[str, dict[str, str]]:
    """Return for each category the titles of its main feed by link."""
    found = {}
    for path in sorted((site.folder / "public" / "category").glob("*.json")):
        items = json.loads(path.read_bytes())["items"]
        found[f"category/{path.stem}"] = {one.get("external_url", one.get("url")): one["title"] for one in items}
    return found


def is_of(key: str, link: str) -> bool:
    """Return whether a story comes from the file of a source, under whatever key it is now."""
    return link.startswith(f"https://{key}.example/")


def left_of(value: Any) -> Any:
    """Return what a plan says, without the names of what it says nothing of; empty if that is nothing."""
    if isinstance(value, dict):
        told = {name: left for name, one in value.items() if (left := left_of(one))}
        return {name: one for name, one in told.items() if name not in ("version", "config", "at", "changes")}
    return value


def holds(made: Round, new: Config) -> None:
    """Check a plan against what a poll has done."""
    plan, before, after = made.plan, made.before, made.after
    sources, categories = plan["sources"], plan["categories"]
    asked = {one["key"] for one in (*sources["added"], *(one for one in sources["changed"] if one["is_asked"]))}
    paused = {key for key, source in new.sources.items() if source.get("paused")}
    results = {row["key"] for row in made.report["results"] if row["outcome"] != "skipped"}
    assert results == asked - paused, ("polled", results, asked - paused)
    if not plan["changes"]:
        assert after == before, sorted(path for path in after if after[path] != before.get(path))
    # Which files there are.
    told, gone = set(plan["leaving"]["paths"]), before.keys() - after.keys()
    assert {path for path in gone if not path.startswith("entry/")} == told - {"status.html"}, gone ^ told
    if count := plan["leaving"]["story_pages"]:
        assert len([path for path in gone if path.startswith("entry/")]) == count
    feeds, old = main_feeds(after), main_feeds(before)
    assert feeds - old == {f"category/{key}" for key in categories["added"]}
    for one in categories["changed"]:
        assert one["feed"] is None or f"{one['feed']}.json" in after
    # Which feeds change.
    if not plan["settings"]:
        touched = [one["key"] for one in (*sources["added"], *sources["changed"])]
        told = {place for key in touched for place in places_of(new, key) | places_of(made.old, key)}
        told |= {one["key"] for one in categories["changed"]} | {fill["category"] for fill in plan["fills"]}
        for key in new.categories.keys() - told - {*categories["added"]}:
            path = f"{path_of(made.site, key)}.json"
            assert after[path] == before[path], path
    # What sources bring along.
    for fill in plan["fills"]:
        url = new.sources[fill["source"]]["url"].removeprefix("feeds/").removesuffix(".xml")
        path = path_of(made.site, fill["category"])
        count = len([link for link in made.shown_after[path] if is_of(url, link)])
        had = len([link for link in made.shown_before.get(path, {}) if is_of(url, link)])
        assert count - had == fill["in_main"], (fill, count, had)


def places_of(one: Config, key: str) -> set[str]:
    """Return the categories of a source, also by its earlier keys."""
    source = one.sources.get(key, {"category": []})
    return {*source["category"], *(route["to"] for route in source.get("route", []))}


def main_feeds(files: dict[str, bytes]) -> set[str]:
    """Return the paths of the main feeds of categories, without suffix."""
    found = {path.rpartition(".")[0] for path in files if path.startswith("category/") and path.endswith(".json")}
    return {path for path in found if path.count("/") == 1}


def path_of(site: SampleSite, key: str) -> str:
    """Return the path of the main feed of a category, without suffix."""
    with site.opened() as app, app.store.read() as tx:
        return next(f"category/{row.slug}" for row in tx.categories.rows() if row.key == key)


def holds_for_rules(site: SampleSite, plan: dict[str, Any], new: Config) -> None:
    """Apply rules to stored entries, and check that with what plan said."""
    entries = [entry for ruled in plan["rules"] for entry in ruled["entries"]]
    before = shown(site)
    if entries:
        CLOCK[:] = [site]
        with redirect_stdout(io.StringIO()):
            code = main(["-q", "-c", str(site.folder / "feeds.yaml"), "publish", "--rules"], site.environ)
        assert code == 0
    now = shown(site)
    named = {entry["link"]: entry for entry in entries}
    for path in now:
        for link in before.get(path, {}).keys() | now[path].keys():
            if link not in named:
                assert now[path].get(link) == before.get(path, {}).get(link), (path, link)
    for link, entry in named.items():
        there = {path for path in now if link in now[path]}
        if entry["does"] == "withdraw":
            assert not there, entry
        for key in entry["enters"]:
            assert path_of(site, key) in there, entry
        for key in entry["leaves"]:
            assert path_of(site, key) not in there, entry
        if entry["new_title"]:
            assert all(now[path][link] == entry["new_title"] for path in there), entry
    assert not left_of(planned(site, new)), "a plan after the rules were applied"


def as_polled(polled: SampleSite) -> SampleSite:
    """Return the planet as it was polled, in the same folder: its sources are files there."""
    kept = polled.folder.with_name("kept")
    if not kept.exists():
        shutil.copytree(polled.folder, kept)
    shutil.rmtree(polled.folder)
    shutil.copytree(kept, polled.folder)
    site = SampleSite(polled.folder)
    site.clock.now = polled.clock.now
    return site


def hold(polled: SampleSite, rounds: list[list[Any]]) -> None:
    """Carry out edits round by round, and check each plan."""
    site, new = as_polled(polled), config()
    for round_ in rounds:
        old = new
        for edit, one, two in round_:
            new = copy.deepcopy(new)
            edit(new, one, two)
        site.clock.move(minutes=1)
        made = Round(site, old, new)
        holds(made, new)
        rest = planned(site, new)
        assert not left_of({**rest, "rules": []}), "a plan of what is in force"
        holds_for_rules(site, rest, new)


FEW = settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


@FEW
@given(st.lists(edits, min_size=1, max_size=2))
def test_what_plan_says_is_what_poll_does(polled: SampleSite, rounds: list[list[Any]]) -> None:
    hold(polled, rounds)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(edits, min_size=1, max_size=3))
def test_what_plan_says_is_what_poll_does_for_many_edits(polled: SampleSite, rounds: list[list[Any]]) -> None:
    hold(polled, rounds)
