"""Keys of entries within their source, digests of what readers see, and ids that sources share (I30 to I38). Pure.

These values are stored for ever: if one of these functions changes, every reader sees all entries as new. So they use
no code that may change for other reasons (sanitiser, URL lists), digests carry a version, and tests pin them.
"""

import html
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from hashlib import sha256
from itertools import islice
from typing import Any, Final

from aggregator.clean.titles import MAX_TITLE, bounded_title
from aggregator.model.entry import Digest, Entry, EntryKey, Feed, KeyRule
from aggregator.model.settings import Identity, Reading
from aggregator.text.iris import is_iri
from aggregator.text.xml_chars import normalised
from aggregator.urls import Url, is_start_page

VERSION = "1"  # of both digests, which begin with it: digests of different versions can't be compared
PLAIN: Final = Reading()
MIN_TOKENS = 8  # a shorter text is too common to be recognised by
_FEW = 3  # entries with one id that may still be copies of one; beyond, the id is a constant (I33)

_SCHEME = re.compile(r"^https?://", re.IGNORECASE)
_HAN = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_TOKEN = re.compile(rf"[{_HAN}]|[^\W_{_HAN}]+")

# In sanitised HTML < and > stand for tags only, and attributes are in double quotes.
_TAG = re.compile(r"<[^>]*>")
_ADDRESS = re.compile(r"<[a-z0-9]+\b[^>]*? (href|src|poster)=\"([^\"]*)\"[^>]*>")
_CAMPAIGN = re.compile(r"(?<=[?&])utm_[a-z_]+=[^&#]*(?:&|(?=#)|$)")
# Temporary signatures of a file; they change with each poll (I38).
_SIGNATURE = re.compile(
    r"(?<=[?&])(?:X-(?:Amz|Goog)-[A-Za-z-]+|x-oss-[a-z-]+|AWSAccessKeyId|GoogleAccessId|OSSAccessKeyId|Key-Pair-Id"
    r"|Expires|Signature|Policy|auth_key|PHPSESSID)=[^&#]*(?:&|(?=#)|$)"
)
_SESSION = re.compile(r";jsessionid=[^/?#]*", re.IGNORECASE)
_ADVERTISEMENT = re.compile(
    r"//(?:feeds\.feedburner\.com/~|feedads\.|rss\.feedsportal\.com/|(?:ads?|adserver|pixel)\.[a-z0-9.-]+/"
    r"|(?:[a-z0-9-]+\.)*(?:doubleclick\.net|googlesyndication\.com|googleadservices\.com|amazon-adsystem\.com"
    r"|adnxs\.com|taboola\.com|outbrain\.com|criteo\.(?:com|net))/)"
)
# "12 comments", "Points: 57", "阅读(8)", "3 hours ago": they change with each poll without any edit (I38).
_WHAT = "[Pp]oints|[Cc]omments|[Rr]eplies|[Vv]iews|[Ss]core|[Ll]ikes|[Ss]hares|[Uu]pvotes|[Kk]ommentare"
_ANY = rf"(?:{_WHAT}|[Pp]oint|[Cc]omment|[Vv]iew|[Ll]ike|[Ss]hare|[Uu]pvote|[Kk]ommentar)\b"
_HAN_WHAT = "阅读|閱讀|浏览|瀏覽|评论|評論|点赞|點讚|点击|點擊|转发|轉發|回复|回覆|收藏"
_COUNT = r"\d[\d.,]{0,14}"  # every repetition is bounded: a text of digits alone must not cost its square
_SPAN = "(?:second|minute|min|hour|day|week|month|year)s?"
# By the words of which one must stand in the text: a sign of the pattern, the pattern, and what stays of a match. No
# pattern begins with a plain character, so each is tried at every character: 1 ms for a text of 5,500. Words and sign
# are necessary conditions, which are searched first: words in 1 us, an expression that begins with a rare character in
# 2 us, with a blank in 23 us.
_NOISE_OF: dict[str, tuple[tuple[str, str, str], ...]] = {
    ":": ((r":(?:(?<=[se]:)|(?<=[se] :)) ?\d", rf"((?:{_WHAT}) ?: ?){_COUNT}", r"\1"),),
    "(": ((r"\((?:(?<=[se]\()|(?<=[se] \()) ?\d", rf"((?:{_WHAT}) ?\( ?){_COUNT}", r"\1"),),
    " ": ((rf" (?<=[\d.,] ){_ANY}", rf"(?<!\d){_COUNT} {_ANY}", ""),),
    _HAN_WHAT: (
        (_HAN_WHAT, rf"((?:{_HAN_WHAT})[数數量]? ?[:：(（]? ?){_COUNT}[万萬kK]?", r"\1"),
        (f"[次人条條个個] ?(?:{_HAN_WHAT})", rf"(?<!\d){_COUNT}[万萬kK]?( ?[次人条條个個] ?(?:{_HAN_WHAT}))", r"\1"),
    ),
    " ago": ((rf" {_SPAN} ago\b", rf"\b(?:\d{{1,4}}|an?|one) {_SPAN} ago\b", ""),),
    "vor ": (
        (
            r"vor (?:\d|eine)",
            r"\bvor (?:\d{1,4}|eine[rm]) (?:Sekunde|Minute|Stunde|Tag|Woche|Monat|Jahr)(?:e?n)?\b",
            "",
        ),
    ),
    "前": (
        (r"前(?<=[秒钟鐘时時天周週月年]前)", r"(?<!\d)\d{1,4} ?(?:秒|分钟|分鐘|小时|小時|天|周|週|个月|個月|年)前", ""),
    ),
}
_NOISE = tuple(
    (words.encode().split(b"|"), tuple((re.compile(sign), re.compile(noise), rest) for sign, noise, rest in patterns))
    for words, patterns in _NOISE_OF.items()
)
_ASCII_NOISE = tuple(noise for noise in _NOISE if noise[0][0].isascii())


