"""Sentences about hosts that asked for no requests: which host, until when, because of which source (P30, P31, P37)."""

from collections.abc import Mapping

from aggregator.clock import rfc3339
from aggregator.model.hosts import Rest
from aggregator.model.settings import SourceKey


def rest_in_words(rest: Rest, names: Mapping[SourceKey, str] | None = None) -> str:
    """Return why no source of a host is polled.

    Args:
        rest: the rest of the host.
        names: names of sources by key; a source without a name is called by its key.
    """
    line = f"{rest.host} rests until {rfc3339(rest.until)}"
    if rest.source is None:
        return f"{line}, as it asked for"
    name = (names or {}).get(rest.source, rest.source)
    if rest.status in (429, 503):
        return f"{line}, since it answered {rest.status} to {name}"
    return f"{line}, since its limit of requests was used up by {name}"
