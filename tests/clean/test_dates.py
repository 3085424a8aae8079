"""Dates in the forms that publishers use (I40 to I44)."""

import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.clean.date_conventions import day_first
from aggregator.clean.dates import EARLIEST, date_in, parse_date, read_date

BERLIN = ZoneInfo("Europe/Berlin")


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "when"),
    [
        # RFC 3339 and ISO 8601
        ("2025-03-05T10:11:12Z", utc(2025, 3, 5, 10, 11, 12)),
        ("2025-03-05t10:11:12z", utc(2025, 3, 5, 10, 11, 12)),
        ("2025-03-05T10:11:12.345678901+02:00", utc(2025, 3, 5, 8, 11, 12)),
        ("2025-03-05T10:11:12+0200", utc(2025, 3, 5, 8, 11, 12)),
        ("2025-03-05T10:11:12 +02:00", utc(2025, 3, 5, 8, 11, 12)),
        ("2025-03-05T10:11Z", utc(2025, 3, 5, 10, 11)),
        ("2025-03-05 10:11:12", utc(2025, 3, 5, 10, 11, 12)),
        ("2025-03-05 10:11:12 PST", utc(2025, 3, 5, 18, 11, 12)),
        ("2025-3-5", utc(2025, 3, 5)),
        ("2025-03", utc(2025, 3, 1)),
        ("2025", utc(2025, 1, 1)),
        ("20250305T101112Z", utc(2025, 3, 5, 10, 11, 12)),
        ("20250305", utc(2025, 3, 5)),
        ("20250305101112", utc(2025, 3, 5, 10, 11, 12)),
        ("2025-W10-3", utc(2025, 3, 5)),
        ("2026-W01-1", utc(2025, 12, 29)),
        ("2025W103", utc(2025, 3, 5)),
        ("2025-064", utc(2025, 3, 5)),
        ("2025064", utc(2025, 3, 5)),
        # RFC 822 and its variants
        ("Wed, 05 Mar 2025 10:11:12 GMT", utc(2025, 3, 5, 10, 11, 12)),
        ("Wed,05 Mar 2025 10:11:12 -0000", utc(2025, 3, 5, 10, 11, 12)),
        ("Wed, 5 March 2025 10:11:12 +01:00", utc(2025, 3, 5, 9, 11, 12)),
        ("Sun, 05 Mar 2025 10:11:12 GMT", utc(2025, 3, 5, 10, 11, 12)),
        ("05 Mar 2025 10:11 EST", utc(2025, 3, 5, 15, 11)),
        ("Wed, 05 Mar 25 10:11:12 GMT", utc(2025, 3, 5, 10, 11, 12)),
        ("Sat, 05 Mar 94 10:11:12 GMT", utc(1994, 3, 5, 10, 11, 12)),
        ("Wed, 05 Mar 2025", utc(2025, 3, 5)),
        ("05-Mar-2025 10:11:12 +0100", utc(2025, 3, 5, 9, 11, 12)),
        ("Wed Mar  5 10:11:12 2025", utc(2025, 3, 5, 10, 11, 12)),
        ("Sun Jul 15 01:16:00 +0000 2012", utc(2012, 7, 15, 1, 16)),
        ("Wed Mar 05 2025 10:11:12 GMT+0100 (Central European Standard Time)", utc(2025, 3, 5, 9, 11, 12)),
        ("March 5, 2025 10:11 PM", utc(2025, 3, 5, 22, 11)),
        ("March 5th 2025, 12:05 a.m.", utc(2025, 3, 5, 0, 5)),
        # other languages
        ("Mi, 05 Mrz 2025 10:11:12 +0100", utc(2025, 3, 5, 9, 11, 12)),
        ("Mittwoch, 5. März 2025 10:11", utc(2025, 3, 5, 10, 11)),
        ("mer., 5 févr. 2025 10:11:12 +0100", utc(2025, 2, 5, 9, 11, 12)),
        ("5 de marzo de 2025", utc(2025, 3, 5)),
        ("5 agosto 2025 10:11", utc(2025, 8, 5, 10, 11)),
        ("5 de março de 2025", utc(2025, 3, 5)),
        ("wo 5 mei 2025 10:11", utc(2025, 5, 5, 10, 11)),
        ("5 października 2025", utc(2025, 10, 5)),
        ("Ср, 05 мар 2025 10:11:12 +0300", utc(2025, 3, 5, 7, 11, 12)),
        ("2024年1月1日 下午3:04", utc(2024, 1, 1, 15, 4)),
        ("2024年1月1日 15時4分5秒", utc(2024, 1, 1, 15, 4, 5)),
        ("2004-05-25 오후 11:23:17", utc(2004, 5, 25, 23, 23, 17)),
        ("２０２５-０３-０５", utc(2025, 3, 5)),
        ("2025/03/05 10:11:12", utc(2025, 3, 5, 10, 11, 12)),
        ("05.03.2025 10:11", utc(2025, 3, 5, 10, 11)),
        ("po, 04 bře 2024 10:00:00 +0100", utc(2024, 3, 4, 9)),
        ("4 oktober 2024", utc(2024, 10, 4)),
        ("ma, 04 maalis 2024 10:00:00 +0200", utc(2024, 3, 4, 8)),
        ("4. maj 2024 kl. 10.05", utc(2024, 5, 4, 10, 5)),
        ("Pzt, 04 Ağu 2024 10:00:00 +0300", utc(2024, 8, 4, 7)),
        ("4 Kasım 2024", utc(2024, 11, 4)),
        ("пн, 04 бер 2024 10:00:00 +0200", utc(2024, 3, 4, 8)),
        ("2024. március 4. 10:00", utc(2024, 3, 4, 10)),
        ("4 ian. 2024", utc(2024, 1, 4)),
        ("Δευ, 04 Μαΐου 2024 10:00", utc(2024, 5, 4, 10)),
        ("יום שני, 4 במרץ 2024", utc(2024, 3, 4)),
        ("ngày 4 tháng 3 năm 2024", utc(2024, 3, 4)),
        ("mar, 05 nov 2024 10:00:00 +0100", utc(2024, 11, 5, 9)),
        ("mar., 5 nov. 2024 10:00", utc(2024, 11, 5, 10)),
        ("4. März 2024 um 10:00 Uhr", utc(2024, 3, 4, 10)),
        ("4 mars 2024 à 10 h 05", utc(2024, 3, 4, 10, 5)),
        # Chinese, Japanese, Korean
        ("二〇二四年十二月三十一日 下午三时五分", utc(2024, 12, 31, 15, 5)),
        ("二零二四年三月四日", utc(2024, 3, 4)),
        ("2024年3月4日 星期一 上午10点半", utc(2024, 3, 4, 10, 30)),
        ("民國113年3月4日", utc(2024, 3, 4)),
        ("令和6年3月4日", utc(2024, 3, 4)),
        ("令和元年5月1日", utc(2019, 5, 1)),
        ("平成30年4月30日 午後1時", utc(2018, 4, 30, 13)),
        ("2024年3月4日（月） 10:00", utc(2024, 3, 4, 10)),
        ("2024/03/04(月)", utc(2024, 3, 4)),
        ("2024년 3월 4일 오후 3시 5분", utc(2024, 3, 4, 15, 5)),
        ("2024. 3. 4. 오후 3:05", utc(2024, 3, 4, 15, 5)),
        # Arabic and Persian
        ("٤ مارس ٢٠٢٤ ٣:٠٥ م", utc(2024, 3, 4, 15, 5)),
        ("الاثنين، 4 آذار/مارس 2024 - 10:00 ص", utc(2024, 3, 4, 10)),
        ("4 كانون الثاني 2024", utc(2024, 1, 4)),
        ("4 تشرين الأول 2024", utc(2024, 10, 4)),
        ("4 فيفري 2024", utc(2024, 2, 4)),
        ("۴ مارس ۲۰۲۴", utc(2024, 3, 4)),
        # digits only, where one order is possible
        ("12/31/2024", utc(2024, 12, 31)),
        ("31/12/2024 14:05", utc(2024, 12, 31, 14, 5)),
        ("04/04/2024", utc(2024, 4, 4)),
        # am and pm after forms that have neither
        ("Wed, 05 Mar 2025 03:11:12 PM", utc(2025, 3, 5, 15, 11, 12)),
        ("2025-03-05 03:11:12 PM", utc(2025, 3, 5, 15, 11, 12)),
        ("Wed, 05 Mar 2025 22:11 PM", utc(2025, 3, 5, 22, 11)),
        # IANA names as zones
        ("2025-03-05T10:00:00+01:00[Europe/Berlin]", utc(2025, 3, 5, 9)),
        ("2025-03-05T10:00:00[Asia/Tokyo]", utc(2025, 3, 5, 1)),
        ("Wed, 05 Mar 2025 10:00:00 America/New_York", utc(2025, 3, 5, 15)),
        # Unix time
        ("1741169472000000", utc(2025, 3, 5, 10, 11, 12)),
        ("1741169472", utc(2025, 3, 5, 10, 11, 12)),
        ("1741169472.5", utc(2025, 3, 5, 10, 11, 12)),
        ("1741169472000", utc(2025, 3, 5, 10, 11, 12)),
    ],
)
def test_i40_forms(text: str, when: datetime) -> None:
    assert parse_date(text) == when
    assert parse_date(f" {text}\n") == when


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "  ",
        "now",
        "yesterday",
        "null",
        "+2500",
        "5",
        "2013-01-27-01",
        "2013-01-28T11:30:00-06:00Textra",
        "2013-01-28T09:00:00+00:xx",
        "Sun, 16 zzz 2012 11:47:32 GMT",
        "03/04/2025",
        "3 hours ago",
        "vor 3 Stunden",
        "3小时前",
        "today 10:00",
        "1402-12-14",
        "13/13/2024",
        "{{ post.date }} 2024",
        "31 Feb 2025",
        "Wed, 05 Mar 2025 25:00:00 GMT",
        "Wed, 05 Mar 2025 10:61:00 GMT",
        "2016-12-31T23:59:61Z",
        "2025-13-01",
        "2025-W54-1",
        "2025-366",
        "1" * 200,
        "99999-01-01",
    ],
)
def test_i43_what_is_no_date(text: str | None) -> None:
    assert parse_date(text) is None


