"""Bodies of `remove`, `pause`, `resume`, `rename` and `move`, which edit sources and categories in feeds.yaml."""

import argparse
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from aggregator.cli.edit import WRONG, checked, finish, read_file
from aggregator.cli.names import matches, parts_of_titles, same_address, stored_titles, unclear, unclear_category
from aggregator.cli.open import configured
from aggregator.cli.terminal import called, printable
from aggregator.config.addresses import web_address
from aggregator.config.editing import SOURCES, ConfigText
from aggregator.config.findings import Unfit
from aggregator.config.loader import load_config, read_config
from aggregator.config.positions import EditRefused, Place, Shape
from aggregator.config.source_text import key_text, listed, literal
from aggregator.config.vocabulary import category_key, source_key
from aggregator.errors import AggregatorError, ConfigError
from aggregator.model.naming import name_of_source
from aggregator.model.settings import GENERAL, Category, CategoryKey, Source, SourceKey

CATEGORIES = "categories"


class NotFound(AggregatorError):
    """A name fits nothing, or several things. The message lists candidates."""


class Hand:
    """One run of such a command: feeds.yaml, and the edit that is made of it.

    Args:
        options: of the command line.
        environ: variables for `${NAME}`.

    Raises:
        ConfigError: feeds.yaml has errors.
    """

    def __init__(self, options: argparse.Namespace, environ: Mapping[str, str]) -> None:
        self.options, self._environ = options, environ
        self.settings = load_config(options.config, environ)
        self._before = read_file(options.config)
        self.text = ConfigText(self._before or b"")
        self.sources = list(self.settings.sources)
        self.categories = {category.key: category for category in self.settings.categories}
        self.titles = stored_titles(self.settings)

    def number_of(self, name: str) -> int:
        """Return the number of a source in feeds.yaml, from 0, by its key, address, title or a part of its title.

        Raises:
            NotFound: the name fits no source, or several, or a feed of a list.
        """
        found = self.numbers_of(name)
        if len(found) == 1:
            return found[0]
        keys = [self.sources[number].key for number in found]
        raise NotFound(unclear(name, keys, self.settings, self.options.config, nearest=3))

    def numbers_of(self, name: str) -> list[int]:
        """Return the numbers of the sources that a name may mean.

        Raises:
            NotFound: it is a feed of a list.
        """
        numbers = {source.key: number for number, source in enumerate(self.sources)}
        keys = (
            matches(name, self.sources, lambda: self.titles)
            or same_address(name, self.sources)
            or parts_of_titles(name, self.sources, self.titles)
        )
        if not keys and self.settings.has_lists:
            whole = configured(self.options, self._environ)
            of_list = [one for one in whole.sources if one.listed_by and one.key in matches(name, [one], lambda: {})]
            if of_list:
                by = f"{of_list[0].key} is a feed of the list {of_list[0].listed_by}, not of feeds.yaml"
                url = key_text(of_list[0].safe_url or "…")
                advice = f"write it as a source of your own, - {{url: {url}}}, and edit that"
                raise NotFound(f"{by}; {advice}")
        return [numbers[key] for key in keys]

    def category_of(self, name: str) -> Category | None:
        """Return the category with a key or title; None if there is none."""
        wanted = name.casefold()
        keys = (one for one in self.categories.values() if one.key == name)
        titles = (one for one in self.categories.values() if wanted in (one.key.casefold(), one.title.casefold()))
        return next(keys, None) or next(titles, None)

    def called(self, number: int) -> str:
        """Return the name of a source with its key, for reports."""
        source = self.sources[number]
        return called(name_of_source(source, self.titles.get(source.key)), source.key)

    def change(self, number: int, **values: Any) -> None:
        """Note the settings that a source has after the edit."""
        self.sources[number] = replace(self.sources[number], **values)

    def edited(self) -> tuple[Source, ...]:
        """Return the sources of the text as it is now.

        Raises:
            EditRefused: the text has errors.
        """
        try:
            return read_config(self.text.data, self.settings.path, self._environ).sources
        except ConfigError as error:
            raise EditRefused("; ".join(problem.what for problem in error.problems)) from error

    def finish(self, said: str, record: Mapping[str, Any]) -> int:
        """Check, show, ask and write; return the exit code.

        Raises:
            EditRefused: the edit would change something else as well.
        """
        from aggregator.cli.plan import effects_of  # late: a name that is refused needs no store

        after = self.text.data
        expected = replace(self.settings, sources=tuple(self.sources), categories=tuple(self.categories.values()))
        settings = checked(after, expected, self._environ)
        effects = effects_of(self.settings, settings, self.options, self._environ)
        whole = {"done": said, **record, "effects": effects}
        return finish(self.options, self._before, after, self.settings, effects=effects, said=said, record=whole)


