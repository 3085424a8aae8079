"""One story in nearly the same words, against a real store (T2, T5): windows and thresholds."""

from datetime import timedelta

import pytest

from aggregator.app import App
from aggregator.identify.matching import Evidence
from aggregator.model.changes import Changes
from aggregator.model.event import Code
from tests.fake_source import FakeSource, said
from tests.sample_site import START, SampleSite

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TEXT = (
    "<p>After nine years in a workshop cellar, the lamp of the old lighthouse is back where it belongs. Four people "
    "carried its lens up the hundred and twelve steps in the early morning, before the wind got up.</p>"
)
WIRE = f"<p>HARBOUR (Agency) - {TEXT[3:-4]} Reporting by a staff writer.</p>"
TITLE = "The lamp is back in its lighthouse"
FEEDS = """
categories: {x: {}, strict: {dedupe: exact}, wide: {dedupe: {near: 0.99, window: 60d}}}
sources:
  - {key: one, url: 'https://one.example/feed', category: x}
  - {key: two, url: 'https://two.example/feed', category: x}
  - {key: three, url: 'https://three.example/feed', category: x, dedupe: {near: 0.99}}
  - {key: exact, url: 'https://exact.example/feed', category: x, dedupe: exact}
  - {key: off, url: 'https://off.example/feed', category: x, dedupe: off}
  - {key: strict, url: 'https://strict.example/feed', category: [x, strict]}
"""


@pytest.fixture
def fake_source(app: App) -> FakeSource:
    fake_source = FakeSource(app)
    for key in ("one", "two", "three", "exact", "off", "strict"):
        fake_source.says(key, said(f"the-first-of-{key}", title=f"About {key}", text=f"<p>{key} " * 30))
    return fake_source


def tell(fake_source: FakeSource, key: str, text: str = TEXT, title: str = TITLE, **facts: object) -> Changes:
    """Poll a source with the story in its own words, under its own link."""
    return fake_source.says(key, said(key, title=title, text=text, link=f"https://{key}.example/lamp", **facts))  # type: ignore[arg-type]  # of any kind


def joined(changes: Changes) -> dict[str, object] | None:
    """Return the facts of the join; None if a new story was made."""
    facts = [event.facts for event in changes.entries.events if event.code is Code.JOIN_STORY]
    return facts[0] if facts else None


def test_a_wire_story_with_another_head_and_tail_joins_and_says_why(fake_source: FakeSource) -> None:
    tell(fake_source, "one")
    facts = joined(tell(fake_source, "two", WIRE, f"{TITLE} - The Harbour Post"))
    assert facts is not None
    assert facts["evidence"] == Evidence.NEAR
    assert facts["similarity"] == 1.0
    assert facts["because"] == "same title, same text"


@pytest.mark.parametrize("key", ["exact", "off", "strict"])
def test_the_strictest_setting_of_a_pair_decides(fake_source: FakeSource, key: str) -> None:
    tell(fake_source, "one")
    assert joined(tell(fake_source, key, WIRE)) is None
    assert joined(tell(fake_source, "two", WIRE)) is not None


def test_a_higher_threshold_of_one_side_counts(fake_source: FakeSource) -> None:
    tell(fake_source, "one")
    changed = TEXT.replace("workshop cellar", "garden shed").replace("wind", "rain")
    assert joined(tell(fake_source, "three", changed)) is None
    assert joined(tell(fake_source, "two", changed)) is not None


@pytest.mark.parametrize(
    ("days", "same"),
    [pytest.param(6, True, id="inside"), pytest.param(8, False, id="outside")],
)
def test_only_what_lies_in_one_window_is_one_story(
    fake_source: FakeSource, site: SampleSite, days: int, same: bool
) -> None:
    tell(fake_source, "one")
    site.clock.move(days=days)
    assert (joined(tell(fake_source, "two", WIRE)) is not None) is same


def test_own_dates_in_one_window_count_as_well(fake_source: FakeSource, site: SampleSite) -> None:
    tell(fake_source, "one", published=START)
    site.clock.move(days=30)
    assert joined(tell(fake_source, "two", WIRE, published=START + HOUR)) is not None


def test_a_source_never_joins_its_own_story(fake_source: FakeSource) -> None:
    tell(fake_source, "one")
    again = fake_source.says("one", said("again", title=TITLE, text=WIRE, link="https://one.example/again"))
    assert joined(again) is None


def test_t5_there_are_no_chains(fake_source: FakeSource, site: SampleSite) -> None:
    """A third copy is compared with what founds or is shown, not with another member."""
    tell(fake_source, "one")
    tail = "Around the lamp a small museum has grown, which tells of the keepers and of their families. " * 2
    assert joined(tell(fake_source, "two", TEXT.replace("</p>", f" {tail}</p>"))) is not None
    assert joined(tell(fake_source, "three", f"<p>{tail}</p>", "The museum around the lamp")) is None


def test_t3_a_scrapers_longer_copy_an_hour_later_is_not_shown(
    fake_source: FakeSource, site: SampleSite, app: App
) -> None:
    tell(fake_source, "one")
    site.clock.move(hours=1, seconds=1)
    tell(fake_source, "two", TEXT.replace("</p>", f" {'Read this and more on our pages. ' * 20}</p>"))
    with app.store.read() as tx:
        (category,) = [row for row in tx.categories.rows() if row.slug == "x"]
        told = [p for p in tx.documents.publications(category.id, None) if p.title == TITLE]
    assert [(p.source, len(p.credits)) for p in told] == [("one", 1)]
