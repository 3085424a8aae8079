"""Finds the items of a feed by their bytes, and cuts out those that are stored already: what is left is to be read.

An item whose bytes stood in a document that was read is the same element wherever an element may stand, if the start
tags around it are the same: it needs no parser. So the body is searched for such items, each is replaced by a
processing instruction, and expat parses the little that is left. It proves three things: the rest is well-formed; each
instruction is where an item may be, and not in a comment, in a CDATA section or in another element; and where the new
items begin and end. From the first and second follows that the whole body is well-formed.

Anything unusual is read whole. The body may be hostile: the search is linear, and expat gets no DOCTYPE, no entities,
and limits on depth and number of elements (S14, S15).
"""

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Final
from xml.parsers.expat import ExpatError, ParserCreate

from aggregator.model.charset import Step
from aggregator.model.poll import Fetched
from aggregator.model.settings import Reading
from aggregator.model.window import mark_of
from aggregator.parse.charset import Decoded, decode, is_encoded_twice
from aggregator.parse.encodings import codec_of
from aggregator.parse.repair import MAX_DEPTH

MAX_ELEMENTS: Final = 100_000  # outside of items that are stored: parsing them takes 0.1 s
_HEAD: Final = 4096  # bytes in which a declaration of the character set is searched (I2)
_MARK: Final = b"\xef\xbb\xbf"  # of UTF-8
_DECLARATION = re.compile(rb"<\?xml\s")
_DECLARED: Final = (Step.HEADER, Step.DECLARATION, Step.OPERATOR)
_ATOM = re.compile(rb"<feed[\s>]")
_ROOTS: Final = {"rss": "item", "rdf:RDF": "item", "feed": "entry"}
_ITEMS: Final = frozenset(_ROOTS.values())
_INSTRUCTION: Final = b"<?x?>"  # in place of a known item
_KNOWN: Final = (-1, -1)
_OPENED: Final = b"<![CDATA["
_CLOSED: Final = b"]]>"
_BLANKS: Final = b" \t\r\n"
_DELIMITERS: Final = (b">", b" ", b"\t", b"\r", b"\n")


@dataclass(frozen=True, slots=True)
class Body:
    """A body as it is searched."""

    utf8: bytes
    decoded: Decoded | None = None  # what it was decoded to, if it is not in UTF-8


@dataclass(frozen=True, slots=True)
class Cut:
    """A body without the items that are stored."""

    rest: bytes  # in the character set of the body
    marks: tuple[bytes, ...]  # of all items, in their order
    seen: tuple[int, ...]  # positions of the items that were cut out
    head: str  # the start tags around the items


@dataclass(frozen=True, slots=True)
class Whole:
    """A body that must be read whole."""

    why: str  # a word of docs/reading.md


class _Unusual(Exception):
    """The document has something that the cut can't judge; the text is a word of docs/reading.md."""


def searchable(fetched: Fetched, reading: Reading) -> Body | Whole:
    """Return a body in UTF-8, if the items that are cut out have no say in how it is decoded."""
    body = fetched.body.lstrip(_BLANKS)
    head = body[:_HEAD].lower()
    if b"<meta" in head or _DECLARATION.search(head, len(_MARK) + 1) or is_encoded_twice(body):
        return Whole("charset")
    try:
        body.decode()
    except UnicodeDecodeError:
        decoded = decode(body, content_type=fetched.content_type, override=reading.encoding)
        if decoded.notices or decoded.charset.step not in _DECLARED:
            return Whole("charset")
        return Body(decoded.text.encode(), decoded)
    return Body(body)


def cut(document: Body, known: Container[bytes]) -> Cut | Whole:
    """Cut out the items that are known.

    Args:
        document: the whole body.
        known: marks of the items that are stored; empty: only the marks of all items are wanted.
    """
    body = document.utf8
    head = body[:_HEAD].lower()
    name = b"entry" if _ATOM.search(head) else b"item"
    pieces, seen = _pieces(body, name, known) if known else ([body], [])
    rest = b"".join(pieces)
    if rest.count(_OPENED) > rest.count(_CLOSED):
        return Whole("structure")  # `close_cdata` may change known items then
    marked = _INSTRUCTION.join(pieces)
    skeleton = _Skeleton(name.decode(), offsets=_offsets(pieces))
    try:
        skeleton.parse(marked)
    except ExpatError:
        return Whole("malformed")
    except _Unusual as unusual:
        return Whole(str(unusual))
    gone = iter(seen)
    marks = tuple(next(gone) if start < 0 else mark_of(marked[start:end]) for start, end in skeleton.items)
    if len(set(marks)) < len(marks):
        return Whole("twice")
    places = tuple(place for place, (start, _) in enumerate(skeleton.items) if start < 0)
    if document.decoded is not None and seen:
        try:
            rest = rest.decode().encode(codec_of(document.decoded.encoding) or "")
        except (UnicodeEncodeError, LookupError):  # a character was corrected while it was decoded
            return Whole("charset")
    return Cut(rest=rest, marks=marks, seen=places, head=repr(skeleton.head))


