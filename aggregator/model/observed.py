"""Observations about a source that are stored from poll to poll (P17)."""

from datetime import datetime
from enum import StrEnum

from aggregator.model.record import record
from aggregator.urls import Url


class RequestMode(StrEnum):
    """Which headers a request has, if a request with the usual headers failed."""

    USUAL = "usual"  # our Accept, and all stored validators (P2, P77)
    DATE_ONLY = "date_only"  # without ETag: those of this server never match (P13)
    AFRESH = "afresh"  # without validators, once: the server may answer 304 wrongly (P16)
    PLAIN = "plain"  # Accept */* and no validators, once: the usual request was refused (P34)
    ANY_ACCEPT = "any_accept"  # Accept */*, because that helped (P34)
    ALWAYS_PLAIN = "always_plain"  # Accept */* and no validators, because only both helped (P34)


@record
class Observed:
    """Observations about one source. Counters count polls in a row."""

    ask: RequestMode = RequestMode.USUAL
    refuses_plain: bool = False  # the plain request did not help either (P34)
    earns: bool = False  # the server answers 304 to validators (P51)
    moved_to: Url | None = None  # target of its permanent redirects (P40, P41)
    moved_times: int = 0  # polls in a row with that target
    moved_since: datetime | None = None
    strange: Url | None = None  # target whose feed has none of the stored entries, so that it is not adopted (P40)
    gone_times: int = 0  # 410s in a row (P29)
    gone_since: datetime | None = None
    lost_times: int = 0  # 404s and 410s in a row at an adopted address (P48)
    steady_since: datetime | None = None  # since when every answer was 304 (P16)
    doubted_at: datetime | None = None  # last request without validators (`AFRESH`; P16)
    body_bytes: int = 0  # size of the last body, decompressed (P70)
    cut_digest: str | None = None  # digest of the last body, if it was truncated (I13)
    listed: int = 0  # entries in the last document with entries (R43)
    empty_times: int = 0  # documents without entries in a row since then
    overran: bool = False  # reading a body once took too much time or memory; stored, so that a restart keeps it (S15)
    rekeyed_times: int = 0  # documents in a row in which most ids had changed (I35)
    by_link: bool = False  # its ids always change: entries are identified by links (I35)
    redated_times: int = 0  # documents in a row in which an entry without id and link had another date
    by_text: bool = False  # such dates always change: those entries are identified by title and text (I35)
    suspect_since: datetime | None = None  # since when the source looks like another feed (R44)
    hurry: int = 0  # halvings of its interval, because entries may have been missed (R45)
    broken_walks: int = 0  # polls in a row whose paging stopped before a known entry (R45)
    overflowed_at: datetime | None = None  # last poll after which entries may have been missed (R45)
    unfiled_at: datetime | None = None  # last poll with an item that named no category though it should, or too many
    flooded_at: datetime | None = None  # last poll with more new entries than are published as new (R47)
    list_doubt: str | None = None  # why the last OPML list is not used; None: it is used
    lost: tuple[str, ...] = ()  # fields that most of its entries had before and none has now
    lost_since: datetime | None = None  # when the first of them, or of those without which entries are held, was lost
    forgone: tuple[str, ...] = ()  # lost fields that an operator accepted
    reread: bool = False  # settings of its reading changed: entries that differ because of that are no news (R47)
    restored_until: datetime | None = None  # newest date of restored entries: older entries are not new
    addresses: tuple[Url, ...] = ()  # redirect targets and self links, oldest first; secret if it is private (S44)
    rotates: bool = False  # there were more addresses than are stored
    skew_seconds: int = 0  # difference of its clock to ours, if over ten minutes (P88)


NOTHING_OBSERVED = Observed()
