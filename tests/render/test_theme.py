"""Templates, stylesheet and texts of the operator's own (docs/theme.md; S39, S64, A67, A80)."""

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from aggregator.cli.main import main
from aggregator.config import load_config
from aggregator.errors import ConfigError, PublishError
from aggregator.model.poll import State
from aggregator.render.cache import forget_all
from aggregator.render.html_pages import render_category
from aggregator.render.status_page import render_status_page
from aggregator.render.theme import Theme, checked_style, ours, plain_style, read_theme, signature_of
from aggregator.render.theme_check import POLICY, STATUS, try_theme
from tests.fake_source import FakeSource, said
from tests.render.checks import Page
from tests.render.records import RICH, SAMPLE, SITE, a_document
from tests.running import Running
from tests.sample_site import SampleSite, item, rss

FORMATS = frozenset({"atom", "html"})
DOCS = Path(__file__).parents[2] / "docs"
TEMPLATES = Path(__file__).parents[2] / "aggregator" / "render" / "templates"
SOURCES = "sources: [{url: 'https://a.example/feed', key: a}]\n"
THEMED = "publish: {theme: theme/, formats: [atom, html]}\n" + SOURCES


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "theme"
    folder.mkdir()
    return folder


def problems(folder: Path) -> list[str]:
    """Return the problems of a theme, as an operator reads them."""
    try:
        found = try_theme(read_theme(folder, "theme"), SITE)
    except ConfigError as error:
        return [str(problem) for problem in error.problems]
    return [str(problem) for problem in found]


def test_our_own_templates_pass_as_a_theme(folder: Path) -> None:
    for name in ours() - {"head.html", "prose.html"}:
        shutil.copy(TEMPLATES / name, folder)
    assert problems(folder) == []


def test_a_theme_may_show_on_the_status_page_how_many_sources_are_in_trouble(folder: Path) -> None:
    (folder / "status.html").write_text("<p>{{ summary }}</p>")
    states = (State.FAILING, State.OK, State.GONE, State.PAUSED, State.NEVER)
    status = replace(STATUS, sources=tuple(replace(STATUS.sources[0], state=state) for state in states))
    shown = render_status_page(status, SITE, FORMATS, replace(plain_style(), theme=read_theme(folder, "theme")))
    assert shown == b"<p>Sources that need a hand: 2 of 5.</p>"


def test_our_own_pages_pass() -> None:
    assert try_theme(Theme.built_in(), SITE) == []
    assert POLICY.removesuffix(b"'none'") in (TEMPLATES / "head.html").read_bytes()