@pytest.mark.parametrize(
    ("zone", "hour"),
    [
        ("UT", 10),
        ("Z", 10),
        ("UTC", 10),
        ("EST", 15),
        ("EDT", 14),
        ("CST", 16),
        ("MST", 17),
        ("PST", 18),
        ("PDT", 17),
        ("CET", 9),
        ("CEST", 8),
        ("EET", 8),
        ("EEST", 7),
        ("WET", 10),
        ("WEST", 9),
        ("BST", 9),
        ("MSK", 7),
        ("JST", 1),
        ("gmt+2", 8),
        ("+1400", -4),
    ],
)
def test_i41_zones(zone: str, hour: int) -> None:
    found = parse_date(f"Wed, 05 Mar 2025 10:00:00 {zone}")
    assert found is not None
    assert (found - utc(2025, 3, 5)).total_seconds() == hour * 3600


def test_i41_india_is_half_an_hour_off() -> None:
    assert parse_date("Wed, 05 Mar 2025 10:00:00 IST") == utc(2025, 3, 5, 4, 30)


@pytest.mark.parametrize("zone", ["A", "XYZ", "Mars"])
def test_i41_other_names_are_utc_with_a_notice(zone: str) -> None:
    found = read_date(f"Wed, 05 Mar 2025 10:00:00 {zone}", BERLIN)
    assert (found.when, found.notice) == (utc(2025, 3, 5, 10), f"unknown zone {zone!r} read as UTC")


