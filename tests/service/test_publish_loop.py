"""When news are published while polls are under way, and what waits for the debounce (R33)."""

from collections.abc import Iterator

import pytest

from aggregator.publish.report import Published
from aggregator.service.outputs import OutputWatch
from aggregator.service.publish_loop import PublishLoop
from tests.fake_source import FakeSource, said
from tests.sample_site import SampleSite

YAML = """
publish: {formats: [json], entry_pages: false}
sources: [{key: a, url: 'https://a.example/'}, {key: b, url: 'https://b.example/', category: other}]
"""


class Loop:
    """A loop whose flushes the test does, a second apart."""

    def __init__(self, site: SampleSite, source: FakeSource) -> None:
        self._site, self._source = site, source
        self._entries = 0
        self.is_polling = False
        self.publications = 0
        self.loop = PublishLoop(source.app, OutputWatch(source.app), self._count, lambda: self.is_polling)

    def _count(self, published: Published | None) -> None:
        self.publications += 1

    def news(self, source: str = "a") -> None:
        self._entries += 1
        self._source.says(source, said(self._entries))
        self.loop.request()

    def flushes(self, seconds: int, *, news: bool = False) -> int | None:
        """Flush for so long; return after how many seconds something was published; None: nothing was."""
        before = self.publications
        for passed in range(seconds):
            self.loop.flush()
            if self.publications > before:
                return passed
            self._site.clock.move(seconds=1)
            if news:
                self.news()
        return None


@pytest.fixture
def loop(sample_site: SampleSite) -> Iterator[Loop]:
    sample_site.writes(YAML)
    with sample_site.opened("serve") as app:
        made = Loop(sample_site, FakeSource(app))
        made.news("a")
        made.news("b")
        app.publisher.publish()
        sample_site.clock.move(minutes=1)
        made.flushes(1)
        sample_site.clock.move(minutes=1)
        yield made


def test_r33_a_single_entry_is_published_at_once(loop: Loop) -> None:
    loop.news()
    assert loop.flushes(60) == 0


def test_r33_news_wait_while_polls_bring_more(loop: Loop) -> None:
    loop.is_polling = True
    loop.news()
    assert loop.flushes(5, news=True) is None
    loop.is_polling = False
    assert loop.flushes(60) == 0


def test_r33_news_wait_ten_seconds_at_most(loop: Loop) -> None:
    loop.is_polling = True
    loop.news()
    assert loop.flushes(60, news=True) == 10


def test_r33_a_poll_that_hangs_keeps_nothing_back_for_long(loop: Loop) -> None:
    loop.is_polling = True
    loop.news()
    assert loop.flushes(60) == 2


def test_r50_an_edit_waits_for_no_poll(loop: Loop) -> None:
    loop.is_polling = True
    loop.news()
    loop.loop.note_edit()
    assert loop.flushes(60) == 0


def test_r33_what_was_rendered_a_moment_ago_is_rendered_when_its_time_has_come_and_nothing_is_tried_before(
    loop: Loop, sample_site: SampleSite
) -> None:
    loop.news()
    assert loop.flushes(60) == 0
    sample_site.clock.move(seconds=10)
    loop.news()
    assert loop.flushes(60) == 0, "another category could be clean"
    assert loop.loop.is_dirty
    assert loop.flushes(60) == 20
    assert not loop.loop.is_dirty
    assert loop.flushes(60) is None


def test_r33_categories_whose_times_come_together_are_rendered_together(loop: Loop, sample_site: SampleSite) -> None:
    loop.news("a")
    assert loop.flushes(60) == 0
    sample_site.clock.move(seconds=5)
    loop.news("b")
    assert loop.flushes(60) == 0
    loop.news("a")
    loop.news("b")
    assert loop.flushes(60) == 0
    assert loop.flushes(60) == 30, "when b may be rendered, 5 s after a"
    assert not loop.loop.is_dirty


def test_r33_news_of_a_category_that_rested_do_not_wait_for_another(loop: Loop, sample_site: SampleSite) -> None:
    loop.news("a")
    assert loop.flushes(60) == 0
    loop.news("a")
    assert loop.flushes(60) == 0
    sample_site.clock.move(seconds=3)
    loop.news("b")
    assert loop.flushes(60) == 0
    assert "Title 5" in sample_site.published("category/other.json").decode()
