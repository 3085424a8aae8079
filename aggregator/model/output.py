"""One file to publish: its path, how it is rendered, and how it is served."""

from collections.abc import Callable
from dataclasses import dataclass

from aggregator.urls import Url


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One file to put in place; it is rendered when its turn comes, and what fails then harms no other."""

    path: str
    render: Callable[[], bytes]
    max_age: int  # seconds
    gzip: bool = True  # it has a twin, if twins are wanted
    copied: bool = False  # the operator's own file, or an old address of an output
    like: str | None = None  # that output, whose media type it bears
    lasting: bool = True  # False: it is on the disk only after `sync`, for it can be made again (R30), and has no twin
    facts: str = ""  # digest of all that it shows: not rendered again while that and the file stay; empty: unknown
    gone: int | None = None  # what its address answers, of a note in place of what is no longer published (A42)
    topic: Url | None = None  # the address by which a hub is told of it, if it may have news (A86)
    beside: bool = False  # may be put at the same time as the one before it: neither leads to the other (R31)
