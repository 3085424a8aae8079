"""Mutations of documents. Each takes a random generator, a document and a second document, and returns a third."""

import re
from collections.abc import Callable
from pathlib import Path
from random import Random

MAX_BYTES = 400_000
DEEP = (3, 40, 300, 5000)  # numbers of nestings and repetitions
VECTORS = tuple(
    line
    for line in (Path(__file__).parents[1] / "clean" / "vectors.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
)
NAMES = (
    "rss channel item title link description guid pubDate author category enclosure source feed entry id updated "
    "published summary content content:encoded media:content media:group media:title itunes:duration itunes:image "
    "dc:date dc:creator rdf:RDF image url textInput skipHours hour ttl cloud at:deleted-entry atom:link atom:source "
    "html head body script svg math div p table td template noscript iframe img a base form select option "
    "xhtml:div xml:lang x:y 1a -b"
).split()
ATTRIBUTES = (
    'href="javascript:alert(1)"',
    'href=" \tjava\nscript:alert(1)"',
    'href="//other.example/x"',
    'href="?"',
    'href="http://[::1"',
    'xml:base="javascript:alert(1)//"',
    'xml:base="http://other.example/a/b/"',
    'xml:base="&#xD800;"',
    'xml:lang="x-y-z-zzzzzzzzzzz"',
    'type="xhtml"',
    'type="text"',
    'type="html"',
    'type="application/octet-stream"',
    'mode="base64"',
    'mode="escaped"',
    'src="data:text/html,x"',
    'rel="enclosure"',
    'rel="alternate"',
    'rel="self"',
    'rel="replies http://x/"',
    'length="-1"',
    'length="99999999999999999999999999"',
    'isPermaLink="false"',
    'isPermaLink="maybe"',
    'url="http://e.example/a.mp3"',
    'onclick="alert(1)"',
    'style="x:expression(1)"',
    'xmlns="http://www.w3.org/2005/Atom"',
    'xmlns="http://purl.org/atom/ns#"',
    'xmlns="http://www.w3.org/1999/xhtml"',
    'xmlns:dc="urn:nothing"',
    "xmlns=''",
    "a=b",
    'a="',
    "=",
)
ENTITIES = (
    "&amp; &lt; &gt; &quot; &apos; &nbsp; &hellip; &undefined; &amp;amp; &amp;lt;script&amp;gt; &#0; &#1; &#x1F; "
    "&#xD800; &#xDFFF; &#xFFFE; &#xFFFF; &#x10FFFF; &#x110000; &#99999999999999999999; &#x; &#; & && &a &lt;! ]]&gt; "
    "&#38;#60;script&#38;#62; &#x80; &#150; &#8238; &#x202E;"
).split()
ENCODINGS = (
    "utf-8 utf8 UTF-16 utf-16le utf-32 us-ascii iso-8859-1 windows-1252 windows-1251 gb2312 gbk gb18030 big5 shift_jis "
    "euc-jp euc-kr iso-2022-jp koi8-r utf-7 hz idna punycode base64 zlib rot13 unicode_escape x-unknown none"
).split()
NUMBERS = (
    b"0 -1 1 255 65536 2147483647 2147483648 9223372036854775808 99999999999999999999999999999999 1e309 -1e309 0.1 "
    b"1e-400 NaN Infinity 0x10 \xd9\xa3 \xc2\xb2 1_000"
).split()
DATES = (
    "Mon, 30 Feb 2026 25:61:61 +9999",
    "Mon, 02 Jan 0001 00:00:00 GMT",
    "Fri, 31 Dec 9999 23:59:59 -2359",
    "9999-12-31T23:59:59.999999999-23:59",
    "0000-00-00T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "-0001-01-01T00:00:00Z",
    "99999-01-01T00:00:00Z",
    "2026-02-29",
    "2026-W09-7",
    "2026-366",
    "20260304T050607Z",
    "1772599567",
    "1772599567000",
    "-62135596801",
    "99999999999999999",
    "2026年3月4日 5时6分",
    "4 März 2026",
    "yesterday",
    "Thu, 01 Jan 1970 00:00:60 GMT",
    "Wed, 4 Mar 26 05:06 EDT",
    "Wed,, 4 Mar 2026 05:06:07 +00:00:00",
    "٢٠٢٦-٠٣-٠٤",
    "",
)
CODECS = ("utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "gb18030", "shift_jis", "windows-1251", "latin-1")

_TAG = re.compile(rb"<[^<>]{1,300}>")
_WORD = re.compile(rb"</?[A-Za-z][\w:.-]*")
_NUMBER = re.compile(rb"(?<![\w&#])\d{1,19}(?![\w;])")
_DECLARED = re.compile(rb"(encoding|charset)=([\"']?)[\w.-]+", re.I)
_DATE = re.compile(rb"(?<=>)[^<>]{0,20}\b(?:19|20)\d\d\b[^<>]{0,30}(?=<)|\"(?:19|20)\d\d-[^\"]{2,30}\"")
_STRING = re.compile(rb'"(?:[^"\\]|\\.){0,200}"')


def spoil(chance: Random, one: bytes, other: bytes) -> bytes:
    """Apply one to six mutations to a document."""
    for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 4, 6))):
        one = chance.choice(WAYS)(chance, one, other)[:MAX_BYTES]
    return one


