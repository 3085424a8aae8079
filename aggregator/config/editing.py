"""Edits the text of feeds.yaml and keeps its comments, layout, quoting and order.

The text is edited, not generated from the settings, so that all other lines stay as the operator wrote them. The
caller must load the result and check it before it replaces the old file.

A path names a value from the root: keys of mappings, and numbers of items of lists, from 0.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

import yaml

from aggregator.config.positions import EditRefused, Place, Shape, read_positions
from aggregator.config.source_text import NewSource, key_text, scalar, source_pairs

FRESH: Final = "# Everything that can stand here: docs/feeds.md. `aggregator check` says what is wrong.\n"
SOURCES: Final = "sources"
_DASH = re.compile(r"(\s*)-( +)(?:[&!]\S+ +)*")
_ANCHOR = re.compile(r"[&!]\S*\s+")
_BY_HAND = "the layout of feeds.yaml can't be edited by a program; edit it by hand"

Path = Sequence[str | int]


class ConfigText:
    """Text of feeds.yaml that is being edited. Each method makes one edit.

    Args:
        data: content of the file; empty for a new file.

    Raises:
        EditRefused: the text is not YAML in UTF-8. The methods raise it as well, if the value is written in a way
            that a program can't edit safely.
    """

    def __init__(self, data: bytes) -> None:
        try:
            self._text = data.decode("utf-8") if data.strip() else FRESH
        except UnicodeDecodeError as error:
            raise EditRefused(_UNREADABLE) from error
        self._newline = "\r\n" if "\r\n" in self._text else "\n"
        self._read: Place | None = None  # root of the text as it is; None: to be read again after an edit
        self._root  # noqa: B018 - refuses a text that is not YAML

    @property
    def data(self) -> bytes:
        """The content of the file, after the edits so far."""
        return self._text.encode("utf-8")

    def find(self, *path: str | int) -> Place | None:
        """Return the place of a value; None if there is none."""
        place: Place | None = self._root
        for step in path:
            if place is None:
                return None
            found = [place.get(step)] if isinstance(step, str) else place.items[step : step + 1]
            place = found[0] if found else None
        return place

    def written(self, place: Place) -> str:
        """Return the text of a value."""
        return self._text[place.start : place.end]

    def add_items(self, key: str, items: Sequence[Sequence[tuple[str, str]]]) -> None:
        """Add mappings to the end of a list at the top level, written like those before them.

        Args:
            key: the key of the list, which is made if it is missing.
            items: keys and values, the values as YAML; an item of one pair is written as its value alone.
        """
        found = self._root.get(key)
        is_empty = found is None or found.is_null or (found.shape is Shape.LIST and not found.items)
        if not is_empty and (found is None or found.shape is not Shape.LIST):
            raise EditRefused(f"{key} in feeds.yaml is an alias or not a list; add the new source by hand")
        if found is not None and found.items:
            self._add_to(found, items)
        elif self._root.is_flow:
            value = f"[{', '.join(_in_line(item, in_flow=True) for item in items)}]"
            self.put((), [(key, value)])
        else:
            lines = "".join(f"{self._newline}  - {_in_line(item)}" for item in items)
            self._put_block((), key, lines)

    def put(self, path: Path, pairs: Sequence[tuple[str, str]]) -> None:
        """Set keys of a mapping; missing keys and mappings are added.

        Args:
            path: of the mapping. A source that is an address alone becomes a mapping.
            pairs: keys, and values as YAML in one line.
        """
        place = self.find(*path)
        if place is None or (place.is_null and path) or (place.shape is Shape.MAP and not place.pairs and path):
            self._make(path, pairs)
            return
        if place.shape is Shape.SCALAR and not place.is_null and path and isinstance(path[-1], int):
            self._unfold(place, pairs)
            return
        if place.shape is not Shape.MAP:
            raise EditRefused(_BY_HAND)
        known = [(key, value) for key, value in pairs if place.get(key) is not None]
        new = [(key, value) for key, value in pairs if place.get(key) is None]
        for key, value in known:
            self._replace_value((*path, key), value)
        if new:
            place = self.find(*path)
            assert place is not None, "its keys have other values now"
            self._insert(place, new)

    def append(self, path: Path, value: str) -> None:
        """Add a text to a key that has one text, a list or nothing.

        Args:
            path: of the key.
            value: as YAML.
        """
        place = self.find(*path)
        *above, key = path
        if place is None or place.is_null:
            self.put(above, [(str(key), value)])
        elif place.shape is Shape.LIST and place.items:
            self._add_to(place, [[("", value)]])
        elif place.shape is Shape.SCALAR:
            self.put(above, [(str(key), f"[{self.written(place)}, {value}]")])
        else:
            raise EditRefused(_BY_HAND)

    def replace_texts(self, paths: Iterable[Path], text: str) -> None:
        """Replace scalars by another one, each in its own quotes."""
        places = [place for path in paths if (place := self.find(*path)) is not None]
        for place in sorted(places, key=lambda place: -place.start):  # positions before a place stay
            self._replace(place, text)

    def replace_key(self, path: Path, key: str, text: str) -> None:
        """Replace a key of a mapping by another; its value stays."""
        place = self.find(*path)
        pair = None if place is None else place.pair(key)
        assert pair is not None, "the caller has found it"
        self._replace(pair[0], text)

    def drop_key(self, path: Path, key: str) -> None:
        """Remove a key of a mapping with its value, which is not the only one; no effect if it does not exist."""
        place = self.find(*path)
        pair = None if place is None else place.pair(key)
        if place is None or pair is None:
            return
        number = place.pairs.index(pair)
        places = [Place(Shape.MAP, one.start, max(one.end, other.end)) for one, other in place.pairs]
        self._drop(place, places, number)

    def drop_item(self, path: Path, number: int) -> None:
        """Remove an item of a list, with a comment behind it in the same line; other comments stay."""
        place = self.find(*path)
        assert place is not None, "the caller has found it"
        if place.shape is not Shape.LIST:
            raise EditRefused(_BY_HAND)
        self._drop(place, place.items, number)

    @property
    def _root(self) -> Place:
        if self._read is not None:
            return self._read
        try:
            root = read_positions(self._text)
        except (yaml.YAMLError, RecursionError) as error:
            raise EditRefused(_UNREADABLE) from error
        if root is None or root.is_null:
            root = Place(Shape.MAP, len(self._text), len(self._text))
        if root.shape is not Shape.MAP:
            raise EditRefused("feeds.yaml is not a mapping; write sources: above the list, and indent the list")
        self._read = root
        return root

    def _splice(self, start: int, end: int, text: str) -> None:
        self._text = self._text[:start] + text + self._text[end:]
        self._read = None

    def _line_start(self, index: int) -> int:
        return self._text.rfind("\n", 0, index) + 1

    def _line_end(self, index: int) -> int:
        """Return the index behind the line break after `index`; a missing last line break is added."""
        end = self._text.find("\n", index)
        if end < 0:
            self._text += self._newline
            end = len(self._text) - 1
        return end + 1

    def _add_to(self, found: Place, items: Sequence[Sequence[tuple[str, str]]]) -> None:
        """Add items behind the last one: on new lines, or in the same brackets."""
        last = found.items[-1]
        line = self._line_start(last.start)
        before = self._text[line : last.start]
        if found.is_flow:
            between = f",{self._newline}{before}" if line and not before.strip() else ", "
            self._splice(last.end, last.end, "".join(between + _in_line(item, in_flow=True) for item in items))
            return
        dash = _DASH.fullmatch(before)
        if dash is None:
            raise EditRefused("the last source in feeds.yaml begins in an unusual place; add the new source by hand")
        indent, gap = dash[1], dash[2]
        if last.shape is Shape.MAP and not last.is_flow:
            inner = f"{self._newline}{indent} {gap}"
            texts = [inner.join(f"{key}: {value}" for key, value in item) for item in items]
        else:
            texts = [_in_line(item) for item in items]
        end = self._line_end(found.end)
        self._splice(end, end, "".join(f"{indent}-{gap}{text}{self._newline}" for text in texts))

    def _put_block(self, path: Path, key: str, lines: str) -> None:
        """Set a key that is missing or empty, in a mapping without brackets, to a value over several lines.

        Args:
            path: of the mapping.
            key: the key.
            lines: the value; begins with a line break.
        """
        place = self.find(*path)
        assert place is not None, "the caller has found it"
        pair = place.pair(key)
        if pair is None:
            self._insert(place, [(key, lines)])
            return
        name, value = pair
        start = _colon(self._text, name)
        end = self._line_end(value.end if self._text[value.start : value.end].strip() else start)
        rest = self._text[max(value.end, start) : end].rstrip()  # a comment
        self._splice(start, end, f"{rest}{lines}{self._newline}")

    def _make(self, path: Path, pairs: Sequence[tuple[str, str]]) -> None:
        """Make a mapping that is missing or empty, with its keys."""
        *above, key = path
        if not isinstance(key, str):
            raise EditRefused(_BY_HAND)
        outer = self.find(*above)
        if outer is None or outer.is_null or (above and outer.shape is Shape.MAP and not outer.pairs):
            self._make(above, [(key, _mapping(pairs))])
            return
        if outer.shape is not Shape.MAP:
            raise EditRefused(_BY_HAND)
        if outer.is_flow or above:
            self.put(above, [(key, _mapping(pairs))])
            return
        self._put_block(above, key, "".join(f"{self._newline}  {name}: {value}" for name, value in pairs))

    def _unfold(self, place: Place, pairs: Sequence[tuple[str, str]]) -> None:
        """Make a mapping of an address that stands alone."""
        text = self.written(place)
        anchor = match[0] if (match := _ANCHOR.match(text)) else ""
        bare = text[len(anchor) :]
        url = bare if bare[:1] in "\"'" else scalar(place.value, quotes=True)
        self._splice(place.start, place.end, _mapping([("url", anchor + url), *pairs]))

    def _replace_value(self, path: Path, value: str) -> None:
        mapping, place = self.find(*path[:-1]), self.find(*path)
        pair = None if mapping is None else mapping.pair(str(path[-1]))
        assert place is not None, "the caller has found it"
        assert pair is not None, "as above"
        start = _colon(self._text, pair[0])
        gap = self._text[start : place.start]
        if place.start == place.end or "\n" in gap:  # nothing, or a value below its key: a comment behind the key stays
            text = f" {value}{gap.rstrip()}" if place.start != place.end else f" {value}"
            self._splice(start, max(place.end, start), text)
        else:
            self._splice(place.start, place.end, value)

    def _replace(self, place: Place, text: str) -> None:
        old = self.written(place)
        if place.shape is not Shape.SCALAR or old[:1] in "|>&!":
            raise EditRefused(_BY_HAND)
        if old.startswith("'") and text.isprintable():
            new = "'" + text.replace("'", "''") + "'"
        else:
            new = scalar(text, quotes=True) if old.startswith('"') else key_text(text)
        self._splice(place.start, place.end, new)

    def _insert(self, place: Place, pairs: Sequence[tuple[str, str]]) -> None:
        """Add keys to a mapping."""
        texts = [f"{key_text(key)}:{value if value[:1] in _BREAKS else ' ' + value}" for key, value in pairs]
        if place.is_flow:
            if not place.pairs:
                self._splice(place.body, place.body, ", ".join(texts))
                return
            first, (key, value) = place.pairs[0][0], place.pairs[-1]
            line = self._line_start(first.start)
            indent = self._text[line : first.start]
            between = f",{self._newline}{indent}" if not indent.strip() and line > place.start else ", "
            end = max(key.end, value.end)
            self._splice(end, end, "".join(between + text for text in texts))
            return
        if not place.pairs:
            end = self._line_end(len(self._text.rstrip()) - 1) if self._text.strip() else 0
            self._splice(end, end, "".join(text + self._newline for text in texts))
            return
        indent = " " * (place.pairs[0][0].start - self._line_start(place.pairs[0][0].start))
        sources = place.pair(SOURCES) if place is self._root else None
        # The list of sources is long and stays the last.
        end = self._line_end(place.end) if sources is None else self._above(sources[0].start)
        is_apart = sources is not None and self._text[:end].endswith(self._newline * 2)
        lines = "".join(f"{indent}{text}{self._newline}" for text in texts)
        self._splice(end, end, lines + self._newline * is_apart)

    def _above(self, index: int) -> int:
        """Return the start of the line of `index`, or of the comments directly above that line."""
        start = self._line_start(index)
        while start and self._text[self._line_start(start - 1) : start].startswith("#"):
            start = self._line_start(start - 1)
        is_first = not self._text[:start].strip()
        return self._line_start(index) if is_first else start

    def _drop(self, place: Place, places: Sequence[Place], number: int) -> None:
        """Remove one of several values that stand one after the other."""
        if len(places) == 1:
            raise EditRefused(f"{_BY_HAND}: nothing would be left")
        one = places[number]
        if place.is_flow:
            self._drop_in_flow(places, number)
            return
        line = self._line_start(one.start)
        before = self._text[line : one.start]
        if place.shape is Shape.MAP and before.strip():  # behind the dash of its item: the next key takes its place
            self._splice(one.start, places[number + 1].start, "")
            return
        if place.shape is Shape.LIST and _DASH.fullmatch(before) is None:
            raise EditRefused(_BY_HAND)
        self._splice(line, self._line_end(one.end), "")

    def _drop_in_flow(self, places: Sequence[Place], number: int) -> None:
        one = places[number]
        line = self._line_start(one.start)
        end = self._line_end(one.end)
        behind = self._text[one.end : end]
        if not self._text[line : one.start].strip() and re.match(r"\s*,\s*(#|$)", behind):  # on a line of its own
            self._splice(line, end, "")
        elif number:
            self._splice(places[number - 1].end, one.end, "")
        else:
            self._splice(one.start, places[1].start, "")


_UNREADABLE = "feeds.yaml is not YAML in UTF-8; `aggregator check` says where"
_BREAKS = ("\n", "\r")


def _colon(text: str, key: Place) -> int:
    """Return the index behind the colon of a key."""
    return text.index(":", key.end) + 1


def _mapping(pairs: Iterable[tuple[str, str]]) -> str:
    return "{" + ", ".join(f"{key_text(key)}: {value}" for key, value in pairs) + "}"


def _in_line(pairs: Sequence[tuple[str, str]], *, in_flow: bool = False) -> str:
    """Return an item in one line; its value alone if it has one pair."""
    if len(pairs) == 1:
        return pairs[0][1] if pairs[0][1][:1] == '"' or not in_flow else scalar(pairs[0][1], quotes=True)
    (key, value), *rest = pairs
    return _mapping([(key, value if value[:1] == '"' else scalar(value, quotes=True)), *rest])


def with_sources(data: bytes, new: Sequence[NewSource]) -> bytes:
    """Return the text of feeds.yaml with more sources at the end of its list, written like the sources before them.

    Args:
        data: content of the file; empty for a new file.
        new: the sources to add in this order, at least one.

    Raises:
        EditRefused: the list is written in a way that a program can't edit safely.
    """
    text = ConfigText(data)
    text.add_items(SOURCES, [source_pairs(each) for each in new])
    return text.data
