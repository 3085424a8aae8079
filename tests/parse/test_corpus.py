"""Every file of the corpus is read: real files completely, broken and hostile files without harm (I12, S30, S40)."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from aggregator.clean.feed import clean
from aggregator.clean.sanitiser import sanitise
from aggregator.errors import ParseError
from aggregator.identify.keys import identify, key_form
from aggregator.model.entry import Entry, Feed
from aggregator.model.settings import Reading
from aggregator.parse import texts
from aggregator.parse.charset import decode
from aggregator.parse.encodings import codec_of, name_of
from tests.answers import cleaned, parsed
from tests.clean.test_sanitiser import faults

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
INDEX = CORPUS / "index.json"
pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not INDEX.is_file(), reason="the corpus of feeds is not beside this checkout"),
]
ROWS = json.loads(INDEX.read_bytes()) if INDEX.is_file() else {}
# The index counts start tags with a regular expression; these files have empty items (checked by hand).
EMPTY = {"real/danmactough__illegally-nested.xml": 10, "real/miniflux__no_encoding_ISO-8859-1.xml": 1}


def files(section: str) -> list[str]:
    found = (str(row["file"]) for row in ROWS.get(section, ()))
    return [name for name in found if (CORPUS / name).suffix in (".xml", ".json", ".html", ".txt", ".rss", ".atom")]


def read(name: str) -> Feed:
    return identify(cleaned((CORPUS / name).read_bytes()))


def told(entry: Entry) -> tuple[str, ...]:
    # Shift_JIS has one code for two wave dashes; the web standard decodes the other one (I5).
    return (entry.key, *(text.replace("\uff5e", "\u301c") for text in (entry.title, entry.content, entry.summary)))


def check(feed: Feed) -> None:
    """Check the promises that hold for every feed."""
    assert len({key_form(entry.key) for entry in feed.entries}) == len(feed.entries)
    for entry in feed.entries:
        for html in (entry.content, entry.summary):
            assert faults(html) == []
            assert sanitise(html) == html
        for text in (entry.title, entry.text, entry.id or "", *(person.name for person in entry.authors)):
            assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\u202a-\u202e]", text)
        addresses = (entry.link, *(item.url for item in entry.enclosures), *(person.uri for person in entry.authors))
        assert all(address is None or address.startswith(("http://", "https://")) for address in addresses)


@pytest.mark.parametrize("name", files("real"))
def test_real_feeds_are_read_whole(name: str) -> None:
    [row] = [row for row in ROWS["real"] if row["file"] == name]
    feed = cleaned((CORPUS / name).read_bytes())
    assert len(feed.entries) == row["entries"] - EMPTY.get(name, 0)
    assert len(feed.left_out) == EMPTY.get(name, 0)
    assert not feed.cut
    check(identify(feed))


@pytest.mark.parametrize("name", [*files("malformed"), *files("hostile"), *files("transcoded")])
def test_broken_and_hostile_ones_do_no_harm(name: str) -> None:
    start = time.process_time()
    try:
        feed = read(name)
    except ParseError:
        return
    assert time.process_time() - start < 2
    check(feed)


@pytest.mark.parametrize("row", ROWS.get("transcoded", ()), ids=lambda row: str(row["file"]))
def test_i2_what_was_transcoded_says_the_same(row: dict[str, object]) -> None:
    if "truth_utf8" not in row or not (CORPUS / str(row["truth_utf8"])).is_file():
        pytest.skip("the index names no original")
    found, truth = read(str(row["file"])), read(str(row["truth_utf8"]))
    if row.get("lost_characters"):  # in CDATA, what the character set lacks stays a numeric reference
        assert len(found.entries) == len(truth.entries)
    else:
        assert [told(entry) for entry in found.entries] == [told(entry) for entry in truth.entries]


# Language as guessed by the index, to the Python codecs in which such feeds used to be written.
WRITTEN_IN = {
    "zh": ("gb18030", "big5hkscs"),
    "ja": ("cp932", "euc_jp", "iso2022_jp"),
    "ko": ("cp949",),
    "ru/cyrillic": ("cp1251", "koi8_r", "iso8859_5", "cp866"),
    "he": ("cp1255", "iso8859_8"),
    "ar": ("cp1256", "iso8859_6"),
    "latin": ("cp1252",),
}
LABELS = ("iso-8859-1", "utf-8", "gb2312", "windows-1251", "shift_jis")  # wrong labels that servers send


def rewritten() -> Iterator[tuple[str, str, bytes]]:
    """Yield real feeds with over 500 non-ASCII bytes, in each codec that can encode them, without declaration."""
    for row in ROWS["real"]:
        try:
            text = (CORPUS / str(row["file"])).read_bytes().decode("utf-8-sig")
        except UnicodeDecodeError:
            continue
        if len(re.findall("Ã.|â€|Ð.", text)) > 20:  # encoded twice: a legacy codec makes UTF-8 of the text again
            continue
        text = re.sub(r"^\s*<\?xml[^>]*\?>", "", text)
        for codec in WRITTEN_IN.get(str(row["language"]), ()):
            body = text.encode(codec, "xmlcharrefreplace")
            if sum(byte > 0x7F for byte in body) > 500 or b"\x1b$B" in body:
                yield str(row["file"]), codec, body


def reads_right(body: bytes, codec: str, label: str | None = None) -> bool:
    written = f'<?xml version="1.0" encoding="{label}"?>'.encode() + body if label else body
    truth = decode(written.decode(codec).encode(), content_type=None, override="utf-8").text
    found = decode(written, content_type=None, override=None).text
    return found.replace("\uff5e", "\u301c") == truth.replace("\uff5e", "\u301c")


@pytest.mark.slow
def test_i2_real_feeds_in_every_set_declared_rightly_not_and_wrongly() -> None:
    files = list(rewritten())
    right = [reads_right(body, codec, name_of(codec)) for _, codec, body in files]
    none = [reads_right(body, codec) for _, codec, body in files]
    wrong = [
        reads_right(body, codec, label) for _, codec, body in files for label in LABELS if codec_of(label) != codec
    ]
    assert len(files) > 100
    assert sum(right) == len(right)
    assert sum(none) >= 0.97 * len(none), f"{sum(none)} of {len(none)}"
    assert sum(wrong) >= 0.95 * len(wrong), f"{sum(wrong)} of {len(wrong)}"


def test_revisions_keep_their_keys() -> None:
    """The same key in two versions means the same guid, id or link: neighbours do not change the key of an entry."""
    for folder in sorted(path for path in (CORPUS / "revisions").iterdir() if path.is_dir()):
        known: dict[str, str] = {}
        for path in sorted(folder.glob("*.xml")):
            try:
                feed = read(str(path.relative_to(CORPUS)))
            except ParseError:
                continue
            for entry in feed.entries:
                if entry.id is None and entry.link is not None:
                    assert known.setdefault(entry.link, entry.key) == entry.key, path


def test_placeholders_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """feedparser reads every text itself to the same result as with one placeholder for each shape."""
    for name in files("real")[::4] + files("malformed")[::4]:
        body = (CORPUS / name).read_bytes()
        try:
            with_stand_ins = parsed(body)
        except ParseError:
            continue
        with monkeypatch.context() as patch:
            patch.setattr(texts, "is_simple", lambda element: False)
            without = parsed(body)
        assert clean(with_stand_ins, Reading()) == clean(without, Reading()), name


def test_s11_the_parsers_below_load_nothing_from_elsewhere() -> None:
    parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True)
    root = etree.fromstring(b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', parser)
    assert "root:" not in "".join(str(text) for text in root.itertext())