def flip_bytes(chance: Random, one: bytes, other: bytes) -> bytes:
    """Change a few bytes, or one bit of each."""
    data = bytearray(one)
    for _ in range(min(len(data), chance.choice((1, 2, 8, 40)))):
        place = chance.randrange(len(data))
        data[place] = chance.choice((data[place] ^ (1 << chance.randrange(8)), chance.randrange(256), 0, 0xFF, 0x3C))
    return bytes(data)


def cut(chance: Random, one: bytes, other: bytes) -> bytes:
    """Remove a piece, or the end."""
    start, end = _span(chance, one)
    return one[:start] if chance.random() < 0.3 else one[:start] + one[end:]


def repeat(chance: Random, one: bytes, other: bytes) -> bytes:
    """Repeat a piece, once or very often."""
    start, end = _span(chance, one, longest=2000)
    return one[:end] + one[start:end] * chance.choice(DEEP) + one[end:]


def splice(chance: Random, one: bytes, other: bytes) -> bytes:
    """Join the beginning of one document and the end of the other, or insert a piece of the other."""
    if chance.random() < 0.5:
        return one[: _edge(chance, one)] + other[_edge(chance, other) :]
    start, end = sorted((_edge(chance, other), _edge(chance, other)))
    return _put(chance, one, other[start : min(end, start + 20_000)])


def rename(chance: Random, one: bytes, other: bytes) -> bytes:
    """Rename an element, in one tag or everywhere."""
    found = _pick(chance, _WORD, one)
    if found is None:
        return one
    old, new = found[0].lstrip(b"</"), chance.choice(NAMES).encode()
    if chance.random() < 0.3:
        return re.sub(rb"(</?)" + re.escape(old) + rb"(?=[\s/>])", lambda each: each[1] + new, one)
    return one[: found.end() - len(old)] + new + one[found.end() :]


def drop_tag(chance: Random, one: bytes, other: bytes) -> bytes:
    """Remove a tag."""
    found = _pick(chance, _TAG, one)
    return one if found is None else one[: found.start()] + one[found.end() :]


def add_attribute(chance: Random, one: bytes, other: bytes) -> bytes:
    """Add an attribute to a tag, perhaps one that it has."""
    found = _pick(chance, _TAG, one)
    if found is None:
        return one
    place = found.end() - 1 - (found[0].endswith(b"/>"))
    return one[:place] + b" " + chance.choice(ATTRIBUTES).encode() + one[place:]


def add_entities(chance: Random, one: bytes, other: bytes) -> bytes:
    """Insert references to entities that exist and to entities that do not."""
    for _ in range(chance.choice((1, 3, 10))):
        one = _put(chance, one, chance.choice(ENTITIES).encode())
    return one


def add_doctype(chance: Random, one: bytes, other: bytes) -> bytes:
    """Declare entities, within the limits and beyond."""
    lines = chance.choice(
        (
            '<!ENTITY a "text"><!ENTITY b "&a;&a;">',
            '<!ENTITY a SYSTEM "file:///etc/hostname">',
            '<!ENTITY % p SYSTEM "http://127.0.0.1:9/"> %p;',
            '<!ENTITY a "<script>x</script>">',
            '<!ENTITY a "&b;"><!ENTITY b "&a;">',
            "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "ha"}">' for n in range(12)),
            '<!ATTLIST rss version CDATA "2.0">',
        )
    )
    doctype = f"<!DOCTYPE {chance.choice(('rss', 'feed', 'x'))} [{lines}]>".encode()
    end = one.find(b"?>") + 2 if one.lstrip().startswith(b"<?xml") else 0
    return _put(chance, one[:end] + doctype + one[end:], chance.choice((b"&a;", b"&b;", b"&e11;", b"&e3;")))


