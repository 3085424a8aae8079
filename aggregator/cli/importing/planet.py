"""Records that every reader of `import` returns: feeds of another program, its site settings, and remarks."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from aggregator.clean.text import line_of
from aggregator.config.addresses import MAX_ADDRESS, web_address
from aggregator.config.findings import Unfit
from aggregator.model.output_paths import collides
from aggregator.urls import Url, match_url, redact

MAX_TITLE = 300  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One thing about the file that the operator should know."""

    line: int  # 0: about the file as a whole
    text: str
    is_lost: bool = False  # a feed could not be taken over

    def __str__(self) -> str:
        return f"line {self.line}: {self.text}" if self.line else self.text


@dataclass(slots=True, kw_only=True)
class ImportedFeed:
    """A feed of the file."""

    line: int
    url: Url
    title: str | None = None
    groups: list[tuple[str, ...]] = field(default_factory=list)  # names of the groups around it, outermost first
    kind: str | None = None  # `opml` if it is a list of feeds
    paused: bool = False


@dataclass(slots=True, kw_only=True)
class Imported:
    """Content of a file of another program."""

    form: str  # name of the format
    feeds: list[ImportedFeed] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    settings: dict[tuple[str, str], str] = field(default_factory=dict)  # keys of feeds.yaml -> texts
    aliases: dict[str, str] = field(default_factory=dict)  # old outputs -> ours
    _at: dict[str, ImportedFeed] = field(default_factory=dict)  # by address, in comparison form

    def remark(self, line: int, text: str, *, is_lost: bool = False) -> None:
        """Add a remark."""
        self.remarks.append(Remark(line=line, text=text, is_lost=is_lost))

    def add(
        self,
        line: int,
        href: str,
        title: str | None,
        groups: Sequence[tuple[str, ...]] = (),
        *,
        kind: str | None = None,
        paused: bool = False,
    ) -> None:
        """Add a feed, if its address can be polled. A second place of the same address adds its group to the first.

        Args:
            line: its line in the file.
            href: its address as written.
            title: its title as written.
            groups: names of the groups around it, the outermost first, for each category of it.
            kind: `opml` if it is a list of feeds.
            paused: it was not polled.
        """
        title = line_of(title or "")[:MAX_TITLE] or None
        named = f'"{title}": ' if title else ""
        try:
            address = web_address(href, href)
        except Unfit:
            what = f"{named}{redact(line_of(href)[:200]) or 'nothing'} is not an http or https address"
            self.remark(line, what, is_lost=True)
            return
        if address.auth is not None:
            what = "the address has a password; write the source by hand: url: https://${USER}:${PASSWORD}@host/path"
            self.remark(line, named + what, is_lost=True)
            return
        if len(address.url) > MAX_ADDRESS:
            self.remark(line, f"{named}an address of {len(address.url):,} characters", is_lost=True)
            return
        inside = [group for group in groups if group]
        feed = ImportedFeed(line=line, url=address.url, title=title, groups=inside, kind=kind, paused=paused)
        same = self._at.setdefault(match_url(feed.url), feed)
        if same is feed:
            self.feeds.append(feed)
            return
        if more := [group for group in inside if group not in same.groups]:
            same.groups += more
            self.remark(line, f"{named}the same address as in line {same.line}: one source, in both categories")
        else:
            self.remark(line, f"{named}the same address as in line {same.line}: one source")

    def alias(self, old: str, line: int = 0) -> None:
        """Propose a copy under the name that an output of the old site had, if there is a counterpart.

        Args:
            old: path of the old output, such as `rss20.xml`.
            line: where the file names it.
        """
        name = old.rpartition("/")[2].lower()
        target = next((ours for word, ours in _COUNTERPARTS if word in name), None)
        if name == "index.html" or name.endswith((".css", ".js", ".png")):
            return
        if name == "opml.xml":
            what = "opml.xml has another content here: the feeds of your categories; the sources are in sources.opml"
            self.remark(line, what)
        elif target is not None and not collides(old):
            self.aliases[old] = target
        else:
            self.remark(line, f"{old} has no counterpart here: docs/theme.md says how to write pages of your own")


_COUNTERPARTS = (  # part of an old name -> our output
    ("foafroll", "sources.opml"),
    ("opml", "sources.opml"),
    ("blogroll", "sources.opml"),
    ("atom", "all.atom"),
    ("rss", "all.rss"),
    ("feed.json", "all.json"),
)