# Fields by their names in `ignore`: the field of an entry, and the value that stands for all of its values.
IGNORED: Final[Mapping[str, tuple[str, Any]]] = {
    "title": ("title", ""),
    "link": ("link", None),
    "content": ("content", ""),
    "summary": ("summary", ""),
    "author": ("authors", ()),
    "tag": ("tags", ()),
    "enclosure": ("enclosures", ()),
}


def identify(feed: Feed, reading: Reading = PLAIN, *, by_text: bool = False) -> Feed:
    """Return a document with a key and digests for each entry.

    Args:
        feed: cleaned.
        reading: of its source, which may say what is the key and which fields do not count.
        by_text: dates distinguish nothing: without id and link, title and content make the key (I34).

    Entries with one id are merged if they agree in link or title, and in date or text, and the latest `updated`
    wins. An id that two different entries have, or all of them, counts as none (I33), and I34 finds keys instead.
    The key of an entry depends on what the document contains, never on its order, which stays. Titles are cut to
    `MAX_TITLE` only here, after keys are made: entries stored before that limit existed keep theirs.
    """
    site, ignored = feed.link, reading.ignore
    if reading.identity is not Identity.ID:
        feed = replace(feed, entries=tuple(_without_ids(feed.entries, reading.identity)))
    entries = _without_useless_ids(feed.entries, site)
    named = [entry for entry in entries if entry.id]
    nameless = [entry for entry in entries if not entry.id]
    by_title = reading.identity is Identity.TITLE
    keyed = [_keyed(entry, entry.id or "", KeyRule.ID, ignored) for entry in named]
    keyed += [
        _keyed(entry, key, rule, ignored)
        for entry, key, rule in _keys_without_id(
            nameless, entries, site, taken={key_form(entry.key) for entry in keyed}, by_text=by_text, by_title=by_title
        )
    ]
    keyed.sort(key=lambda entry: entry.position)
    lost = len(feed.entries) - len(keyed)
    notices = [f"{lost} entries bear the id of another, and its link or title: merged"] if lost else []
    if any(len(entry.title) > MAX_TITLE for entry in feed.entries):
        notices.append(f"a title of over {MAX_TITLE:,} characters was cut")
    is_shared = len(named) < sum(bool(entry.id) for entry in feed.entries)
    return replace(feed, entries=tuple(keyed), notices=(*feed.notices, *notices), ids_shared=is_shared)


