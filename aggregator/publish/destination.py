"""Destination of outputs, a folder or a bucket, behind one protocol; and writing outputs there."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from logging import getLogger
from pathlib import Path
from typing import Protocol, TypeVar

from aggregator.errors import PublishError
from aggregator.model.output import Output
from aggregator.model.settings import BucketAddress
from aggregator.publish.folder import Folder

log = getLogger(__name__)


class Destination(Protocol):
    """Place that holds outputs; paths are relative, with slashes: `category/python.atom`.

    All methods may raise PublishError. Threads may share it where `max_parallel` says so.
    """

    @property
    def max_parallel(self) -> int:
        """Number of calls that may run at once: 1 for a disk, more for a bucket, where each call is a request."""

    def where(self) -> str:
        """Return a text that identifies the destination: the same text, the same place."""

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
        """Put a file in place, whole or not at all, unless it is there already; return whether its bytes changed.

        Args:
            path: of the file.
            data: the whole content.
            gzip: whether it is also offered compressed.
            max_age: seconds that a reader may keep it (A75); for a destination that is served without us.
            durable: False: only safe after `sync_folders` (R30).
            like: the output that it is a copy of, whose media type it has; for a destination that is served without us.
        """

    def sync_folders(self) -> None:
        """Make files durable that were put with `durable=False`."""

    def remove(self, path: str) -> bool:
        """Remove a file of ours; return whether there was one."""

    def stranger(self, path: str) -> bool | None:
        """Return whose file is at a path that the store does not list.

        None: nothing; True: a file that bears our mark; False: somebody else's.
        """

    def below(self, folder: str) -> Iterator[str]:
        """Return the paths of all files below a folder in no order; none if the folder is missing."""

    def missing(self, names: Iterable[str]) -> set[str]:
        """Return those names, of files directly in the destination, at which no file stands."""

    def read(self, path: str, limit_bytes: int) -> bytes:
        """Read a file of ours of at most so many bytes; a missing file is an error."""

    def digest(self, path: str) -> str | None:
        """Return the SHA-256 of a file's content, in hex; None if there is no file, or one that we did not write."""

    def digests(self, paths: Iterable[str]) -> dict[str, str | None]:
        """Return the digests of files by path, as `digest` does; None also for one that can't be read."""

    def sweep(self) -> int:
        """Remove the temporary files of a killed run; return how many there were."""


def open_destination(to: Path | BucketAddress) -> Destination:
    """Open what `publish.to` names.

    Raises:
        PublishError: the destination can't be made or does not accept our key, or its extra is not installed.
    """
    if isinstance(to, Path):
        return Folder(to)
    from aggregator.publish.bucket import Bucket

    return Bucket(to)


Item = TypeVar("Item")
Result = TypeVar("Result")


def parallel_map(
    call: Callable[[Item], Result], items: Iterable[Item], width: int
) -> Iterator[tuple[Item, Result | PublishError]]:
    """Call a function for each item in threads, and return items with results, in order.

    Args:
        call: may raise PublishError, which is returned in place of a result.
        items: taken one by one in the calling thread; no more than `width` are held.
        width: how many calls may run at once; with 1 there is no other thread.

    Raises:
        Exception: any other exception of a call, once the calls under way have ended.
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


def write_all(
    to: Destination, outputs: Iterable[Output], *, gzip: bool
) -> Iterator[tuple[Output, bytes, bool | PublishError]]:
    """Render outputs and put them in place, in this order.

    Outputs that may be put `beside` each other are, where the destination takes several at once. Each is rendered when
    its turn comes, in the calling thread.

    Args:
        to: where they go.
        outputs: what to write.
        gzip: whether outputs are also offered compressed.

    Returns:
        Each output with its bytes, and whether they changed; or with why it could not be rendered or put.
    """

    def replace(rendered: tuple[Output, bytes | PublishError]) -> bool:
        output, data = rendered
        if isinstance(data, PublishError):
            raise data
        packs, age, durable = gzip and output.gzip, output.max_age, output.durable
        return to.replace(output.path, data, gzip=packs, max_age=age, durable=durable, like=output.like)

    for together in _together(outputs):
        rendered = ((output, _rendered(output)) for output in together)
        for (output, data), came in parallel_map(replace, rendered, to.max_parallel):
            yield output, data if isinstance(data, bytes) else b"", came


def _together(outputs: Iterable[Output]) -> Iterator[list[Output]]:
    """Split outputs into groups; no output of a group is written before all of the group before it are in place."""
    together: list[Output] = []
    for output in outputs:
        if together and not output.beside:
            yield together
            together = []
        together.append(output)
    if together:
        yield together


def _rendered(output: Output) -> bytes | PublishError:
    """Render an output; a fault of ours, or of a theme, stops no other (R32)."""
    try:
        return output.render()
    except PublishError as error:
        return error
    except Exception as error:
        log.exception("crash_render", extra={"output": output.path})
        why = f"can't be rendered, by a fault in aggregator or in a template of the theme: {error!r}; the old one stays"
        return PublishError(output.path, why)
