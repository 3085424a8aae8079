"""Documents as JSON Feed 1.1 (A54, A55), with what `restore --from-site` needs under `_aggregator`.

Keys are sorted at every level and each item has a line of its own, so a new story is one new line.
"""

import json
from datetime import timedelta
from typing import Any

from aggregator.clean.text import plain_text
from aggregator.model.entry import Enclosure, KeyRule
from aggregator.model.settings import Site
from aggregator.model.stored_json import supplement_to_json
from aggregator.model.story import Credit, Document, Publication
from aggregator.model.supplement import ImageRole, Supplement
from aggregator.render import fields, renderer
from aggregator.render.cache import LruCache
from aggregator.render.renderer import Renderer

VERSION = "https://jsonfeed.org/version/1.1"
APART = timedelta(hours=1)  # when a story entered and what its place says: further apart after a backfill alone

# Inside JSON these characters stand in strings only; escaped, the text can stand in a page's script too (A55).
# Five searches cost a tenth of `str.translate`.
_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}

_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)

_items: LruCache[str] = LruCache(max_bytes=4 * 1024 * 1024, each_bytes=3072)


def render_json(document: Document, site: Site, store_id: str, *, html: bool) -> bytes:
    """Render a document as JSON Feed 1.1.

    Args:
        document: what stands in it, in order. What can't be published is left out (A33); `leave_out_faulty` told.
        site: author and public address.
        store_id: the store's random id, from which ids are minted.
        html: whether pages are published.
    """
    own = {"store": store_id, "feed": document.id, "category": document.category, "archive": document.archive}
    feed: dict[str, Any] = {
        "_aggregator": _without_empty(own),
        "version": VERSION,
        "title": fields.line_of(document.title) or fields.line_of(site.title),
        "description": fields.line_of(document.description),
        "feed_url": fields.url_of(site, document.path, ".json"),
        "next_url": fields.url_of(site, document.prev_archive, ".json") if document.prev_archive else None,
        "home_page_url": fields.page_of(document, site, html=html),
        "favicon": fields.icon_of(site) if html else None,
        "hubs": [{"type": "WebSub", "url": document.hub}] if document.hub is not None else None,
        "language": fields.language_of(document.language),
        "authors": [_without_empty({"name": fields.line_of(site.title), "url": fields.web_address(site.base_url)})],
    }
    members = {key: _dump(value) for key, value in _without_empty(feed).items()}
    sound = [publication for publication in document.publications if not fields.fault_of(publication)]
    addresses = [fields.address_of(publication, document, site, html=html) for publication in sound]
    items = ",\n".join(map(_rendered, sound, addresses))
    members["items"] = f"[\n{items}\n]" if items else "[]"
    body = ",\n".join(f'"{key}":{text}' for key, text in sorted(members.items()))
    return f"{{{body}}}\n".encode()


def _dump(value: object) -> str:
    text = _ENCODER.encode(value)
    for char, escape in _ESCAPES.items():
        text = text.replace(char, escape)
    return text


def forget() -> None:
    """Forget what was rendered lately; for measurements and tests."""
    _items.clear()


def _rendered(publication: Publication, address: str) -> str:
    key = (publication, address)
    text = _items.get(key)
    if text is None:
        text = _dump(_item(publication, address))
        _items.keep(key, text, len(text) + len(publication.content) + len(publication.summary))
    return text


def _item(publication: Publication, address: str) -> dict[str, Any]:
    content, summary = fields.content_of(publication), fields.summary_of(publication)
    supplement = fields.supplement_of(publication)
    item = _without_empty(
        {
            "id": publication.atom_id,
            "url": address,
            "title": fields.title_of(publication),
            "content_html": content or summary,
            "summary": plain_text(summary) if content else None,
            "date_published": fields.instant(publication.published) if publication.published else None,
            "date_modified": fields.instant(publication.updated),
            "authors": [_without_empty({"name": p.name, "url": p.uri}) for p in fields.authors_of(publication)],
            "tags": list(dict.fromkeys(tag.label or tag.term for tag in fields.tags_of(publication))),
            "language": fields.language_of(publication.language),
            "attachments": [_attachment(url, enclosure) for url, enclosure in fields.enclosures_of(publication)],
            "image": _image(publication, supplement),
            "banner_image": next((i.url for i in supplement.images if i.role is ImageRole.BANNER), None),
            "_aggregator": _own(publication, supplement),
        }
    )
    if "content_html" not in item:
        item["content_text"] = ""  # one of the two must be there, also where only the title may be shown
    return item


def _image(publication: Publication, supplement: Supplement) -> str | None:
    """Return the entry's main image: the one that its source names, else an enclosure that is an image."""
    named = (image.url for image in supplement.images if image.role is not ImageRole.BANNER)
    files = (url for url, file in fields.enclosures_of(publication) if (file.type or "").startswith("image/"))
    return next(named, None) or next(files, None)


def _own(publication: Publication, supplement: Supplement) -> dict[str, Any]:
    """Return our own members of an item: what restores a store, the other copies, and the supplement of the entry."""
    own: dict[str, Any] = {"source": publication.source, "sort_at": fields.exact_instant(publication.sort_at)}
    if publication.entered_at is not None and publication.entered_at - publication.sort_at > APART:
        own["entered_at"] = fields.exact_instant(publication.entered_at)
    if publication.digest:
        own["digest"] = publication.digest  # a text that was cut or cleaned once more has another
    if said := supplement_to_json(supplement):
        own["supplement"] = said
    if publication.entry_key is not None:
        own["key"] = _exact(publication.entry_key)
        if publication.key_rule is not KeyRule.ID:
            own["rule"] = publication.key_rule.value
    if publication.credits:
        own["also"] = [_copy(credit) for credit in publication.credits]
    return own


def _copy(credit: Credit) -> dict[str, Any]:
    """Return another copy of the story: its source and its address."""
    title = fields.line_of(credit.title) or credit.source
    own = {"source": credit.source, "title": title, "url": fields.web_address(credit.link)}
    known = {"key": _exact(credit.key) if credit.key else None, "before": credit.is_earlier or None}
    return _without_empty(own | known)


def _exact(key: str) -> str:
    """Return a key unchanged, since it restores a store; characters that UTF-8 can't hold are replaced."""
    return key.encode(errors="replace").decode()


def _attachment(url: str, enclosure: Enclosure) -> dict[str, Any]:
    return _without_empty(
        {
            "url": url,
            "mime_type": fields.type_of(url, enclosure),
            "title": enclosure.title,
            "size_in_bytes": enclosure.length,
            "duration_in_seconds": enclosure.duration,
        }
    )


def _without_empty(members: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in members.items() if value not in (None, "", [])}


def read_back_json(data: bytes, document: Document) -> None:
    """Read a JSON Feed and compare it with the document that it was rendered from (A35).

    Raises:
        PublishError: it is not JSON, or ids, titles, dates or their order are not those of the document.
    """
    output = f"{document.path}.json"
    try:
        items = json.loads(data)["items"]
        lines = [(i["id"], i["title"], i["date_modified"], i.get("date_published")) for i in items]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise renderer.refused(output, f"can't be read: {error!r}") from error
    renderer.compare(output, lines, renderer.expected(document))


RENDERER = Renderer(
    render=lambda document, context: render_json(document, context.site, context.store_id, html=context.html),
    verify=read_back_json,
)
