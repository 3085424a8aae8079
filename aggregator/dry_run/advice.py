"""Advice on one source after a poll that stored nothing. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from aggregator.cadence import later_arrivals, median_gap
from aggregator.cadence.silence import GAPS, SILENT
from aggregator.decide.losses import FEWEST, missing_fields
from aggregator.errors import NotAFeed
from aggregator.model.charset import Step
from aggregator.model.entry import Feed
from aggregator.model.job import Gathered, SourceJob
from aggregator.model.naming import name_of_source
from aggregator.model.poll import Failed, Fetched
from aggregator.model.settings import Kind, Source
from aggregator.parse.discovery import best_first
from aggregator.store.status import advice_for
from aggregator.urls import Url, host_of, match_url, without_secrets

PERMANENT: Final = (301, 308)
AHEAD: Final = timedelta(days=1)  # a date further in the future can't come from a clock that is slightly wrong (I42)
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)
_GUESSED = (Step.DETECTED, Step.FALLBACK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """One problem of a source, and how to fix it."""

    code: str  # error code of a failed poll (docs/alarms.md), or a code of docs/check.md
    text: str  # the problem, and how to fix it
    write: Mapping[str, str] = field(default_factory=dict)  # keys of the source to write in feeds.yaml -> values


def advise(poll: Gathered[SourceJob], now: datetime, *, secrets: Iterable[str] = ()) -> tuple[Advice, ...]:
    """Return the problems of a source, the most important first; empty if there are none.

    Args:
        poll: the gathered poll of the source; not a `Cut`.
        now: current time.
        secrets: secrets of the settings, which no text may show (S44).
    """
    match poll.answer:
        case Failed():
            found: tuple[Advice, ...] = (_failed(poll.answer, poll.job.source, secrets),)
        case Fetched():
            found = (*_moved(poll, poll.answer, secrets), *_charset(poll.feed), *_entries(poll.feed, now))
            found += tuple(_fields(poll.feed, poll.job.source))
        case _:
            found = ()
    return tuple(_as_own(advice, poll.job.source) for advice in found)


def _as_own(advice: Advice, source: Source) -> Advice:
    """Return the advice in a form for the source of an OPML list, whose settings are those of the list.

    The operator has to add it to feeds.yaml as a source. Its history is kept: the key is made from the same address, or
    `was` names the earlier one.
    """
    if source.listed_by is None or not advice.write or source.safe_url is None:
        return advice
    text = f"{advice.text}; tell whoever keeps the list {source.listed_by}, or write it out as a source of your own"
    names = ", ".join(source.categories)
    category = {"category": names if len(source.categories) == 1 else f"[{names}]"} if names else {}
    return replace(advice, text=text, write={"url": str(source.safe_url)} | dict(advice.write) | category)


def settled_url(start: Url, answer: Fetched) -> Url:
    """Return the address after the leading permanent redirects, which may replace the one in feeds.yaml (P41)."""
    for place, hop in enumerate(answer.hops):
        if hop.status not in PERMANENT:
            return start if place == 0 else hop.url
    return answer.url if answer.hops else start


def dates_of(feed: Feed) -> Sequence[datetime]:
    """Return the dates of a feed's entries, oldest first. Entries without a date are left out."""
    return sorted(when for entry in feed.entries if (when := entry.published or entry.updated) is not None)


def same_address(polls: Iterable[Gathered[SourceJob]]) -> Mapping[str, Advice]:
    """Return the advice on sources whose redirects end at one address, by key of all but the first (P47)."""
    first: dict[str, Gathered[SourceJob]] = {}
    found: dict[str, Advice] = {}
    for poll in polls:
        if isinstance(poll.answer, Fetched) and not poll.job.source.is_local:
            other = first.setdefault(match_url(poll.answer.url), poll)
            if other is not poll:
                name, key = name_of_source(other.job.source, other.feed.title), other.job.source.key
                text = f"it ends at the same address as {name} ({key}); keep one of them, with the categories of both"
                found[poll.job.source.key] = Advice(code="same_address", text=text)
    return found


def copies(polls: Sequence[Gathered[SourceJob]]) -> Mapping[str, Advice]:
    """Return the advice on sources whose feed is a full copy of another one under another address, by key.

    Two feeds are copies if the smaller has the newest entries of the other and no further one: RSS and Atom of one site
    may list different numbers. Texts are not compared, since one of the two is often shortened.

    Args:
        polls: in the order of feeds.yaml. If both have the same entries, the first is kept.
    """
    read = [(poll, marks) for poll in polls if len(marks := _marks(poll.feed)) >= FEWEST]
    largest: dict[str, tuple[Gathered[SourceJob], Sequence[str]]] = {}  # by the newest entry
    found: dict[str, Advice] = {}
    for poll, marks in sorted(read, key=lambda each: -len(each[1])):
        other, others = largest.setdefault(marks[0], (poll, marks))
        if other is not poll and set(marks) == set(others[: len(marks)]):
            name = f"{name_of_source(other.job.source, other.feed.title)} ({other.job.source.key})"
            text = f"all its {len(marks)} entries are in {name} too; keep that one, with the categories of both"
            found[poll.job.source.key] = Advice(code="copy", text=text)
    return found


