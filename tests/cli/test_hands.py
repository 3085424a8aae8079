"""`remove`, `pause`, `resume`, `rename` and `move`: what they do to feeds.yaml, in any layout, and what they say."""

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.cli.main import main
from aggregator.config import load_config
from tests.command import Done, aggregator
from tests.feed_server import FeedServer
from tests.running import Running
from tests.sample_site import LOOPBACK, item, rss


@dataclass(frozen=True)
class Wanted:
    """A source as it should be loaded."""

    url: str
    title: str | None = None
    categories: tuple[str, ...] = ("general",)
    paused: bool = False
    key: str | None = None
    was: tuple[str, ...] = ()


QUOTES: dict[str, Callable[[str], str]] = {
    "plain": lambda text: text,
    "single": lambda text: "'" + text.replace("'", "''") + "'",
    "double": lambda text: json.dumps(text, ensure_ascii=False),
}
NAMES = ("alpha", "Beta & Co", "大众日报")
TITLES = st.sampled_from([None, "A title", 'It\'s: "odd" # 1', "标题"])


@st.composite
def sources(draw: st.DrawFn, number: int, indent: str) -> tuple[Wanted, list[str]]:
    """Draw a source, and its lines in one of the ways in which people write them."""
    wanted = Wanted(
        url=f"https://h{number}.example/feed?a={number}&b",
        title=draw(TITLES),
        categories=tuple(draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=2))) or ("general",),
        paused=draw(st.booleans()),
    )
    quote = QUOTES[draw(st.sampled_from(["single", "double"]))]
    pairs = [("url", quote(wanted.url))]
    if wanted.title is not None:
        pairs.append(("title", quote(wanted.title)))
    if wanted.paused:
        pairs.append(("paused", "true"))
    comment = draw(st.sampled_from(["", "  # kept: {a comment}"]))
    is_flow = draw(st.booleans())
    if wanted.categories != ("general",):
        words = [QUOTES["double" if is_flow or "&" in name else "plain"](name) for name in wanted.categories]
        if len(words) == 1:
            value = words[0]
        elif is_flow or draw(st.booleans()):
            value = f"[{', '.join(words)}]"
        else:
            value = "".join(f"\n{indent}      - {word}" for word in words)
        pairs.append(("category", value))
    pairs = draw(st.permutations(pairs))
    if len(pairs) == 1 and draw(st.booleans()):
        return wanted, [f"{indent}- {QUOTES[draw(st.sampled_from(list(QUOTES)))](wanted.url)}{comment}"]
    if is_flow and draw(st.booleans()):
        between = draw(st.sampled_from([",", " ,"]))
        inside = f"{between}\n{indent}    ".join(f"{key}: {value}" for key, value in pairs)
        return (
            wanted,
            f"{indent}- {{\n{indent}    {inside}{draw(st.sampled_from(['', ',']))}\n{indent}  }}{comment}".split("\n"),
        )
    if is_flow:
        inside = ", ".join(f"{key}: {value}" for key, value in pairs)
        return wanted, [f"{indent}- {{{inside}}}{comment}"]
    gap = f"\n{indent}  "
    lines = [f"{key}:{value}" if value.startswith("\n") else f"{key}: {value}{comment}" for key, value in pairs]
    return wanted, f"{indent}- {gap.join(lines)}".split("\n")


@st.composite
def files(draw: st.DrawFn) -> tuple[list[Wanted], list[list[str]], list[str], list[str], str]:
    """Draw a feeds.yaml: its sources, their lines, what stands above and below, and the line break."""
    indent = draw(st.sampled_from(["", "  ", "    "]))
    drawn = [draw(sources(number, indent)) for number in range(draw(st.integers(2, 4)))]
    above = draw(
        st.sampled_from(
            [
                ["# head", "sources:"],
                [
                    "categories:",
                    "  alpha: {title: 'First'}  # 1",
                    "  # between",
                    '  "Beta & Co":',
                    "    title: B",
                    "",
                    "sources: # s",
                ],
                ["site: {title: x}", "categories: {alpha: {}, 大众日报: {}}", "# above the list", "sources:"],
            ]
        )
    )
    below = draw(st.sampled_from([[], ["", "# the end"], ["publish: {to: public/}"]]))
    between = draw(st.sampled_from([[], [f"{indent}# a comment"], [""]]))
    lines = [[*one, *between] if number + 1 < len(drawn) else one for number, (_, one) in enumerate(drawn)]
    return [wanted for wanted, _ in drawn], lines, above, below, draw(st.sampled_from(["\n", "\r\n"]))


