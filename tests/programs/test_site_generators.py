"""Jekyll and Hugo, of Debian's packages, build what docs/jekyll.md and docs/hugo.md say, and nothing foreign is run."""

import os
import re
import shutil
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest

from tests.sample_site import item, rss
from tests.test_docs import ROOT, blocks

TITLES = {
    "quotes": "He said \"yes\": 'no' \\ maybe",
    "colon": "Part 2: the # of [things] & more - {a: b}",
    "emoji": "🦊 狐狸 — “引号” 100%",
    "liquid": "Use {{ site.time }} and {% assign x = 1 %}{{ x }} and {% endraw %}",
    "newline": "One\ntitle\n---\non lines",
    "markup": "1 < 2 & a *claim* `x` {: .class}",
}
BODY = (
    "<p>Liquid {{ site.time }} {% raw %} {% endraw %} {{&lt; figure &gt;}} shortcode {{% x %}}</p>"
    "<pre>first\n\n    {{ third }}</pre><p>*stars* stay {:.evil onclick='x'}</p>\n\n    indented"
)
pytestmark = [pytest.mark.service, pytest.mark.slow]


def planet(tmp_path: Path, page: str) -> list[str]:
    """Make a folder as a page of the documentation says, with a feed of odd titles; give the page's commands."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    (tmp_path / "feeds.yaml").write_text(next(blocks(text, "yaml")), encoding="utf-8")
    for template in blocks(text, "jinja"):
        (tmp_path / "hugo.html.j2").write_text(template, encoding="utf-8")
    (tmp_path / "samples").mkdir()
    date = "Wed, 04 Mar 2026 10:00:00 GMT"
    items = [item(name, title=title, description=BODY, pubDate=date) for name, title in TITLES.items()]
    (tmp_path / "samples" / "harbour.xml").write_bytes(rss(*items))
    return [line for block in blocks(text, "sh") for line in block.splitlines()]


def typed(tmp_path: Path, lines: list[str]) -> None:
    environ = dict(os.environ, PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}", LANG="C.UTF-8")
    for line in lines:
        done = subprocess.run(line, shell=True, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=200)
        assert done.returncode == 0, done.stdout + done.stderr


def judge(pages: dict[str, str]) -> None:
    assert len(pages) == len(TITLES)
    shown = {name: re.sub(r"\s+", " ", unescape(page)) for name, page in pages.items()}
    for key, title in TITLES.items():
        (page,) = (text for name, text in shown.items() if key in name)
        assert f"[{' '.join(title.split())}]" in page
        assert "Liquid {{ site.time }} {% raw %} {% endraw %} {{< figure >}} shortcode {{% x %}}" in page
        assert "{{ third }}</pre>" in page
        assert "*stars* stay {:.evil" in page
    assert all("first\n\n    &#123;" in p or "first\n\n    {" in p or "first&#10;\n    " in p for p in pages.values())


@pytest.mark.skipif(not shutil.which("jekyll"), reason="jekyll is not installed: apt-get install jekyll")
def test_jekyll_builds_the_export(tmp_path: Path) -> None:
    lines = planet(tmp_path, "jekyll.md")
    site = tmp_path / "site"
    (site / "_layouts").mkdir(parents=True)
    (site / "_layouts" / "post.html").write_text("<h1>[{{ page.title | escape }}]</h1>{{ content }}", encoding="utf-8")
    (site / "_config.yml").write_text("future: true\nexclude: [feeds]\n")
    text = (tmp_path / "feeds.yaml").read_text(encoding="utf-8").replace("hot: 3d", "hot: 36500d")
    (tmp_path / "feeds.yaml").write_text(text, encoding="utf-8")
    typed(tmp_path, lines)
    judge({str(p): p.read_text(encoding="utf-8") for p in (tmp_path / "_site" / "harbour").rglob("*.html")})


@pytest.mark.skipif(not shutil.which("hugo"), reason="hugo is not installed: apt-get install hugo")
def test_hugo_builds_the_export(tmp_path: Path) -> None:
    lines = planet(tmp_path, "hugo.md")
    layouts = tmp_path / "site" / "layouts" / "_default"
    layouts.mkdir(parents=True)
    (layouts / "single.html").write_text("<h1>[{{ .Title }}]</h1>{{ .Content }}", encoding="utf-8")
    (layouts / "list.html").write_text("", encoding="utf-8")
    (tmp_path / "site" / "hugo.toml").write_text('baseURL = "https://example.org/"\nbuildFuture = true\n')
    typed(tmp_path, lines)
    judge(
        {str(p): p.read_text(encoding="utf-8") for p in (tmp_path / "site" / "public" / "posts").glob("2*/index.html")}
    )


ATTACKS = [
    "[click](javascript:alert(1))",
    "![click](javascript:alert(1))",
    "[click][it]\n\n[it]: javascript:alert(1)",
    "[click] \n\n> [click]: javascript:alert(1)",
    "&lt;javascript:alert(1)&gt;",
    "&lt;a href=javascript:alert(1) onclick=alert(1)&gt;x&lt;/a&gt;",
    "&lt;img src=x onerror=alert(1)&gt;",
    'words\n{: onclick="alert(1)"}',
    'words{: onclick="alert(1)"} *more*{:onclick="alert(1)"}',
    '{::options parse_block_html="true" /}\n{::nomarkdown}&lt;script&gt;alert(1)&lt;/script&gt;{:/}',
    "{{ site.time }}{% raw %}{%- assign x = 'alert(1)' -%}",
    "{{&lt; figure src=javascript:alert(1) &gt;}}{{% x %}}",
    "```\n~~~\n# heading\n===",
    "$$\\href{javascript:alert(1)}{x}$$",
    "*[HTML]: javascript:alert(1)\n\n[^1]: javascript:alert(1)",
]


def attacked(tmp_path: Path, template: str | None, file: str | None = None) -> None:
    """Make a folder with a feed of attacks in every place, a category named by one, and the template of its posts."""
    items = []
    for number, attack in enumerate(ATTACKS):
        both = f"<![CDATA[{attack}]]>" if "&" not in attack else attack
        items.append(
            f"<item><guid>attack-{number}</guid><title>{number} {both}</title><description>{both}</description>"
            f"<content:encoded>{both} &lt;p&gt;{attack}&lt;/p&gt;\n\n{attack}</content:encoded>"
            f"<category>{both}</category><dc:creator>{both}</dc:creator>"
            "<link>https://e.example/a)(b</link><pubDate>Wed, 04 Mar 2026 10:00:00 GMT</pubDate></item>"
        )
    head = "xmlns:content='http://purl.org/rss/1.0/modules/content/' xmlns:dc='http://purl.org/dc/elements/1.1/'"
    (tmp_path / "feed.xml").write_text(
        f"<rss version='2.0' {head}><channel><title>{ATTACKS[0]}</title>{''.join(items)}</channel></rss>", "utf-8"
    )
    named = "" if template is None else ", template: own.j2"
    named += "" if file is None else f', file: "{file}"'
    if template is not None:
        (tmp_path / "own.j2").write_text(template, encoding="utf-8")
    (tmp_path / "feeds.yaml").write_text(
        f"publish: {{to: feeds/, jekyll: {{to: site/_posts{named}}}}}\n"
        "categories: {a: {title: '[unclosed](javascript:alert(1)) {{ x }}'}}\n"
        "sources: [{kind: file, url: feed.xml, category: a}]\n"
    )


def is_harmless(folder: Path) -> int:
    """Fail where a built page holds what a browser would run; give how many pages there are."""
    pages = [page.read_text(encoding="utf-8") for page in folder.rglob("*.html")]
    for page in pages:
        tags = re.findall(r"<[a-zA-Z][^>]*>", page)
        assert not [tag for tag in tags if re.search(r"(?i)=\s*[\"']?\s*javascript:|\son\w+\s*=|^<script", tag)]
    return len(pages)


def own(page: str) -> str:
    return next(blocks((ROOT / "docs" / page).read_text(encoding="utf-8"), "jinja"))


@pytest.mark.skipif(not shutil.which("jekyll"), reason="jekyll is not installed: apt-get install jekyll")
@pytest.mark.parametrize("template", [None, "jekyll.md", "newsroom.md"], ids=["built-in", "jekyll.md", "newsroom.md"])
def test_s45_jekyll_makes_nothing_of_hostile_texts(tmp_path: Path, template: str | None) -> None:
    attacked(tmp_path, template and own(template))
    (tmp_path / "site" / "_layouts").mkdir(parents=True)
    (tmp_path / "site" / "_layouts" / "post.html").write_text("<h1>{{ page.title | escape }}</h1>{{ content }}")
    (tmp_path / "site" / "_config.yml").write_text("future: true\n")
    typed(tmp_path, ["aggregator -c feeds.yaml poll --strict", "jekyll build -q --source site --destination _site"])
    assert is_harmless(tmp_path / "_site") >= len(ATTACKS)


@pytest.mark.skipif(not shutil.which("hugo"), reason="hugo is not installed: apt-get install hugo")
@pytest.mark.parametrize("template", ["hugo.md", "jekyll.md", "newsroom.md"])
def test_s45_hugo_makes_nothing_of_hostile_texts(tmp_path: Path, template: str) -> None:
    suffix = "html" if template == "hugo.md" else "md"
    attacked(tmp_path, own(template), f"{{{{ story.id }}}}.{suffix}")
    layouts = tmp_path / "site" / "layouts" / "_default"
    layouts.mkdir(parents=True)
    (layouts / "single.html").write_text("<h1>{{ .Title }}</h1>{{ .Content }}")
    (layouts / "list.html").write_text("")
    (tmp_path / "site" / "hugo.toml").write_text(
        'baseURL = "https://example.org/"\nbuildFuture = true\ncontentDir = "_posts"\n'
        "[markup.goldmark.renderer]\nunsafe = true\n[markup.goldmark.parser.attribute]\nblock = true\n"
    )
    typed(tmp_path, ["aggregator -c feeds.yaml poll --strict", "hugo --quiet --source site --destination public"])
    assert is_harmless(tmp_path / "site" / "public") >= len(ATTACKS)
