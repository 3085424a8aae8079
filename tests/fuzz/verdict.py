"""Reads and publishes a document as a poll does, and checks the results.

The results are read by other parsers than those that made them: libxml2 and `html.parser` for HTML, `json`, and for
dates and ids our own reading of RFC 4287. The cleaner does not check its own work.
"""

import json
import re
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

import lxml.html
from lxml import etree

from aggregator.clean.feed import clean
from aggregator.decide.document import origin_of
from aggregator.decide.entries import decide_entries
from aggregator.decide.order import believed
from aggregator.errors import AggregatorError
from aggregator.identify.keys import identify, key_form
from aggregator.model.entry import Digest, Entry, Feed
from aggregator.model.job import unstored_job
from aggregator.model.known import EntryState, Known, KnownCategory
from aggregator.model.poll import Fetched
from aggregator.model.settings import Category, CategoryKey, Reading, Roster, Site, Source, SourceKey
from aggregator.model.story import Document, Publication
from aggregator.parse.document import parse
from aggregator.render.atom import read_back_atom, render_atom
from aggregator.render.html_pages import render_category
from aggregator.render.jsonfeed import read_back_json, render_json
from aggregator.render.renderer import leave_out_faulty
from aggregator.urls import Url
from tests.fuzz.cases import Case
from tests.render.checks import ATOM, Page, faults_of_atom

SLOW = 10.0  # CPU seconds; a case that takes longer is a finding
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
SITE = Site(title="Planet", base_url=Url("https://planet.example/"))
STORE = "0b6d9a1e-55a5-4a8e-9f3e-0d7a9c6f1b22"
GENERAL = CategoryKey("general")
KNOWN = Known(
    store_uuid=STORE, categories=MappingProxyType({GENERAL: KnownCategory(id=1, key=GENERAL, slug="general")})
)

