"""What the responses of a source have shown over time, kept from poll to poll (P17)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from aggregator.urls import Url


class RequestMode(StrEnum):
    """Which headers a request carries, where the usual ones have failed."""

    USUAL = "usual"  # our Accept, and all validators there are (P2, P77)
    DATE_ONLY = "date_only"  # no ETag: this server's never match (P13)
    AFRESH = "afresh"  # no validators, once: it may be stuck at 304 (P16)
    PLAIN = "plain"  # any Accept and no validators, once: it refused ours (P34)
    ANY_ACCEPT = "any_accept"  # any Accept, for that helped (P34)
    ALWAYS_PLAIN = "always_plain"  # any Accept and no validators, for only both helped (P34)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """The observations on one source."""

    ask: RequestMode = RequestMode.USUAL
    refuses_plain: bool = False  # to be asked plainly did not help either (P34)
    earns: bool = False  # its validators earn 304s (P51)
    moved_to: Url | None = None  # where its permanent redirects lead (P40, P41)
    moved_times: int = 0  # polls in a row that showed it
    moved_since: datetime | None = None
    strange: Url | None = None  # where they lead instead, to a feed that has nothing of what was stored (P40)
    gone_times: int = 0  # 410s in a row (P29)
    gone_since: datetime | None = None
    lost_times: int = 0  # 404s and 410s in a row at an adopted address (P48)
    steady_since: datetime | None = None  # since when nothing but 304 has come (P16)
    doubted_at: datetime | None = None  # when it was last asked afresh (P16)
    body_bytes: int = 0  # of the last body, unpacked (P70)
    cut_digest: str | None = None  # of the last body, if it broke off in the middle (I13)
    listed: int = 0  # entries in the last document that had any (R43)
    empty_times: int = 0  # documents in a row since then that had none
    overran: bool = False  # to read a body of it took too much once; kept, or a restart would forget the danger (S15)
    rekeyed_times: int = 0  # documents in a row most of whose ids had changed (I35)
    by_link: bool = False  # its ids change all the time: links tell its entries apart (I35)
    redated_times: int = 0  # documents in a row with an entry without id and link that came under another date
    by_text: bool = False  # such dates change all the time: title and text tell those entries apart (I35)
    suspect_since: datetime | None = None  # since when it looks like another feed (R44)
    hurry: int = 0  # halvings of its interval, since its window ran over (R45)
    broken_walks: int = 0  # polls in a row whose way through further pages to what is known broke off (R45)
    overflowed_at: datetime | None = None  # when that was seen last
    unfiled_at: datetime | None = None  # when an item last named no category though it should, or one too many
    flooded_at: datetime | None = None  # when it last brought more new entries than are published as new (R47)
    list_doubt: str | None = None  # why the last list of sources is not believed; None: it is
    lost: tuple[str, ...] = ()  # fields that most of its entries had and none has any more
    lost_since: datetime | None = None  # when the first of them went, or the first without which entries are held
    forgone: tuple[str, ...] = ()  # fields of which an operator accepted that
    reread: bool = False  # feeds.yaml says otherwise how it is read: what reads otherwise for it is no news (R47)
    restored_until: datetime | None = None  # newest date of what was restored: what is older came before (DESIGN 3.2)
    addresses: tuple[Url, ...] = ()  # that it led to or named as its own, oldest first: secret if it is private (S44)
    rotates: bool = False  # there were more of them than are kept
    skew_seconds: int = 0  # of its clock against ours, if over ten minutes (P88)


NOTHING_OBSERVED = Observed()
