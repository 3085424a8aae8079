"""Content coding, ranges and conditional requests."""

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.serve.negotiation import is_expected, is_known, part_of, wants_gzip

OURS = "0123456789abcdef0123456789abcdef"
OTHER = "fedcba9876543210fedcba9876543210"
THEN = 1_700_000_000
FIELDS = st.one_of(
    st.none(),
    st.text(st.characters(max_codepoint=0xFF), max_size=40),
    st.lists(
        st.sampled_from(
            [
                OURS,
                OTHER,
                '"',
                "W/",
                "*",
                ",",
                " ",
                "-gzip",
                "bytes=",
                "-",
                "0",
                "5",
                "9" * 20,
                ";q=",
                "gzip",
                formatdate(THEN),
            ]
        ),
        max_size=8,
    ).map("".join),
)


@pytest.mark.parametrize(
    ("field", "gzip"),
    [
        (None, False),
        ("", False),
        ("gzip", True),
        ("GZIP", True),
        ("x-gzip", True),
        ("gzip, deflate, br, zstd", True),
        ("br;q=1.0, gzip;q=0.8, *;q=0.1", True),
        ("*", True),
        ("gzip;q=0", False),
        ("gzip;q=0.000, identity", False),
        ("gzip; q=0.001", True),
        ("*;q=0", False),
        ("*;q=0, gzip", True),
        ("identity", False),
        ("gzip;q=0.5, identity", False),
        ("gzip;q=0.5, *;q=1", False),
        ("gzip;q=1, identity;q=1", True),
        ("identity;q=0", False),
        ("deflate", False),
        ("gzipped", False),
        ("gzip;q=2", False),
        ("gzip;level=9", False),
        (", ,gzip,", True),
    ],
)
def test_a76_the_coding_follows_the_weights(field: str | None, gzip: bool) -> None:
    assert wants_gzip(field) is gzip


@pytest.mark.parametrize(
    "field",
    [
        f'"{OURS}"',
        f' "{OURS}" ',
        f'W/"{OURS}"',
        f'w/"{OURS}"',
        OURS,
        f'""{OURS}""',
        f'"\\"{OURS}\\""',
        f'"{OURS}-gzip"',
        f'W/"{OURS}-gzip"',
        f'"{OURS}"-gzip',
        f"{OURS}-gzip",
        f'"{OTHER}", "{OURS}"',
        f'"{OTHER}",W/"{OURS}","x,y"',
        f', ,"{OURS}",',
        "*",
        " * ",
    ],
)
def test_a72_a_tag_of_ours_is_known_in_every_dress(field: str) -> None:
    assert is_known(field, None, OURS, THEN)
    assert is_known(field, formatdate(THEN - 9, usegmt=True), OURS, THEN), "the date counts for nothing"


@pytest.mark.parametrize(
    "field",
    [
        "",
        '""',
        f'"{OTHER}"',
        f'"{OTHER}", "*"',
        f'"{OURS[:-1]}"',
        f'"{OURS}0"',
        f'"x{OURS}"',
        f'"{OURS}-br"',
        '"-gzip"',
    ],
)
def test_a72_another_tag_is_not_known_whatever_the_date_says(field: str) -> None:
    assert not is_known(field, formatdate(THEN + 9, usegmt=True), OURS, THEN)


@pytest.mark.parametrize(
    ("date", "known"),
    [
        (None, False),
        ("Tue, 14 Nov 2023 22:13:20 GMT", True),
        ("Tue, 14 Nov 2023 22:13:21 GMT", True),
        ("Tue, 14 Nov 2023 22:13:19 GMT", False),
        ("Tuesday, 14-Nov-23 22:13:20 GMT", True),
        ("Tue Nov 14 22:13:20 2023", True),
        ("Tue Nov 14 22:13:19 2023", False),
        ("Fri, 14 Nov 2098 22:13:20 GMT", True),
        ("", False),
        ("0", False),
        ("yesterday", False),
        ("Tue, 32 Nov 2023 22:13:20 GMT", False),
        ("Tue, 14 Nov 99999999999999999999 22:13:20 GMT", False),
    ],
)
def test_a72_dates_compare_as_not_modified_since(date: str | None, known: bool) -> None:
    assert is_known(None, date, OURS, THEN) is known


@pytest.mark.parametrize(
    ("if_match", "date", "expected"),
    [
        (None, None, True),
        (f'"{OURS}"', None, True),
        (f'"{OTHER}", "{OURS}"', None, True),
        ("*", None, True),
        (f'W/"{OURS}"', None, False),
        (f'"{OTHER}"', THEN, False),
        (None, THEN, True),
        (None, THEN - 1, False),
    ],
)
def test_a72_if_match_is_strong_and_comes_before_its_date(
    if_match: str | None, date: int | None, expected: bool
) -> None:
    field = None if date is None else formatdate(date, usegmt=True)
    assert is_expected(if_match, field, OURS, THEN) is expected


@pytest.mark.parametrize(
    ("field", "part"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=0-99", (0, 100)),
        ("bytes=90-999", (90, 100)),
        ("bytes=90-", (90, 100)),
        ("bytes=0-", (0, 100)),
        ("bytes=-10", (90, 100)),
        ("bytes=-999", (0, 100)),
        ("Bytes= 5-6 ", (5, 7)),
        ("bytes=100-", (0, 0)),
        ("bytes=100-200", (0, 0)),
        ("bytes=-0", (0, 0)),
        (f"bytes={'9' * 18}-", (0, 0)),
        (None, None),
        ("", None),
        ("bytes=", None),
        ("bytes=-", None),
        ("bytes=7-6", None),
        ("bytes=200-100", None),
        ("bytes=0-1,5-6", None),
        ("bytes=0-1,", None),
        ("bytes=a-b", None),
        ("bytes=+1-2", None),
        ("bytes=١-٢", None),
        ("items=0-1", None),
        ("0-1", None),
        (f"bytes={'9' * 5000}-", None),
    ],
)
def test_a77_ranges(field: str | None, part: tuple[int, int] | None) -> None:
    assert part_of(field, None, OURS, 100) == part


def test_a77_nothing_of_an_empty_document_can_be_had() -> None:
    assert part_of("bytes=0-", None, OURS, 0) == (0, 0)
    assert part_of("bytes=-5", None, OURS, 0) == (0, 0)


@pytest.mark.parametrize(
    ("if_range", "applies"),
    [
        (f'"{OURS}"', True),
        (f'W/"{OURS}"', False),
        (OURS, False),
        (f'"{OURS}-gzip"', False),
        (f'"{OTHER}"', False),
        ("*", False),
        ("", False),
        (formatdate(THEN, usegmt=True), False),
    ],
)
def test_a77_if_range_takes_strong_tags_only(if_range: str, applies: bool) -> None:
    assert (part_of("bytes=0-1", if_range, OURS, 100) is not None) is applies


@given(FIELDS, FIELDS, st.integers(0, 10**9))
def test_a72_any_field_gives_a_decision(one: str | None, other: str | None, size: int) -> None:
    assert isinstance(wants_gzip(one), bool)
    assert isinstance(is_known(one, other, OURS, THEN), bool)
    assert isinstance(is_expected(one, other, OURS, THEN), bool)
    part = part_of(one, other, OURS, size)
    if part is not None:
        assert part == (0, 0) or 0 <= part[0] < part[1] <= size
