"""Runs the program of a `kind: command` source, and turns its output into an answer."""

import json
from typing import Final

from aggregator.clock import rfc3339
from aggregator.errors import BodyTooLarge, ProgramFailed, TimedOut
from aggregator.fetch.reading import MAX_WIRE_BYTES, Grow, digest_of
from aggregator.fetch.trip import Trip
from aggregator.model.poll import Answer, Fetched, NotModified
from aggregator.model.settings import Program
from aggregator.programs.run import ProgramEnded, run_program

VERSION: Final = 1  # of what a program is told; docs/hooks.md


def run_command(trip: Trip, program: Program, grow: Grow) -> Answer:
    """Run a program.

    It is told when the last run began whose entries are stored. That time is kept as an ETag is: it is stored in one
    transaction with the entries, and forgotten when settings change that decide how they are read (P9).

    Returns:
        Its output; no news if there is none.

    Raises:
        FetchError: it could not be started, took too long, wrote too much, or ended with a fault.
    """
    ask = trip.ask
    since = (ask.validators.etag if ask.validators else None) or ""
    told = {"version": VERSION, "source": ask.source, "since": since or None, "most_bytes": MAX_WIRE_BYTES}
    facts = {"AGGREGATOR_SOURCE": ask.source, "AGGREGATOR_SINCE": since}
    try:
        body = run_program(
            program,
            [json.dumps(told | {"seconds": program.timeout.total_seconds()}).encode() + b"\n"],
            facts,
            most=MAX_WIRE_BYTES,
            is_over=lambda: trip.flight.ended is not None,
            grow=grow,
        )
    except ProgramEnded as ended:
        if ended.cause in ("late", "cut"):
            raise TimedOut(ask.url, TimedOut.WHOLE, program.timeout.total_seconds()) from ended
        if ended.cause == "large":
            raise BodyTooLarge(ask.url, "its output", MAX_WIRE_BYTES) from ended
        raise ProgramFailed(ask.url, ended.why if ended.cause == "missing" else f"the program {ended.why}") from ended
    began = rfc3339(trip.asked_at)
    trip.flight.received = len(body)
    if not body.strip():
        return NotModified(**trip.said(), etag=began)
    digest = digest_of(body)
    return Fetched(
        **trip.said(),
        url=ask.url,
        body=body,
        body_bytes=len(body),
        body_digest=digest,
        etag=began,
        same_body=digest == ask.body_digest,
    )
