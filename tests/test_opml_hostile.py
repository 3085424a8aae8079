"""`kind: opml` where somebody hostile keeps the list (S1 to S16, P47, P60, P66)."""

from collections.abc import Sequence
from xml.sax.saxutils import quoteattr

import pytest

from aggregator.clean.outlines import MAX_GROUPS, clean_outlines
from aggregator.errors import ParseError
from aggregator.model.event import Code
from aggregator.model.outline import Outline
from aggregator.model.settings import SourceKey
from aggregator.parse.opml import MAX_OUTLINES, MAX_READ, outlines_of
from aggregator.urls import Url
from tests.feed_server import FeedServer, Reply, redirect
from tests.sample_site import SampleSite, item, rss
from tests.test_opml import YAML, feeds, listed, listing

HOME = Url("https://example.org/list.opml")
BOMB = (
    "<!DOCTYPE o [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;&b;'>]>"
)


def read(body: str, prolog: str = "") -> tuple[Sequence[Outline], list[str]]:
    """Read the inside of a list; give its feeds, and all that is said of what was left out."""
    raw = outlines_of(f"{prolog}<opml version='2.0'><body>{body}</body></opml>", HOME)
    left_out: list[str] = []
    return clean_outlines(raw, left_out), [*raw.notices, *left_out]


def outline(url: str, text: str = "", inner: str = "") -> str:
    """Write an outline."""
    return f"<outline text={quoteattr(text)} xmlUrl={quoteattr(url)}>{inner}</outline>"


def test_s16_no_more_is_read_than_its_limits() -> None:
    many, said = read("".join(f"<outline xmlUrl='http://a.example/{n}'/>" for n in range(100_000)))
    assert len(many) == MAX_OUTLINES
    assert f"over {MAX_OUTLINES} feeds" in said[0]
    none, said = read("<outline text='x'/>" * 100_000)
    assert none == ()
    assert f"over {MAX_READ} outlines" in said[0]
    with pytest.raises(ParseError, match="over 5 MiB"):
        read(" " * (5 * 2**20))


def test_s14_a_hundred_thousand_levels_are_cut_off() -> None:
    deep = "<outline>" * 20 + "<outline xmlUrl='http://a.example/shown'/>" + "<outline>" * 100_000
    raw = outlines_of(f"<opml><body><outline xmlUrl='http://a.example/1'/>{deep}", HOME)
    assert [each.href for each in raw.outlines] == ["http://a.example/1"]
    assert raw.cut
    assert any("nested deeper" in notice for notice in raw.notices)


@pytest.mark.parametrize("prolog", [BOMB, "<!DOCTYPE o [<!ENTITY c SYSTEM 'file:///etc/passwd'>]>"])
def test_s11_s12_no_entity_is_resolved(prolog: str) -> None:
    found, _ = read(outline("http://a.example/?x", "T").replace("?x", "?&c;").replace("'T'", "'&c;'"), prolog)
    assert [one.url for one in found] == ["http://a.example/?&c;"]


def test_p66_other_spellings_of_an_address_are_one_feed() -> None:
    spellings = ["http://A.Example:80/x", "http://a.example/x#top", " http://a.example/./x ", "HTTP://a.example/y/../x"]
    found, _ = read("".join(map(outline, [*spellings, "feed://a.example/x", "feed:http://a.example/x"])))
    assert [one.url for one in found] == ["http://a.example/x"]


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "javascript:alert(1)",
        "gopher://a.example/",
        "data:text/xml,<rss/>",
        "http://u:s3cret@a.example/",
        "http://a@b@127.0.0.1/",
        "http:///x",
        "//a.example/x",
        pytest.param("http://a.example/" + "x" * 5000, id="long"),
    ],
)
def test_s2_s8_s22_what_is_no_address_is_left_out_and_told_without_secrets(url: str) -> None:
    found, said = read(outline(url, "A friend") + outline("http://a.example/ok"))
    assert [one.url for one in found] == ["http://a.example/ok"]
    assert len(said) == 1
    assert "s3cret" not in said[0]
    assert len(said[0]) < 400