def test_a_theme_replaces_file_by_file(folder: Path) -> None:
    (folder / "base.html").write_text(
        '{% extends "built-in/base.html" %}{% block brand %}<p>OWN BRAND</p>{% endblock %}'
    )
    (folder / "style.css").write_text("body { color: teal }\n")
    (folder / "README").write_text("not for us")
    theme = read_theme(folder, "theme")
    style = type(plain_style())(theme=theme)
    seen = Page(render_category(SAMPLE, SITE, FORMATS, style))
    assert "OWN BRAND" in seen.text
    assert seen.faults == []
    assert seen.all("article")
    assert theme.stylesheet == b"/* generator: aggregator */\nbody { color: teal }\n"
    assert theme.icon == plain_style().theme.icon


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("index.html", "a\n{% if %}\n", "theme/index.html:2:1: Expected an expression, got 'end of statement block'"),
        ("index.html", "{{ t('home') }\n", "theme/index.html:1:1: unexpected '}'"),
        ("base.html", "{{ site.title }}", "theme/base.html:1:1: 'title' is a function here, and no text"),
        (
            "category.html",
            '{% extends "base.html" %}\n{% block main %}\n{{ storys }}{% endblock %}',
            "theme/category.html:3:1: 'storys' is undefined",
        ),
        (
            "category.html",
            '{% extends "base.html" %}\n{% block main %}\n\n{{ stories[0].titel }}{% endblock %}',
            "theme/category.html:4:1: story has no attribute 'titel'; docs/theme.md says which names there are",
        ),
        (
            "category.html",
            '{% extends "base.html" %}\n{% block main %}{{ stories[0].title }}{% endblock %}',
            "theme/category.html:2:1: list object has no element 0; a list may be empty: write {% if … %} around it",
        ),
        ("sources.html", "{% include 'head.html' %}{{ 1 / 0 }}", "theme/sources.html:1:1: division by zero"),
        ("parts.html", "{% macro x(y) %}{{ y|safe }}{% endmacro %}", "theme/parts.html:1:1: `|safe` would let"),
        ("index.html", "{% autoescape false %}{% endautoescape %}", "theme/index.html:1:1: texts are escaped every"),
        ("index.html", '{% include "heed.html" %}', "theme/index.html:1:1: there is no template 'heed.html'; write"),
        ("prose.html", "x", "theme/prose.html:1:1: this part is not for a theme to replace"),
        ("catgory.html", "x", "theme/catgory.html:1:1: no page is called so and no template includes it; write"),
        ("base.html", "<html>{% block main %}{% endblock %}</html>", "theme/base.html:1:1: category/empty.html com"),
        ("index.html", "{% include 'head.html' %}{{ t('nothing') }}", "theme/index.html:1:1: 'nothing'"),
        ("index.html", "{% include 'head.html' %}{{ t.__globals__ }}", "theme/index.html:1:1: access to attribute"),
        ("icon.svg", "<svg>" + " " * 33_000, "theme/icon.svg:1:1: it has over 32 KiB; write less"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_file_and_line(folder: Path, name: str, text: str, expected: str) -> None:
    (folder / name).write_text(text)
    found = problems(folder)
    assert any(problem.startswith(expected) for problem in found), found


def test_what_is_no_text_is_named(folder: Path) -> None:
    (folder / "style.css").write_bytes(b"a { content: '\xff' }")
    assert problems(folder) == ["theme/style.css:1:1: it is no UTF-8"]


def test_no_folder_no_theme(folder: Path) -> None:
    assert problems(folder / "none") == [
        "theme:1:1: there is no such folder; make it, or take `theme` out of feeds.yaml"
    ]


def test_what_can_not_be_read_is_named(folder: Path) -> None:
    (folder / "style.css").mkdir()
    assert problems(folder) == ["theme:1:1: style.css can't be read: Is a directory; mend it, or move it away"]


def test_a67_a_theme_brings_a_language(folder: Path) -> None:
    (folder / "catalogue").mkdir()
    (folder / "catalogue" / "nl.toml").write_text('date_and_time = "op {day} {month}"\n[page]\nhome = "Begin"\n')
    theme = read_theme(folder, "theme")
    messages = theme.messages("nl-BE")
    assert (messages.language, messages.text("home"), messages.text("sources")) == ("nl", "Begin", "Sources")
    assert theme.messages("en").text("home") == "Home"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# ours\n[page]\nhom = 'x'", ["3:1: page.hom is none of our texts; docs/languages.md says which there are"]),
        ("months = ['a']", ["1:1: months is a list of twelve names"]),
        ("[state]\n[page]\nhome = 1", ["3:1: page.home is a text; write it in quotes"]),
        ("[page]\nhome = '{name}'", ["2:1: page.home speaks of {name}; it can speak of none"]),
        ("[page]\nzone = '{when}'", ["2:1: page.zone speaks of {when}; it can speak of {zone} only"]),
        ("date = '{day}'\npage = 'x'", ["2:1: page is a table of texts; write [page] above them"]),
        ("[code]\n[paeg]", ["2:1: paeg is none of our texts; docs/languages.md says which there are"]),
        (
            "[page]\nhome = '{'",
            ["2:1: page.home can't be filled in: Single '{' encountered in format string; "
             "a brace of its own is written twice"],
        ),
        (
            "first_day = 1\n[page]\nzone = '{a}{b}'\n",
            ["1:1: first_day is a text; write it in quotes",
             "3:1: page.zone speaks of {a}; it can speak of {zone} only",
             "3:1: page.zone speaks of {b}; it can speak of {zone} only"],
        ),
        ("page.home = 1", ["1:1: page.home is a text; write it in quotes"]),
    ],
)  # fmt: skip
def test_a67_all_nonsense_in_a_catalogue_is_told_with_its_line(folder: Path, text: str, expected: list[str]) -> None:
    (folder / "catalogue").mkdir()
    (folder / "catalogue" / "nl.toml").write_text(text)
    assert problems(folder) == [f"theme/catalogue/nl.toml:{problem}" for problem in expected]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("styel.css", "no file of a theme has this name; write style.css"),
        ("Category.html", "no file of a theme has this name; write category.html"),
        ("my part.html", "no file of a theme has this name; write small letters, digits, - and _"),
        ("nl.toml", "no file of a theme has this name; write catalogue/nl.toml"),
        ("catalogue/NL.toml", "no language has this name; write one such as catalogue/nl.toml or catalogue/zh-tw.toml"),
    ],
)
def test_a_file_that_only_looks_like_part_of_a_theme_is_named(folder: Path, name: str, expected: str) -> None:
    (folder / "catalogue").mkdir()
    (folder / name).write_text("")
    assert problems(folder) == [f"theme/{name}:1:1: {expected}"]


