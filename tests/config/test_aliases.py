"""`publish.aliases` and `publish.static`: paths of outputs are refused, with their line (S51)."""

from pathlib import Path

import pytest

from aggregator.config import load_config
from aggregator.errors import ConfigError
from tests.config.reading import SOURCES, problems, settings


@pytest.mark.parametrize(
    ("aliases", "expected"),
    [
        ("{/atom.xml: all.atom}", '1:21: "/atom.xml" begins with a slash; write atom.xml'),
        ("{../atom.xml: all.atom}", '1:21: "../atom.xml" is not a path below publish.to; write one such as atom.xml, '),
        ("{a/.hidden: all.atom}", '1:21: "a/.hidden" is not a path below publish.to'),
        ("{a/b/c/d/e/f/g/h/i: all.atom}", '1:21: "a/b/c/d/e/f/g/h/i" is not a path below publish.to'),
        ('{"a b": all.atom}', '1:21: "a b" is not a path below publish.to'),
        ("{atom.xml.gz: all.atom}", '1:21: "atom.xml.gz" is not a path below publish.to'),
        ("{index.html: all.atom}", '1:21: "index.html" is reserved for outputs of the program; write another path'),
        ("{INDEX.html: all.atom}", '1:21: "INDEX.html" is reserved for outputs of the program; write another path'),
        ("{category/x.atom: all.atom}", '1:21: "category/x.atom" is reserved for outputs of the program'),
        ("{category: all.atom}", '1:21: "category" is reserved for outputs of the program'),
        ("{entry/my.html: all.atom}", '1:21: "entry/my.html" is reserved for outputs of the program'),
        ("{healthz: all.atom}", '1:21: "healthz" is reserved for outputs of the program'),
        (
            "{atom.xml: atom.xml}",
            '1:31: "atom.xml" is not an output; write one such as all.atom or category/python.atom',
        ),
        ("{atom.xml: ../../etc/passwd}", '1:31: "../../etc/passwd" is not an output'),
        ("{a.xml: all.atom, A.XML: all.atom}", '1:38: "A.XML" conflicts with "a.xml"; write another path'),
        ("{feed: all.atom, feed/a.xml: all.atom}", '1:37: "feed/a.xml" conflicts with "feed"'),
    ],
)
def test_s51_aliases_that_lead_astray(aliases: str, expected: str) -> None:
    (problem,) = problems(f"publish: {{aliases: {aliases}}}\n{SOURCES}")
    assert problem.startswith(expected)


def test_the_format_of_an_alias_has_to_be_published() -> None:
    text = f"publish: {{formats: [atom], aliases: {{a.xml: all.rss, b.html: index.html, c: opml.xml}}}}\n{SOURCES}"
    assert problems(text) == [
        "1:45: all.rss is not published; add rss to formats, or write another",
        "1:62: index.html is not published; add html to formats, or write another",
    ]


def test_good_aliases_are_given_as_written() -> None:
    said = settings(f"publish: {{aliases: {{atom.xml: all.atom, Feed/index.xml: category/a.rss}}}}\n{SOURCES}")
    assert said.publish.aliases == (("atom.xml", "all.atom"), ("Feed/index.xml", "category/a.rss"))


def told(folder: Path, publish: str) -> list[str]:
    (folder / "feeds.yaml").write_text(f"publish: {publish}\n{SOURCES}", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(folder / "feeds.yaml", {})
    return [str(problem).removeprefix(f"{folder / 'feeds.yaml'}:") for problem in caught.value.problems]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "feeds.yaml").write_text(f"publish: {{static: static/}}\n{SOURCES}", encoding="utf-8")
    (warning,) = load_config(tmp_path / "feeds.yaml", {}).warnings
    where = f"{tmp_path / 'feeds.yaml'}:1:19: the folder"
    assert warning == f'{where} "static" does not exist; create it, or remove static'


@pytest.mark.parametrize(
    ("publish", "expected"),
    [
        ("{static: .}", '"feeds.yaml" is in this folder and would be published'),
        ("{static: public, to: public}", '"public" is in this folder and would be published'),
        ("{static: public/mine, to: public}", "this folder is inside publish.to; write a folder outside of it"),
        ("{static: link}", '"feeds.yaml" is in this folder and would be published'),
    ],
)
def test_s51_a_folder_that_holds_what_nobody_shall_see(tmp_path: Path, publish: str, expected: str) -> None:
    (tmp_path / "public" / "mine").mkdir(parents=True)
    (tmp_path / "link").symlink_to(".")
    (problem,) = told(tmp_path, publish)
    assert expected in problem


def test_files_that_would_stand_in_our_way(tmp_path: Path) -> None:
    static = tmp_path / "static"
    (static / "category").mkdir(parents=True)
    for name in ("Index.html", "category/x.txt", "CNAME", "atom.xml", "feed", "old", ".DS_Store"):
        (static / name).write_text("x")
    publish = "{static: static, aliases: {atom.xml: all.atom, feed/a.xml: all.atom, old/b: all.atom}}"
    (problem,) = told(tmp_path, publish)
    assert problem == (
        "1:19: outputs or aliases may have the same paths as Index.html, atom.xml, category/x.txt and 2 more; "
        "rename these files"
    )