def identify_again(feed: Feed, reading: Reading = PLAIN, *, by_link: bool, by_text: bool) -> Feed:
    """Identify the entries of a source whose ids or dates change all the time, and so distinguish nothing (I35).

    Args:
        feed: as `identify` returned it.
        reading: of its source.
        by_link: its ids change: they count as none.
        by_text: the dates of its entries without id and link change: title and content distinguish these.
    """
    entries = tuple(replace(entry, id=None) for entry in feed.entries) if by_link else feed.entries
    return identify(replace(feed, entries=entries), reading, by_text=by_text) if by_link or by_text else feed


@lru_cache(512)  # look-ups, decisions and rows of a document ask eight times for each new entry
def key_form(key: str) -> str:
    """Return the form in which keys of one source are compared: URLs without regard to http or https (I32).

    Returns:
        SHA-256 in hex, so that a key of any length fits an index.
    """
    return sha256(_SCHEME.sub("//", key).encode("utf-8", "surrogatepass")).hexdigest()


def digest_of(entry: Entry, ignored: Collection[str] = ()) -> Digest:
    """Return the digest of what a reader sees of an entry (I38): a new digest means a revision.

    Of `ignored` fields, by their names in `IGNORED`, no value counts.

    It is the version, a colon, and the SHA-256 in hex of these fields in UTF-8, joined by NUL; lists within them by
    0x1F, parts of an item by 0x1E (no text contains these: I7):

    1. title, without any blanks, in NFC;
    2. link, as an address;
    3. content and 4. summary: the text without any blanks, in NFC, then the addresses in it, each after a 0x1F;
    5. authors' names;
    6. enclosures' addresses without their queries;
    7. tags' terms with their labels, sorted.

    An address has no scheme, no utm_ parameters, and no temporary signature. Of images and players only the last part
    of the path counts: the query may be another such signature, and the host one of several that take turns. So a
    change of markup alone, of blanks, of counters, of "3 hours ago" or of advertisements is not a revision, and a
    sanitiser that learns a new element revises nothing.
    """
    if ignored:
        entry = replace(entry, **dict(IGNORED[name] for name in ignored))
    fields = (
        _composed("".join(entry.title.split())),
        _address(entry.link or ""),
        _visible(entry.content),
        _visible(entry.summary),
        "\x1f".join(_composed(person.name) for person in entry.authors),
        "\x1f".join(_address(item.url).partition("?")[0] for item in entry.enclosures),
        "\x1f".join(sorted(f"{_composed(tag.term)}\x1e{_composed(tag.label or '')}" for tag in entry.tags)),
    )
    return _versioned("\0".join(fields))


def text_digest_of(entry: Entry) -> Digest | None:
    """Return the digest of title and plain text, by which a copy in another source is recognised.

    It is the version, a colon, and the SHA-256 in hex of title and text, joined by NUL: NFKC, case folded, blanks
    collapsed, punctuation kept. Markup, links and dates play no part.

    Returns:
        None for a text under eight tokens, where a word, a number or a Chinese or Japanese character is one: an equal
        title alone joins nothing.
    """
    title, text = _folded(entry.title), _folded(entry.text)
    if sum(1 for _ in islice(_TOKEN.finditer(text), MIN_TOKENS)) < MIN_TOKENS:
        return None
    return _versioned(f"{title}\0{text}")