def test_hidden_files_are_nobodys_slip(folder: Path) -> None:
    (folder / "catalogue").mkdir()
    for name in ("._style.css", ".part.html", ".nl.toml", "catalogue/.nl.toml"):
        (folder / name).write_bytes(b"\0")
    (folder / ".#style.css").symlink_to("somebody@machine.1234")  # while an editor has it open
    assert problems(folder) == []


def test_a_catalogue_that_is_no_toml_is_refused_with_its_line(folder: Path) -> None:
    (folder / "catalogue").mkdir()
    (folder / "catalogue" / "nl.toml").write_text("[page]\nhome = \n")
    [problem] = problems(folder)
    assert problem.startswith("theme/catalogue/nl.toml:2:8: ")


def test_s39_what_a_theme_shows_is_escaped(folder: Path) -> None:
    (folder / "category.html").write_text(
        '{% include "head.html" %}{% import "prose.html" as prose %}'
        "{% for story in stories %}<p>{{ story.title }}</p>{{ prose.show(story.html) }}{% endfor %}"
    )
    assert problems(folder) == []
    style = type(plain_style())(theme=read_theme(folder, "theme"))
    page = render_category(a_document(RICH), SITE, FORMATS, style).decode()
    assert "&lt;angles&gt;" in page
    assert '<a href="https://heron.example/a?b=1' in page


def test_s64_a_theme_is_sandboxed(folder: Path) -> None:
    (folder / "category.html").write_text("{% include 'head.html' %}{{ title.__class__.__mro__ }}")
    (problem,) = problems(folder)
    assert "__class__" in problem or "unsafe" in problem
    look = type(plain_style())(theme=read_theme(folder, "theme"))
    with pytest.raises(PublishError):
        render_category(SAMPLE, SITE, FORMATS, look)


def test_the_signature_follows_each_file(folder: Path) -> None:
    seen = {signature_of(folder)}
    (folder / "style.css").write_text("a {}")
    seen.add(signature_of(folder))
    (folder / "catalogue").mkdir()
    (folder / "catalogue" / "nl.toml").write_text("")
    seen.add(signature_of(folder))
    (folder / "notes.txt").write_text("")
    assert len(seen) == 3
    assert signature_of(folder) in seen


# --- from feeds.yaml to the files


def test_a_theme_is_named_by_its_place_beside_feeds_yaml(sample_site: SampleSite, folder: Path) -> None:
    sample_site.writes(THEMED)
    (sample_site.folder / "theme").mkdir(exist_ok=True)
    (sample_site.folder / "theme" / "index.html").write_text("{{ x }}")
    with pytest.raises(ConfigError, match=r"^theme/index.html:1:1: 'x' is undefined; docs/theme.md"):
        checked_style(load_config(sample_site.folder / "feeds.yaml", {}))


def test_m7_another_theme_renders_every_page_and_no_feed(sample_site: SampleSite) -> None:
    sample_site.writes(THEMED)
    theme = sample_site.folder / "theme"
    theme.mkdir()
    with sample_site.opened() as app:
        FakeSource(app).says("a", *(said(n) for n in range(3)))
        app.publisher.publish()
    (theme / "base.html").write_text('{% extends "built-in/base.html" %}{% block brand %}<p>NEW</p>{% endblock %}')
    with sample_site.opened() as app:
        changed = app.publisher.publish().changed
        assert app.publisher.publish().changed == ()
    errors = ("404.html", "410.html", "500.html")
    own = (
        "all.html",
        "category/general.html",
        "index.html",
        "latest.html",
        "source/a.html",
        "sources.html",
        "status.html",
    )
    assert changed == (*errors, *own)
    pages = [*(sample_site.folder / "public").rglob("*.html")]
    assert len(pages) == 7 + 3 + 3
    assert all(b"NEW" in page.read_bytes() for page in pages), "those of the stories too"


