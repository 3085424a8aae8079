"""Known entries under new ids, and known ids with other entries: each kind of evidence (I35)."""

from dataclasses import replace
from typing import Any

import pytest

from aggregator.decide.changed_ids import (
    DATE_MOVED,
    Pair,
    is_another,
    is_date_moved,
    is_rekeyed,
    may_be_rekeyed,
    pairs_of,
)
from aggregator.identify.budget import Budget
from aggregator.model.entry import Digest, Enclosure, Entry
from aggregator.model.known import Trace
from aggregator.urls import Url
from tests.decide.records import DAY, NOON, entry, known_entry

LINK = "news.example/a-fine-lamp"


def trace(number: int = 1, **fields: Any) -> Trace:
    plain = Trace(
        id=number,
        link=LINK,
        digest=Digest("1:d"),
        text_digest="1:t",
        title="Lamp",
        published=NOON,
        enclosures=(),
        has_id=True,
    )
    return replace(plain, **fields)


def listed(link: str | None = LINK, **fields: Any) -> Entry:
    plain = entry(
        "new",
        id="urn:new",
        title="Lamp",
        link=Url(f"https://{link}") if link else None,
        digest=Digest("1:d"),
        text_digest=Digest("1:t"),
        published=NOON,
    )
    return replace(plain, **fields)


def paired(item: Entry, *traces: Trace, beside: int = 0) -> str | None:
    """Return the evidence for one entry, listed with so many known ones."""
    document = [("f", item), *((f"known{n}", entry(f"known{n}")) for n in range(beside))]
    found = pairs_of(document, {"f"}, traces)
    assert set(found) <= {"f"}
    return found["f"].because if found else None


@pytest.mark.parametrize(
    ("item", "stored", "because"),
    [
        pytest.param(listed(), trace(), "same title, address and date", id="all"),
        pytest.param(listed(title="Other"), trace(), "same title, date and text, at another address", id="title"),
        pytest.param(listed(published=NOON + DAY), trace(), None, id="date"),
        pytest.param(
            listed("news.example/other"), trace(), "same title, date and text, at another address", id="edited"
        ),
        pytest.param(
            listed("other.example/a-fine-lamp"), trace(), "same title, path and date, on another host", id="moved"
        ),
        pytest.param(
            listed("other.example/"), trace(), "same title, date and text, at another address", id="start-page"
        ),
        pytest.param(listed(published=None), trace(published=None), "same title, address and date", id="undated"),
        pytest.param(
            listed(published=None, digest=Digest("1:e")), trace(published=None), None, id="undated-with-another-text"
        ),
        pytest.param(listed(text_digest=None), trace(text_digest=None), "same title, address and date", id="no-text"),
        pytest.param(listed("news.example/b", text_digest=None), trace(text_digest=None), None, id="no-text-elsewhere"),
        pytest.param(
            listed(title="", published=None), trace(title="", published=None), None, id="neither-title-nor-date"
        ),
    ],
)
def test_one_entry_is_enough(item: Entry, stored: Trace, because: str | None) -> None:
    assert paired(item, stored, beside=5) == because


def test_what_two_share_is_no_evidence() -> None:
    assert paired(listed(), trace(1), trace(2), beside=5) is None
    document = [("f", listed()), ("g", listed())]
    assert pairs_of(document, {"f", "g"}, [trace()]) == {}
    assert pairs_of([("f", listed())], {"f"}, []) == {}
    assert pairs_of([("f", listed())], set(), [trace()]) == {}


def test_an_entry_without_id_and_link_whose_date_moved() -> None:
    item = listed(None, id=None, published=NOON + DAY)
    assert paired(item, trace(link=None, has_id=False), beside=5) == DATE_MOVED
    assert paired(item, trace(link=None), beside=5) is None
    assert paired(item, trace(has_id=False), beside=5) is None
    assert paired(replace(item, id="urn:1"), trace(link=None, has_id=False), beside=5) is None
    assert paired(replace(item, title="", text=""), trace(link=None, has_id=False), beside=5) is None
    assert is_date_moved({"f": Pair(1, DATE_MOVED)})
    assert not is_date_moved({"f": Pair(1, "same address")})


@pytest.mark.parametrize(
    ("unknown", "size", "may_be"), [(3, 5, True), (3, 6, False), (2, 2, False), (4, 7, True), (4, 8, False)]
)
def test_when_a_whole_document_may_have_new_ids(unknown: int, size: int, may_be: bool) -> None:
    assert may_be_rekeyed(unknown, size) is may_be


def test_when_most_ids_have_changed() -> None:
    pair = Pair(1, "x")
    assert is_rekeyed({"a": pair, "b": pair}, [1, 2, 3])
    assert not is_rekeyed({"a": pair, "b": pair}, [1, 2, 3, 4])
    assert not is_rekeyed({}, [])


