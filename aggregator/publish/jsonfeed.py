"""Documents as JSON Feed 1.1 (A54, A55), with what `restore --from-site` needs under `_aggregator` (DESIGN 3.3).

Keys are sorted at every level and each item has a line of its own, so a new story is one new line.
"""

import json
from typing import Any

from aggregator.clean import plain_text
from aggregator.model.entry import Enclosure
from aggregator.model.settings import Site
from aggregator.model.story import Credit, Document, Publication
from aggregator.publish import shown

VERSION = "https://jsonfeed.org/version/1.1"

# Inside JSON these characters stand in strings only; escaped, the text can stand in a page's script too (A55).
# Five searches cost a tenth of `str.translate`.
_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
# An attachment must have a type, also where its publisher named none. The machine's own table differs (A30).
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


def render_json(document: Document, site: Site, store_id: str, *, html: bool) -> bytes:
    """Render a document as JSON Feed 1.1.

    Args:
        document: what stands in it, in order. What can't be published is left out (A33); `atom.leave_out_faulty` told.
        site: author and public address.
        store_id: the store's random id, from which ids are minted.
        html: whether pages are published.
    """
    feed: dict[str, Any] = {
        "_aggregator": {"store": store_id},
        "version": VERSION,
        "title": shown.line_of(document.title) or shown.line_of(site.title),
        "description": shown.line_of(document.description),
        "feed_url": shown.url_of(site, document.path, ".json"),
        "home_page_url": shown.page_of(document, site, html=html),
        "language": shown.language_of(document.language),
        "authors": [_without_empty({"name": shown.line_of(site.title), "url": shown.web_address(site.base_url)})],
    }
    members = {key: _dump(value) for key, value in _without_empty(feed).items()}
    sound = (publication for publication in document.publications if not shown.fault_of(publication))
    items = ",\n".join(_dump(_item(publication, document, site, html=html)) for publication in sound)
    members["items"] = f"[\n{items}\n]" if items else "[]"
    body = ",\n".join(f'"{key}":{text}' for key, text in sorted(members.items()))
    return f"{{{body}}}\n".encode()


def _dump(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    for char, escape in _ESCAPES.items():
        text = text.replace(char, escape)
    return text


def _item(publication: Publication, document: Document, site: Site, *, html: bool) -> dict[str, Any]:
    content, summary = shown.content_of(publication), shown.summary_of(publication)
    item = _without_empty(
        {
            "id": publication.atom_id,
            "url": shown.address_of(publication, document, site, html=html),
            "title": shown.title_of(publication),
            "content_html": content or summary,
            "summary": plain_text(summary) if content else None,
            "date_published": shown.instant(publication.published) if publication.published else None,
            "date_modified": shown.instant(publication.updated),
            "authors": [_without_empty({"name": p.name, "url": p.uri}) for p in shown.authors_of(publication)],
            "tags": list(dict.fromkeys(tag.label or tag.term for tag in shown.tags_of(publication))),
            "language": shown.language_of(publication.language),
            "attachments": [_attachment(url, enclosure) for url, enclosure in shown.enclosures_of(publication)],
            "_aggregator": _own(publication),
        }
    )
    if "content_html" not in item:
        item["content_text"] = ""  # one of the two must be there, also where only the title may be shown
    return item


def _own(publication: Publication) -> dict[str, Any]:
    """Give what JSON Feed has no member for: what restores a store, and who told it too."""
    own: dict[str, Any] = {"source": publication.source, "sort_at": shown.exact_instant(publication.sort_at)}
    if publication.entry_key is not None:
        own["key"] = publication.entry_key.encode(errors="replace").decode()  # exact, or it would restore nothing
    if publication.credits:
        own["also"] = [_copy(credit) for credit in publication.credits]
    return own


def _copy(credit: Credit) -> dict[str, Any]:
    """Give another copy of the story: who told it too, and where."""
    title = shown.line_of(credit.title) or credit.source
    return _without_empty({"source": credit.source, "title": title, "url": shown.web_address(credit.link)})


def _attachment(url: str, enclosure: Enclosure) -> dict[str, Any]:
    suffix = url.partition("#")[0].partition("?")[0].rpartition(".")[2].lower()
    return _without_empty(
        {
            "url": url,
            "mime_type": enclosure.type or _KINDS.get(suffix, "application/octet-stream"),
            "title": enclosure.title,
            "size_in_bytes": enclosure.length,
            "duration_in_seconds": enclosure.duration,
        }
    )


def _without_empty(members: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in members.items() if value not in (None, "", [])}