def test_r32_what_a_template_can_not_render_stays_as_it_was_and_raises_an_alarm(sample_site: SampleSite) -> None:
    sample_site.writes(THEMED)
    theme = sample_site.folder / "theme"
    theme.mkdir()
    # Each story of the trial has a source; one of ours is called otherwise.
    (theme / "category.html").write_text(
        '{% extends "base.html" %}{% block main %}\n'
        "{% for story in stories %}{% if story.title == 'Title 2' %}{{ nowhere }}{% endif %}{% endfor %}{% endblock %}"
    )
    with sample_site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says("a", said(1))
        assert "category/general.html" in app.publisher.publish().changed
        before = (sample_site.folder / "public" / "category" / "general.html").read_bytes()
        fake_source.says("a", said(2), said(1))
        published = app.publisher.publish()
        assert published.failed == ("category/general.html",)
        assert "category/general.atom" in published.changed
        assert (sample_site.folder / "public" / "category" / "general.html").read_bytes() == before
        with app.store.begin() as tx:
            tx.alarms.note(sample_site.clock())
        [alarm] = app.store.status(app.in_force.roster, sample_site.clock()).alarms
        assert alarm.code.value == "output"
        assert alarm.text.startswith("category/general.html: theme/category.html:2: 'nowhere' is undefined; docs/")
    (theme / "category.html").unlink()
    with sample_site.opened() as app:
        assert "category/general.html" in app.publisher.publish().changed
        assert app.store.status(app.in_force.roster, sample_site.clock()).alarms == ()


def test_refresh_is_for_pages_that_change(sample_site: SampleSite) -> None:
    sample_site.writes(
        "publish: {refresh: 5m, formats: [html], entries: 10, archive_page: 10}\ndefaults: {initial: 30}\n" + SOURCES
    )
    with sample_site.opened() as app:
        FakeSource(app).says("a", *(said(n) for n in range(30)))
        app.publisher.publish()
    pages = {
        str(path.relative_to(sample_site.folder / "public")): Page(path.read_bytes())
        for path in sorted((sample_site.folder / "public").rglob("*.html"))
    }
    reloading = {
        path for path, page in pages.items() if page.all("meta", **{"http-equiv": "refresh", "content": "300"})
    }
    assert reloading == {"index.html", "latest.html", "sources.html", "status.html", "category/general.html"}
    assert "category/general/archive/1.html" in pages
    for path, page in pages.items():
        assert ("This page reloads itself every 5 min." in page.text) == (path in reloading)


# --- what docs/theme.md promises


def test_theme_md_names_all_that_a_template_sees_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (DOCS / "theme.md").read_text(encoding="utf-8").partition("## What a template sees")[2]
    named = set(re.findall(r"`(\w+)", text))
    seen: dict[str, set[str]] = {}
    render = Theme.render

    def noted(theme: Theme, name: str, path: str, values: Mapping[str, object]) -> str:
        seen.setdefault(name, set()).update(values)
        for value in values.values():
            for each in value if isinstance(value, list | tuple) else ():
                seen[name].update(getattr(each, "__slots__", ()))
        return render(theme, name, path, values)

    monkeypatch.setattr(Theme, "render", noted)
    forget_all()
    assert try_theme(Theme.built_in(), SITE) == []
    shared = {"base.html", "beside.html", "parts.html", "pictures.html", "river.html", "head.html", "prose.html"}
    assert set(seen) == ours() - shared
    given = set().union(*seen.values())
    assert given <= named, given - named
    for name in ours():
        for word in re.findall(r"\b(?:section|row|story|feed|file|named)\.(\w+)", (TEMPLATES / name).read_text()):
            assert word in named, f"{name}: {word}"