@pytest.mark.parametrize("offset", ["+1401", "-2500", "+99:99", "+00:60"])
def test_i41_offsets_that_there_are_not(offset: str) -> None:
    assert parse_date(f"2025-03-05T10:00:00{offset}") is None
    assert parse_date(f"Wed, 05 Mar 2025 10:00:00 {offset}") is None


@pytest.mark.parametrize(
    ("text", "hour"), [("2025-03-05 10:00", 9), ("2025-07-05 10:00", 8), ("Sat, 05 Jul 2025 10:00:00", 8)]
)
def test_i41_no_zone_is_the_sources_own(text: str, hour: int) -> None:
    found = parse_date(text, BERLIN)
    assert found is not None
    assert found.hour == hour


def test_i43_before_1990_is_no_date() -> None:
    for text in ("Thu, 01 Jan 1970 00:00:00 GMT", "0001-01-01T00:00:00Z", "1989-12-31T23:59:59Z", "0"):
        assert parse_date(text) is None
    assert parse_date("1990-01-01T00:00:00Z") == EARLIEST


def test_i44_edges() -> None:
    assert parse_date("2025-03-05T24:00:00Z") == utc(2025, 3, 6)
    assert parse_date("Wed, 31 Dec 2025 24:00:00 GMT") == utc(2026, 1, 1)
    assert parse_date("2016-12-31T23:59:60Z") == utc(2016, 12, 31, 23, 59, 59)
    assert parse_date("9999-12-31T23:59:59Z") == utc(9999, 12, 31, 23, 59, 59)
    assert parse_date("9999-12-31T23:59:59-01:00") is None
    assert parse_date("9999-12-31T24:00:00Z") is None


def test_i41_words_behind_a_time_are_no_zones() -> None:
    assert read_date("4. März 2024 um 10:00 Uhr", BERLIN).when == utc(2024, 3, 4, 9)
    assert read_date("4 марта 2024 г. 10:00 ч", BERLIN).notice is None


