"""A plan in words: what comes, what goes, what is otherwise, and what the rules would make of the last week."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

SHOWN = 10  # entries of a source that are named
DOES = {
    "publish": "would be published",
    "withdraw": "would be withdrawn",
    "move": "would stand elsewhere",
    "rewrite": "would read otherwise",
}

Names = Callable[[str], str]


def in_words(record: Mapping[str, Any], names: Names) -> Iterator[str]:
    """Say what `plan --json` says, as far as people need it.

    Args:
        record: the shape of `plan --json`.
        names: returns what the source of a key is called.
    """
    if not record["changes"]:
        yield f"{record['config']}: nothing would change."
        return
    first = " for the first time: nothing is in force yet" if record["first"] else ""
    yield f"If {record['config']} went live{first}:"
    for change in record["settings"]:
        yield f"  {change['name']}: {_turn(change)}"
    yield from _categories(record["categories"])
    yield from _sources(record["sources"], names)
    for fill in record["fills"]:
        yield (
            f"  {names(fill['source'])} enters {fill['category']} and brings its newest {fill['entries']} entries "
            f"along, {fill['in_main']} of them into the main document"
        )
    for thins in record["thins"]:
        yield (
            f"  {names(thins['source'])} keeps texts for {thins['keep']}: those of {thins['entries']} stored entries "
            "would leave the store and the archive, for good; make a backup first"
        )
    for ruled in record["rules"]:
        yield from _rules(ruled, names)
    if record["rules"]:
        yield "Rules hold for what comes from then on; of what is stored, `aggregator publish --rules` makes that."


def _categories(said: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"  + category {key}" for key in said["added"])
    yield from (f"  - category {key}: no new entries; its files stay" for key in said["removed"])
    yield from (f"  ! {left['advice']}" for left in said["left"])
    for changed in said["changed"]:
        feed = f"{changed['feed']}.* with its ids and archive"
        was = f", which was {changed['was']}: {feed} goes on" if changed["was"] else ""
        back = f", which is back: {feed} goes on" if changed["returns"] and not was else ""
        yield f"  ~ category {changed['key']}{was or back}"
        yield from _changes(changed["changes"])


def _sources(said: Mapping[str, Any], names: Names) -> Iterator[str]:
    for source in said["added"]:
        address = source["url"] or "an address that is not shown"
        yield f"  + {names(source['key'])}  {address}  in {', '.join(source['categories'])}"
    yield from (f"  - {names(key)}: polled no more; what it published stays" for key in said["removed"])
    for changed in said["changed"]:
        was = f", which was {changed['was']}: its history is kept" if changed["was"] else ""
        asked = " (asked at once, from the start)" if changed["is_asked"] else ""
        yield f"  ~ {names(changed['key'])}{was}{asked}"
        yield from _changes(changed["changes"])


def _changes(changes: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield from (f"      {change['name']}: {_turn(change)}" for change in changes)


def _turn(change: Mapping[str, Any]) -> str:
    return f"{change['old'] or 'none'} → {change['new'] or 'none'}"


def _rules(ruled: Mapping[str, Any], names: Names) -> Iterator[str]:
    counts = ", ".join(f"{ruled[word]} {words}" for word, words in DOES.items() if ruled[word])
    yield f"  rules of {names(ruled['source'])}: of {ruled['looked_at']} entries of the last week, {counts}"
    for entry in ruled["entries"][:SHOWN]:
        new = f" → {entry['new_title']}" if entry["new_title"] else ""
        why = f"  ({entry['rule']})" if entry["rule"] else ""
        where = "".join(f" +{key}" for key in entry["enters"]) + "".join(f" -{key}" for key in entry["leaves"])
        yield f"      {entry['does']:8} {entry['title'] or '(untitled)'}{new}{where}{why}"
    if len(ruled["entries"]) > SHOWN:
        yield f"      and {len(ruled['entries']) - SHOWN} more; --json names them all"
