"""Looks up the stored data that decisions about one document depend on, once, before anything is decided."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Connection, RowMapping, bindparam, or_, select

from aggregator.decide.changed_ids import Pair, is_another, may_be_rekeyed, pairs_of
from aggregator.decide.losses import FEWEST, SAMPLE, lost_fields, may_be_lost, missing_fields
from aggregator.decide.revisions import is_changing
from aggregator.identify.budget import Budget
from aggregator.identify.ids import minted_id
from aggregator.identify.keys import global_id_hash, key_form
from aggregator.identify.matching import dedupe_link, telling
from aggregator.late import late
from aggregator.model.entry import Digest, Entry, EntryKey, Feed
from aggregator.model.job import DetailJob, Job, SourceJob
from aggregator.model.known import (
    LOST,
    EntryState,
    Held,
    Identity,
    Known,
    KnownCategory,
    KnownEntry,
    ListedEntry,
    MatchedEntry,
    Trace,
)
from aggregator.model.observed import NOTHING_OBSERVED
from aggregator.model.settings import CategoryKey, Dedupe, Kind
from aggregator.model.stored_json import enclosures_of
from aggregator.model.window import state_of
from aggregator.store.minhash_bands import near_entries
from aggregator.store.queries import (
    LISTED,
    ROWS_BY_ID,
    bearers_of,
    by,
    copies_of,
    entry_of,
    known_entries,
    known_stories,
    listed_entry,
    rows_by,
    taken_ids,
    verdicts,
)
from aggregator.store.schema import ENTRY, MAX_IN, alias, entry, source, store, story, verdict
from aggregator.store.sources import known_outlines
from aggregator.text.iris import is_identifier

if TYPE_CHECKING:
    from aggregator.identify import minhash
else:
    minhash = late("aggregator.identify.minhash")

SLACK = timedelta(hours=1)  # polls that are settled together have different times


_SOURCE: Any = bindparam("source", type_=BigInteger)
_STORE = select(
    store.c.uuid,
    store.c.next_entry,
    store.c.next_story,
    store.c.offered_at,
    select(verdict.c.entry_id).exists().label("ruled"),  # rarely true; then verdicts cost one more statement
    select(entry.c.id).where(entry.c.source_id == _SOURCE).exists().label("has_entries"),
    select(alias.c.target_id).where(alias.c.kind == ENTRY, alias.c.source_id == _SOURCE).exists().label("has_aliases"),
    source.c.identity,
    source.c.listed,
).select_from(store.outerjoin(source, source.c.id == _SOURCE))
_MINE = LISTED.where(entry.c.source_id == _SOURCE)
_MINE_BY_FORM, _MINE_BY_ID = by(_MINE, entry.c.key_hash), by(_MINE, entry.c.id)
_ALIASES = by(
    select(alias.c.value_hash, alias.c.target_id).where(alias.c.kind == ENTRY, alias.c.source_id == _SOURCE),
    alias.c.value_hash,
)
_MARKS = ("id_hash", "text_digest", "match_link", "id")
_OTHER_STORIES = (
    select(entry.c.story_id)
    .where(entry.c.story_id.is_not(None), entry.c.source_id != _SOURCE)
    .where(or_(*(entry.c[name].in_(bindparam(f"of_{name}", expanding=True)) for name in _MARKS)))
    .distinct()
)
_LOST = by(
    select(story.c.atom_id)
    .join(entry, entry.c.id == story.c.founder_id)
    .join(source, source.c.id == entry.c.source_id)
    .where(source.c.key == LOST),
    story.c.atom_id,
)
_TRACES = select(
    *(entry.c[name] for name in "id own_id match_link digest text_digest title published enclosures".split())
).where(entry.c.source_id == _SOURCE, entry.c.state != EntryState.HELD.value)
_TRACES_BY_ID, _TRACES_BY_LINK, _TRACES_BY_TEXT = (
    by(_TRACES, entry.c[name]) for name in ("id", "match_link", "text_digest")
)
_SAMPLE = by(select(entry).where(entry.c.thinned.is_(None), entry.c.state != EntryState.WITHDRAWN.value), entry.c.id)
_SEEN = by(LISTED.add_columns(*(entry.c[name] for name in ("source_id", "key", "own_id"))), entry.c.id)
_HELD = select(entry).where(entry.c.source_id == _SOURCE, entry.c.state == EntryState.HELD.value).order_by(entry.c.id)


def known(
    connection: Connection,
    due: Job,
    feed: Feed,
    now: datetime,
    *,
    categories: Mapping[CategoryKey, KnownCategory],
    seen: Mapping[int, RowMapping],
    also: Sequence[Entry] = (),
    budget: Budget | None = None,
) -> Known:
    """Return the stored data that decisions about a document depend on.

    These are the entries of the source that the document may list, and the stories of other sources that its entries
    may belong to. About ten statements for any number of entries; a few more if ids are unknown, fewer if the source
    has no entries yet.

    Args:
        connection: a reading connection suffices.
        due: the job of the source, or of an entry that waits for its detail.
        feed: the document.
        now: the time.
        categories: all categories in the store.
        seen: rows of `seen_entries`, if they were read in this transaction; others are looked up.
        also: stored entries of the source that will be published too and belong to no story yet.
        budget: budget for comparing entries; None: a new one.

    Raises:
        CutShort: the program is stopping.
    """
    budget = budget or Budget()
    observed = due.observed if isinstance(due, SourceJob) else NOTHING_OBSERVED
    document = [(key_form(item.key), item) for item in feed.entries]
    row = connection.execute(_STORE, {"source": due.source_id}).mappings().one()
    before: Sequence[int] = row["listed"] or ()
    stored = bool(row["has_entries"])
    here = [seen[item.entry] for _, item in feed.listing.seen if item.entry in seen]
    own_entries = partial(_own, connection, due, has_aliases=bool(row["has_aliases"]))
    mine = own_entries([form for form, _ in document], here) if stored else {}
    listed = [(form, item, mine[form]) for form, item in document if form in mine]
    changing = known_entries(connection, {one.id for _, item, one in listed if is_changing(one, item)})
    reused = {
        form: changing[one.id]
        for form, item, one in listed
        if one.digest != item.told_digest and is_another(changing[one.id], item, budget)
    }
    mine = {form: item for form, item in mine.items() if form not in reused}
    unknown = {form for form, _ in document if form not in mine}
    lost = _lost(connection, due, feed, before)
    traces = _traces(connection, due, document, unknown, mine, reused, before) if unknown and stored else []
    matched = _matched(connection, pairs_of(document, unknown, traces))
    holds_back = observed.suspect_since or observed.lost_since
    held = _held(connection, due) if holds_back and isinstance(due, SourceJob) else ()
    fresh = [item for form, item in document if form in unknown and form not in matched]
    if isinstance(due, DetailJob):  # stored, but published for the first time only now
        fresh += [item for _, item in document]
    links = {link for item in fresh if (link := dedupe_link(item))}
    titles = {item.title for item in fresh if item.title}
    shares_items = any(trace.link in links or trace.title in titles for trace in traces)
    fresh += [*(item.entry for item in held), *also]
    gone = own_entries([key_form(ref) for ref, _ in feed.deleted])
    withdrawn = known_entries(connection, {one.id for one in gone.values()})
    deleted = {form: withdrawn[one.id] for form, one in gone.items()}
    links = {link for item in fresh if (link := dedupe_link(item))}
    bands, near = _near(connection, due, fresh, now)
    candidates = told_by_others(connection, due.source_id, fresh, near)
    taken_back = {item.story for item in deleted.values() if item.story is not None}
    changing |= {partner.entry.id: partner.entry for partner in matched.values()}
    own = {item.story for item in changing.values() if item.story is not None}
    back = {item.story for item in changing.values() if item.state is EntryState.WITHDRAWN and item.story is not None}
    stories = dict(known_stories(connection, candidates | own | taken_back))
    wanted = {number for item in stories.values() for number in (item.founder, *(p.shown for p in item.publications))}
    same, different = verdicts(connection, wanted) if row["ruled"] else ({}, {})
    wanted.update(*same.values(), *different.values())
    possible_ids = {minted_id(row["uuid"], due.source.key, item.key) for item in fresh}
    possible_ids |= {item.id for item in fresh if item.id and is_identifier(item.id)}
    taken, taken_pages = taken_ids(connection, possible_ids)
    buried = _withdrawn_before_loss(connection, possible_ids) if observed.restored_until else frozenset()
    return Known(
        store_uuid=row["uuid"],
        next_entry=row["next_entry"],
        next_story=row["next_story"],
        entries=mine,
        changing=changing,
        completed=_completed(connection, due, changing, has_lost=bool(lost)),
        reused=reused,
        matched=matched,
        held=held,
        lost=lost,
        identity=Identity(**row["identity"]) if row["identity"] else None,
        shares_items=shares_items,
        deleted=deleted,
        copies=copies_of(connection, taken_back | back),
        others=known_entries(connection, wanted),
        stories=stories,
        same=same,
        different=different,
        bearers=bearers_of(connection, links),
        bands=bands,
        near=near,
        taken=taken,
        buried=buried,
        taken_pages=taken_pages,
        next_category=max((one.id for one in categories.values()), default=0) + 1,
        outlines=known_outlines(connection, due.source_id) if due.source.reading.kind is Kind.OPML else (),
        categories=categories,
        offered_at=row["offered_at"],
    )


def seen_entries(connection: Connection, feeds: Iterable[Feed]) -> dict[int, RowMapping]:
    """Return the rows of the entries whose items were not read (`Listing.seen`), by id, for all documents at once."""
    numbers = {item.entry for feed in feeds for _, item in feed.listing.seen}
    return {row["id"]: row for row in rows_by(connection, _SEEN, sorted(numbers))}


def with_seen(due: Job, feed: Feed, rows: Mapping[int, RowMapping]) -> Feed | None:
    """Return a document with the entries of the items that were not read.

    They have what decisions on unchanged entries need: key, digest and dates.

    Args:
        due: the job of the source.
        feed: the document.
        rows: of these entries, as `seen_entries` has read them.

    Returns:
        None if the store no longer has one of them as it was: the document must be read whole.
    """
    if not feed.listing.seen:
        return feed
    entries = list(feed.entries)
    for place, item in feed.listing.seen:
        row = rows.get(item.entry)
        if row is None or row["source_id"] != due.source_id:
            return None
        if state_of(row["digest"], row["published"], row["updated"]) != item.state:
            return None
        entries.append(
            Entry(
                key=EntryKey(row["key"]),
                id=row["own_id"],
                digest=Digest(row["digest"]),
                published=row["published"],
                updated=row["updated"],
                position=place,
            )
        )
    return replace(feed, entries=tuple(sorted(entries, key=lambda entry: entry.position)))


def _completed(
    connection: Connection,
    due: Job,
    changing: Collection[int],
    *,
    has_lost: bool,
) -> dict[int, Entry]:
    """Return the full stored content of entries that a document may revise, by id.

    Empty unless details complete the entries of the source, or the document has lost fields.
    """
    if (due.source.detail is None or isinstance(due, DetailJob)) and not has_lost:
        return {}
    return {row["id"]: entry_of(row) for row in rows_by(connection, ROWS_BY_ID, sorted(changing))}


def _lost(connection: Connection, due: Job, feed: Feed, listed: Sequence[int]) -> tuple[str, ...]:
    """Return the names of the fields that a document has lost.

    The entries of the document before are looked up only if a field is missing.

    Args:
        connection: a reading connection suffices.
        due: the job of the source.
        feed: the document.
        listed: ids of the entries of the document before.
    """
    if isinstance(due, DetailJob) or not due.stored_before:
        return ()
    missing = missing_fields(due.source, feed.entries, feed.listing.fields)
    before: list[Entry] = []
    if may_be_lost(missing, feed.entries, due.observed):
        sample = sorted(listed)[-SAMPLE:] if len(listed) >= FEWEST else ()
        before = [entry_of(row) for row in rows_by(connection, _SAMPLE, sample)]
    return lost_fields(missing, feed.entries, before, due.observed)


def _withdrawn_before_loss(connection: Connection, ids: Collection[str]) -> frozenset[str]:
    """Return those of some atom:ids whose stories were withdrawn before the store was lost and restored."""
    return frozenset(row["atom_id"] for row in rows_by(connection, _LOST, sorted(ids)))


def told_by_others(
    connection: Connection, source: int, entries: Sequence[Entry], near: Mapping[str, frozenset[int]]
) -> set[int]:
    """Return the ids of stories of other sources that entries may belong to.

    Args:
        connection: a reading connection suffices.
        source: id of the source of the entries.
        entries: the entries; compared by id, text and link.
        near: ids of near-duplicates among stored entries, by form of the key.
    """
    ids = {hashed for item in entries if item.id and (hashed := global_id_hash(item.id))}
    texts = {item.text_digest for item in entries if item.text_digest}
    links = {link for item in entries if (link := dedupe_link(item))}
    neighbours = {number for found in near.values() for number in found}
    wanted: tuple[set[Any], ...] = (ids, texts, links, neighbours)
    marks = {f"of_{name}": sorted(values) for name, values in zip(_MARKS, wanted, strict=True)}
    found: set[int] = set()
    step = MAX_IN // len(_MARKS)
    for start in range(0, max(map(len, marks.values())), step):
        part = {name: values[start : start + step] for name, values in marks.items()}
        found.update(connection.execute(_OTHER_STORIES, {"source": source, **part}).scalars())
    return found


def _own(
    connection: Connection, due: Job, forms: Sequence[str], seen: Sequence[RowMapping] = (), *, has_aliases: bool
) -> dict[str, ListedEntry]:
    """Return the stored entries of a source by form: of their key, else of an alias (I35).

    Args:
        connection: a reading connection suffices.
        due: the job of the source.
        forms: to look up.
        seen: rows of entries of the source that were read before.
        has_aliases: whether the source has any.
    """
    own = {"source": due.source_id}
    wanted = set(forms)
    found = {row["key_hash"]: listed_entry(row) for row in seen if row["key_hash"] in wanted}
    rest = [form for form in forms if form not in found]
    found |= {row["key_hash"]: listed_entry(row) for row in rows_by(connection, _MINE_BY_FORM, rest, **own)}
    if not has_aliases:
        return found
    rest = [form for form in forms if form not in found]
    targets = {row["value_hash"]: row["target_id"] for row in rows_by(connection, _ALIASES, rest, **own)}
    rows = rows_by(connection, _MINE_BY_ID, sorted(set(targets.values())), **own)
    by_id = {row["id"]: listed_entry(row) for row in rows}
    return found | {form: by_id[target] for form, target in targets.items() if target in by_id}


def _traces(
    connection: Connection,
    due: Job,
    document: Sequence[tuple[str, Entry]],
    unknown: set[str],
    mine: Mapping[str, ListedEntry],
    reused: Mapping[str, KnownEntry],
    listed: Sequence[int],
) -> list[Trace]:
    """Return the stored entries of a source that a document may list under other ids.

    These are the entries of the document before that this document does not list under their ids; entries whose ids
    identify other articles now; entries with a text of this document; and if most ids are unknown, entries with a link
    of this document. So the cost grows with the document, not with the store.
    """
    here = {item.id for item in mine.values()}
    own = {"source": due.source_id}
    numbers = {*listed, *(item.id for item in reused.values())} - here
    rows = {row["id"]: row for row in rows_by(connection, _TRACES_BY_ID, sorted(numbers), **own)}
    fresh = [item for form, item in document if form in unknown]
    links: set[str] = set()
    if not mine or may_be_rekeyed(len(unknown), len(document)):
        links = {link for item in fresh if (link := dedupe_link(item))}
        hosts = {row["match_link"].partition("/")[0] for row in rows.values() if row["match_link"]}
        if len(hosts) == 1:  # the links of this document on the former host
            links |= {f"{host}/{link.partition('/')[2]}" for host in hosts for link in links}
    texts = {item.text_digest for item in fresh if item.text_digest}
    for statement, values in ((_TRACES_BY_LINK, links), (_TRACES_BY_TEXT, texts)):
        found = rows_by(connection, statement, sorted(values), **own)
        rows |= {row["id"]: row for row in found if row["id"] not in here}
    return [_trace(row) for row in rows.values()]


def _trace(row: RowMapping) -> Trace:
    return Trace(
        id=row["id"],
        link=row["match_link"],
        digest=Digest(row["digest"]),
        text_digest=row["text_digest"],
        title=row["title"],
        published=row["published"],
        enclosures=enclosures_of(row["enclosures"]),
        has_id=row["own_id"] is not None,
    )


def _matched(connection: Connection, pairs: Mapping[str, Pair]) -> dict[str, MatchedEntry]:
    found = known_entries(connection, {pair.known for pair in pairs.values()})
    return {form: MatchedEntry(entry=found[pair.known], because=pair.because) for form, pair in pairs.items()}


def _held(connection: Connection, due: Job) -> tuple[Held, ...]:
    """Return the held entries of a source, in the order of their ids (R44)."""
    rows = connection.execute(_HELD, {"source": due.source_id}).mappings()
    return tuple(Held(id=row["id"], form=row["key_hash"], entry=entry_of(row)) for row in rows)


def _near(
    connection: Connection, due: Job, fresh: Sequence[Entry], now: datetime
) -> tuple[dict[str, tuple[int, ...]], dict[str, frozenset[int]]]:
    """Return the bands of new entries, and the ids of stored entries that share a band, both by form.

    Both are empty unless the source has `dedupe: near`. Bands that too many stories share are left out.
    """
    if due.source.dedupe is not Dedupe.NEAR or not fresh:
        return {}, {}
    bands = {key_form(item.key): minhash.bands_of(telling(item)) for item in fresh}
    oldest = min((when for item in fresh if (when := item.published or item.updated)), default=now)
    since = min(now, oldest) - due.source.window - SLACK
    near, crowded = near_entries(connection, bands, source=due.source_id, since=since)
    return {form: tuple(band for band in own if band not in crowded) for form, own in bands.items()}, near