@pytest.mark.parametrize(
    ("dates", "language", "order"),
    [
        pytest.param(["12/31/2024", "03/04/2024"], "de", False, id="the-dates-before-the-language"),
        pytest.param(["31/12/2024", None, "Mon, 04 Mar 2024"], "en-US", True, id="one-date-is-enough"),
        pytest.param(["31/12/2024", "12/31/2024"], "fr", None, id="contradicting"),
        pytest.param(["03/04/2024"], "en-US", False, id="american"),
        pytest.param(["03/04/2024"], "en-GB", True, id="british"),
        pytest.param(["03/04/2024"], "fr", True, id="french"),
        pytest.param(["03/04/2024"], "en", None, id="english-of-nowhere"),
        pytest.param(["03/04/2024"], "ja", None, id="the-year-comes-first"),
        pytest.param(["03/04/2024"], None, None, id="nothing-known"),
    ],
)
def test_i43_day_and_month_by_the_document(dates: list[str | None], language: str | None, order: bool | None) -> None:
    assert day_first(dates, language) is order


def test_i43_the_order_decides_what_can_be_read_in_two_ways() -> None:
    assert parse_date("03/04/2024", day_first=True) == utc(2024, 4, 3)
    assert parse_date("03-04-2024 10:00", day_first=False) == utc(2024, 3, 4, 10)
    assert parse_date("31/12/2024", day_first=False) == utc(2024, 12, 31)


@pytest.mark.parametrize(
    ("url", "when"),
    [
        ("https://site.example/2024/03/04/title", utc(2024, 3, 4)),
        ("https://site.example/2024-03-04-title.html", utc(2024, 3, 4)),
        ("https://site.example/20240304/title", utc(2024, 3, 4)),
        ("https://site.example/2024/0304/c1.html", utc(2024, 3, 4)),
        ("https://site.example/202403/t20240304_1.html", utc(2024, 3, 4)),
        ("https://site.example/2024/03/title", None),
        ("https://site.example/2024/13/04/title", None),
        ("https://site.example/item/20240304", None),
        ("https://site.example/?d=/2024/03/04/", None),
        ("https://site.example/2024/03/0412/", None),
    ],
)
def test_i43_the_day_in_an_address(url: str, when: datetime | None) -> None:
    assert date_in(url) == when


FIRST = EARLIEST.replace(tzinfo=None)
_FORMS = (
    "{0.year}-{0.month:02}-{0.day:02}T{0:%H:%M:%S}Z",
    "{0.year:04}{0.month:02}{0.day:02}T{0:%H%M%S}Z",
    "{0.day} {0:%B} {0.year} {0:%H:%M:%S}",
    "{0.year}年{0.month}月{0.day}日 {0.hour}時{0.minute}分{0.second}秒",
    "{0.year}년 {0.month}월 {0.day}일 {0:%H:%M:%S}",
    "{0.day}.{0.month}.{0.year} {0:%H:%M:%S}",
    "{0.year}/{0.month}/{0.day} {0:%I:%M:%S %p}",
    "{0:%B} {0.day}, {0.year}, {0:%I:%M:%S %p}",
)


@given(st.datetimes(min_value=FIRST, max_value=FIRST.replace(year=2200)), st.sampled_from(_FORMS), st.booleans())
def test_i40_every_form_is_read_as_it_was_written(when: datetime, form: str, persian: bool) -> None:
    when = when.replace(microsecond=0, tzinfo=UTC)
    text = form.format(when)
    if persian:
        text = text.translate({ord("0") + n: chr(0x6F0 + n) for n in range(10)})
    assert parse_date(text) == when


@given(st.text(alphabet="0123456789-:/.,TZ+ WMarchJan2025年月日午下PM", max_size=60))
def test_any_text_gives_an_aware_utc_date_or_none(text: str) -> None:
    found = parse_date(text, BERLIN)
    assert found is None or (found.tzinfo is UTC and found >= EARLIEST)


@given(st.text(max_size=120))
def test_any_text_at_all(text: str) -> None:
    read_date(text)


@given(st.integers(min_value=0, max_value=8000 * 365 * 86400))
def test_what_is_written_is_read_again(seconds: int) -> None:
    when = EARLIEST + timedelta(seconds=seconds)
    assert parse_date(when.isoformat()) == when
    assert parse_date(when.strftime("%a, %d %b ") + f"{when.year:04} {when:%H:%M:%S} GMT") == when
    assert parse_date(when.strftime("%a %b %d %H:%M:%S ") + f"{when.year:04}") == when


def test_s25_long_texts_are_no_dates() -> None:
    start = time.thread_time()
    for text in ("1" * 100_000, "Mar " * 50_000, "+" * 100_000, " " * 100_000 + "x", "ﷺ" * 1000):
        assert parse_date(text) is None
    assert time.thread_time() - start < 10