def test_names_are_plain_text_on_one_line_and_name_safe_categories() -> None:
    names = ["<script>alert(1)</script>", "\u202egnp.exe", "a\nb\tc", "x" * 3000, "../../etc", "\u200b"]
    found, _ = read("".join(f"<outline text={quoteattr(name)}>{outline(f'http://a.example/{place}', name)}</outline>"
                            for place, name in enumerate(names)))  # fmt: skip
    for one in found:
        for text in (one.title, *one.categories):
            assert not set(text) & set("\u202e\n\t")
            assert len(text) <= 1000
    assert found[-1].categories == (), "a name that nobody can see is none"


def test_s16_groups_name_no_more_categories_than_items_may() -> None:
    groups = "".join(
        f"<outline text='G{n}'>{outline(f'http://a.example/{n}')}</outline>" for n in range(MAX_GROUPS + 5)
    )
    found, said = read(groups + f"<outline text='G1'>{outline('http://a.example/one-more')}</outline>")
    assert len({one.categories for one in found}) == MAX_GROUPS + 1
    assert [one.categories for one in found[-3:]] == [(), (), ("G1",)]
    assert len(said) == 5


def test_s3_s6_s7_a_list_names_nothing_inside_and_no_other_service(
    sample_site: SampleSite, publisher: FeedServer
) -> None:
    """The list lies outside, as far as `hosts:` knows: on a name that leads to loopback it would be inside."""
    bad = ["http://127.0.0.1:22/", "http://127.0.0.1:6379/x", "http://169.254.169.254/", "http://0x7f.0.0.2/"]
    (away,) = (publisher.says("/away", redirect("http://10.0.0.1/feed")),)
    hosts = "hosts: {127.0.0.1: {allow_private: true, spacing: 0s, parallel: 16}}\n"
    sample_site.writes(YAML.format(url=publisher.says("/list.opml", Reply(200, listing([*bad, away])))), hosts=hosts)
    sample_site.poll()
    with sample_site.opened("status") as app:
        status = app.store.status(app.in_force.roster, sample_site.clock())
    said = {source.url: source.error or "" for source in status.sources if source.key != "list"}
    assert set(said) == {bad[0], bad[1], bad[2], "http://127.0.0.2/", away}
    assert all("port" in said[Url(url)] for url in bad[:2])
    assert "metadata" in said[Url(bad[2])]
    assert "private or reserved" in said[Url("http://127.0.0.2/")]
    assert "private or reserved" in said[Url(away)]
    assert "10.0.0.1" not in said[Url(away)], "of an address that a redirect named nothing is told (S10)"
    public = sample_site.published("status.json").decode()
    assert "10.0.0.1" not in public


def test_a_list_that_names_itself_or_other_lists_brings_no_more_feeds(
    sample_site: SampleSite, publisher: FeedServer
) -> None:
    inner = publisher.says("/inner.opml", Reply(200, listing(feeds(publisher, "eve"))))
    home = publisher.url("/list.opml")
    sample_site.writes(YAML.format(url=publisher.says("/list.opml", Reply(200, listing([home, f"{home}#x", inner])))))
    report = sample_site.poll()
    assert set(listed(sample_site)) == {inner}
    errors = [str(row["error"]) for row in report["results"] if row["error"]]
    assert len(errors) == 1
    assert "an OPML list of feeds" in errors[0]
    assert [each.path for each in publisher.asked].count("/list.opml") == 1
    assert "/eve.xml" not in [each.path for each in publisher.asked]


def test_r44_trust_in_a_list_is_no_trust_in_its_feeds(sample_site: SampleSite, publisher: FeedServer) -> None:
    yaml = YAML.format(url=publisher.says("/list.opml", Reply(200, listing(feeds(publisher, "ada")))))
    sample_site.writes(yaml.replace("key: list,", "key: list, trust: true, priority: 5,"))
    sample_site.poll()
    [one] = listed(sample_site).values()
    assert (one.trust, one.priority) == (False, 5)


def test_what_was_left_out_is_named_by_why(sample_site: SampleSite, publisher: FeedServer) -> None:
    publisher.says("/ok.xml", Reply(200, rss(item(1))))
    at = publisher.says("/list.opml", Reply(200, listing(["javascript:alert(1)", publisher.url("/ok.xml")])))
    sample_site.writes(YAML.format(url=at))
    sample_site.poll()
    with sample_site.opened("status") as app, app.store.read() as tx:
        [step] = tx.trail.source_steps(SourceKey("list"), [Code.LEAVE_OUT], 9)
    assert "javascript" in str(step.facts)
