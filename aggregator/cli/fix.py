"""Body of `fix`: edits of feeds.yaml that the polls so far have proven to be right."""

import argparse
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from aggregator.cli.edit import DONE, WRONG, core
from aggregator.cli.hands import Hand
from aggregator.cli.names import command
from aggregator.cli.open import read_store
from aggregator.cli.terminal import counted, json_text, printable
from aggregator.clock import utc_now
from aggregator.config.editing import SOURCES
from aggregator.config.loader import read_config
from aggregator.config.positions import EditRefused
from aggregator.config.source_text import key_text, listed
from aggregator.decide.source_health import MOVED_SPAN, MOVED_TIMES
from aggregator.decide.source_state import GONE_SPAN, GONE_TIMES
from aggregator.errors import ConfigError
from aggregator.model.charset import NAME_ENCODING
from aggregator.model.observed import Observed
from aggregator.model.poll import State
from aggregator.model.settings import Roster, Settings, Source, SourceKey
from aggregator.model.status import SourceStatus, Status
from aggregator.store.status import better_url, named_feed_of, readdressing
from aggregator.text.durations import duration_text
from aggregator.urls import Url, match_url, without_secrets

DEAD: Final = timedelta(days=90)  # without a success, after which a source is paused
LONG: Final = timedelta(days=30)  # without a success, after which it is told that it will be
DEAD_TIMES: Final = 10  # failures in that time at least: the program may have been off for most of it
TIMES: Final = 3  # failures in a row with a page that names its feed
SHORTEST: Final = timedelta(minutes=15)  # a shorter interval needs a reason in feeds.yaml


