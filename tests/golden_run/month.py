"""Thirty days of a planet with every kind of source, run by the real commands under a moved clock.

Everything comes out the same each time: one worker, a fixed store id, sources with real host names behind a proxy on
loopback (the publisher of the tests), and no field that tells elapsed time or the size of a file.
"""

import json
import re
import shutil
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self
from unittest import mock

from aggregator import clock
from tests.command import Done, aggregator
from tests.feed_server import FeedServer, Reply, redirect
from tests.rows import change, rows
from tests.stores import is_file, url_of

ROOT = Path(__file__).parents[2]
START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
DAYS = 30
STORE_ID = "6f1c2f0a-6b5e-4b0e-9d0e-0a4c7a3b9d11"
HOSTS = "harbour valley moved gone busy private lists page api f0 f1 f2 f3".split()
PAPERS = ("大众日报", "经济日报", "21财经")
YAML = """site:
  {{title: Golden, base_url: "https://planet.example/", contact: ops@planet.example, timezone: Asia/Shanghai}}
workers: 1
proxy: http://127.0.0.1:{port}
hosts: {{{hosts}}}
publish:
  entries: 10
  archive_page: 10
  aliases: {{atom.xml: all.atom}}
  jekyll: {{to: site/_posts, hot: 3d, archive_to: site/old_post}}
categories:
  harbour: {{title: Harbour and Valley, description: Two papers, exclude: [{{title: Advertisement}}]}}
  {software}: {{title: Software, show: summary{was}}}
  quiet: {{unlisted: true}}
sources:
  - {{url: "http://harbour.example/feed.atom", key: harbour, category: harbour, priority: 1}}
  - {{url: "http://valley.example/rss", key: valley, category: [harbour, quiet], title: The Valley}}
  - {{url: "http://moved.example/old", key: moved, category: {software}}}
  - url: http://gone.example/feed
    key: gone
    category: {software}
    route: [{{when: {{title: boat}}, to: harbour}}]
  - {{url: "http://busy.example/feed", key: busy, category: {software}}}
  - url: http://private.example/feed?token=0123456789abcdef01234
    key: private
    category: {software}
    private: true
  - {{kind: opml, url: "http://lists.example/roll.opml", key: roll, category: friends}}
  - {{kind: file, url: samples/shiye.xml, key: shiye, category: quiet}}
  - kind: html
    url: http://page.example/news
    key: page
    items: li
    entry: {{title: a, link: a@href}}
    robots: agreed
    category: {software}
  - kind: json
    url: http://api.example/list
    key: api
    items: list
    entry: {{id: code, title: title, summary: digest, published: time, link: "https://news.example/{{code}}"}}
    category: "{{from}}"
    timezone: Asia/Shanghai
    every: 6h
    detail: {{url: "http://api.example/text?id={{code}}", content: text}}
    rewrite: [{{summary: {{replace: "^.*】", with: ""}}}}]
"""
WORDS = "harbour boat valley bridge market river council school winter festival train library garden museum".split()
VOLATILE = re.compile(r'("(?:seconds|bytes|ms|lag_s)": )(?:[0-9.]+|\{[^{}]*\})')


def text_of(number: int, edit: int = 0) -> str:
    """Return the text of a story: the same for the same number, unlike that of any other."""
    words = [WORDS[(number * 7 + at * (number % 5 + 1)) % len(WORDS)] for at in range(40)]
    return f"<p>Report {number}: {' '.join(words)}.</p>" + (f"<p>Edit {edit}: more on it.</p>" if edit else "")


def atom(entries: Sequence[str], *, title: str, updated: datetime) -> bytes:
    """Write an Atom feed."""
    spaces = 'xmlns="http://www.w3.org/2005/Atom" xmlns:at="http://purl.org/atompub/tombstones/1.0"'
    head = f"<title>{title}</title><id>tag:{title.lower()}.example,2026:f</id><updated>{stamp(updated)}</updated>"
    return f"<feed {spaces}>{head}{''.join(entries)}</feed>".encode()


def entry(number: int, when: datetime, *, host: str, edit: int = 0) -> str:
    """Write an Atom entry."""
    text = text_of(number, edit).replace("<", "&lt;")
    return (
        f"<entry><id>tag:{host},2026:{number}</id><title>{title_of(number)}</title>"
        f'<link href="http://{host}/{number}"/><author><name>Ann {number % 3}</name></author>'
        f'<category term="{WORDS[number % 5]}"/><updated>{stamp(when)}</updated>'
        f'<content type="html">{text}</content></entry>'
    )


def item(number: int, when: datetime, *, host: str, title: str = "", link: str = "") -> str:
    """Write an RSS item."""
    text = text_of(number).replace("<", "&lt;")
    return (
        f"<item><guid isPermaLink='false'>{host}-{number}</guid><title>{title or title_of(number)}</title>"
        f"<link>{link or f'http://{host}/{number}'}</link><pubDate>{when:%a, %d %b %Y %H:%M:%S GMT}</pubDate>"
        f"<description>{text}</description></item>"
    )


