"""Record of one file to publish."""

from collections.abc import Callable

from aggregator.model.record import record
from aggregator.urls import Url


@record
class Output:
    """One file to publish. `render` is called when the file is written; an error there stops no other file."""

    path: str
    render: Callable[[], bytes]
    max_age: int  # seconds
    gzip: bool = True  # has a compressed copy (`.gz`), if `publish.gzip` is set
    copied: bool = False  # a file of `publish.static`, or an alias
    like: str | None = None  # path of the output that has the same media type
    durable: bool = True  # False: not synced to the disk at once, since it can be rendered again (R30)
    facts: str = ""  # digest of its content; an unchanged file with the same digest is not rendered; empty: unknown
    gone: int | None = None  # HTTP status of a note in place of something that is no longer published (A42)
    topic: Url | None = None  # address of a feed that may have news, for the ping to the hub (A86)
    beside: bool = False  # may be written in parallel with the output before it: neither links to the other (R31)