@dataclass(frozen=True, slots=True)
class _Fix:
    """One edit of one source."""

    number: int  # of the source in feeds.yaml, from 0
    why: str
    write: Sequence[tuple[str, str]] = ()  # keys, and values as YAML
    fields: Sequence[str] = ()  # of its settings, which may change
    was: str | None = None  # earlier address to append
    twin: int | None = None  # number of the source that stays, if this one is removed


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Show what is proven as a patch; with --apply, ask and write it."""
    options.dry_run = not options.apply
    hand = Hand(options, environ)
    store = read_store(hand.settings)
    try:
        status = store.status(Roster.of(hand.settings), utc_now(), hand.settings.secrets)
        with store.read() as tx:
            moved, observed, in_force = tx.sources.moved(), tx.sources.observed(), tx.store_row.last_good_config()
    finally:
        store.close()
    polled = _polled(in_force, options, environ)
    known = {each.key: each for each in status.sources}
    overflowed = {key for key, seen in observed.items() if key in known and _overflows(seen, known[key])}
    fixes = list(proven(hand.settings, status, moved, overflowed, polled))
    judged = {fix.number for fix in fixes}
    waiting = [
        (number, why)
        for number, source in enumerate(hand.settings.sources)
        if number not in judged and source.key in observed and _may_be_judged(source, known, polled)
        for why in _waiting(source, known[source.key], observed[source.key], options.config)
    ]
    record = [{"source": hand.sources[fix.number].key, "why": fix.why} for fix in fixes]
    waits = [{"source": hand.sources[number].key, "why": why} for number, why in waiting]
    if not fixes and options.json:
        done = "nothing is proven to be wrong"
        print(json_text({"version": 1, "written": False, "done": done, "fixes": [], "waiting": waits}))
        return DONE
    if not options.json:
        for number, why in (*((fix.number, fix.why) for fix in fixes), *waiting):
            print(printable(f"{hand.called(number)}: {why}"))
    if not fixes:
        print(f"nothing is proven to be wrong{' yet' if waiting else ''}")
        return DONE
    try:
        _edit(hand, fixes)
        done = "1 source corrected" if len(fixes) == 1 else f"{len(fixes)} sources corrected"
        return hand.finish(done, {"fixes": record, "waiting": waits})
    except EditRefused as error:
        print(printable(f"aggregator: {error}"), file=sys.stderr)
        return WRONG


def proven(
    settings: Settings,
    status: Status,
    moved: Mapping[SourceKey, Url],
    overflowed: Collection[SourceKey],
    polled: Mapping[SourceKey, Source],
) -> Iterator[_Fix]:
    """Yield at most one edit for each source of feeds.yaml.

    Args:
        settings: feeds.yaml alone.
        status: of all its sources.
        moved: addresses of sources that have moved for good.
        overflowed: sources whose last poll brought new entries only.
        polled: sources as they were at the last polls. One that was edited since then is not judged.
    """
    known = {each.key: each for each in status.sources}
    first: dict[str, int] = {}  # number of the source that stays, by its address
    taken = {match_url(source.url) for source in settings.sources}
    for number, source in enumerate(settings.sources):
        if not _may_be_judged(source, known, polled):
            continue
        target = moved.get(source.key, source.url)
        twin = first.setdefault(match_url(target), number)
        if twin == number and target != source.url:  # does a later source have that address as its own?
            later = [n for n, one in enumerate(settings.sources) if n > number and one.url == target and not one.paused]
            twin = first[match_url(target)] = next((n for n in later if settings.sources[n].key not in moved), number)
        if twin != number:
            if _differ_in_place_only(source, settings.sources[twin]):
                why = f"it is the same feed as {settings.sources[twin].key} by its redirects, which gets its categories"
                yield _Fix(number, why, twin=twin)
            continue
        fix = _of_address(number, source, known[source.key], target, settings, taken) or _of_reading(
            number, source, known[source.key], overflows=source.key in overflowed
        )
        if fix is not None:
            yield fix


def _may_be_judged(source: Source, known: Collection[SourceKey], polled: Mapping[SourceKey, Source]) -> bool:
    """Return whether a source is polled, over the network, and was not edited since its last poll."""
    is_same = source.key in polled and core(source) == core(polled[source.key])
    return source.key in known and is_same and not source.paused and source.path is None


def _overflows(seen: Observed, known: SourceStatus) -> bool:
    """Return whether the last poll of a source brought new entries only: some may be missed (R45)."""
    return (
        seen.overflowed_at is not None and known.last_attempt is not None and seen.overflowed_at >= known.last_attempt
    )


def _waiting(source: Source, known: SourceStatus, seen: Observed, config: Path) -> Iterator[str]:
    """Yield what the polls of a source have shown and not proven yet, since when, and until when it is to be proven."""
    better = better_url(source, known)
    by_hand = f"; at once: `{command(config, readdressing(source.key, better))}`" if better is not None else ""
    if seen.moved_since is not None:
        to = f" to {better}" if better is not None else ""
        least = f"{MOVED_TIMES} polls in a row over two days, {_minute(seen.moved_since + MOVED_SPAN)} at the earliest"
        seen_at = f"since {_minute(seen.moved_since)}, at {counted(seen.moved_times, 'poll')}"
        yield f"it redirects permanently{to} {seen_at}; proven after {least}{by_hand}"
    elif seen.gone_since is not None and known.state is State.FAILING:
        least = f"{GONE_TIMES} answers in a row over two days, {_minute(seen.gone_since + GONE_SPAN)} at the earliest"
        yield f"it answers that it is gone (410) since {_minute(seen.gone_since)}; proven after {least}"
    elif known.state is State.FAILING and better is not None and known.failing_since is not None:
        seen_at = f"since {_minute(known.failing_since)}, {counted(known.failures, 'time')} in a row"
        yield f"it is a page which names the feed {better} {seen_at}; proven after {TIMES} times{by_hand}"
    elif (since := _failing_long(known)) is not None:
        yield f"it fails since {_day(since)} ({known.code}); counts as dead after 90 days, on {_day(since + DEAD)}"


def _failing_long(known: SourceStatus) -> datetime | None:
    """Return since when a source fails, if that is long ago."""
    since, last = known.failing_since, known.last_attempt
    is_long = known.state is State.FAILING and since is not None and last is not None and last - since >= LONG
    return since if is_long else None


def _polled(
    in_force: str | None, options: argparse.Namespace, environ: Mapping[str, str]
) -> Mapping[SourceKey, Source]:
    """Return the sources of the feeds.yaml that was in force last, by key; none if it can't be read any more."""
    try:
        text = (in_force or "").encode()
        return {one.key: one for one in read_config(text, options.config, environ, was_in_force=True).sources}
    except ConfigError:
        return {}


