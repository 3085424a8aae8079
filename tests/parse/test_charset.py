"""From bytes to text (I2 to I8)."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.parse.charset import Decoded, decode, once_encoded
from aggregator.parse.encodings import codec_of

RUSSIAN = "<rss>Прилив в полдень, вода высокая</rss>"
CHINESE = "<rss>潮水在中午十二点达到最高点，船只可以进港</rss>"


def said(body: bytes, header: str | None = None, override: str | None = None) -> Decoded:
    return decode(body, content_type=header and f"text/xml; charset={header}", override=override)


def declared(text: str, label: str, codec: str) -> bytes:
    return f'<?xml version="1.0" encoding="{label}"?>{text}'.encode(codec)


@pytest.mark.parametrize(
    ("body", "header", "override", "encoding"),
    [
        pytest.param(codecs.BOM_UTF8 + RUSSIAN.encode(), "koi8-r", "cp1251", "utf-8", id="mark-before-all"),
        pytest.param(RUSSIAN.encode("cp1251"), "koi8-r", "windows-1251", "windows-1251", id="operator-before-header"),
        pytest.param(declared(RUSSIAN, "cp1251", "koi8-r"), "koi8-r", None, "koi8-r", id="header-before-declaration"),
        pytest.param(declared(RUSSIAN, "koi8-r", "koi8-r"), None, None, "koi8-r", id="declaration"),
        pytest.param(RUSSIAN.encode(), None, None, "utf-8", id="utf-8-if-it-decodes"),
        pytest.param("<rss>h\u00f6her</rss>".encode("cp1252"), None, None, "windows-1252", id="windows-1252-at-last"),
        pytest.param(RUSSIAN.encode("utf-16-le"), None, None, "utf-16le", id="two-bytes-by-shape"),
        pytest.param(codecs.BOM_UTF32_BE + RUSSIAN.encode("utf-32-be"), None, None, "utf-32-be", id="four-bytes"),
    ],
)
def test_i2_the_first_that_fits(body: bytes, header: str | None, override: str | None, encoding: str) -> None:
    found = said(body, header, override)
    assert found.encoding == encoding
    assert "h\u00f6her" in found.text or "Прилив" in found.text


def test_i3_text_xml_without_charset_is_not_ascii() -> None:
    assert decode(RUSSIAN.encode(), content_type="text/xml", override=None).text == RUSSIAN


def test_i4_a_declaration_that_fits_beats_a_header_that_does_not() -> None:
    found = said(declared(RUSSIAN, "windows-1251", "cp1251"), "utf-8")
    assert (found.encoding, found.notices) == ("windows-1251", ("the text is not utf-8, as the header says",))


@pytest.mark.parametrize("label", ["iso-8859-1", "windows-1251", "gb2312", "big5"])
def test_i4_what_is_utf8_beyond_chance_is_read_as_that(label: str) -> None:
    found = said(declared(CHINESE, label, "utf-8"))
    assert found.encoding == "utf-8"
    assert found.text.endswith(CHINESE)


@pytest.mark.parametrize(
    ("label", "codec"),
    [
        ("ISO-8859-1", "cp1252"),
        ("us-ascii", "cp1252"),
        ("gb2312", "gb18030"),
        ("ks_c_5601-1987", "cp949"),
        ("shift-jis", "cp932"),
        ("Windows1251", "cp1251"),
        ("utf_8", "utf-8"),
        ("utf-7", None),
        ("x-nobody", None),
        ("", None),
    ],
)
def test_i5_labels_are_those_of_the_web(label: str, codec: str | None) -> None:
    assert codec_of(label) == codec


def test_i5_c1_characters_are_the_quotes_they_were_meant_to_be() -> None:
    assert said("<rss>\u0093quoted\u0094</rss>".encode()).text == "<rss>“quoted”</rss>"


def test_i6_a_stray_byte_spoils_one_character() -> None:
    found = said(declared(CHINESE, "utf-8", "utf-8").replace("最".encode(), b"\xe9"))
    assert found.text.count("\ufffd") == 1
    assert "lossy" in found.notices[-1]


def test_i7_forbidden_characters_are_gone_and_padding_is_no_news() -> None:
    assert said(b"<rss>a\x08b</rss>") == Decoded(
        text="<rss>ab</rss>", encoding="utf-8", notices=("control characters removed",)
    )
    assert said(b"<rss/>\x00\x00").notices == ()


def test_two_byte_order_marks() -> None:
    assert said(codecs.BOM_UTF8 * 2 + b"<rss/>").text == "<rss/>"


def test_a_declaration_of_utf16_that_could_be_read_is_wrong() -> None:
    assert said(declared(RUSSIAN, "utf-16", "utf-8")).encoding == "utf-8"


def test_what_was_encoded_twice_is_undone() -> None:
    assert once_encoded("é".encode().decode("latin-1")) == "é"
    assert once_encoded("é") == "é"
    assert once_encoded("plain") == "plain"


@given(st.binary(max_size=300), st.sampled_from([None, "utf-8", "gbk", "utf-16", "nonsense"]))
def test_any_bytes_become_text_that_xml_allows(body: bytes, label: str | None) -> None:
    text = said(body, label).text
    assert not any(ord(c) < 32 and c not in "\t\n\r" for c in text)
    text.encode()
