"""Requests to a place that is far away, several at once: each takes a while, and none has to do with the others."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from aggregator.errors import PublishError

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