def _of_address(
    number: int, source: Source, known: SourceStatus, target: Url, settings: Settings, taken: set[str]
) -> _Fix | None:
    if target != source.url:
        if match_url(target) in taken:  # by a source that is paused
            return None
        return _moved(number, source, target, "it has moved there for good", settings)
    if known.state is State.GONE:
        why = f"the publisher said three times that it is gone (410), since {_day(known.failing_since)}"
        return _paused(number, why)
    named = named_feed_of(known.code, known.error)
    if known.state is State.FAILING and named is not None and known.failures >= TIMES and match_url(named) not in taken:
        why = f"{known.failures} times in a row it was a page, which names this feed"
        taken.add(match_url(named))
        return _moved(number, source, named, why, settings)
    since, last = known.failing_since, known.last_attempt
    is_dead = since is not None and last is not None and last - since >= DEAD and known.failures >= DEAD_TIMES
    if known.state is State.FAILING and is_dead:
        return _paused(number, f"it is dead: {known.failures} failures in a row since {_day(since)} ({known.code})")
    return None


def _moved(number: int, source: Source, target: Url, why: str, settings: Settings) -> _Fix | None:
    if source.private or source.safe_url != source.url or without_secrets(target, settings.secrets) != target:
        return None  # an address with a secret is not shown, and feeds.yaml has it as ${NAME}
    url = [("url", key_text(str(target)))]
    return _Fix(number, why, url, ("url", "key", "was", "safe_url"), was=str(source.safe_url))


def _paused(number: int, why: str) -> _Fix:
    said = f"{why}; what it published stays. `aggregator remove` takes it out"
    return _Fix(number, said, [("paused", "true")], ("paused",))


def _of_reading(number: int, source: Source, known: SourceStatus, *, overflows: bool) -> _Fix | None:
    if known.state is State.OK and source.reading.encoding is None and NAME_ENCODING in (known.advice or ""):
        said, _, encoding = (known.advice or "").partition(NAME_ENCODING)
        return _Fix(number, said, [("encoding", key_text(encoding.split(";")[0].strip()))], ("reading",))
    if overflows and source.every is not None and source.every > SHORTEST:
        every = duration_text(max(SHORTEST, source.every / 2))
        why = f"at the last poll all its entries were new: some may be missed; every was {duration_text(source.every)}"
        return _Fix(number, why, [("every", every)], ("every",))
    return None


def _differ_in_place_only(one: Source, other: Source) -> bool:
    """Return whether two sources differ only in their addresses, titles and categories: one can stand for both."""
    names = ("key", "url", "safe_url", "line", "title", "categories", "was", "crowding", "allow_private")
    return replace(one, **{name: getattr(other, name) for name in names}) == other


def _edit(hand: Hand, fixes: Sequence[_Fix]) -> None:
    """Make the edits in the text, and note the settings that follow.

    Raises:
        EditRefused: the file can't be edited by a program, or an edit would change something else as well.
    """
    for fix in fixes:
        if fix.twin is not None:
            merged = tuple(dict.fromkeys((*hand.sources[fix.twin].categories, *hand.sources[fix.number].categories)))
            if merged != hand.sources[fix.twin].categories:
                hand.text.put((SOURCES, fix.twin), [("category", listed(merged))])
                hand.change(fix.twin, categories=merged)
            continue
        if fix.was is not None:  # first: it makes a mapping of an address alone
            hand.text.append((SOURCES, fix.number, "was"), key_text(fix.was))
        hand.text.put((SOURCES, fix.number), fix.write)
    edited = hand.edited()
    for fix in fixes:
        new, old = edited[fix.number], hand.sources[fix.number]
        if "reading" in fix.fields:
            hand.change(fix.number, reading=replace(old.reading, encoding=new.reading.encoding))
        else:
            hand.change(fix.number, **{name: getattr(new, name) for name in fix.fields})
    for number in sorted((fix.number for fix in fixes if fix.twin is not None), reverse=True):
        hand.text.drop_item((SOURCES,), number)
        del hand.sources[number]


def _minute(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M} UTC"


def _day(when: datetime | None) -> str:
    return f"{when:%Y-%m-%d}" if when else "long ago"
