"""What was rendered lately."""

from hypothesis import given
from hypothesis import strategies as st

from aggregator.render.cache import LruCache, forget_all


def test_what_was_kept_is_found() -> None:
    memory: LruCache[str] = LruCache(max_bytes=100, each_bytes=0)
    memory.keep("a", "x", 5)
    assert memory.get("a") == "x"
    assert memory.get("b") is None
    memory.clear()
    assert memory.get("a") is None


def test_what_was_not_asked_for_longest_goes_first() -> None:
    memory: LruCache[str] = LruCache(max_bytes=100, each_bytes=0)
    for name in "abcdefghij":
        memory.keep(name, name, 10)
    assert memory.get("a") == "a"
    memory.keep("k", "k", 10)
    assert memory.get("a") == "a"
    assert memory.get("b") is None


def test_what_is_large_drives_nothing_out() -> None:
    memory: LruCache[str] = LruCache(max_bytes=100, each_bytes=0)
    memory.keep("a", "a", 10)
    memory.keep("b", "b", 11)
    assert (memory.get("a"), memory.get("b")) == ("a", None)


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 12)), max_size=60))
def test_l4_it_never_weighs_more_than_its_limit(kept: list[tuple[int, int]]) -> None:
    """Compared with a list of what should be there, the oldest first."""
    memory: LruCache[int] = LruCache(max_bytes=100, each_bytes=2)
    expected: dict[int, int] = {}
    for key, size in kept:
        memory.keep(key, size, size)
        if size <= 10:
            expected.pop(key, None)
            expected[key] = size
        while sum(expected.values()) + 2 * len(expected) > 100:
            del expected[next(iter(expected))]
    assert {key: memory.get(key) for key in range(9)} == {key: expected.get(key) for key in range(9)}


def test_r68_all_caches_are_emptied_at_once() -> None:
    caches: list[LruCache[str]] = [LruCache(max_bytes=100, each_bytes=0) for _ in range(2)]
    for cache in caches:
        cache.keep("a", "x", 5)
    forget_all()
    assert [cache.get("a") for cache in caches] == [None, None]
