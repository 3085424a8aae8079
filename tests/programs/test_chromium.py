"""Chromium, of Debian's package, opens what is published from hostile feeds: nothing runs, nothing loads (S31)."""

import html
import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from lxml import html as lxml_html

from aggregator.clean.sanitiser import TAGS
from tests.feed_server import FeedServer
from tests.programs.conftest import Service
from tests.programs.hostile import hostile_atom, hostile_json, hostile_rdf, hostile_rss
from tests.programs.program import Program
from tests.programs.vectors import addresses, markup
from tests.sample_site import ATOM

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or "chromium"
KINDS = ("rss", "rdf", "html", "text", "xhtml", "json")
# A reader that shows whatever a feed holds, without a policy of its own: in a document of its own and by innerHTML. It
# touches everything, and says what ran, and which addresses are left that a click would run.
READER = b"""<!DOCTYPE html><meta charset=utf-8><title>reader</title><div id=here></div><pre id=report></pre><script>
const ran = [], bad = [];
let at = "";
for (const name of ["alert", "prompt", "confirm", "print", "open", "eval"]) window[name] = () => ran.push(at);
const touch = root => { for (const each of root.querySelectorAll("*")) {
  for (const attribute of each.attributes) if (/^on/i.test(attribute.name)) bad.push(at + ": " + attribute.name);
  if (["SCRIPT", "IFRAME", "OBJECT", "EMBED", "STYLE", "LINK", "BASE", "META", "FORM"].includes(each.tagName))
    bad.push(at + ": " + each.tagName);
  if (each.hasAttribute("href") && !["http:", "https:", "mailto:"].includes(each.protocol))
    bad.push(at + ": " + each.href);
  for (const event of ["click", "mouseover", "focus", "toggle", "pointerenter", "animationstart", "error", "load"])
    each.dispatchEvent(new Event(event, {cancelable: true}));
} };
const shown = text => new Promise(resolve => {
  const frame = document.createElement("iframe");
  frame.onload = () => { touch(frame.contentDocument.body); setTimeout(() => { frame.remove(); resolve(); }, 0); };
  frame.srcdoc = "<script>for (const name of ['alert', 'prompt', 'confirm', 'print']) window[name] = parent[name]<" +
    "/script><body>" + text;
  document.body.append(frame);
});
(async () => {
  const texts = await (await fetch("/contents.json")).json();
  for (const [name, text] of texts) {
    at = name;
    here.innerHTML = text;
    touch(here);
  }
  for (let n = 0; n < texts.length; n += 50) {
    at = texts[n][0] + " and the next";
    await shown(texts.slice(n, n + 50).map(each => each[1]).join("<hr>"));
  }
  await new Promise(resolve => setTimeout(resolve, 200));
  report.textContent = JSON.stringify({read: texts.length, ran, bad});
})();
</script>"""

pytestmark = [
    pytest.mark.service,
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which(CHROMIUM), reason="Chromium is not installed: apt-get install chromium"),
]


