"""Short fields have a limit, and text beyond the limit does not change the key of a known entry (I15)."""

import unicodedata
from dataclasses import replace
from hashlib import sha256
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from aggregator.clean.text import MAX_ID
from aggregator.clean.titles import MAX_NAME, MAX_TITLE, bounded_title
from aggregator.identify.keys import digest_of, identify
from aggregator.model.entry import Entry, Feed, KeyRule
from aggregator.store.schema import entry
from aggregator.text.xml_chars import MAX_MARKS, normalised
from aggregator.urls import MAX_URL
from tests.answers import atom, identified, rss
from tests.fake_source import FakeSource, said
from tests.rows import change
from tests.sample_site import START, SampleSite

LONG = "漢" * (MAX_TITLE + 500)


def test_a_title_is_cut_with_a_notice() -> None:
    feed = identified(rss(f"<item><title>{LONG}</title><guid>1</guid></item>"))
    assert feed.entries[0].title == LONG[: MAX_TITLE - 1] + "…"
    assert feed.notices == (f"a title of over {MAX_TITLE:,} characters was cut",)


@given(st.text(min_size=1, max_size=30))
def test_a_title_within_the_limit_stays(title: str) -> None:
    assert bounded_title(title) == title
    assert len(bounded_title(title * MAX_TITLE)) <= MAX_TITLE


def test_a_key_that_comes_of_a_long_title_is_that_of_the_whole_title() -> None:
    first, second = (Entry(title=LONG + end, published=START) for end in ("1", "2"))
    found = identify(Feed(entries=(first, replace(second, position=1)))).entries
    assert [entry.key_rule for entry in found] == [KeyRule.TITLE_AND_DATE] * 2
    keys = ["sha256:" + sha256(f"{LONG}{end}\0{START:%Y-%m-%dT%H:%M:%SZ}".encode()).hexdigest() for end in "12"]
    assert [entry.key for entry in found] == keys
    assert found[0].digest == digest_of(found[0]), "of what is stored and shown"


def test_long_rights_names_schemes_and_ids_are_no_more_than_short_ones() -> None:
    feed = identified(
        atom(
            f"<entry><id>tag:a.example,2026:{'i' * MAX_ID}</id><title>T</title><link href='https://site.example/1'/>"
            f"<rights>{LONG}</rights><author><name>{'n' * 3000}</name></author>"
            f"<category term='{'t' * 3000}' scheme='https://s.example/{'s' * MAX_URL}'/></entry>",
            feed=f"<rights>{LONG}</rights>",
        ).replace("<title>T</title><updated>", f"<title>{LONG}</title><updated>")
    )
    [entry] = feed.entries
    assert (entry.id, entry.key_rule) == (None, KeyRule.LINK)
    assert (len(entry.authors[0].name), len(entry.tags[0].term), entry.tags[0].scheme) == (MAX_NAME, MAX_NAME, None)
    assert entry.rights is not None
    assert feed.rights is not None
    assert len(entry.rights) == len(feed.rights) == len(feed.title) == MAX_TITLE
    assert f"an id of over {MAX_ID:,} characters is ignored" in feed.notices


def test_an_entry_stored_with_a_longer_title_is_revised_once_and_stays_the_same_entry(sample_site: SampleSite) -> None:
    sample_site.writes(
        "sources: [{key: one, url: 'https://one.example/f'}, {key: two, url: 'https://two.example/f'}]\n"
    )
    with sample_site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says("one", said(1, title=LONG))
        old = digest_of(said(1, title=LONG))  # stored by a version of the program without the limit
        change(app.store, update(entry).values(title=LONG, digest=old, shown_digest=None))
        again = [fake_source.says("one", said(1, title=LONG)).entries for _ in range(2)]
        assert [(entries.new_count, entries.revisions) for entries in again] == [(0, 1), (0, 0)]
        copy = fake_source.says("two", said(2, title=LONG, text=said(1).content, link="https://two.example/2"))
        assert copy.entries.duplicates == 1


@pytest.mark.parametrize("form", ["NFC", "NFKC", "NFKD"])
@given(text=st.text(max_size=60) | st.text("aE\u0301ａ，！？：；（）\u3000…～\xa0\u0323가ｶﾞﾟ", max_size=60))
def test_normalised_is_the_normal_form_of_any_text_that_people_write(
    form: Literal["NFC", "NFKC", "NFKD"], text: str
) -> None:
    assert normalised(form, text) == unicodedata.normalize(form, text)


@pytest.mark.parametrize("before", range(41))
@pytest.mark.parametrize("marks", [MAX_MARKS, MAX_MARKS + 1])
def test_a_run_of_more_marks_is_split_wherever_it_begins(before: int, marks: int) -> None:
    found = normalised("NFC", "x" * before + "\u0316" * marks)
    assert ("\u034f" in found) == (marks > MAX_MARKS)


@pytest.mark.parametrize("marks", ["\u0301\u0316", "\u0f73\u0f71", "\u0301\uff9e"])
def test_marks_are_put_in_order_in_runs_that_have_an_end(marks: str) -> None:
    """Two hundred thousand marks took minutes, and blocked all threads."""
    text = "a" + "".join(mark * 50_000 for mark in marks) + "".join(marks) * 50_000
    found = normalised("NFC", text)
    assert max(map(len, found.split("\u034f"))) <= 3 * MAX_MARKS + 1
