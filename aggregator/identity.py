"""What makes an entry the same next time: its key in its source, the digest of what a reader sees of it, and what other
sources may know it by (I30 to I38). Pure.

What is computed here is stored for ever: change one of these functions, and every reader sees everything as new. So the
digests carry a version, and tests pin them.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

from aggregator.model.entry import Digest, Entry, EntryKey, Feed, KeyRule
from aggregator.urls import Url

VERSION = "1"  # of both digests
MIN_TOKENS = 8  # a shorter text says too little to be recognised by (DESIGN, section 8)

_SCHEME = re.compile(r"^https?://", re.IGNORECASE)
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20\x7f-\xa0<>\"{}|\\^`\s]+")
_HAN = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_TOKEN = re.compile(rf"[{_HAN}]|[^\W_{_HAN}]+")
_BLANKS = re.compile(r"\s+")


def identify(feed: Feed) -> Feed:
    """Give each entry of a document its key and its digests.

    Entries that bear one id are merged if their link or title agrees, the latest `updated` wins (I33). Where all bear
    the same id, or one has none, I34 finds another key. The order of the document stays.
    """
    constant = _is_constant([entry.id for entry in feed.entries])
    bare = tuple(replace(entry, id=None) for entry in feed.entries) if constant else feed.entries
    links = Counter(entry.link for entry in bare if entry.link)
    found: dict[str, Entry] = {}
    for entry in bare:
        key, rule = _key_of(entry, links)
        before = found.get(key_form(key))
        if before is not None and rule is KeyRule.ID and not _is_one(before, entry):
            key, rule = _key_without_id(entry, links)  # an id used twice for two things: the first keeps it
            before = found.get(key_form(key))
        keyed = replace(entry, key=key, key_rule=rule)
        if before is None:
            found[key_form(key)] = keyed
        elif _moment(keyed) > _moment(before):
            found[key_form(key)] = replace(keyed, position=before.position)
    entries = tuple(
        replace(entry, digest=digest_of(entry), text_digest=text_digest_of(entry)) for entry in found.values()
    )
    return replace(feed, entries=entries)


def key_form(key: str) -> str:
    """Give the form in which keys of one source are compared: ids that are URLs, without regard to http or https (I32).

    Returns:
        SHA-256 in hex, so that a key of any length fits an index.
    """
    return sha256(_SCHEME.sub("//", key).encode("utf-8", "surrogatepass")).hexdigest()


def digest_of(entry: Entry) -> Digest:
    """Give the digest of what a reader would see (I38): a new one means a revision.

    Title, link, content, summary, authors, enclosures and tags; dates are not in it, nor is anything that a reader does
    not see. Fields are joined by NUL, lists by 0x1F; no field can hold either (I7).
    """
    fields = (
        VERSION,
        entry.title,
        entry.link or "",
        entry.content,
        entry.summary,
        "\x1f".join(f"{person.name}\x1e{person.uri or ''}" for person in entry.authors),
        "\x1f".join(f"{item.url}\x1e{item.type or ''}" for item in entry.enclosures),
        "\x1f".join(f"{tag.term}\x1e{tag.label or ''}" for tag in entry.tags),
    )
    return Digest(sha256("\0".join(fields).encode("utf-8", "surrogatepass")).hexdigest())


def text_digest_of(entry: Entry) -> Digest | None:
    """Give the digest of title and plain text by which another source's copy is known (DESIGN, section 8).

    NFKC, case folded, blanks collapsed; markup, links and dates play no part. None under eight tokens, where a word, a
    number or a Chinese or Japanese character is one.
    """
    title, text = _folded(entry.title), _folded(entry.text)
    if not text or len(_TOKEN.findall(text[:2000])) < MIN_TOKENS:
        return None
    return Digest(sha256("\0".join((VERSION, title, text)).encode("utf-8", "surrogatepass")).hexdigest())


def global_id_hash(own_id: str) -> str | None:
    """Give what entries of different sources are compared by, if their ids can be unique in the world (DESIGN 8).

    Returns:
        The `key_form` of a `urn:`, `tag:` or http(s) id; None for any other, unique in its source at best.
    """
    scheme = own_id.partition(":")[0].lower()
    return key_form(own_id) if scheme in ("urn", "tag", "http", "https") and is_iri(own_id) else None


def speaks_for_itself(own_id: str) -> bool:
    """Tell whether an id alone proves sameness: `urn:` and `tag:` ids are made to; any URL may be a link blog's id."""
    return own_id.partition(":")[0].lower() in ("urn", "tag")


def is_iri(text: str) -> bool:
    """Tell whether a text is an absolute IRI by RFC 3987's characters, so that it can be an atom:id as it is (A4)."""
    return _IRI.fullmatch(text) is not None and "%%" not in text


def _is_constant(ids: Sequence[str | None]) -> bool:
    """Tell whether all entries of a document bear one id, which then is none (I33)."""
    return len(ids) > 1 and None not in ids and len(set(ids)) == 1


def _key_of(entry: Entry, links: Counter[Url]) -> tuple[EntryKey, KeyRule]:
    return (EntryKey(entry.id), KeyRule.ID) if entry.id else _key_without_id(entry, links)


def _key_without_id(entry: Entry, links: Counter[Url]) -> tuple[EntryKey, KeyRule]:
    """Find a key for an entry that has no usable id (I34): the first of these that tells it from the others."""
    if entry.link and links[entry.link] == 1:
        return EntryKey(entry.link), KeyRule.LINK
    if entry.enclosures:
        return EntryKey(entry.enclosures[0].url), KeyRule.ENCLOSURE
    if entry.published:
        return _hashed(entry.title, entry.published.isoformat()), KeyRule.TITLE_AND_DATE
    return _hashed(entry.title, entry.text), KeyRule.TITLE_AND_CONTENT


def _hashed(*parts: str) -> EntryKey:
    return EntryKey("sha256:" + sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest())


def _is_one(one: Entry, other: Entry) -> bool:
    return one.title == other.title or (one.link is not None and one.link == other.link)


def _moment(entry: Entry) -> float:
    when = entry.updated or entry.published
    return when.timestamp() if when else float("-inf")


def _folded(text: str) -> str:
    return _BLANKS.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()
