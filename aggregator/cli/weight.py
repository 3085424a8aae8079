"""Feeds that have grown heavy: each reader fetches all of one at each change (A22)."""

from pathlib import Path
from typing import Final

from aggregator.model.output_paths import is_output
from aggregator.model.settings import Settings

HEAVY_BYTES: Final = 2**20
MAX_NAMED: Final = 5


def heavy_feeds(settings: Settings) -> list[str]:
    """Advise fewer entries where a published main feed is over a mebibyte, the heaviest first; five at most.

    Entries are never shortened for it: readers that overwrite would lose text they had. A bucket is not looked into.
    """
    root = settings.publish.to
    if not isinstance(root, Path):
        return []
    found: dict[str, int] = {}
    for file in (*root.glob("all.*"), *root.glob("category/*.*")):
        path = file.relative_to(root).as_posix()
        if not is_output(path) or path.endswith(".html"):
            continue
        try:
            size = file.lstat().st_size
        except OSError:  # replaced, or removed, a moment ago
            continue
        feed = path.rpartition(".")[0]
        if size > HEAVY_BYTES:
            found[feed] = max(size, found.get(feed, 0))
    heaviest = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    said = [
        f"{feed} has {size / 2**20:.1f} MiB, and readers fetch all of it at each change; write fewer entries: "
        + ("under publish:" if feed == "all" else "for this category, or show: summary")
        for feed, size in heaviest[:MAX_NAMED]
    ]
    more = len(heaviest) - MAX_NAMED
    return said + ([f"{more} more feeds have over 1 MiB"] if more > 0 else [])
