"""feedparser's own well-formed examples: what it expects of them, asked of our records.

The examples belong to feedparser's sources, not here. `FEEDPARSER_TESTS` names the folder that holds them (`tests` of
its source distribution); without it there is nothing to run. Each example says in a comment what has to be true, as a
Python expression over feedparser's result. It is evaluated over views of a `RawFeed` and of the `Feed` that `clean`
makes of it; what reads a field that we don't keep concerns us not, and is counted apart.
"""

import ast
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path
from time import struct_time
from typing import Any, Final

import pytest

from aggregator.clean.feed import clean
from aggregator.clean.language import language_of
from aggregator.clean.links import base_of
from aggregator.clean.sanitiser import sanitise
from aggregator.clean.text import html_of
from aggregator.clean.titles import title_of
from aggregator.errors import SourceError
from aggregator.model.entry import Digest, Enclosure, Entry, Feed, Person, RawEntry, RawFeed, RawOrigin, RawText, Tag
from aggregator.model.poll import Fetched
from aggregator.model.settings import Reading
from aggregator.parse.document import parse
from aggregator.urls import Url, normalise

ENOUGH: Final = 0.98  # of what concerns us
_SITE = "http://127.0.0.1:8097/"
_EXPECT = re.compile(r"^\s*Expect:\s*(.+?)\s*-->", re.DOTALL | re.MULTILINE)
_HEADER = re.compile(r"^\s*Header:\s*([\w-]+):\s*(.*?)\s*$", re.MULTILINE)
# Folders of examples that concern nothing we read.
_ELSEWHERE = frozenset({"cdf", "psc", "geo"})  # CDF of 1997 is no format of ours (I20), nor are chapters and places
# Where we decided otherwise than feedparser, by the name of the example, and why.
_DECIDED = {
    "cdf_*": "CDF of 1997 is no format of ours (I20)",
    "*_content_location*": "Content-Location is no base: RFC 7231, appendix B, took that back",
    "headers_content_location-relative": "the same",
    "http_relative_xml_base*": "the same: their outermost base is one",
    "http_*_id_base_docuri": "ids are compared as written, never resolved (I30)",
    "*_base64*": "Atom 1.0 knows base64 in content only (RFC 4287, section 4.1.3.3)",
    "entry_content_src": "content that lies elsewhere is a link or an enclosure, and no text (I55, I56)",
    "*_lang_blank*": "a language that is taken back leaves that of the feed",
    "item_description_and_summary": "of two summaries one is shown; neither is the content (I53)",
    "item_summary_and_description": "the same",
    "item_image_link_conflict": "hosts are written in lower case (R52)",
    "rel_uri_with_unicode_character": "addresses are written in ASCII (R52)",
    "channel_description_shorttag": "an empty text is none",
    "*_iframe*": "iframes go with what is in them (S32)",
    "*_object*": "objects go with what is in them (S32)",
    "entry_title_*": "tags that no title holds are what it speaks of, and stay as text (I50)",
    "feed_title_*": "the same",
    "feed_copyright_*": "the same",
    "feed_rights_*": "the same",
    "xml_*_comment*": "the same",
    "item_dc_date*": "dc:date says when an item was published; nothing in RSS says more often than that (I40)",
    "item_source*": "RSS's source is an address and a name, and no feed that an entry could be credited to (I25)",
    "itunes_item_category_*": "iTunes' categories have no scheme in what we publish",
    "item_madeup_tags_element": "unknown elements are ignored (I24)",
    "acceptable_attribute_poster": "players get controls (S34)",
    "item_content_encoded_script_nested_cdata": "no script, and no remains of CDATA",
}
_ALLOWED = (
    ast.Expression, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.Compare, ast.Eq, ast.NotEq, ast.In,
    ast.NotIn, ast.Subscript, ast.Attribute, ast.Name, ast.Load, ast.Constant, ast.Tuple, ast.List, ast.Dict, ast.Call,
    ast.Gt, ast.GtE, ast.Lt, ast.LtE, ast.Is, ast.IsNot,
)  # fmt: skip


class UnkeptError(LookupError):
    """The expression reads something that we don't keep."""


class View:
    """A mapping as feedparser gives it, made when it is asked for."""

    def __init__(self, **fields: Callable[[], Any]) -> None:
        self._fields = fields

    def __getitem__(self, name: str) -> Any:
        if name not in self._fields:
            raise UnkeptError(name)
        value = self._fields[name]()
        if value is None and name != "language":  # feedparser says None of a language that is taken back
            raise KeyError(name)
        return value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, dict) and all(name in self and self[name] == value for name, value in other.items())

    def __hash__(self) -> int:
        return id(self)

    def __getattr__(self, name: str) -> Any:
        return self[name]

    def __contains__(self, name: str) -> bool:
        try:
            self[name]
        except KeyError:
            return False
        return True

    def get(self, name: str, default: Any = None) -> Any:
        """Return a field, or the default."""
        try:
            return self[name]
        except KeyError:
            return default