def _marks(feed: Feed) -> Sequence[str]:
    """Return what identifies each entry in other feeds as well, newest first; empty if two have the same."""
    entries = sorted(feed.entries, key=lambda each: each.published or each.updated or _LONG_AGO, reverse=True)
    marks = [match_url(each.link) if each.link else each.id or each.digest for each in entries]
    return marks if len(set(marks)) == len(marks) else ()


def _failed(answer: Failed, source: Source, secrets: Iterable[str]) -> Advice:
    text, kind = answer.text, source.reading.kind
    feeds = answer.error.feeds if isinstance(answer.error, NotAFeed) else ()
    write = {"url": str(without_secrets(best_first(feeds)[0].url, secrets))} if feeds and not source.private else {}
    hint = advice_for(answer.code, kind, is_local=source.path is not None)
    says_itself = (answer.code == "not_a_feed" and kind is not Kind.JSON) or (hint is not None and hint in text)
    if hint is not None and not says_itself:
        text = f"{text}; {hint}"
    return Advice(code=answer.code, text=text, write=write)


def _moved(poll: Gathered[SourceJob], answer: Fetched, secrets: Iterable[str]) -> Iterator[Advice]:
    """Propose the new address of a feed that was read after permanent redirects, which saves one request a poll."""
    source = poll.job.source
    target = settled_url(poll.job.url, answer)
    if target == source.url or source.path is not None:
        return
    if source.private:
        text = f"it redirects permanently, to {host_of(target)}; its addresses are private: a browser shows the new one"
        yield Advice(code="moved", text=text)
        return
    shown = without_secrets(target, secrets)
    write = {"url": str(shown)} | ({"was": str(source.safe_url)} if source.safe_url else {})
    yield Advice(code="moved", text=f"it redirects permanently to {shown}", write=write)


def _charset(feed: Feed) -> Iterator[Advice]:
    """Propose to write the encoding if it was guessed, since the next document may be guessed wrongly."""
    charset = feed.charset
    if charset.step is Step.OPERATOR and charset.lossy:
        text = f"{charset.lossy} characters don't fit encoding: {feed.encoding}; leave it out, and see what is found"
        yield Advice(code="charset", text=text)
    elif charset.step in _GUESSED and feed.encoding != "utf-8":
        said = " and ".join(f"the {claim.replace(': ', ' says ')}" for claim in charset.against)
        why = said or "no character set is named"
        yield Advice(code="charset", text=f"{why}, the bytes are {feed.encoding}", write={"encoding": feed.encoding})
    elif charset.lossy:
        yield Advice(code="charset", text=f"{charset.lossy} characters could not be decoded as {feed.encoding}")


def _fields(feed: Feed, source: Source) -> Iterator[Advice]:
    mapped = dict(source.reading.fields)
    missing = [f"entry.{name}" for name in missing_fields(source, feed.entries) if name in mapped]
    if missing and len(feed.entries) >= FEWEST:
        said = (
            f"{' and '.join(missing)} {'find' if len(missing) > 1 else 'finds'} nothing in any of {len(feed.entries)}"
        )
        text = f"{said} entries; look at the address for what it is called there, and correct or remove it under entry:"
        yield Advice(code="no_field", text=text)


def _entries(feed: Feed, now: datetime) -> Iterator[Advice]:
    if feed.left_out:
        yield Advice(
            code="left_out", text=f"{len(feed.left_out)} can't be read, such as {feed.left_out[0]}; tell the publisher"
        )
    elif feed.format == "opml":
        if not feed.outlines:
            yield Advice(code="no_entries", text="a list that names no feed; see whether it is the right one")
    elif not feed.entries:
        yield Advice(code="no_entries", text="a feed without an entry; see whether it is the right one")
    dates = dates_of(feed)
    ahead = sum(when - now > AHEAD for when in dates)
    if ahead:
        text = f"{ahead} dated over a day ahead; if its clock is right, write its time zone: timezone:"
        yield Advice(code="future", text=text)
    elif dates:
        usual = median_gap(later_arrivals((), dates)) or timedelta(0)
        if now - dates[-1] >= max(SILENT, GAPS * usual):
            text = f"nothing new since {dates[-1]:%Y-%m-%d}; the site may have another feed by now"
            yield Advice(code="silent", text=text)