class Chromium:
    """A browser without a window; loopback is all the network it has."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder

    def opens(self, url: str) -> str:
        """Open a page, let its scripts run and its pictures load; gives the log and the document after that."""
        options = [
            "--headless",
            "--no-sandbox",  # root has none
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--no-first-run",
            "--enable-logging=stderr",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            f"--user-data-dir={self._folder}/profile",
            "--virtual-time-budget=60000",
        ]
        return Program([CHROMIUM, *options, "--dump-dom", url], self._folder).run()


def test_s31_s40_nothing_of_hostile_feeds_runs_or_loads(
    tmp_path: Path, publisher: FeedServer, service: Service
) -> None:
    with FeedServer() as trap:
        texts, links = markup(trap.url("/")), addresses()
        bodies = {
            "rss": hostile_rss(texts, links),
            "rdf": hostile_rdf(texts, links),
            **{kind: hostile_atom(texts, links, kind) for kind in ("html", "text", "xhtml")},
            "json": hostile_json(texts, links),
        }
        urls = {kind: publisher.serve(f"/{kind}", bodies[kind].encode()) for kind in KINDS}
        sources = "".join(
            f"  - {{url: '{urls[kind]}', category: {kind}, every: 1h, initial: 5000}}\n" for kind in KINDS
        )
        categories = "".join(f"  {kind}: {{entries: 1000, dedupe: off}}\n" for kind in KINDS)
        service.writes(f"defaults: {{dedupe: off}}\ncategories:\n{categories}sources:\n{sources}")
        service.start()
        chromium = Chromium(tmp_path / "chromium")

        for kind in KINDS:
            service.wait_for_entries(f"/category/{kind}.atom", len(texts))
        contents = [content for kind in KINDS for content in _contents(service, kind)]
        assert len(contents) > 5 * len(texts)
        trap.serve("/reader.html", READER, {"Content-Type": "text/html"}, tags=False)
        raw = [("raw", f"<img src={trap.url('/media/none')} onerror=alert(1)><a href='javascript:alert(1)'>a</a>")]
        trap.serve("/contents.json", json.dumps(raw).encode(), {"Content-Type": "application/json"}, tags=False)
        noticed = _report(chromium.opens(trap.url("/reader.html")))
        assert noticed["ran"], "the reader sees what runs"
        assert "raw: javascript:alert(1)" in noticed["bad"]

        trap.serve("/contents.json", json.dumps(contents).encode(), {"Content-Type": "application/json"}, tags=False)
        report = _report(chromium.opens(trap.url("/reader.html")))
        assert report == {"read": len(contents), "ran": [], "bad": []}

        for kind in KINDS:
            for path in _pages(service, kind):
                shown = chromium.opens(f"http://127.0.0.1:{service.port}{path}")
                assert "Content Security Policy" not in shown, f"{path}: {shown[:2000]}"
                _check_page(shown, path)
            chromium.opens(f"http://127.0.0.1:{service.port}/category/{kind}.atom")
        assert _forbidden(trap) == []


def _contents(service: Service, kind: str) -> list[tuple[str, str]]:
    """Return every text of Atom and JSON that a reader shows as HTML, with its name."""
    found: list[tuple[str, str]] = []
    feed = etree.fromstring(service.read(f"/category/{kind}.atom"))
    for element in feed.iter(f"{ATOM}content", f"{ATOM}summary", f"{ATOM}title", f"{ATOM}rights"):
        assert element.get("type") in (None, "text", "html"), "markup is escaped, or none (A13)"
        if element.get("type") == "html":
            found.append((f"{kind}.atom {element.sourceline}", element.text or ""))
    for item in json.loads(service.read(f"/category/{kind}.json"))["items"]:
        if "content_html" in item:
            found.append((f"{kind}.json {item['title'][:80]}", item["content_html"]))
    addresses_of = [str(each) for each in _found(feed, "//@href")]
    assert all(re.match(r"https?://", each) for each in addresses_of), addresses_of
    return found


def _pages(service: Service, kind: str) -> list[str]:
    """Return the paths of a category's pages, and of one of its entries."""
    first = f"/category/{kind}.html"
    page = lxml_html.fromstring(service.read(first))
    found = [first]
    for link in _found(page, "//a/@href"):
        path = re.sub(r"^(?:\.\./)+|^(?=category)", "/", str(link))
        if path.endswith(".html") and f"/{kind}" in path and path not in found:
            found.append(path)
    return found[:4]


def _found(root: etree._Element, path: str) -> list[str]:
    """Return the texts that an expression selects."""
    found = root.xpath(path)
    assert isinstance(found, list)
    return [each for each in found if isinstance(each, str)]


def _report(shown: str) -> dict[str, Any]:
    report = re.search(r'<pre id="report">(.*?)</pre>', shown, re.DOTALL)
    assert report is not None, f"no reader: {shown[:2000]}"
    assert report[1], f"the reader did not come to its end: {shown[:2000]}"
    found: dict[str, Any] = json.loads(html.unescape(report[1]))
    return found


def _check_page(shown: str, path: str) -> None:
    """See that a page's texts hold nothing but what the sanitiser allows."""
    document = lxml_html.fromstring(shown[shown.index("<!DOCTYPE") :])
    assert not document.xpath("//script | //iframe | //object | //embed | //svg | //math | //base"), path
    assert not document.xpath("//form[not(@role = 'search')]"), path
    assert not document.xpath("//@*[starts-with(name(), 'on')]"), path
    assert not document.xpath("//body//style | //body//link | //body//meta"), path
    prose = [div for div in document.iter("div") if "prose" in div.get("class", "").split()]
    for name in {str(each.tag) for div in prose for each in div.iterdescendants()}:
        assert name in TAGS, f"{path}: {name}"
    for address in _found(document, "//@href | //@src"):
        assert not re.match(r"\s*(?:javascript|data|vbscript)", str(address), re.IGNORECASE), f"{path}: {address!r}"


def _forbidden(trap: FeedServer) -> Sequence[str]:
    allowed = ("/reader.html", "/contents.json", "/media/", "/favicon.ico")
    return [asked.path for asked in trap.asked if not asked.path.startswith(allowed)]