def whole(count: int, known: int, of_entry: dict[str, Any], of_trace: dict[str, Any]) -> set[str]:
    """Return the evidence for a document of so many entries, of which some have a trace."""
    document, traces = [], []
    for n in range(count):
        own = {
            "title": f"T{n}",
            "digest": Digest(f"1:d{n}"),
            "text_digest": Digest(f"1:t{n}"),
            "published": NOON + n * DAY,
        }
        of = {name: value(n) if callable(value) else value for name, value in of_entry.items()}
        document.append((f"f{n}", listed(of.pop("at", f"news.example/path-{n}"), **(own | of))))
        if n < known:
            of = {name: value(n) if callable(value) else value for name, value in of_trace.items()}
            traces.append(trace(n + 1, **(own | {"link": f"news.example/path-{n}"} | of)))
    found = pairs_of(document, {form for form, _ in document}, traces)
    return {pair.because for pair in found.values()}


OTHERWISE = {
    "title": lambda n: f"Old {n}",
    "digest": lambda n: Digest(f"1:o{n}"),
    "text_digest": lambda n: f"1:o{n}",
    "published": None,
}


@pytest.mark.parametrize(
    ("of_entry", "of_trace", "because"),
    [
        pytest.param({}, OTHERWISE, "same address", id="address"),
        pytest.param(
            {"at": lambda n: f"other.example/path-to-{n}"},
            OTHERWISE | {"link": lambda n: f"news.example/path-to-{n}"},
            "same path on another host",
            id="path",
        ),
        pytest.param(
            {"at": None},
            OTHERWISE | {"link": None, "digest": lambda n: Digest(f"1:d{n}")},
            "same content",
            id="content",
        ),
        pytest.param(
            {"at": None},
            OTHERWISE | {"link": None, "text_digest": lambda n: f"1:t{n}"},
            "same title and text",
            id="text",
        ),
        pytest.param(
            {"at": None},
            OTHERWISE | {"link": None, "title": lambda n: f"T{n}", "published": lambda n: NOON + n * DAY},
            "same title and date",
            id="title-and-date",
        ),
    ],
)
def test_weak_evidence_counts_for_a_whole_document(
    of_entry: dict[str, Any], of_trace: dict[str, Any], because: str
) -> None:
    assert whole(10, 10, of_entry, of_trace) == {because}
    assert whole(10, 9, of_entry, of_trace) == {because}
    assert whole(10, 8, of_entry, of_trace) == set(), "not nearly all"
    assert whole(2, 2, of_entry, of_trace) == set(), "too few"


def test_a_file_of_as_many_bytes_is_an_episode() -> None:
    def file(n: int, **fields: Any) -> tuple[Enclosure, ...]:
        return (replace(Enclosure(url=Url(f"https://cdn.example/{n}"), type="audio/mpeg", length=1000 + n), **fields),)

    of_entry = {"at": None, "enclosures": file}
    of_trace = OTHERWISE | {"link": None, "published": lambda n: NOON + n * DAY, "enclosures": file}
    assert whole(5, 5, of_entry, of_trace) == {"same date and file, of as many bytes"}
    for change in ({"length": 7}, {"type": "video/mp4"}, {"duration": 9}, {"length": None}):
        assert whole(5, 5, of_entry, of_trace | {"enclosures": lambda n, c=change: file(n, **c)}) == set()
    assert whole(5, 5, of_entry, of_trace | {"enclosures": lambda n: file(n) * 2}) == set()
    assert whole(5, 5, of_entry, of_trace | {"published": None}) == set()


def test_a_path_that_names_nothing_needs_the_title() -> None:
    of_entry = {"at": lambda n: f"other.example/{n + 1}"}
    of_trace = OTHERWISE | {"link": lambda n: f"news.example/{n + 1}"}
    assert whole(5, 5, of_entry, of_trace) == set()
    assert whole(5, 5, of_entry, of_trace | {"title": lambda n: f"T{n}"}) == {"same path on another host"}


TEXT = "After nine years in a workshop cellar, the lamp of the old lighthouse is back where it belongs, says the mayor."
OTHER = "Somebody should have filmed this. The little museum next door has a model of the mechanism; go and see it."


@pytest.mark.parametrize(
    ("fields", "is_other"),
    [
        ({}, True),
        ({"link": None}, False),
        ({"link": Url(f"https://{LINK}")}, False),
        ({"published": NOON}, False),
        ({"published": None}, True),
        ({"title": ""}, False),
        ({"title": "The lamp is back"}, False),
        ({"text": TEXT}, False),
    ],
)
def test_an_id_that_names_another_article(fields: dict[str, Any], is_other: bool) -> None:
    before = known_entry(1, match_link=LINK, title="The lamp is back", content=TEXT, published=NOON)
    item = replace(listed("news.example/film", title="Worth seeing", text=OTHER, published=NOON + DAY), **fields)
    assert is_another(before, item, Budget()) is is_other
    assert not is_another(replace(before, match_link=None), item, Budget())
    assert not is_another(replace(before, title=""), item, Budget())
    assert not is_another(before, item, Budget(seconds=0.0))
