"""Where outputs go: a folder or a bucket, which the rest of the program can't tell apart."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Protocol, TypeVar

from aggregator.errors import PublishError
from aggregator.model.settings import BucketAddress
from aggregator.publish.folder import Folder


class Destination(Protocol):
    """What can hold outputs; paths are relative, with slashes: `category/python.atom`.

    All of it may raise PublishError. Threads may share it where `abreast` says so.
    """

    @property
    def abreast(self) -> int:
        """Say how many calls may go on at once: 1 for a disk, more where each is a request."""

    def where(self) -> str:
        """Say which place this is: the same text, the same place."""

    def named(self, path: str) -> str:
        """Name a file as an operator would look for it."""

    def replace(
        self,
        path: str,
        data: bytes,
        *,
        gzip: bool,
        max_age: int = ...,
        durable: bool = ...,
        like: str | None = ...,
    ) -> bool:
        """Put a file in place, whole or not at all, unless it stands there already; tell whether its bytes changed.

        Args:
            path: of the file.
            data: the whole content.
            gzip: whether it is to be had compressed.
            max_age: how many seconds who reads it may keep it (A75); for a place that is served without us.
            durable: False: only safe after `sync_folders` (R30).
            like: the output that it is a copy of, whose media type it bears; for a place that is served without us.
        """

    def sync_folders(self) -> None:
        """Make safe what was put with `durable=False`."""

    def remove(self, path: str) -> bool:
        """Remove a file of ours; tell whether it stood there."""

    def stranger(self, path: str) -> bool | None:
        """Tell what stands where a file shall be written that the store does not list.

        None: nothing; True: a file that bears our mark; False: somebody else's.
        """

    def below(self, folder: str) -> Iterator[str]:
        """Give the paths of all files below a folder, whosever they are, in no order; none if it is not there."""

    def read(self, path: str, limit_bytes: int) -> bytes:
        """Read a file of ours, which may have so many bytes at most; it is an error if it is not there."""

    def digest(self, path: str) -> str | None:
        """Give the SHA-256 of a file's content, in hex; None if there is none, or none that is ours to tell."""

    def sweep(self) -> int:
        """Remove what a killed run left half written; tell how much it was."""


def open_destination(to: Path | BucketAddress) -> Destination:
    """Open what `publish.to` names.

    Raises:
        PublishError: it can't be made, or does not let us work, or its extra is not installed.
    """
    if isinstance(to, Path):
        return Folder(to)
    from aggregator.publish.bucket import Bucket

    return Bucket(to)


Item = TypeVar("Item")
Result = TypeVar("Result")


def abreast(
    call: Callable[[Item], Result], items: Iterable[Item], width: int
) -> Iterator[tuple[Item, Result | PublishError]]:
    """Call something for each of some items, and give what came of each, in their order.

    Args:
        call: may raise PublishError, which is given in place of a result.
        items: taken one by one in the calling thread, as there is room for them: no more than `width` are held.
        width: how many calls may go on at once; with 1 there is no other thread.

    Raises:
        Exception: whatever else a call raised, once those that were under way have ended.
    """
    if width <= 1:
        for item in items:
            yield item, _tried(call, item)
        return
    with ThreadPoolExecutor(width, thread_name_prefix="publish") as pool:
        under_way: deque[tuple[Item, Future[Result | PublishError]]] = deque()
        for item in items:
            if len(under_way) == width:
                first, future = under_way.popleft()
                yield first, future.result()
            under_way.append((item, pool.submit(_tried, call, item)))
        for last, future in under_way:
            yield last, future.result()


def _tried(call: Callable[[Item], Result], item: Item) -> Result | PublishError:
    try:
        return call(item)
    except PublishError as error:
        return error