def loaded(path: Path) -> list[Wanted]:
    return [
        Wanted(source.url, source.title, tuple(map(str, source.categories)), source.paused, None, source.was)
        for source in load_config(path, {}).sources
    ]


COMMANDS = ("remove", "pause", "resume", "rename", "rekey", "move")


@settings(max_examples=60, deadline=None)
@given(file=files(), command=st.sampled_from(COMMANDS), data=st.data())
def test_an_edit_changes_the_one_source_and_no_other_byte(
    file: tuple[list[Wanted], list[list[str]], list[str], list[str], str], command: str, data: st.DataObject
) -> None:
    wanted, blocks, above, below, newline = file
    number = data.draw(st.integers(0, len(wanted) - 1))
    title = data.draw(st.sampled_from(["New", "Why?", "a: 'b' \"c\" #d", "新"]))
    categories = data.draw(st.lists(st.sampled_from([*NAMES, "other"]), unique=True, min_size=1, max_size=2))
    one = wanted[number]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "feeds.yaml"
        text = newline.join([*above, *(line for block in blocks for line in block), *below]) + newline
        path.write_bytes(text.encode())
        keys = [str(source.key) for source in load_config(path, {}).sources]
        arguments, after = {
            "remove": (["remove", one.url], None),
            "pause": (["pause", keys[number]], replace(one, paused=True)),
            "resume": (["resume", one.url.replace("https://", "https://www.")], replace(one, paused=False)),
            "rename": (["rename", one.url, title], replace(one, title=title)),
            "rekey": (["rename", keys[number], "new-key", "--key"], replace(one, was=(keys[number],))),
            "move": (["move", one.url, *categories], replace(one, categories=tuple(categories))),
        }[command]
        assert main(["-c", str(path), *arguments, "--yes", "-q"], {}) == 0
        expected = [*wanted[:number], *([after] if after else []), *wanted[number + 1 :]]
        assert loaded(path) == expected
        if command == "rekey":
            assert load_config(path, {}).sources[number].key == "new-key"
        new = path.read_bytes().decode()
    before_it = newline.join([*above, *(line for block in blocks[:number] for line in block)]) + newline
    rest = [*(line for block in blocks[number + 1 :] for line in block), *below]
    behind_it = newline.join(rest) + newline if rest else ""
    assert new.startswith(before_it)
    assert new.endswith(behind_it)
    assert new.count("\r") == (new.count("\n") if newline == "\r\n" else 0)
    middle = new[len(before_it) : len(new) - len(behind_it)]
    assert all(line in middle for line in blocks[number] if line.lstrip().startswith("#"))
    if "# kept" in "".join(blocks[number]) and len(blocks[number]) == 1 and command != "remove":
        assert "  # kept: {a comment}" in middle


CONFIG = """# head
categories:
  python: {title: 'Python'}  # one
  web:
sources:
  - {url: "https://a.example/feed", category: python, title: "A Blog"}
  - url: https://b.example/feed  # two
    category:
      - python   # p
      - 'web'
    route: [{when: {title: x}, to: "python"}]
  - &third https://c.example/feed
  - {url: list.opml, kind: opml, key: list}
"""


@pytest.fixture
def planet(tmp_path: Path) -> Path:
    (tmp_path / "feeds.yaml").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "list.opml").write_text("<opml><body><outline xmlUrl='https://l.example/'/></body></opml>")
    return tmp_path


def run(folder: Path, *arguments: str) -> Done:
    return aggregator(*arguments, "--yes", cwd=folder)


def changed(folder: Path) -> list[tuple[str, str]]:
    """Return the lines that are no longer there, with those that came in their places."""
    old, new = CONFIG.splitlines(), (folder / "feeds.yaml").read_text(encoding="utf-8").splitlines()
    return [(a, b) for a, b in zip(old, new, strict=True) if a != b]