def _guarded(work: Callable[[Hand], int], options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    try:
        return work(Hand(options, environ))
    except (NotFound, EditRefused) as error:
        print(printable(f"aggregator: {error}"), file=sys.stderr)
        return WRONG


def run_remove(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Remove sources from feeds.yaml."""

    def work(hand: Hand) -> int:
        numbers = _numbers(hand, options.source)
        if len(numbers) == len(hand.sources):
            raise EditRefused("feeds.yaml needs a source; add another one first: aggregator add URL")
        said = f"removed {_names(hand, numbers)}"
        keys = [hand.sources[number].key for number in numbers]
        for number in sorted(numbers, reverse=True):
            hand.text.drop_item((SOURCES,), number)
            del hand.sources[number]
        return hand.finish(said, {"sources": keys})

    return _guarded(work, options, environ)


def run_pause(options: argparse.Namespace, environ: Mapping[str, str], *, paused: bool) -> int:
    """Set or remove `paused` of sources."""

    def work(hand: Hand) -> int:
        numbers = _numbers(hand, options.source)
        new = [number for number in numbers if hand.sources[number].paused != paused]
        word = "paused" if paused else "resumed"
        said = f"{word} {_names(hand, new)}" if new else f"{_names(hand, numbers)}: {_ALREADY[paused]}"
        for number in new:
            if paused:
                hand.text.put((SOURCES, number), [("paused", "true")])
            else:
                hand.text.drop_key((SOURCES, number), "paused")
            hand.change(number, paused=paused)
        return hand.finish(said, {"sources": [hand.sources[number].key for number in numbers]})

    return _guarded(work, options, environ)


_ALREADY = {True: "paused already, nothing to write", False: "not paused, nothing to write"}


def run_move(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Set the categories of a source."""

    def work(hand: Hand) -> int:
        number = hand.number_of(options.source)
        names = dict.fromkeys(one.key if (one := hand.category_of(name)) else name for name in options.category)
        keys = tuple(CategoryKey(_fit(category_key, name)) for name in names)
        new = [key for key in keys if key not in hand.categories]
        said = f"moved {hand.called(number)} to {', '.join(keys)}"
        if keys != hand.sources[number].categories:
            hand.text.put((SOURCES, number), [("category", listed(keys))])
            hand.change(number, categories=keys)
        else:
            said = f"{hand.called(number)} is in {', '.join(keys)} already, nothing to write"
        if new:
            said += f" ({', '.join(new)} is new; `aggregator rename {new[0]} TITLE` gives it a title)"
        return hand.finish(said, {"sources": [hand.sources[number].key], "categories": list(keys)})

    return _guarded(work, options, environ)


def run_rename(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Write another title of a source or a category into feeds.yaml; with `--key` a key, with `--url` an address."""

    def work(hand: Hand) -> int:
        category = None if options.url else hand.category_of(options.name)
        if options.url and options.is_category:
            raise EditRefused("a category has no address of its own; leave out --category, or write --key")
        if options.is_category and category is None:
            raise NotFound(unclear_category(options.name, hand.settings))
        if category is not None:
            found = [] if options.is_category else matches(options.name, hand.sources, lambda: hand.titles)
            if found:
                raise NotFound(
                    f"{options.name} is a category, and the name of {', '.join(found)}; write --category, or that key"
                )
            return (_rekey_category if options.key else _retitle_category)(hand, category, options.new)
        if not hand.numbers_of(options.name):
            said = unclear(options.name, (), hand.settings, options.config, nearest=3)
            raise NotFound(f"{said}; {unclear_category(options.name, hand.settings)}")
        number = hand.number_of(options.name)
        if options.url:
            return _readdress(hand, number, options.new)
        return (_rekey_source if options.key else _retitle_source)(hand, number, options.new)

    return _guarded(work, options, environ)


def _retitle_source(hand: Hand, number: int, title: str) -> int:
    said = f"renamed {hand.called(number)} to {title}"
    hand.text.put((SOURCES, number), [("title", key_text(literal(title)))])
    hand.change(number, title=title)
    return hand.finish(said, {"source": hand.sources[number].key, "title": title})


def _rekey_source(hand: Hand, number: int, key: str) -> int:
    source, new = hand.sources[number], SourceKey(_fit(source_key, key))
    said = f"{hand.called(number)} has the key {new} now, and keeps its history"
    if new == source.key:
        return hand.finish(f"{source.key} has that key already, nothing to write", {})
    hand.text.put((SOURCES, number), [("key", key_text(new))])
    hand.text.append((SOURCES, number, "was"), key_text(source.key))
    hand.change(number, key=new, was=(*source.was, str(source.key)))
    return hand.finish(said, {"source": new, "was": source.key})


def _readdress(hand: Hand, number: int, url: str) -> int:
    """Write another address of a source, and `was` with the earlier one, so that its history goes on."""
    source = hand.sources[number]
    if source.path is not None:
        raise EditRefused(f"{hand.called(number)} is a file; only addresses of the web can be written here")
    _fit(lambda text: str(web_address(text, text).url), re.sub(r"\$\{\w+\}", "x", url))
    place = hand.text.find(SOURCES, number, "url") or hand.text.find(SOURCES, number)
    assert place is not None, "it is a source of feeds.yaml"
    before = place.value
    if place.shape is not Shape.SCALAR:
        raise EditRefused("the address is written in a way that a program can't edit; edit it by hand")
    hand.text.append((SOURCES, number, "was"), key_text(before))  # first: it makes a mapping of an address alone
    hand.text.put((SOURCES, number), [("url", key_text(url))])
    edited = hand.edited()[number]
    if edited.url == source.url:
        raise EditRefused(f"{hand.called(number)} has that address already, nothing to write")
    fields = ("url", "safe_url", "key", "was", "auth", "allow_private")
    hand.change(number, **{name: getattr(edited, name) for name in fields})
    said = f"{hand.called(number)} is polled at {edited.safe_url or 'its new address'} now, and keeps its history"
    return hand.finish(said, {"source": edited.key, "url": edited.safe_url, "was": source.safe_url})


def _retitle_category(hand: Hand, category: Category, title: str) -> int:
    said = f"renamed category {category.key} to {title}; its key and its addresses stay"
    hand.text.put((CATEGORIES, category.key), [("title", key_text(literal(title)))])
    hand.categories[category.key] = replace(category, title=title, declared=True)
    return hand.finish(said, {"category": category.key, "title": title})


def _rekey_category(hand: Hand, category: Category, key: str) -> int:
    old, new = category.key, CategoryKey(_fit(category_key, key))
    if new == old:
        return hand.finish(f"{old} has that key already, nothing to write", {})
    if new in hand.categories:
        raise EditRefused(f"there is a category {new} already; `aggregator move` moves sources to it")
    said = f"category {old} has the key {new} now; its addresses, ids and archive go on"
    if hand.text.find(CATEGORIES, old) is None:
        hand.text.put((CATEGORIES, new), [("was", key_text(old))])
    else:
        hand.text.replace_key((CATEGORIES,), old, new)
        hand.text.append((CATEGORIES, new, "was"), key_text(old))
    members = [number for number, source in enumerate(hand.sources) if old in source.places]
    mentions = [path for number in members for path in _mentions(hand.text, number, old)]
    unnamed = [n for n in members if old == GENERAL and hand.text.find(SOURCES, n, "category") is None]
    hand.text.replace_texts(mentions, new)
    for number in unnamed:
        hand.text.put((SOURCES, number), [("category", key_text(new))])
    for number in members:
        source = hand.sources[number]
        hand.change(
            number,
            categories=tuple(new if key == old else key for key in source.categories),
            routes=tuple(replace(route, to=new) if route.to == old else route for route in source.routes),
        )
    title = new if category.title == old else category.title
    renamed = replace(category, key=new, title=title, was=(*category.was, old), declared=True)
    hand.categories = {one.key: one for one in (renamed if c is category else c for c in hand.categories.values())}
    return hand.finish(said, {"category": new, "was": old})


def _mentions(text: ConfigText, number: int, key: str) -> Iterator[tuple[str | int, ...]]:
    """Yield the paths of the values of a source that name a category."""
    listed = text.find(SOURCES, number, "category")
    places: list[tuple[tuple[str | int, ...], Place | None]] = [((SOURCES, number, "category"), listed)]
    if listed is not None and listed.shape is Shape.LIST:
        places = [((SOURCES, number, "category", i), place) for i, place in enumerate(listed.items)]
    routes = text.find(SOURCES, number, "route")
    for i, route in enumerate(routes.items if routes is not None else ()):
        places.append(((SOURCES, number, "route", i, "to"), route.get("to")))
    yield from (path for path, place in places if place is not None and place.value == key)


def _numbers(hand: Hand, names: Sequence[str]) -> list[int]:
    return list(dict.fromkeys(map(hand.number_of, names)))


def _names(hand: Hand, numbers: Sequence[int]) -> str:
    return ", ".join(map(hand.called, numbers))


def _fit(check: Callable[[str], str], text: str) -> str:
    """Return a text if it passes a check of feeds.yaml.

    Raises:
        EditRefused: it does not pass.
    """
    try:
        return check(text)
    except Unfit as unfit:
        raise EditRefused(f"{text} {unfit}") from unfit
