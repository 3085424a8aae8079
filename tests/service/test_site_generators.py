"""Jekyll and Hugo, of Debian's packages, build what docs/jekyll.md and docs/hugo.md say, and nothing foreign is run."""

import os
import re
import shutil
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest

from tests.newsroom import item, rss
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
