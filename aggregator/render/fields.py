"""Fields of publications as every format shows them: safe HTML, addresses, names, dates."""

import re
from collections.abc import Container, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import quote

from aggregator.clean.language import well_known
from aggregator.clean.sanitiser import is_sanitised, sanitise
from aggregator.model.entry import Enclosure, Origin, Person, Tag
from aggregator.model.settings import Site
from aggregator.model.story import Document, Publication
from aggregator.model.supplement import NO_SUPPLEMENT, Reference, Supplement
from aggregator.render.cache import LruCache
from aggregator.text.iris import is_iri, is_uri
from aggregator.text.xml_chars import legal
from aggregator.urls import Url

ALL = "all"  # the path of the document over all categories, which has no page of its own
UNTITLED = "(untitled)"
ICON = "icon.svg"

_ADDRESS = re.compile(
    r"(https?://)(?:[^/?#]*@)?([^/?#@\s\x00-\x20\x7f-\xa0<>\"{}|\\^`]+)(.*)", re.IGNORECASE | re.DOTALL
)
_NO_IRI = re.compile(r'[^!-~]|[<>"{}|\\^`\[\]]|%(?![0-9A-Fa-f]{2})')
_NAMING = frozenset({"http", "https", "urn", "tag", "info"})  # URI schemes of what a category's scheme may be (S33)
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9][\w!#$&^.+-]*/[A-Za-z0-9][\w!#$&^.+-]*(;[\x20-\x7e]*)?", re.ASCII)

# RSS and JSON Feed demand a file's type, also where its publisher named none. The machine's own table differs (A30).
_KINDS = {
    "aac": "audio/aac",
    "epub": "application/epub+zip",
    "flac": "audio/flac",
    "gif": "image/gif",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "m4a": "audio/mp4",
    "m4v": "video/mp4",
    "mov": "video/quicktime",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "oga": "audio/ogg",
    "ogg": "audio/ogg",
    "ogv": "video/ogg",
    "opus": "audio/ogg",
    "pdf": "application/pdf",
    "png": "image/png",
    "wav": "audio/wav",
    "webm": "video/webm",
    "webp": "image/webp",
    "zip": "application/zip",
}


_safe: LruCache[str] = LruCache(
    max_bytes=4 * 1024 * 1024, each_bytes=512
)  # the three formats of a category ask for the same HTML one after the other


def line_of(text: str | None) -> str:
    """Return a short text as one line: blanks collapsed, characters that XML forbids removed."""
    text = text or ""
    if text.isprintable() and "  " not in text:  # no forbidden characters, line ends or special blanks
        return text.strip()
    return " ".join(legal(text).split())


def safe_html(html: str, allow_classes: frozenset[str], cleaned: Container[str] = ()) -> str:
    """Sanitise what goes out once more, for every format alike (S30, S31), except what this very version wrote.

    Args:
        html: as stored, or changed since.
        allow_classes: class names that stay (S34).
        cleaned: checksums of texts that the sanitiser wrote.
    """
    if not html:
        return ""
    key = (html, allow_classes)
    found = _safe.get(key)
    if found is None:
        found = html if is_sanitised(html, cleaned, allow_classes) else _sanitised(html, allow_classes).strip()
        found = html if found == html else found  # one text in memory, not two
        _safe.keep(key, found, len(html) + (0 if found is html else len(found)))
    return found


def _sanitised(html: str, allow_classes: frozenset[str]) -> str:
    try:
        return sanitise(html, None, allow_classes)
    except UnicodeEncodeError:  # a lone surrogate
        return sanitise(legal(html), None, allow_classes)


def forget() -> None:
    """Forget what was sanitised lately; for measurements and tests."""
    _safe.clear()


def content_of(publication: Publication) -> str:
    """Return the content as safe HTML; empty if there is none to show."""
    return safe_html(publication.content, publication.allow_classes, publication.cleaned)


def summary_of(publication: Publication) -> str:
    """Return the summary as safe HTML; empty if there is none, or if it equals the content (I53)."""
    if not publication.summary:
        return ""
    summary = safe_html(publication.summary, publication.allow_classes, publication.cleaned)
    return "" if summary == content_of(publication) else summary


def title_of(publication: Publication) -> str:
    """Return the title as plain text, never empty (I51)."""
    return line_of(publication.title) or UNTITLED


def fault_of(publication: Publication) -> str | None:
    """Return why a publication can't be in any format (A33); None if it can."""
    if not is_iri(publication.atom_id):
        return "its id is no absolute IRI"
    dates = (publication.sort_at, publication.updated, publication.published)
    for when in (*dates, publication.entered_at, publication.origin.updated):
        if when is not None and not _is_usable(when):
            return f"its date {when.isoformat()} has no zone, or lies where zones can't be changed"
    return None


def whole_utc(when: datetime) -> datetime:
    """Return a time in UTC, without microseconds (A8).

    Raises:
        ValueError: a time without a zone; `astimezone` would take it for the machine's own.
    """
    if not _is_usable(when):
        raise ValueError(f"{when.isoformat()} has no zone, or lies where zones can't be changed")
    if when.tzinfo is not UTC:
        when = when.astimezone(UTC)
    return when.replace(microsecond=0) if when.microsecond else when


def _is_usable(when: datetime) -> bool:
    return when.tzinfo is not None and 1 < when.year < 9999


@lru_cache(maxsize=1024)  # all formats of a document, and their verification, ask for the same
def instant(when: datetime) -> str:
    """Return a time as RFC 3339 with T, Z and whole seconds (A8).

    Raises:
        ValueError: a time without a zone.
    """
    return whole_utc(when).isoformat()[:-6] + "Z"


def exact_instant(when: datetime) -> str:
    """Return a time as RFC 3339 with T, Z and microseconds, from which it can be restored.

    Raises:
        ValueError: a time without a zone.
    """
    return whole_utc(when).replace(microsecond=when.microsecond, tzinfo=None).isoformat(timespec="microseconds") + "Z"


@lru_cache(maxsize=1024)  # all formats of a document, and their verification, ask for the same
def web_address(url: str | None) -> str | None:
    """Return an http or https URL in a form that is an IRI too, else None (S33; RFC 4287, section 2). Idempotent.

    Browsers' rules let `|`, `^`, braces and brackets stand in a query; RFC 3987 wants them percent-encoded. Credentials
    never get out (S44).
    """
    if url is None or (match := _ADDRESS.fullmatch(legal(url))) is None:
        return None
    scheme, host, rest = match.groups()
    if _NO_IRI.search(rest) is None and "#" not in rest:
        return f"{scheme}{host}{rest}"
    rest, mark, fragment = rest.partition("#")
    return f"{scheme}{host}{_encoded(rest)}{mark}{_encoded(fragment).replace('#', '%23')}"


def _encoded(part: str) -> str:
    return _NO_IRI.sub(lambda found: quote(found[0], safe=""), part)


def language_of(tag: str | None) -> str | None:
    """Return a language tag if it has the form of BCP 47, else None."""
    return tag if tag and _LANGUAGE.fullmatch(tag) else None


def feed_language_of(tag: str | None) -> str | None:
    """Return a language tag that validators of Atom and RSS accept, else None."""
    found = language_of(tag)
    return well_known(found) if found else None


def url_of(site: Site, path: str, suffix: str = "") -> str:
    """Return the public address of an output."""
    return f"{site.base_url}{path}{suffix}"


def story_path(page_id: str) -> str:
    """Return the path of a story's page, without suffix."""
    return f"entry/{page_id[:2]}/{page_id}"


def page_of(document: Document, site: Site, *, html: bool) -> str:
    """Return the address of the page of a document: the start page for `all`, and where no pages are written."""
    return url_of(site, document.path, ".html") if html and document.path != ALL else str(site.base_url)


def icon_of(site: Site) -> str:
    """Return the address of the site's icon, which is published with pages."""
    return url_of(site, ICON)


def address_of(publication: Publication, document: Document, site: Site, *, html: bool) -> str:
    """Return the address where a story is read: the original's link, or its page here if it has none.

    Where stories have no pages, it is their place on the page of the document.

    Args:
        publication: the story.
        document: where it stands.
        site: whose base_url begins our own addresses.
        html: whether pages are written at all.
    """
    link = web_address(publication.link)
    if link:
        return link
    if html and document.has_story_pages:
        return url_of(site, story_path(publication.page_id), ".html")
    path = publication.home if document.path == ALL else document.path
    return url_of(site, path, f".html#{publication.page_id}") if html and path else str(site.base_url)


def named(persons: tuple[Person, ...]) -> tuple[Person, ...]:
    """Return persons as they may be published: each named, none twice, no mail address (I58), only web addresses."""
    found: dict[str, Person] = {}
    for person in persons:
        uri = web_address(person.uri)
        name = line_of(person.name)
        if _is_mail_address(name):
            name = ""
        name = name or (uri or "").partition("://")[2].partition("/")[0]  # Atom wants a name where only an address is
        if name and name not in found:
            found[name] = Person(name=name, uri=uri)
    return tuple(found.values())


def _is_mail_address(name: str) -> bool:
    user, sign, host = name.partition("@")
    return bool(user and sign and "." in host.strip(".") and "@" not in host and " " not in name)


def source_title_of(publication: Publication) -> str:
    """Return the name of the feed that a story comes from; its key if the feed has no title."""
    return line_of(publication.origin.title) or publication.source


def authors_of(publication: Publication) -> tuple[Person, ...]:
    """Return the authors of a publication: the entry's own, else the source's, else the source itself (A11)."""
    return (
        named(publication.authors) or named(publication.origin.authors) or (Person(name=source_title_of(publication)),)
    )


def tags_of(tagged: Publication | Origin) -> tuple[Tag, ...]:
    """Return the tags of a story, or of a feed: terms not empty, schemes IRIs, none twice (A16)."""
    found: dict[tuple[str, str | None], Tag] = {}
    for tag in tagged.tags:
        term = line_of(tag.term)
        scheme = _scheme_of(tag.scheme)
        if term:
            found.setdefault((term, scheme), Tag(term=term, scheme=scheme, label=line_of(tag.label) or None))
    return tuple(found.values())


def _scheme_of(scheme: str | None) -> str | None:
    """Return a scheme as a URI that may be published; None if it is a name, or a URI that a reader could run or open.

    Beside web addresses, URIs that only name something are kept: a reader that makes links of them leads nowhere.
    """
    uri = web_address(scheme) or scheme
    return uri if uri and is_uri(uri) and uri.partition(":")[0].lower() in _NAMING else None


def enclosures_of(publication: Publication) -> tuple[tuple[str, Enclosure], ...]:
    """Return each enclosure once with its address (A18), without types and lengths that make no sense."""
    found: dict[str, Enclosure] = {}
    for enclosure in publication.enclosures:
        url = web_address(enclosure.url)
        if url and url not in found:
            found[url] = Enclosure(
                url=enclosure.url,
                type=enclosure.type if enclosure.type and _MEDIA_TYPE.fullmatch(enclosure.type) else None,
                length=enclosure.length if enclosure.length is not None and enclosure.length >= 0 else None,
                title=line_of(enclosure.title) or None,
                duration=enclosure.duration if enclosure.duration is not None and enclosure.duration >= 0 else None,
            )
    return tuple(found.items())


def type_of(url: str, enclosure: Enclosure) -> str:
    """Return the media type of a file: as its publisher says, else by the suffix of its address."""
    suffix = url.partition("#")[0].partition("?")[0].rpartition(".")[2].lower()
    return enclosure.type or _KINDS.get(suffix, "application/octet-stream")


def credits_of(publication: Publication) -> tuple[dict[str, str], ...]:
    """Return the other copies of a story as links, none twice: href and title; without a link, its site's."""
    links = [
        {"href": href, "title": line_of(credit.title) or credit.source}
        for credit in publication.credits
        if (href := web_address(credit.link) or web_address(credit.site))
    ]
    return tuple(link for number, link in enumerate(links) if link not in links[:number])


def supplement_of(publication: Publication) -> Supplement:
    """Return the supplement of an entry, with web addresses only, and texts that any format can hold."""
    supplement = publication.supplement
    return supplement if supplement is NO_SUPPLEMENT else _publishable(supplement)


@lru_cache(maxsize=256)  # all formats of a document ask for the same ones
def _publishable(supplement: Supplement) -> Supplement:
    if supplement == NO_SUPPLEMENT:
        return supplement
    people = (
        replace(person, name=line_of(person.name), role=line_of(person.role) or None)
        for person in supplement.contributors
    )
    return replace(
        supplement,
        images=tuple(replace(i, url=Url(url)) for i in supplement.images if (url := web_address(i.url))),
        player=Url(player) if (player := web_address(supplement.player)) else None,
        replies=_references(supplement.replies),
        contributors=tuple(person for person in people if person.name),
        transcripts=_references(supplement.transcripts),
        chapters=next(iter(_references([supplement.chapters])), None) if supplement.chapters else None,
    )


def _references(references: Iterable[Reference]) -> tuple[Reference, ...]:
    return tuple(
        replace(
            reference,
            url=Url(url),
            type=reference.type if reference.type and _MEDIA_TYPE.fullmatch(reference.type) else None,
            language=feed_language_of(reference.language),
        )
        for reference in references
        if (url := web_address(reference.url))
    )