def _pieces(body: bytes, name: bytes, known: Container[bytes]) -> tuple[list[bytes], list[bytes]]:
    """Return the body in pieces, between each two of which a known item was; and the marks of these items."""
    opening, closing = b"<" + name, b"</" + name + b">"
    pieces: list[bytes] = []
    seen: list[bytes] = []
    at = kept = 0
    while (start := body.find(opening, at)) >= 0:
        after = start + len(opening)
        if body[after : after + 1] not in _DELIMITERS:  # such as <items> of RSS 1.0
            at = after
            continue
        found = body.find(closing, after)
        if found < 0:
            break
        at = found + len(closing)
        mark = mark_of(body[start:at])
        if mark in known:
            pieces.append(body[kept:start])
            seen.append(mark)
            kept = at
    return [*pieces, body[kept:]], seen


def _offsets(pieces: Sequence[bytes]) -> list[int]:
    """Return where the instructions are, once they join the pieces."""
    offsets: list[int] = []
    at = 0
    for piece in pieces[:-1]:
        at += len(piece)
        offsets.append(at)
        at += len(_INSTRUCTION)
    return offsets


class _Skeleton:
    """The elements of a body without its known items, as expat finds them.

    Args:
        name: of the elements that are items.
        offsets: of the instructions that stand for known items.
    """

    def __init__(self, name: str, offsets: Sequence[int]) -> None:
        self.head: list[tuple[str, list[str]]] = []  # start tags of root and channel, with attributes
        self.items: list[tuple[int, int]] = []  # (start, end) of each item in order; (-1, -1) for an instruction
        self._name = name
        self._closing = f"</{name}".encode()
        self._awaited = list(reversed(offsets))
        self._plain = {"media:content"}  # names of elements that are neither items nor texts; this one is a file
        self._depth = self._elements = self._start = 0
        self._parent = 0  # depth of the open element whose children items are; 0 outside of it
        self._body = b""
        self._parser = parser = ParserCreate("utf-8")
        parser.ordered_attributes = True
        parser.StartElementHandler = self._on_start
        parser.EndElementHandler = self._on_end
        parser.ProcessingInstructionHandler = self._on_instruction
        parser.StartDoctypeDeclHandler = self._on_doctype

    def parse(self, body: bytes) -> None:
        """Find everything.

        Raises:
            ExpatError: it is not well-formed.
            _Unusual: it has something that the cut can't judge.
        """
        self._body = body
        self._parser.Parse(body, True)
        if self._awaited:
            raise _Unusual("misplaced")

    def _on_start(self, tag: str, attributes: list[str]) -> None:
        self._depth += 1
        self._elements += 1
        if self._depth > MAX_DEPTH or self._elements > MAX_ELEMENTS:
            raise _Unusual("large")
        if "xml:id" in attributes:
            raise _Unusual("structure")  # another item may have the same, which libxml2 refuses
        if self._depth <= 2:
            self._enter(tag, attributes)
        if tag in self._plain:
            return
        if tag.rpartition(":")[2].lower() not in _ITEMS:
            self._plain.add(tag)
            return
        if tag != self._name or not self._parent or self._depth != self._parent + 1:
            raise _Unusual("structure")
        self._start = self._parser.CurrentByteIndex

    def _enter(self, tag: str, attributes: list[str]) -> None:
        """Note the root, or the channel of RSS."""
        if self._depth == 1:
            if _ROOTS.get(tag) != self._name:
                raise _Unusual("structure")
            self._parent = 0 if tag == "rss" else 1
            self.head.append((tag, attributes))
        elif tag == "channel":
            if len(self.head) > 1:
                raise _Unusual("structure")
            self.head.append((tag, attributes))
            if self.head[0][0] == "rss":
                self._parent = 2

    def _on_end(self, tag: str) -> None:
        if self._depth == self._parent:
            self._parent = 0
        elif tag == self._name:
            last = self._parser.CurrentByteIndex
            if not self._body.startswith(self._closing, last):
                raise _Unusual("structure")  # an empty element, which has no end tag
            end = self._body.index(b">", last) + 1
            if self._body.count(_OPENED, self._start, end) != self._body.count(_CLOSED, self._start, end):
                raise _Unusual("structure")  # it quotes a section, and `close_cdata` looks at all of them together
            self.items.append((self._start, end))
        self._depth -= 1

    def _on_instruction(self, target: str, data: str) -> None:
        if not self._awaited or self._parser.CurrentByteIndex != self._awaited[-1]:
            return  # one of the publisher's
        if not self._parent or self._depth != self._parent:
            raise _Unusual("misplaced")
        self._awaited.pop()
        self.items.append(_KNOWN)

    def _on_doctype(self, *_: object) -> None:
        raise _Unusual("doctype")
