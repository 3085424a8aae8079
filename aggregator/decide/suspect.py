"""Suspicion that a source became another feed (R44), and doubt about a list. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from aggregator.decide.losses import HOLDING, is_held_for_loss
from aggregator.model.entry import Feed
from aggregator.model.job import Gathered, SourceJob
from aggregator.model.known import EntryState, Identity, Known
from aggregator.model.outline import Outline
from aggregator.model.poll import Failed, State
from aggregator.model.settings import Kind, Source
from aggregator.urls import host_of

PROOF = timedelta(hours=48)  # of an identity that does not change again; then it is believed
CHANGED = 2  # of the three parts of an identity


def identity_of(feed: Feed) -> Identity:
    """Return the values by which a document is recognised as of the same feed as the one before."""
    return Identity(id=feed.id, title=feed.title, host=host_of(feed.link) if feed.link else "")


def suspect_since(due: SourceJob, feed: Feed, known: Known, asked_at: datetime) -> datetime | None:
    """Return since when a source looks like another feed, after a document; None if it does not.

    It does if most of its identity has changed and nothing in the document is known: a sold domain, or a server that
    returns another feed. New entries alone, however many, prove nothing.
    """
    if due.source.trust or due.source.reading.kind is not Kind.FEED or not due.stored_before:
        return None
    since = due.observed.suspect_since
    if not feed.entries:
        return since
    if is_itself(known):
        return None
    if known.identity is not None and identity_of(feed).differs_from(known.identity) >= CHANGED:
        return asked_at  # suspicion begins anew
    return None if since is None or asked_at - since >= PROOF else since


def is_itself(known: Known) -> bool:
    """Return whether a document contains anything from before its source was suspect."""
    listed = (*known.entries.values(), *known.reused.values())
    return known.shares_items or bool(known.matched) or any(entry.state is not EntryState.HELD for entry in listed)


def is_release(poll: Gathered[SourceJob]) -> bool:
    """Return whether a poll without a document ends the suspicion: nothing has changed for long enough."""
    if not poll.is_quiet or isinstance(poll.answer, Failed):
        return False
    observed, asked_at = poll.job.observed, poll.answer.asked_at
    if observed.suspect_since is not None:
        return asked_at - observed.suspect_since >= PROOF
    was_held = poll.job.health.state is State.SUSPECT and not HOLDING.isdisjoint(observed.lost)
    return was_held and not is_held_for_loss(observed.lost, observed.lost_since, asked_at)


FEW = 3  # feeds; of a list that short any number may go at once, though not all


def doubt_of(source: Source, feed: Feed, known: Sequence[Outline]) -> str | None:
    """Return why the last good copy of a list stays in force; None if the new one is believed.

    Args:
        source: the list; `trust: true` is the operator's word that what it says is meant.
        feed: what it says now.
        known: the last good copy; empty if there was none.
    """
    if not known or source.trust:
        return None
    left = {outline.url for outline in feed.outlines}
    gone = sum(outline.url not in left for outline in known)
    advice = "its last good copy stays in force; if that is intended, write trust: true for as long"
    if feed.cut and gone:
        return f"a list that is cut off, without {gone} of its {len(known)} feeds: its last good copy stays in force"
    if not left:
        return f"a list that is empty, of {len(known)} feeds: {advice}"
    if len(known) > FEW and 2 * gone > len(known):
        return f"a list that lost {gone} of its {len(known)} feeds at once: {advice}"
    return None