def add_hostile(chance: Random, one: bytes, other: bytes) -> bytes:
    """Insert attacking markup: bare, escaped, escaped twice, or in CDATA."""
    vector = chance.choice(VECTORS)
    escaped = vector.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    forms = (vector, escaped, escaped.replace("&", "&amp;"), f"<![CDATA[{vector}]]>", vector.replace('"', '\\"'))
    return _put(chance, one, chance.choice(forms).encode())


def nest(chance: Random, one: bytes, other: bytes) -> bytes:
    """Open an element many times, and perhaps close it as often."""
    times, name = chance.choice(DEEP), chance.choice(NAMES)
    begin, end = chance.choice(
        (
            (f"<{name}>", f"</{name}>"),
            (f"&lt;{name}&gt;", f"&lt;/{name}&gt;"),
            (f'<{name} a="b">', ""),
            ("[", "]"),
            ('{"a":', "}"),
            ("<![CDATA[", "]]>"),
            ("<!--", "-->"),
        )
    )
    start, stop = _span(chance, one, longest=3000)
    return one[:start] + begin.encode() * times + one[start:stop] + end.encode() * times + one[stop:]


def declare_encoding(chance: Random, one: bytes, other: bytes) -> bytes:
    """Declare a wrong encoding."""
    label = chance.choice(ENCODINGS).encode()
    if _DECLARED.search(one):
        return _DECLARED.sub(rb"\1=\2" + label, one, count=1)
    return b'<?xml version="1.0" encoding="' + label + b'"?>' + one


def transcode(chance: Random, one: bytes, other: bytes) -> bytes:
    """Encode the document or its end in another encoding, perhaps after the byte order mark of a third."""
    start = chance.choice((0, 0, _edge(chance, one)))
    text = one[start:].decode("utf-8", errors=chance.choice(("replace", "surrogateescape", "ignore")))
    mark = chance.choice((b"", b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff"))
    return mark + one[:start] + text.encode(chance.choice(CODECS), errors="replace")


def change_number(chance: Random, one: bytes, other: bytes) -> bytes:
    """Replace a number by an unexpected one."""
    return _swap(chance, _NUMBER, one, chance.choice(NUMBERS))


def change_date(chance: Random, one: bytes, other: bytes) -> bytes:
    """Replace a date by an unexpected one."""
    found = _pick(chance, _DATE, one)
    if found is None:
        return one
    text = chance.choice(DATES).encode()
    return one[: found.start()] + (b'"%s"' % text if found[0][:1] == b'"' else text) + one[found.end() :]


def change_value(chance: Random, one: bytes, other: bytes) -> bytes:
    """Replace a JSON value by one of another type."""
    values = (b"null", b"true", b"[]", b"{}", b'""', b"0", b'"\\ud800"', b'"\\u0000"', b'[{"url": 1}]', b'{"name": []}')
    return _swap(chance, _STRING, one, chance.choice(values))


WAYS: tuple[Callable[[Random, bytes, bytes], bytes], ...] = (
    flip_bytes,
    cut,
    repeat,
    splice,
    rename,
    drop_tag,
    add_attribute,
    add_entities,
    add_doctype,
    add_hostile,
    add_hostile,
    nest,
    declare_encoding,
    transcode,
    change_number,
    change_date,
    change_value,
)


def _span(chance: Random, data: bytes, longest: int | None = None) -> tuple[int, int]:
    start = _edge(chance, data)
    length = chance.choice((1, 20, 300, longest or max(1, len(data) // 2)))
    return start, min(len(data), start + chance.randint(1, length))


def _edge(chance: Random, data: bytes) -> int:
    """Choose a position, mostly one where something begins."""
    place = chance.randint(0, len(data))
    near = data.find(chance.choice((b"<", b">", b'"', b"&")), place) if chance.random() < 0.8 else -1
    return place if near < 0 else near + chance.choice((0, 1))


def _put(chance: Random, data: bytes, piece: bytes) -> bytes:
    place = _edge(chance, data)
    return data[:place] + piece + data[place:]


def _pick(chance: Random, pattern: re.Pattern[bytes], data: bytes) -> re.Match[bytes] | None:
    """Choose a random match, not always the first."""
    return pattern.search(data, chance.randint(0, len(data))) or pattern.search(data)


def _swap(chance: Random, pattern: re.Pattern[bytes], data: bytes, new: bytes) -> bytes:
    found = _pick(chance, pattern, data)
    return data if found is None else data[: found.start()] + new + data[found.end() :]