def test_another_key_of_a_category_is_written_wherever_it_is_named(planet: Path) -> None:
    done = run(planet, "rename", "Python", "py", "--key")
    assert (done.returncode, done.stderr) == (0, "")
    assert changed(planet) == [
        ("  python: {title: 'Python'}  # one", "  py: {title: 'Python', was: python}  # one"),
        (
            '  - {url: "https://a.example/feed", category: python, title: "A Blog"}',
            '  - {url: "https://a.example/feed", category: py, title: "A Blog"}',
        ),
        ("      - python   # p", "      - py   # p"),
        ('    route: [{when: {title: x}, to: "python"}]', '    route: [{when: {title: x}, to: "py"}]'),
    ]
    assert run(planet, "rename", "py", "python3", "--key").returncode == 0
    category = load_config(planet / "feeds.yaml", {}).categories[0]
    assert (category.key, category.was) == ("python3", ("python", "py"))
    assert run(planet, "rename", "general", "misc", "--key").returncode == 0, "nobody names it"
    settings = load_config(planet / "feeds.yaml", {})
    assert [source.categories for source in settings.sources[2:]] == [("misc",), ()], "the list names its own"


def test_another_title_of_a_category(planet: Path) -> None:
    for name, title in (("python", "Snakes & Co"), ("web", "The Web"), ("general", "All else")):
        assert run(planet, "rename", name, title).returncode == 0
    settings = load_config(planet / "feeds.yaml", {})
    assert [(each.key, each.title) for each in settings.categories] == [
        ("python", "Snakes & Co"),
        ("web", "The Web"),
        ("general", "All else"),
    ]


def test_names_that_fit_nothing_or_several_things_change_nothing(planet: Path) -> None:
    for arguments, why in (
        (["pause", "example"], '3 sources in feeds.yaml are called "example"'),
        (["pause", "a blgo"], 'did you mean "A Blog"'),
        (["pause", "nothing-like-it"], "see the titles and keys in `aggregator status --all`"),
        (["rename", "a blgo", "x"], "no category a blgo"),
        (["rename", "pyton", "x", "--category"], "no category pyton; did you mean python?"),
        (["rename", "python", "web", "--key"], "there is a category web already"),
        (["rename", "a.example/feed", "A B", "--key"], "A B is not the key of a source"),
        (["move", "A Blog", "pyhton"], 'category "pyhton" is not declared, and "python" is'),
        (["remove", "A Blog", "https://b.example/feed", "c.example", "list"], "feeds.yaml needs a source"),
        (["pause", "https://l.example/", "list"], "no source https://l.example/"),
    ):
        done = run(planet, *arguments)
        assert (done.returncode, done.stdout) == (2, ""), arguments
        assert why in done.stderr
        assert done.stderr.count("\n") == 1
    assert (planet / "feeds.yaml").read_text(encoding="utf-8") == CONFIG


def test_what_a_program_can_t_edit_is_refused_and_stays(planet: Path) -> None:
    alias = "sources:\n  - {url: 'https://a.example/', title: &t T}\n  - {url: 'https://b.example/', title: *t}\n"
    block = "sources:\n  - url: https://b.example/\n    category: |-\n      old\n  - https://c.example/\n"
    for shape, arguments in ((alias, ["rename", "a.example", "x"]), (block, ["rename", "old", "new", "--key"])):
        (planet / "feeds.yaml").write_text(shape)
        done = run(planet, *arguments)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1), done
        assert (planet / "feeds.yaml").read_text() == shape


def test_without_a_change_nothing_is_written_and_json_says_so(planet: Path) -> None:
    done = run(planet, "resume", "A Blog")
    assert (done.returncode, done.stdout) == (
        0,
        f"A Blog ({load_config(planet / 'feeds.yaml', {}).sources[0].key}): not paused, nothing to write\n",
    )
    report = json.loads(run(planet, "pause", "A Blog", "c.example", "--json").stdout)
    assert report["written"] is True
    assert report["sources"] == [
        source.key for source in load_config(planet / "feeds.yaml", {}).sources if source.paused
    ]
    assert "-  - &third https://c.example/feed" in report["diff"]
    assert '+  - {url: &third "https://c.example/feed", paused: true}' in report["diff"]
    assert aggregator("resume", "A Blog", "--dry-run", cwd=planet).returncode == 0
    assert aggregator("resume", "A Blog", cwd=planet).returncode == 1