class Alike(str):
    """A text that equals whatever our rules make the same of."""

    rule: Callable[[str], Sequence[str]]

    def __new__(cls, value: str, rule: Callable[[str], Sequence[str]]) -> "Alike":
        """Make one.

        Args:
            value: ours.
            rule: gives what our rules may make of feedparser's text.
        """
        made = super().__new__(cls, value)
        made.rule = rule
        return made

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and (str(self) == str(other) or str(self) in self.rule(other))

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return super().__hash__()


@pytest.fixture(scope="module")
def outcomes() -> dict[Path, bool | str]:
    """Read every example, once."""
    folder = os.environ.get("FEEDPARSER_TESTS")
    if not folder:
        pytest.skip("FEEDPARSER_TESTS names no folder with feedparser's tests")
    return {path: _outcome(path) for path in _examples(Path(folder))}


def test_well_formed_examples_are_read_as_feedparser_does(outcomes: dict[Path, bool | str]) -> None:
    counted = [path for path, outcome in outcomes.items() if outcome is True or outcome is False]
    otherwise = [path for path in counted if not outcomes[path]]
    unexplained = sorted(path.name for path in otherwise if not _reason(path))
    assert len(counted) > 900
    assert 1 - len(unexplained) / len(counted) >= ENOUGH, f"{len(unexplained)} of {len(counted)}: {unexplained}"


def test_every_reason_is_needed(outcomes: dict[Path, bool | str]) -> None:
    for pattern in _DECIDED:
        assert any(outcome is False and fnmatch(path.stem, pattern) for path, outcome in outcomes.items()), pattern


def _reason(path: Path) -> str | None:
    """Return the reason why we read an example otherwise."""
    return next((why for pattern, why in _DECIDED.items() if fnmatch(path.stem, pattern)), None)


def _examples(folder: Path) -> Iterator[Path]:
    for path in sorted((folder / "wellformed").rglob("*.xml")):
        if path.parent.name not in _ELSEWHERE:
            yield path


