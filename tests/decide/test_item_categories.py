"""Categories that entries name: made, found again, renamed and limited in number."""

from dataclasses import replace

from aggregator.decide.item_categories import ItemCategories
from aggregator.model.alarm import MOST
from aggregator.model.event import Code, Event
from aggregator.model.known import Known, KnownCategory
from aggregator.model.settings import GENERAL, Category, CategoryKey, Reading, Roster
from tests.decide.records import SOURCE, UUID, categories, entry, roster

FILING = replace(SOURCE, reading=Reading(filing=("{section}",)))
X, NEW = CategoryKey("x"), CategoryKey("new")


def filing(
    *made: KnownCategory, known: Known | None = None, to: Roster | None = None
) -> tuple[ItemCategories, list[Event]]:
    events: list[Event] = []
    stored = {one.key: one for one in made}
    before = known or Known(store_uuid=UUID, next_category=50, categories=categories("x") | stored)
    return ItemCategories(1, before, to or roster(FILING), events), events


def test_the_categories_of_an_entry() -> None:
    found, _ = filing()
    assert found.keys_of(entry(filed=("a",)), SOURCE) == (X,), "the source names its categories alone"
    assert found.keys_of(entry(filed=("a", "x", "a")), FILING) == (X, "a")
    assert found.keys_of(entry(), FILING) == (X, GENERAL)
    renamed = Category(key=NEW, title="New", was=(CategoryKey("old"),))
    heir, _ = filing(to=Roster({}, {NEW: renamed}))
    assert heir.keys_of(entry(filed=("old",)), FILING) == (X, NEW)
    both = Roster({}, {NEW: renamed, CategoryKey("old"): Category(key=CategoryKey("old"), title="Old")})
    assert filing(to=both)[0].keys_of(entry(filed=("old",)), FILING) == (X, "old")


def test_a_category_of_the_source_is_found_and_never_made() -> None:
    found, events = filing()
    assert found.place(X, 7, SOURCE) == 1
    assert found.place(X, 7, FILING) == 1
    assert found.place(NEW, 7, SOURCE) is None
    assert (found.made, events, found.is_short) == ([], [], False)


def test_a_category_is_made_once() -> None:
    found, events = filing()
    assert [found.place(CategoryKey(key), 7, FILING) for key in ("a", "b", "a")] == [50, 51, 50]
    assert [(one.id, one.key, one.slug, one.source, one.is_new) for one in found.made] == [
        (50, "a", "a", 1, True),
        (51, "b", "b", 1, True),
    ]
    assert len({one.feed_id for one in found.made}) == 2
    assert [(event.code, event.entry, event.category) for event in events] == [
        (Code.MAKE_CATEGORY, 7, 50),
        (Code.MAKE_CATEGORY, 7, 51),
    ]
    assert events[0].facts == {"key": "a", "slug": "a"}
    assert not found.is_short


def test_n5_a_category_that_rests_comes_back_as_it_was() -> None:
    resting = KnownCategory(id=9, key=NEW, slug="old-slug", feed_id="urn:f", active=False, made_by=1)
    found, _ = filing(resting)
    assert found.place(NEW, 7, FILING) == 9
    (made,) = found.made
    assert (made.id, made.slug, made.feed_id, made.is_new) == (9, "old-slug", "urn:f", False)
    assert found.place(CategoryKey("other"), 7, FILING) == 50, "a category that comes back takes no new id"


def test_an_entry_without_a_category_goes_to_general_and_says_so() -> None:
    found, events = filing()
    assert found.place(GENERAL, 7, FILING) == 50
    assert found.is_short
    assert [event.code for event in events] == [Code.FILE_GENERAL, Code.MAKE_CATEGORY]
    assert events[0].facts == {"key": None, "most": MOST}


def full(count: int, made_by: int | None = 1) -> tuple[ItemCategories, list[Event]]:
    return filing(
        *(KnownCategory(id=100 + n, key=CategoryKey(f"c{n}"), slug=f"c{n}", made_by=made_by) for n in range(count))
    )


def test_the_last_category_that_a_source_may_name() -> None:
    found, events = full(MOST - 1)
    assert found.place(CategoryKey("a"), 7, FILING) == 50
    assert found.place(CategoryKey("b"), 7, FILING) == 51, "general"
    assert [event.facts["key"] for event in events if event.code is Code.FILE_GENERAL] == ["b"]
    assert [one.key for one in found.made] == ["a", GENERAL]
    assert found.place(CategoryKey("a"), 7, FILING) == 50
    assert found.place(CategoryKey("c3"), 7, FILING) == 103


def test_categories_of_others_do_not_count_nor_does_one_that_comes_back() -> None:
    assert full(MOST, made_by=2)[0].place(CategoryKey("a"), 7, FILING) == 50
    own = KnownCategory(id=9, key=NEW, slug="new", feed_id="urn:f", active=False, made_by=1)
    many = [KnownCategory(id=100 + n, key=CategoryKey(f"c{n}"), slug=f"c{n}", made_by=1) for n in range(MOST)]
    found, _ = filing(own, *many)
    assert found.place(NEW, 7, FILING) == 9
    general = KnownCategory(id=8, key=GENERAL, slug="general", made_by=1)
    assert filing(general, *many[1:])[0].place(CategoryKey("a"), 7, FILING) == 50