def test_what_theme_md_and_languages_md_show_is_a_theme(folder: Path) -> None:
    base, about, section, show = re.findall(
        r"```jinja\n(.*?)```", (DOCS / "theme.md").read_text(encoding="utf-8"), re.DOTALL
    )
    (catalogue,) = re.findall(r"```toml\n(.*?)```", (DOCS / "languages.md").read_text(encoding="utf-8"), re.DOTALL)
    (folder / "base.html").write_text(base)
    head = '{% include "head.html" %}{% for story in stories %}'
    (folder / "category.html").write_text(f"{head}{show}{{% endfor %}}")
    (folder / "pages").mkdir()
    (folder / "pages" / "about.html").write_text(about)
    (folder / "section.html").write_text(section)
    (folder / "catalogue").mkdir()
    (folder / "catalogue" / "nl.toml").write_text(catalogue)
    assert problems(folder) == []


def test_what_venus_md_shows_puts_faces_before_names(folder: Path) -> None:
    (parts,) = re.findall(r"```jinja\n(.*?)```", (DOCS / "venus.md").read_text(encoding="utf-8"), re.DOTALL)
    (folder / "parts.html").write_text(parts.replace('"Ada"', f'"{SAMPLE.publications[0].origin.title}"'))
    assert problems(folder) == []
    seen = Page(render_category(SAMPLE, SITE, FORMATS, type(plain_style())(theme=read_theme(folder, "theme"))))
    assert seen.faults == []
    assert {image.get("src") for image in seen.all("img", width="32")} == {"/faces/ada.png"}


@pytest.mark.slow
def test_r50_a_running_serve_takes_up_edits_of_the_theme(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "a.xml").write_bytes(rss(item(1)))
    sheet, base = folder / "style.css", folder / "base.html"
    with Running(tmp_path, "publish: {theme: theme/}\nsources: [{kind: file, url: a.xml}]\n") as running:
        running.wait_for(lambda: b"<article" in running.get("category/general.html")[1])
        sheet.write_text("body { color: teal }")
        running.wait_for(lambda: b"teal" in running.get("style.css")[1])
        base.write_text("{% block main %}{% endblock %}")
        running.wait_for(lambda: "theme/base.html:1:1" in str(running.status()["config"]["error"]))
        assert b"teal" in running.get("style.css")[1], "what was there before stays in force"
        base.write_text('{% extends "built-in/base.html" %}{% block brand %}<p>MENDED</p>{% endblock %}')
        running.wait_for(lambda: b"MENDED" in running.get("category/general.html")[1])
        assert running.status()["config"]["error"] is None