def _outcome(path: Path) -> bool | str:
    """Return whether an example is read as expected; a text is the reason why it doesn't concern us."""
    body = path.read_bytes()
    text = body.decode("utf-16" if body[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8", errors="replace")
    expected = _EXPECT.search(text)
    if expected is None:
        return "says nothing"
    headers = {name.lower(): value for name, value in _HEADER.findall(text[: expected.end()])}
    try:
        code = _compiled(" ".join(expected[1].split()))
    except (SyntaxError, ValueError) as error:
        return f"another language: {error}"
    answer = Fetched(
        asked_at=datetime(2026, 3, 4, tzinfo=UTC),
        url=normalise(f"{_SITE}tests/wellformed/{path.parent.name}/{path.name}"),
        body=body,
        body_digest=Digest("0"),
        content_type=headers.get("content-type"),
        content_language=headers.get("content-language"),
        content_location=headers.get("content-location"),
    )
    try:
        raw = parse(answer, Reading())
        # One with nothing to show would be left out, its dates and tags with it.
        named = (replace(entry, id=entry.id or f"{_SITE}{entry.position}") for entry in raw.entries)
        feed = clean(replace(raw, entries=tuple(named)), Reading())
    except SourceError:
        return False
    try:
        return bool(eval(code, {"__builtins__": {}}, _names(raw, feed)))  # only what _compiled lets through
    except (UnkeptError, NameError) as error:
        return f"we don't keep {error}"
    except (LookupError, AttributeError, TypeError):
        return False


def _compiled(expression: str) -> Any:
    """Compile an expression that holds nothing but comparisons of fields."""
    tree = ast.parse(expression, mode="eval")
    for node in ast.walk(tree):
        if not isinstance(node, _ALLOWED) or (isinstance(node, ast.Attribute) and node.attr.startswith("_")):
            raise ValueError(type(node).__name__)
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] not in ("len", "get", "has_key"):
            raise ValueError(ast.unparse(node.func))
    return compile(tree, "example", "eval")


def _names(raw: RawFeed, feed: Feed) -> dict[str, Any]:
    cleaned = {entry.position: entry for entry in feed.entries}
    return {
        "bozo": False,
        "len": len,
        "feed": _feed(raw, feed),
        "entries": [_entry(entry, cleaned[entry.position], raw, feed) for entry in raw.entries],
    }


def _feed(raw: RawFeed, feed: Feed) -> View:
    def subtitle() -> Any:
        return _markup(raw.subtitle, feed.link or raw.url)

    def subtitle_detail() -> Any:
        return _detail(raw.subtitle, subtitle(), raw.url, raw.language)

    def rights() -> Any:
        return _line(feed.rights)

    return View(
        title=lambda: _line(feed.title),
        title_detail=lambda: _detail(raw.title, _line(feed.title), raw.url, raw.language),
        subtitle=subtitle, tagline=subtitle, description=subtitle,
        subtitle_detail=subtitle_detail, tagline_detail=subtitle_detail,
        rights=rights, copyright=rights,
        link=lambda: feed.link,
        id=lambda: feed.id,
        guid=lambda: feed.id,
        language=lambda: Alike(feed.language, lambda other: [language_of(other) or ""]) if feed.language else None,
        updated=lambda: raw.updated,
        modified=lambda: raw.updated,
        updated_parsed=lambda: _time(feed.updated),
        **_people(raw.authors, feed.authors),
    )  # fmt: skip


def _entry(raw: RawEntry, entry: Entry, document: RawFeed, feed: Feed) -> View:
    base = entry.link or feed.link or document.url
    content = [
        _detail(text, _markup(text, base), document.url, raw.language or document.language) for text in raw.contents
    ]

    def summary() -> Any:
        return _markup(raw.summary or (raw.contents[0] if raw.contents else None), base)

    def summary_detail() -> Any:
        text = raw.summary or (raw.contents[0] if raw.contents else None)
        return _detail(text, summary(), document.url, raw.language or document.language)

    return View(
        title=lambda: _line(entry.title),
        title_detail=lambda: _detail(raw.title, _line(entry.title), document.url, raw.language or document.language),
        link=lambda: entry.link,
        id=lambda: raw.id,
        guid=lambda: raw.id,
        summary=summary, description=summary,
        summary_detail=summary_detail,
        content=lambda: content or None,
        rights=lambda: _line(entry.rights),
        published=lambda: raw.published,
        published_parsed=lambda: _time(entry.published),
        updated=lambda: raw.updated,
        updated_parsed=lambda: _time(entry.updated),
        tags=lambda: [_tag(tag) for tag in entry.tags] or None,
        category=lambda: entry.tags[0].term if entry.tags else None,
        enclosures=lambda: [_file(file) for file in entry.enclosures] or None,
        source=lambda: _source(raw.origin, entry) if raw.origin else None,
        **_people(raw.authors, entry.authors),
    )  # fmt: skip


def _tag(tag: Tag) -> View:
    return View(term=lambda: tag.term, scheme=lambda: tag.scheme, label=lambda: tag.label)


def _file(file: Enclosure) -> View:
    return View(
        href=lambda: file.url,
        url=lambda: file.url,
        type=lambda: file.type,
        length=lambda: None if file.length is None else str(file.length),
    )


def _source(raw: RawOrigin, entry: Entry) -> View:
    origin = entry.origin
    if origin is None:
        return View(title=lambda: _line(title_of(raw.title)), rights=lambda: _line(title_of(raw.rights)),
                    id=lambda: raw.id, updated=lambda: raw.updated, **_people(raw.authors, raw.authors))  # fmt: skip
    return View(
        title=lambda: _line(origin.title),
        rights=lambda: _line(origin.rights),
        id=lambda: origin.id,
        link=lambda: origin.link,
        updated=lambda: raw.updated,
        updated_parsed=lambda: _time(origin.updated),
        **_people(raw.authors, origin.authors),
    )


def _people(raw: Sequence[Person], people: Sequence[Person]) -> dict[str, Callable[[], Any]]:
    def view(person: Person) -> View:
        return View(
            name=lambda: person.name or None,
            url=lambda: person.uri,
            href=lambda: person.uri,
            email=lambda: person.email,
        )

    def author() -> str | None:
        if not raw:
            return None
        first = raw[0]
        return f"{first.name} ({first.email})" if first.name and first.email else first.name or first.email

    every = list(people) if len(people) == len(raw) else list(raw)
    return {
        "author": author,
        "authors": lambda: [view(person) for person in every] or None,
        "author_detail": lambda: view(every[0]) if every else None,
    }


def _detail(text: RawText | None, value: Any, url: Url, language: str | None) -> View | None:
    if text is None:
        return None
    kind = {"html": "text/html", "xhtml": "application/xhtml+xml"}.get(text.type, "text/plain")
    return View(
        value=lambda: value,
        type=lambda: kind if text.type != "unknown" else Alike(kind, lambda other: (kind, "text/html")),
        base=lambda: base_of(text.base, url) or url,
        language=lambda: (text.language or language) or None,
    )


def _line(value: str | None) -> Any:
    """Compare a text without markup: as our rules read theirs, declared or not."""
    if not value:
        return None
    kinds = ("html", "text", "unknown")
    return Alike(value, lambda other: [title_of(RawText(value=other, type=kind)) for kind in kinds])


def _markup(text: RawText | None, base: Url) -> Any:
    if text is None:
        return None

    def ours(value: str, *, plain: bool) -> str:
        return sanitise(html_of(value) if plain else value, base).strip()

    made = ours(text.value, plain=text.type == "text")
    return Alike(made, lambda other: [ours(other, plain=False), ours(other, plain=True), other.strip()])


def _time(when: datetime | None) -> struct_time | None:
    return when.utctimetuple() if when else None