def test_no_report_shows_a_token_of_a_private_source(planet: Path) -> None:
    address = "https://p.example/feed?key=tok-9f8e7d6c5b4a3928"
    text = CONFIG.replace("  - url: list.opml", "")
    (planet / "feeds.yaml").write_text(f"{text}  - {{url: '{address}', private: true, key: hidden}}\n")
    for arguments in (["pause", "hidden"], ["rename", "hidden", "Mine"], ["remove", "hidden"]):
        done = run(planet, *arguments)
        assert done.returncode == 0
        assert "hidden" in done.stdout
        assert "tok-9f8e" not in done.stdout + done.stderr


def test_what_readers_will_see_is_told_and_a_feed_of_a_list_is_not_in_feeds_yaml(
    tmp_path: Path, publisher: FeedServer
) -> None:
    own, listed = publisher.serve("/own", rss(item(1))), publisher.serve("/listed", rss(item(2)))
    (tmp_path / "list.opml").write_text(f"<opml><body><outline text='L' xmlUrl='{listed}'/></body></opml>")
    text = f"{LOOPBACK}sources:\n  - {{url: '{own}', key: own}}\n  - {{url: list.opml, kind: opml, key: list}}\n"
    (tmp_path / "feeds.yaml").write_text(text)
    aggregator("poll", "-q", cwd=tmp_path)
    assert "enters news and brings its newest 1 entries along" in run(tmp_path, "move", "own", "news").stdout
    assert "no longer polled; what it published stays" in run(tmp_path, "remove", "own").stdout
    done = run(tmp_path, "pause", listed)
    assert done.returncode == 2
    assert "is a feed of the list list, not of feeds.yaml; write it as a source of your own" in done.stderr


@pytest.mark.slow
def test_a_running_serve_takes_up_a_day_s_edits(tmp_path: Path, publisher: FeedServer) -> None:
    """Rename, move and pause, and the pages follow without another command."""
    one, two = publisher.serve("/one", rss(item(1))), publisher.serve("/two", rss(item(2)))
    yaml = f"{LOOPBACK}publish: {{formats: [atom, html]}}\nsources:\n  - {one}\n  - {two}\n"
    with Running(tmp_path, yaml) as running:
        running.wait_for(lambda: running.get("category/general.atom")[1].count(b"<entry") == 2)
        assert run(tmp_path, "rename", "general", "All & Everything").returncode == 0
        running.wait_for(lambda: b"All &amp; Everything" in running.get("category/general.html")[1])
        assert run(tmp_path, "move", two, "news").returncode == 0
        running.wait_for(lambda: b"Title 2" in running.get("category/news.atom")[1])
        assert run(tmp_path, "pause", one).returncode == 0
        running.wait_for(lambda: "paused" in [source["state"] for source in running.status()["sources"]])
        assert run(tmp_path, "rename", "news", "tidings", "--key").returncode == 0
        running.wait_for(lambda: b"tidings" in running.get("category/news.html")[1])
        assert run(tmp_path, "remove", one).returncode == 0
        running.wait_for(lambda: len(running.status()["sources"]) == 1)
        assert b"Title 1" in running.get("category/general.atom")[1], "what it published stays"


def test_every_command_shows_its_examples_and_those_are_understood(planet: Path) -> None:
    for name in ("import", "export", "remove", "pause", "resume", "rename", "move"):
        shown = aggregator(name, "--help").stdout
        examples: Sequence[str] = [line for line in shown.splitlines() if line.startswith(f"  aggregator {name} ")]
        assert examples, name
        assert max(map(len, shown.splitlines())) <= 80, name


def test_a_title_with_a_question_mark_can_be_edited_again(planet: Path) -> None:
    assert run(planet, "rename", "A Blog", "Why?").returncode == 0
    assert run(planet, "rename", "python", "Who?").returncode == 0
    assert run(planet, "pause", "Why?").returncode == 0
    assert load_config(planet / "feeds.yaml", {}).sources[0].title == "Why?"