def test_a_start_with_a_broken_theme_ends_or_does_without(
    sample_site: SampleSite, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sample_site.writes(THEMED)
    (folder / "index.html").write_text("{{ x }}")
    arguments = ["-c", str(sample_site.folder / "feeds.yaml")]
    for command in ("check", "publish"):
        assert main([*arguments, command], {}) == 2
        assert capsys.readouterr().err.startswith("theme/index.html:1:1: 'x' is undefined; ")
    assert not (sample_site.folder / "var").exists(), "nothing was opened"
    assert main([*arguments, "check", "--json"], {}) == 2
    assert json.loads(capsys.readouterr().out)["problems"][0]["file"] == "theme/index.html"


# --- what a theme adds


def test_a_theme_adds_a_stylesheet_a_font_and_a_page(sample_site: SampleSite) -> None:
    folder = sample_site.folder / "theme"
    (folder / "pages").mkdir(parents=True)
    (folder / "fonts").mkdir()
    (folder / "extra.css").write_text('@font-face { font-family: R; src: url("fonts/r.woff2") }\n')
    (folder / "fonts" / "r.woff2").write_bytes(b"wOF2" * 100_000)
    (folder / "pages" / "about-us.html").write_text(
        '{% set title = "About & imprint" %}{% set description = "Who we are" %}'
        '{% extends "base.html" %}{% block main %}<h1>{{ site }}</h1>{% endblock %}'
    )
    sample_site.writes("site: {title: Gazette}\n" + THEMED)
    public = sample_site.folder / "public"
    with sample_site.opened() as app:
        assert {"extra.css", "fonts/r.woff2", "about-us.html"} <= set(app.publisher.publish().changed)
        assert app.publisher.publish(everything=True).changed == ()
    page = Page((public / "about-us.html").read_bytes())
    assert page.faults == []
    assert page.all("link", rel="canonical")[0]["href"] == "http://127.0.0.1:8080/about-us.html"
    assert [link["href"] for link in page.all("link", rel="stylesheet")] == ["style.css", "extra.css"]
    assert "<title>About &amp; imprint – Gazette</title>" in (public / "about-us.html").read_text()
    assert page.all("meta", name="description")[0]["content"] == "Who we are"
    assert page.all("a", href="about-us.html")[0]["aria-current"] == "page"
    assert Page((public / "category/general.html").read_bytes()).all("a", href="../about-us.html")
    assert (public / "fonts/r.woff2").read_bytes() == b"wOF2" * 100_000
    assert "about-us.html</loc>" in (public / "sitemap.xml").read_text()
    (folder / "pages" / "about-us.html").unlink()
    (folder / "extra.css").unlink()
    with sample_site.opened() as app:
        app.publisher.publish()
    assert not (public / "about-us.html").exists()
    assert not (public / "extra.css").exists()


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("pages/index.html", "x", "theme/pages/index.html:1:1: another page is at index.html already; write another"),
        ("pages/status.html", "x", "theme/pages/status.html:1:1: another page is at status.html already; write"),
        ("pages/About.html", "x", "theme/pages/About.html:1:1: a page can't have this name; write small letters"),
        ("pages/about.html", "{{ nothing }}", "theme/pages/about.html:1:1: 'nothing' is undefined"),
        ("pages/about.html", "x", "theme/base.html:1:1: about.html comes out without its policy"),
        ("fonts/a.ttf", "x", "theme/fonts/a.ttf:1:1: a font can't have this name; write a name such as fonts/a.woff2"),
    ],
)
def test_what_is_wrong_with_an_addition_is_said(folder: Path, name: str, text: str, expected: str) -> None:
    (folder / name).parent.mkdir()
    (folder / name).write_text(text)
    found = problems(folder)
    assert any(problem.startswith(expected) for problem in found), found


def test_blocks_of_the_frame(folder: Path) -> None:
    (folder / "base.html").write_text(
        '{% extends "built-in/base.html" %}'
        + "".join(f"{{% block {name} %}}<p>OWN {name}</p>{{{{ super() }}}}{{% endblock %}}" for name in ("top", "nav"))
        + '{% block head %}<meta name="author" content="OWN head">{% endblock %}'
        + "{% block footer %}<p>OWN footer</p>{% endblock %}"
    )
    style = type(plain_style())(theme=read_theme(folder, "theme"))
    text = render_category(SAMPLE, SITE, FORMATS, style).decode()
    assert all(f"OWN {name}" in text for name in ("top", "nav", "head", "footer"))
    assert "Times are those of" not in text


@pytest.mark.parametrize("name", ["cards", "dense", "magazine"])
def test_ready_themes_pass(tmp_path: Path, name: str) -> None:
    (tmp_path / "feeds.yaml").write_text(f"publish: {{theme: {name}}}\n{SOURCES}")
    style = checked_style(load_config(tmp_path / "feeds.yaml", {}))
    assert b"generator: aggregator" in style.theme.files["extra.css"]
    assert len(style.theme.texts) <= 2
    assert Page(render_category(SAMPLE, SITE, FORMATS, style)).faults == []


def test_a_folder_goes_before_a_ready_theme_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "cards").mkdir()
    (tmp_path / "feeds.yaml").write_text(f"publish: {{theme: cards}}\n{SOURCES}")
    assert load_config(tmp_path / "feeds.yaml", {}).publish.theme == tmp_path / "cards"


def test_theme_new_writes_a_theme_that_works(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "theme"
    assert main(["theme", "new", str(folder)], {}) == 0
    said = capsys.readouterr().out
    assert f"Write in feeds.yaml: publish: {{theme: {folder}/}}" in said
    assert {"extra.css", "base.html", "pages/about.html"} == {str(p.relative_to(folder)) for p in folder.rglob("*.*")}
    assert problems(folder) == []
    assert main(["theme", "new", str(folder)], {}) == 2
    assert "is not empty" in capsys.readouterr().err
