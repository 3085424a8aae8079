"""Entries that the library `reader` stores: `python readers.py URL...` prints them as JSON, for each address.

It runs in an environment of its own, and imports nothing of ours.
"""

import json
import sys

from reader import make_reader  # type: ignore[import-not-found]  # installed by .ci/services, away from us


def main(urls: list[str]) -> None:
    """Follow feeds and print what is kept."""
    library = make_reader(":memory:")
    said = {}
    for url in urls:
        library.add_feed(url)
        library.update_feed(url)
        said[url] = [
            {
                "id": entry.id,
                "title": entry.title,
                "link": entry.link,
                "date": (entry.published or entry.updated).isoformat(),
                "content": entry.content[0].value if entry.content else entry.summary or "",
            }
            for entry in library.get_entries(feed=url)
        ]
    sys.stdout.write(json.dumps(said))


main(sys.argv[1:])