@lru_cache(512)
def global_id_hash(own_id: str) -> str | None:
    """Return the hash by which ids of different sources are compared, if the id can be globally unique.

    Returns:
        The `key_form` of a `urn:`, `tag:` or http(s) id; None for any other, unique in its source at best.
    """
    scheme = own_id.partition(":")[0].lower()
    return key_form(own_id) if scheme in ("urn", "tag", "http", "https") and is_iri(own_id) else None


def speaks_for_itself(own_id: str) -> bool:
    """Return whether an id alone proves sameness: `urn:` and `tag:` ids are made for that; a URL may be any page's."""
    return own_id.partition(":")[0].lower() in ("urn", "tag")


def _without_ids(entries: Sequence[Entry], identity: Identity) -> list[Entry]:
    """Return entries whose ids count for nothing; those with one title are one, if that is their identity."""
    plain = [replace(entry, id=None) for entry in entries]
    if identity is not Identity.TITLE:
        return plain
    titled: dict[str, list[Entry]] = {}
    for entry in plain:
        titled.setdefault(_title(entry) or str(entry.position), []).append(entry)
    return [_latest(copies) for copies in titled.values()]


def _without_useless_ids(entries: Sequence[Entry], site: Url | None) -> list[Entry]:
    """Merge entries with one id that are copies, and remove ids that identify nothing (I33)."""
    groups: dict[str, list[Entry]] = {}
    result: list[Entry] = []
    for entry in entries:
        if entry.id:
            groups.setdefault(key_form(entry.id), []).append(entry)
        else:
            result.append(entry)
    constant = len(groups) == 1 and len(entries) >= _FEW and len(result) == 0
    for group in groups.values():
        clusters = [[entry] for entry in group] if constant else _clusters(group, site)
        merged = [_latest(cluster) for cluster in clusters]
        result += merged if len(merged) == 1 else [replace(entry, id=None) for entry in merged]
    return sorted(result, key=lambda entry: entry.position)


def _clusters(group: Sequence[Entry], site: Url | None) -> list[list[Entry]]:
    """Group the entries of one id that agree in link or title, directly or by way of others.

    That is not enough where each has a date of its own: what was published at another time with another text is no
    copy. Feeds of comments give all comments the id, the link and the title of the article.
    """
    leaders = list(range(len(group)))

    def leader_of(index: int) -> int:
        while leaders[index] != index:
            leaders[index] = index = leaders[leaders[index]]
        return index

    dated = all(entry.published for entry in group)
    first: dict[tuple[object, ...], int] = {}
    for index, entry in enumerate(group):
        kins = (entry.published, (entry.text, *(file.url for file in entry.enclosures))) if dated else (None,)
        for mark in (("title", entry.title), ("link", _telling_link(entry, site))):
            for kin in kins if mark[1] else ():
                leaders[leader_of(index)] = leader_of(first.setdefault((*mark, kin), index))
    clusters: dict[int, list[Entry]] = {}
    for index, entry in enumerate(group):
        clusters.setdefault(leader_of(index), []).append(entry)
    return list(clusters.values())


def _telling_link(entry: Entry, site: Url | None) -> Url | None:
    """Return a link that can distinguish entries: neither a site's start page nor the feed's own page."""
    return entry.link if entry.link and entry.link != site and not is_start_page(entry.link) else None


def _latest(copies: Sequence[Entry]) -> Entry:
    """Return the latest of several copies of an entry, whatever their order, in the place of the first."""
    if len(copies) == 1:
        return copies[0]
    # The longest of equally old copies; then any value that does not depend on the order.
    latest = max(copies, key=lambda entry: (_moment(entry), len(entry.text), repr(replace(entry, position=0))))
    return replace(latest, position=min(entry.position for entry in copies))