FORBIDDEN = frozenset(
    "script style iframe frame frameset object embed applet svg math form input button select textarea base link meta "
    "template noscript noembed xmp plaintext title head html body portal".split()
)
ON_PAGES = frozenset("script iframe frame object embed applet svg math form base template noscript portal".split())
ADDRESSES = frozenset("href src poster cite action formaction data background longdesc srcset ping".split())
_HARMFUL = re.compile(r"(?:^|,)(?:javascript|vbscript|data|file):", re.I)
_UNSEEN = re.compile(r"[\x00-\x20\x7f-\xa0\u200b-\u200f\u2028\u2029\ufeff]")
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault; findings with the same signature probably have the same cause."""

    signature: str
    detail: str = ""


def judge(case: Case) -> Finding | None:
    """Read a case completely and publish it; None if nothing is wrong."""
    began = time.thread_time()  # a busy machine is not a fault
    try:
        finding = next(_faults(case), None)
    except AggregatorError as error:  # an expected error; but its text must be printable
        str(error).encode()
        finding = None
    except Exception as error:  # noqa: BLE001 - such exceptions are what the fuzzer searches for
        frame = next(
            each for each in reversed(traceback.extract_tb(error.__traceback__)) if "/aggregator/" in each.filename
        )
        where = f"{frame.filename.rpartition('/aggregator/')[2]}:{frame.name}"
        return Finding(f"{type(error).__name__} in {where}", "".join(traceback.format_exception(error)))
    seconds = time.thread_time() - began
    return finding or (Finding("slow", f"{seconds:.1f} s") if seconds > SLOW else None)


def _faults(case: Case) -> Iterator[Finding]:
    reading = Reading(encoding=case.encoding, timezone=case.timezone)
    fetched = Fetched(
        asked_at=NOW,
        url=Url("https://site.example/feeds/feed.xml"),
        body=case.body,
        body_digest=Digest("0"),
        content_type=case.content_type,
    )
    feed = identify(clean(parse(fetched, reading), reading))
    yield from _faults_of_feed(feed)
    document = leave_out_faulty(_published(feed))
    atom = render_atom(document, SITE, html=True)
    read_back_atom(atom, document)
    yield from (Finding(f"atom: {_kind(fault)}", fault) for fault in faults_of_atom(atom))
    for text in etree.fromstring(atom, etree.XMLParser(huge_tree=True)).iter(f"{ATOM}content", f"{ATOM}summary"):
        if text.get("type") == "html":
            yield from _faults_of_html("atom", text.text or "")
    as_json = render_json(document, SITE, STORE, html=True)
    read_back_json(as_json, document)
    for item in json.loads(as_json)["items"]:
        yield from _faults_of_html("json", item.get("content_html", ""))
    page = render_category(document, SITE, frozenset({"atom", "json", "html"}))
    yield from (Finding(f"page: {_kind(fault)}", fault) for fault in Page(page).faults)
    yield from _faults_of_elements("page", lxml.html.document_fromstring(page), ON_PAGES)


def _faults_of_feed(feed: Feed) -> Iterator[Finding]:
    forms = [key_form(entry.key) for entry in feed.entries]
    if len(set(forms)) != len(forms) or not all(entry.key and entry.digest for entry in feed.entries):
        yield Finding("identity: keys are not unique")
    for text in (feed.title, feed.rights or "", *feed.notices, *feed.left_out):
        yield from _faults_of_text("feed", text)
    for entry in feed.entries:
        yield from _faults_of_entry(entry)


def _faults_of_entry(entry: Entry) -> Iterator[Finding]:
    for html in (entry.content, entry.summary):
        yield from _faults_of_html("entry", html)
    names = [person.name for person in entry.authors]
    names += [name for tag in entry.tags for name in (tag.term, tag.scheme or "", tag.label or "")]
    names += [word for person in entry.supplement.contributors for word in (person.name, person.role or "")]
    for text in (entry.title, entry.text, entry.rights or "", *names):
        yield from _faults_of_text("entry", text)
    if entry.id and _NO_XML.search(entry.id):  # otherwise kept as written: it is not shown to readers
        yield Finding("entry: an id that XML forbids", repr(entry.id[:200]))
    addresses = [entry.link, *(item.url for item in entry.enclosures), *(person.uri for person in entry.authors)]
    for address in (*addresses, *_supplementary(entry)):
        if address is not None and not re.fullmatch(r"https?://[^\s<>\"\x00-\x20\x7f]+", address):
            yield Finding("entry: address", repr(address))
    for when in (entry.published, entry.updated):
        if when is not None and when.utcoffset() != UTC.utcoffset(None):
            yield Finding("entry: a date not in UTC", repr(when))


def _supplementary(entry: Entry) -> Iterator[Url | None]:
    supplement = entry.supplement
    yield supplement.player
    yield from (image.url for image in supplement.images)
    yield from (reference.url for reference in (*supplement.replies, *supplement.transcripts))
    yield supplement.chapters.url if supplement.chapters else None


def _faults_of_text(where: str, text: str) -> Iterator[Finding]:
    if _NO_XML.search(text):
        yield Finding(f"{where}: a character that XML forbids", repr(text[:200]))
    if _BIDI.search(text):
        yield Finding(f"{where}: a character that turns text round", repr(text[:200]))


def _faults_of_html(where: str, html: str) -> Iterator[Finding]:
    if not html.strip():
        return
    if _NO_XML.search(html):
        yield Finding(f"{where}: a character that XML forbids", repr(html[:200]))
    page = Page(f"<div>{html}</div>".encode())
    yield from (Finding(f"{where}: html: {_kind(fault)}", fault) for fault in page.faults)
    for name, attributes in page.tags:
        yield from _faults_of_element(where, name, {key: value or "" for key, value in attributes.items()}, FORBIDDEN)
    root = lxml.html.fragment_fromstring(html, create_parent="div", parser=lxml.html.HTMLParser(huge_tree=True))
    yield from _faults_of_elements(where, root, FORBIDDEN)


def _faults_of_elements(where: str, root: etree._Element, forbidden: frozenset[str]) -> Iterator[Finding]:
    for element in root.iter():
        if not isinstance(element.tag, str):
            yield Finding(f"{where}: a comment or instruction", str(element)[:200])
            continue
        attributes = {str(name): str(value) for name, value in element.attrib.items()}
        yield from _faults_of_element(where, element.tag, attributes, forbidden)


def _faults_of_element(
    where: str, name: str, attributes: dict[str, str], forbidden: frozenset[str]
) -> Iterator[Finding]:
    if name.lower() in forbidden:
        yield Finding(f"{where}: <{name}>")
    for key, value in attributes.items():
        if key.lower().startswith("on") or key.lower() in ("style", "srcdoc"):
            yield Finding(f"{where}: {key}=", value[:200])
        if key.lower() in ADDRESSES and _HARMFUL.search(_UNSEEN.sub("", value)):
            yield Finding(f"{where}: a harmful {key}", value[:200])


def _kind(fault: str) -> str:
    return re.sub(r"['\"].*|\d+", "", fault)[:60]


def _published(feed: Feed) -> Document:
    """Return the document that a first poll would publish."""
    source = Source(key=SourceKey("site"), url=Url("https://site.example/feeds/feed.xml"), initial=5000)
    job = unstored_job(source, "site.example", NOW)
    category = Category(key=GENERAL, title="General")
    origin = origin_of(source, feed, STORE)
    changes, _ = decide_entries(job, feed, NOW, KNOWN, Roster({source.key: source}, {GENERAL: category}), origin)
    stories = {story.id: story for story in changes.stories.new}
    entries = {new.id: new for new in changes.new if new.state is EntryState.PUBLISHED}
    publications = tuple(
        Publication(
            story=place.story,
            atom_id=stories[place.story].atom_id,
            page_id=stories[place.story].page_id,
            sort_at=place.sort_at,
            page=None,
            published=believed(entries[place.shown].entry.published, NOW),
            updated=place.updated,
            source=source.key,
            entry_key=entries[place.shown].entry.key,
            title=entries[place.shown].entry.title,
            link=entries[place.shown].entry.link,
            summary=entries[place.shown].entry.summary,
            content=entries[place.shown].entry.content,
            authors=entries[place.shown].entry.authors,
            tags=entries[place.shown].entry.tags,
            enclosures=entries[place.shown].entry.enclosures,
            supplement=entries[place.shown].entry.supplement,
            rights=entries[place.shown].entry.rights,
            language=entries[place.shown].entry.language,
            origin=entries[place.shown].origin or origin,
            credits=(),
            category=GENERAL,
        )
        for place in changes.stories.publications
    )
    updated = max((publication.updated for publication in publications), default=NOW)
    return Document(
        path="category/general",
        id=f"urn:uuid:{STORE}",
        title="General",
        description=None,
        language="en",
        updated=updated,
        publications=publications,
    )
