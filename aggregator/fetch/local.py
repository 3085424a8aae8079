"""Reads local sources (`kind: file`, and `kind: opml` with a path): a file below the folder of feeds.yaml (S2)."""

import os
import stat
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from aggregator.errors import BodyTooLarge, EmptyBody, FileUnreadable
from aggregator.fetch.body import Grow
from aggregator.fetch.coding import MAX_DECODED_BYTES
from aggregator.model.ask import Ask


def read_file(ask: Ask, grow: Grow) -> bytes:
    """Read the file of a local source.

    `config` has checked that the path, symlinks resolved, lies below the folder of feeds.yaml, and has put the resolved
    path into the source's URL. A symlink may since lead to another file, but only within that file's folder.

    Raises:
        FileUnreadable: it does not exist, is no regular file, or leads elsewhere now.
        BodyTooLarge: over 20 MiB.
        EmptyBody: the file is empty.
    """
    url = ask.url
    if ask.path is None:
        raise FileUnreadable(url, "it has no path")
    checked = Path(url2pathname(urlsplit(ask.configured).path))
    try:
        path = ask.path.resolve(strict=True)
        if not path.is_relative_to(checked.parent):
            raise FileUnreadable(url, "it now leads to another folder than when feeds.yaml was read; reload that")
        # NONBLOCK: opening a named pipe must not block the worker
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(handle, "rb") as file:  # noqa: PTH123  # a descriptor, no path
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode):
                raise FileUnreadable(url, "it is no regular file")
            grow(min(found.st_size, MAX_DECODED_BYTES))
            body = file.read(MAX_DECODED_BYTES + 1)
    except (OSError, RuntimeError) as error:  # RuntimeError: symlinks in a circle
        raise FileUnreadable(
            url, f"it can't be read: {getattr(error, 'strerror', None) or 'symlinks in a circle'}"
        ) from error
    if len(body) > MAX_DECODED_BYTES:
        raise BodyTooLarge(url, "the file", MAX_DECODED_BYTES)
    if not body:
        raise EmptyBody(url)
    return body