def _keys_without_id(
    nameless: Sequence[Entry],
    entries: Sequence[Entry],
    site: Url | None,
    *,
    taken: set[str],
    by_text: bool,
    by_title: bool,
) -> list[tuple[Entry, str, KeyRule]]:
    """Return the entries without a usable id, each with a key: the first value that no other entry has (I34)."""
    if not nameless:
        return []
    rules: tuple[tuple[KeyRule, Callable[[Entry], str | None]], ...] = (
        *(((KeyRule.TITLE, _title),) if by_title else ()),
        (KeyRule.LINK, lambda entry: _telling_link(entry, site)),
        (KeyRule.ENCLOSURE, lambda entry: entry.enclosures[0].url if entry.enclosures else None),
        *(() if by_text else ((KeyRule.TITLE_AND_DATE, _title_and_date),)),
    )
    counts = {
        rule: Counter(key_form(found) for entry in entries if (found := candidate(entry))) for rule, candidate in rules
    }
    last: dict[str, list[Entry]] = {}
    keyed: list[tuple[Entry, str, KeyRule]] = []
    for entry in nameless:
        for rule, candidate in rules:
            found = candidate(entry)
            if found and counts[rule][key_form(found)] == 1 and key_form(found) not in taken:
                keyed.append((entry, found, rule))
                break
        else:
            last.setdefault(_hashed(entry.title, entry.text), []).append(entry)
    keyed += ((_latest(copies), found, KeyRule.TITLE_AND_CONTENT) for found, copies in last.items())
    return keyed


def _keyed(entry: Entry, key: str, rule: KeyRule, ignored: Collection[str]) -> Entry:
    """Return an entry with its key, made from the whole title; digest and stored title are bounded (I15)."""
    if len(entry.title) > MAX_TITLE:
        entry = replace(entry, title=bounded_title(entry.title))
    digest, text_digest = digest_of(entry, ignored), text_digest_of(entry)
    return replace(entry, key=EntryKey(key), key_rule=rule, digest=digest, text_digest=text_digest)


def _title(entry: Entry) -> str | None:
    return _hashed(_folded(entry.title)) if entry.title else None


def _title_and_date(entry: Entry) -> str | None:
    return _hashed(entry.title, entry.published.strftime("%Y-%m-%dT%H:%M:%SZ")) if entry.published else None


def _hashed(*parts: str) -> str:
    return "sha256:" + sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _versioned(text: str) -> Digest:
    return Digest(f"{VERSION}:{sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}")


def _visible(markup: str) -> str:
    """Return what is visible of HTML: its text without blanks, and where its links and pictures lead."""
    if not markup:
        return ""
    text = _without_noise(" ".join(html.unescape(_TAG.sub(" ", markup)).split()))
    return "\x1f".join((_composed(text.replace(" ", "")), *_addresses(markup)))


def _without_noise(text: str) -> str:
    """Remove counters and times ago from a text on one line."""
    data = text.encode("utf-8", "surrogatepass")  # a search in UTF-8 takes a third of one in text that is not ASCII
    for words, patterns in _ASCII_NOISE if text.isascii() else _NOISE:
        if any(word in data for word in words):
            for sign, noise, rest in patterns:
                if sign.search(text):
                    text = noise.sub(rest, text)
            data = text.encode("utf-8", "surrogatepass")  # without a counter, other words may stand side by side
    return text


def _addresses(markup: str) -> Iterator[str]:
    for name, value in _ADDRESS.findall(markup):
        address = _address(value)
        if not _ADVERTISEMENT.match(address):
            yield address if name == "href" else address.partition("?")[0].rpartition("/")[2]


def _address(url: str) -> str:
    """Return a URL without the parts that do not change where it leads: scheme, campaign, signature, session."""
    without = _SCHEME.sub("//", html.unescape(url))
    if ";" in without:
        without = _SESSION.sub("", without)
    if "?" not in without and "&" not in without:
        return without
    without = _SIGNATURE.sub("", _CAMPAIGN.sub("", without))
    return without.replace("?#", "#").replace("&#", "#").rstrip("?&")


def _composed(text: str) -> str:
    return normalised("NFC", text)


def _moment(entry: Entry) -> float:
    when = entry.updated or entry.published
    return when.timestamp() if when else float("-inf")


def _folded(text: str) -> str:
    return " ".join(normalised("NFKC", text).casefold().split())