def rss(items: Sequence[str], *, title: str) -> bytes:
    """Write an RSS feed."""
    head = f"<title>{title}</title><link>http://{title.lower()}.example/</link><description/>"
    return f'<rss version="2.0"><channel>{head}{"".join(items)}</channel></rss>'.encode()


def title_of(number: int) -> str:
    """Return the title of a story."""
    return f"{WORDS[number % len(WORDS)].title()} report {number}"


def stamp(when: datetime) -> str:
    """Write a time as Atom does."""
    return f"{when:%Y-%m-%dT%H:%M:%SZ}"


class Month:
    """The planet: its folder, its publisher and its clock."""

    def __init__(self, folder: Path, publisher: FeedServer) -> None:
        self.folder, self.publisher, self.now = folder, publisher, START
        self.said: dict[str, str] = {}  # name: what a command printed
        self.logged: set[tuple[str, str]] = set()

    @classmethod
    @contextmanager
    def begun(cls, folder: Path) -> Iterator[Self]:
        """Make the planet, and let time stand still outside of `run`."""
        with FeedServer() as publisher:
            month = cls(folder, publisher)
            shutil.copytree(ROOT / "samples", folder / "samples")
            month.write_config()
            real = socket.getaddrinfo

            def resolve(host: Any, *arguments: Any, **named: Any) -> Any:
                if str(host).endswith(".example"):
                    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
                return real(host, *arguments, **named)

            class Moved(datetime):
                @classmethod
                def now(cls, tz: Any = None) -> Any:
                    return month.now.astimezone(tz)

            with mock.patch.object(clock, "datetime", Moved), mock.patch.object(socket, "getaddrinfo", resolve):
                month.tell(0)
                month.command("publish")  # makes the store
                change(folder, "UPDATE store SET uuid = :uuid", uuid=STORE_ID)
                change(folder, "UPDATE category SET feed_id = 'urn:golden:' || key")
                yield month

    def write_config(self, *, software: str = "software", was: str = "") -> None:
        """Write feeds.yaml."""
        hosts = ", ".join(f"{host}.example: {{allow_private: true, spacing: 0s}}" for host in HOSTS)
        previous = f", was: {was}" if was else ""
        text = YAML.format(port=self.publisher.port, hosts=hosts, software=software, was=previous)
        store = "" if is_file() else f"store: {url_of(self.folder)}\n"
        (self.folder / "feeds.yaml").write_text(text + store, encoding="utf-8")

    def command(self, *arguments: str, keep: str = "") -> Done:
        """Run a command; `keep`: the name under which what it prints is kept."""
        done = aggregator("--log", "json", "-v", *arguments, cwd=self.folder)
        for line in done.stderr.splitlines():
            if line.startswith("{"):
                record = json.loads(line)
                self.logged.add((record["event"], record["level"]))
        if keep:
            self.said[keep] = self.steady(done.stdout)
        return done

    def steady(self, text: str) -> str:
        """Take out of a text what differs from run to run: elapsed time, sizes, the folder, the port."""
        text = VOLATILE.sub(r"\1null", text)
        if not is_file():
            text = text.replace(url_of(self.folder), f"sqlite:///{self.folder}/var/aggregator.db")
        return text.replace(str(self.folder), "FOLDER").replace(f":{self.publisher.port}", ":PORT")

    def tell(self, day: int) -> None:
        """Set the replies of every publisher for a day."""
        now, says = self.now, self.publisher.says
        harbour = range(max(0, day * 3 - 11), day * 3 + 3)
        entries = [
            entry(
                n,
                START + timedelta(hours=n * 8 - 24),
                host="harbour.example",
                edit=1 if n % 5 == 0 and n < day * 3 else 0,
            )
            for n in reversed(harbour)
            if n != 7 or day < 6
        ]
        if 6 <= day < 10:
            entries.append(f'<at:deleted-entry ref="tag:harbour.example,2026:7" when="{stamp(now)}"/>')
        says("http://harbour.example/feed.atom", Reply(200, atom(entries, title="Harbour", updated=now)))
        valley = [
            item(
                n,
                START + timedelta(hours=n * 8 - 20),
                host="valley.example",
                title="" if n % 2 else f"Advertisement {n}",
            )
            for n in reversed(range(max(0, day * 3 - 8), day * 3 + 2))
            if n % 3
        ]
        says("http://valley.example/rss", Reply(200, rss(valley, title="Valley")))
        changed = day >= 15  # the whole template of a site
        moved = [
            item(
                500 + n,
                START + timedelta(hours=12 * n - 300),
                host="moved.example",
                title=f"{'New: ' if changed else ''}Move {n}",
            )
            for n in reversed(range(day, day + 14))
        ]
        says("http://moved.example/old", redirect("http://moved.example/new", 301))
        says("http://moved.example/new", Reply(200, rss(moved, title="Moved"), {"ETag": f'"{day // 2}"'}))
        boats = rss(
            [
                item(700 + n, START + timedelta(days=n), host="gone.example", title=f"A boat {n}")
                for n in range(day + 1)
            ],
            title="Gone",
        )
        says("http://gone.example/feed", Reply(200, boats) if day < 12 else Reply(410))
        busy = rss(
            [item(800 + n, START + timedelta(days=n), host="busy.example") for n in range(day // 2 + 1)], title="Busy"
        )
        says("http://busy.example/feed", Reply(429, b"", {"Retry-After": "7200"}) if day % 4 == 3 else Reply(200, busy))
        secret = "http://private.example/feed?token=0123456789abcdef01234"
        hidden = [
            item(900 + n, START + timedelta(days=n), host="private.example", link=f"{secret}&n={n}")
            for n in range(day + 1)
        ]
        says(secret, Reply(200, rss(hidden, title="Private")))
        friends = "".join(
            f'<outline type="rss" text="F{n}" xmlUrl="http://f{n}.example/feed"/>' for n in range(2 + day // 10)
        )
        says(
            "http://lists.example/roll.opml",
            Reply(200, f'<opml version="2.0"><head/><body>{friends}</body></opml>'.encode()),
        )
        for n in range(4):
            says(
                f"http://f{n}.example/feed",
                Reply(200, rss([item(1000 * (n + 1) + day // 3, now, host=f"f{n}.example")], title=f"F{n}")),
            )
        rows = "".join(
            f'<li><a href="/{n}">Page news {n} of {WORDS[n % 14]}</a></li>' for n in reversed(range(day + 1))
        )
        says(
            "http://page.example/news",
            Reply(200, f"<html><body><ul>{rows}</ul></body></html>".encode(), {"Content-Type": "text/html"}),
        )
        listed = [
            {
                "code": f"NW{n}",
                "title": f"标题 {n}",
                "digest": f"【标题 {n}】摘要 {n}",
                "time": f"{START + timedelta(hours=n * 5):%Y-%m-%d %H:%M:%S}",
                "from": PAPERS[n % 3],
            }
            for n in reversed(range(max(0, day * 4 - 8), day * 4 + 4))
        ]
        says("http://api.example/list", Reply(200, json.dumps({"list": listed}, ensure_ascii=False).encode()))
        for n in range(day * 4, day * 4 + 4):
            body = json.dumps({"text": f"<p>\u3000\u3000正文 {n}，{'报道' * 30}。</p>"}, ensure_ascii=False).encode()
            says(f"http://api.example/text?id=NW{n}", Reply(200, body))

    def live(self) -> None:
        """Run thirty days: two polls a day, corrections, and edits of feeds.yaml."""
        for day in range(DAYS):
            self.tell(day)
            for poll in range(2):
                self.command("poll", "--json", keep=f"poll-{day:02}-{poll}")
                self.now += timedelta(hours=12)
            match day:
                case 5:
                    self.command("retract", "tag:harbour.example,2026:5", keep="retract")
                case 8:
                    self.command("merge", "tag:harbour.example,2026:9", "tag:harbour.example,2026:10", keep="merge")
                case 9:
                    self.command("unmerge", "tag:harbour.example,2026:9", keep="unmerge")
                case 14:
                    self.write_config(software="programs", was="software")
                    self.command("plan", "--json", keep="plan-renamed")
                case 20:
                    self.command("publish", "--all", "--json", keep="publish-all")
                case 24:
                    self.command("publish", "--rules", "--json", keep="publish-rules")

    def ask(self) -> None:
        """Run every command that reports, and keep what it prints."""
        for name, arguments in {
            "status": ["status", "--json"],
            "status-source": ["status", "busy", "--json"],
            "check": ["check", "--json"],
            "plan": ["plan", "--json"],
            "why-source": ["why", "moved", "--json"],
            "why-category": ["why", "harbour", "--json"],
            "why-entry": ["why", "tag:harbour.example,2026:10", "--json"],
            "why-retracted": ["why", "tag:harbour.example,2026:5", "--json"],
            "preview": ["preview", "harbour", "--json"],
            "search": ["search", "harbour", "--json"],
            "publish": ["publish", "--json"],
            "schema": ["schema"],
            "help": ["--help"],
            "help-poll": ["poll", "--help"],
        }.items():
            self.command(*arguments, keep=name)

    def tables(self) -> str:
        """Return the schema of the store, if that is a file."""
        if not is_file():
            return ""
        query = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name"
        return "\n".join(sql for (sql,) in rows(self.folder, query))

    def events(self) -> list[str]:
        """Return the codes of all recorded events."""
        return sorted(code for (code,) in rows(self.folder, "SELECT DISTINCT code FROM event"))

    def result(self) -> dict[str, bytes]:
        """Return what must stay as it is, by name: outputs, what commands printed, tables, events, log names."""
        logged = "\n".join(f"{event} {level}" for event, level in sorted(self.logged))
        store = {"tables": self.tables(), "events": "\n".join(self.events()), "logged": logged}
        said = {f"printed/{name}": text for name, text in self.said.items()}
        return self.files() | {name: text.encode() for name, text in (said | store).items()}

    def files(self) -> dict[str, bytes]:
        """Return everything that is published, by path; compressed copies follow their files."""
        roots = ("public", "site")
        paths = sorted(path for root in roots for path in (self.folder / root).rglob("*") if path.is_file())
        return {p.relative_to(self.folder).as_posix(): p.read_bytes() for p in paths if p.suffix != ".gz"}
