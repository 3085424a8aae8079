"""Many sources on one host (P72)."""

from datetime import timedelta

import pytest

from tests.config.reading import notes, settings

RULE = "hosts: {example.org: {spacing: 4s}}\n"


def many(count: int, *, more: str = "", before: str = "") -> str:
    """Return a feeds.yaml with `count` sources on one host, and one source on another host."""
    lines = [f"  - {{url: 'https://s{n}.example.org/feed', key: s{n}{more}}}" for n in range(count)]
    return before + "sources:\n  - https://example.net/feed\n" + "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("text", "crowding"),
    [
        pytest.param(many(1), 2.4, id="one"),
        pytest.param(many(300), 720, id="300-at-2s-12min"),
        pytest.param(many(3000), 7200, id="3000-at-2s-2h"),
        pytest.param(many(300, before=RULE), 1440, id="the-operators-spacing"),
        pytest.param(many(300, more=", every: 6h"), 720, id="whatever-is-asked-for"),
    ],
)
def test_p72_each_source_knows_what_its_host_allows(text: str, crowding: float) -> None:
    sources = settings(text).sources
    assert {source.crowding for source in sources[1:]} == {timedelta(seconds=crowding)}
    assert sources[0].crowding == timedelta(seconds=2.4)


def test_p72_who_is_paused_takes_no_room() -> None:
    text = many(2) + "".join(f"  - {{url: 'https://p{n}.example.org/', paused: true}}\n" for n in range(50))
    assert settings(text).sources[1].crowding == timedelta(seconds=4.8)


def test_p72_a_platform_is_one_host_with_a_spacing_of_its_own() -> None:
    text = "sources:\n" + "".join(f"  - https://old.reddit.com/r/r{n}.rss\n" for n in range(10))
    assert settings(text).sources[0].crowding == timedelta(minutes=12)


def test_p72_files_are_nobodys_server() -> None:
    text = "sources:\n" + "".join(f"  - {{kind: file, url: f{n}.xml}}\n" for n in range(500))
    read = settings(text)
    assert read.sources[0].crowding == timedelta(0)
    assert read.notes == ()


def test_p72_check_says_it_once_for_a_host_with_what_to_write() -> None:
    assert notes(many(3000)) == [
        "3:5: 3,000 sources on example.org, one request every 2s: each is polled every 2h at most; "
        "write every: 2h, or a shorter spacing under hosts:, if example.org allows it"
    ]


@pytest.mark.parametrize(
    ("text", "is_said"),
    [
        pytest.param(many(300), False, id="auto-within-its-least-interval"),
        pytest.param(many(300, before=RULE), True, id="auto"),
        pytest.param(many(300, before=RULE, more=", every: 24m"), False, id="every-just-enough"),
        pytest.param(many(300, before=RULE, more=", every: 23m"), True, id="every"),
        pytest.param(many(300, before=RULE, more=", min_interval: 1h"), False, id="least-interval"),
        pytest.param(many(300, before=RULE, more=", schedule: '0 * * * *'"), False, id="schedule-wide-enough"),
        pytest.param(many(300, before=RULE, more=", schedule: '*/20 * * * *'"), True, id="schedule"),
        pytest.param(many(300, before=RULE, more=", paused: true"), False, id="all-paused"),
    ],
)
def test_p72_said_only_where_more_is_asked_for(text: str, is_said: bool) -> None:
    assert bool(notes(text)) is is_said


def test_p72_what_is_to_be_written_is_rounded_up() -> None:
    (note,) = notes(many(437, more=", every: 15m"))
    assert "each is polled every 18m at most" in note, "1048.8 s"
