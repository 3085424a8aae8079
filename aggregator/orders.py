"""Several orders of some of the same things, put together as one."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TypeVar

Item = TypeVar("Item")


def merged(orders: Sequence[Sequence[Item]]) -> list[Item]:
    """Put orders together, so that each of them holds; where two clash, the first.

    Where nothing tells, the order is that in which things are first met.
    """
    found = list(dict.fromkeys(item for order in orders for item in order))
    before: dict[Item, set[Item]] = {item: set() for item in found}  # what must stand right before it, or earlier
    for order in orders:
        for earlier, later in pairwise(dict.fromkeys(order)):
            if not _leads(later, earlier, before):
                before[later].add(earlier)
    result: list[Item] = []
    while found:
        item = next(one for one in found if before[one].issubset(result))
        found.remove(item)
        result.append(item)
    return result


def _leads(item: Item, to: Item, before: Mapping[Item, set[Item]]) -> bool:
    """Tell whether one thing must stand before another."""
    seen: set[Item] = set()
    waiting = [to]
    while waiting:
        seen.add(one := waiting.pop())
        waiting += before[one] - seen
    return item in seen
