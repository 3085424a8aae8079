"""Posts for site generators: which files stand where, after what (S45, S50, S51, R30)."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from aggregator.errors import ConfigError
from tests.fake_source import FakeSource, said
from tests.feed_server import FeedServer
from tests.sample_site import START, SampleSite, item, rss
from tests.stores import lose_store

SOURCE = "sources: [{key: a, url: 'https://a.example/', category: [tech]}]\n"
JEKYLL = "publish: {jekyll: {to: site/_posts}}\n"
HOT = "publish: {jekyll: {to: site/_posts, hot: 3d, archive_to: site/old_post}}\n"


def posts(site: SampleSite) -> dict[str, str]:
    root = site.folder / "site"
    return {str(p.relative_to(root)): p.read_text(encoding="utf-8") for p in sorted(root.rglob("*")) if p.is_file()}


def stamps(site: SampleSite) -> dict[str, tuple[int, int]]:
    root = site.folder / "site"
    return {str(p): (p.stat().st_mtime_ns, p.stat().st_ino) for p in sorted(root.rglob("*")) if p.is_file()}


def front(post: str) -> dict[str, object]:
    found: dict[str, object] = yaml.safe_load(post.split("---\n")[1])
    return found


@pytest.fixture
def site(tmp_path: Path) -> SampleSite:
    site = SampleSite(tmp_path)
    site.writes(JEKYLL + SOURCE)
    return site


def test_a_post_has_front_matter_body_and_the_way_back(site: SampleSite) -> None:
    site.writes("site: {timezone: Asia/Shanghai, base_url: 'https://p.example/'}\n" + JEKYLL + SOURCE)
    published = datetime(2026, 3, 3, 23, 30, tzinfo=UTC)
    with site.opened() as app:
        FakeSource(app).says("a", said(1, title='A "title": with {{ signs }} 😀', published=published))
        assert app.publisher.publish().posts == ("site/_posts/2026-03-04-item-1.md",)
    (post,) = posts(site).values()
    assert front(post) == {
        "layout": "post",
        "title": 'A "title": with {{ signs }} 😀',
        "date": "2026-03-04 07:30:00 +0800",
        "categories": ["tech"],
        "tags": [],
    }
    assert "<p>This is what item 1 says" in post
    assert '<a href="https://news.example/1">' in post
    assert post.endswith("</p>\n")
    assert '<a href="https://p.example/category/tech.html">tech</a>' in post


def test_only_what_changes_is_touched_and_deletions_follow(site: SampleSite) -> None:
    entries = [said(n, own_id=f"urn:ex:{n}", published=START) for n in range(3)]
    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says("a", *entries)
        assert len(app.publisher.publish().posts) == 3
        before = stamps(site)
        fake_source.says("a", *entries)
        assert app.publisher.publish().posts == ()
        assert app.publisher.publish(everything=True).posts == ()
        assert stamps(site) == before
        fake_source.says("a", entries[0], said(1, own_id="urn:ex:1", title="Another", published=START), entries[2])
        assert app.publisher.publish().posts == ("site/_posts/2026-03-04-urn-ex-1.md",)
        fake_source.says("a", *entries[:2], deleted=(("urn:ex:2", None),))
        assert app.publisher.publish().posts == (
            "site/_posts/2026-03-04-urn-ex-1.md",
            "site/_posts/2026-03-04-urn-ex-2.md",
        )
    assert list(posts(site)) == ["_posts/2026-03-04-urn-ex-0.md", "_posts/2026-03-04-urn-ex-1.md"]


def test_a_story_in_two_categories_is_two_files(site: SampleSite) -> None:
    site.writes(JEKYLL + SOURCE.replace("[tech]", "[tech, world]"))
    with site.opened() as app:
        FakeSource(app).says("a", said(1, published=START))
        app.publisher.publish()
        first = posts(site)
        app.publisher.publish(everything=True)
    assert sorted(str(front(post)["categories"]) for post in first.values()) == ["['tech']", "['world']"]
    assert posts(site) == first


def test_invariant_4_older_stories_move_to_the_archive(site: SampleSite) -> None:
    site.writes(HOT + SOURCE)
    with site.opened() as app:
        FakeSource(app).says(
            "a", said(1, published=START), said(2, published=START - timedelta(days=4)), said(3, published=START)
        )
        app.publisher.publish()
        assert list(posts(site)) == [
            "_posts/2026-03-04-item-1.md",
            "_posts/2026-03-04-item-3.md",
            "old_post/2026-02-28-item-2.md",
        ]
        site.clock.move(days=2)
        assert app.publisher.publish().posts == ()
        site.clock.move(days=1, seconds=1)
        moved = app.publisher.publish().posts
        assert "site/_posts/2026-03-04-item-1.md" in moved
        assert "site/old_post/2026-03-04-item-1.md" in moved
        assert {Path(name).parts[0] for name in posts(site)} == {"old_post"}
        assert app.publisher.publish().posts == ()
    site.writes(HOT.replace("3d", "30d") + SOURCE)
    with site.opened() as app:
        app.publisher.publish()
    assert {Path(name).parts[0] for name in posts(site)} == {"_posts"}
    site.writes(JEKYLL.replace("_posts", "elsewhere") + SOURCE)
    with site.opened() as app:
        app.publisher.publish()
    assert {Path(name).parts[0] for name in posts(site)} == {"elsewhere"}


KEYS = (
    "../../../etc/passwd", "/etc/passwd", "a/b\\c", "..", ".", "-", "", " ", "con", "NUL.txt", "x" * 500,
    "大众日报", "https://e.org/?a=1&b=2#c", "\u202eevil", "a\nb", "😀",
    "--help", ".htaccess", "a.gz", "%2e%2e%2f", "{{ x }}",
)  # fmt: skip


@pytest.mark.parametrize("file", ["{{ story.key }}.md", "{{ story.key }}", "{{ category.slug }}/{{ story.key }}.md"])
def test_s50_s51_any_key_gives_a_name_inside_the_folder(tmp_path: Path, file: str) -> None:
    site = SampleSite(tmp_path)
    site.writes(f"defaults: {{initial: 99}}\npublish: {{jekyll: {{to: site/_posts, file: '{file}'}}}}\n" + SOURCE)
    keys = [like for key in KEYS for like in (key, f"{key}!", f"{key.upper()}?")]
    with site.opened() as app:
        FakeSource(app).says("a", *(said(number, own_id=key) for number, key in enumerate(keys)))
        published = app.publisher.publish()
    assert published.failed == ()
    names = list(posts(site))
    assert len(names) == len({name.lower() for name in names}) == len(keys)
    assert all(name.startswith("_posts/") and len(Path(name).name) < 200 for name in names)
    outside = {p.name for p in tmp_path.iterdir()} - {"site", "public", "var", "feeds.yaml"}
    assert outside == set()


def test_somebody_elses_file_is_never_touched_and_the_others_are_written(site: SampleSite) -> None:
    own = site.folder / "site" / "_posts" / "2026-03-04-item-1.md"
    own.parent.mkdir(parents=True)
    own.write_text("mine")
    (own.parent / "notes.md").write_text("mine, too")
    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says("a", said(1, own_id="item-1", published=START), said(2, published=START))
        published = app.publisher.publish()
        assert published.posts == ("site/_posts/2026-03-04-item-2.md",)
        assert len(published.failed) == 1
        assert own.read_text() == "mine"
        own.unlink()
        assert app.publisher.publish().posts == ("site/_posts/2026-03-04-item-1.md",)
        assert app.publisher.publish() == app.publisher.publish()
    assert set(posts(site)) == {"_posts/2026-03-04-item-1.md", "_posts/2026-03-04-item-2.md", "_posts/notes.md"}


def test_posts_of_a_lost_state_are_known_by_their_bytes(site: SampleSite) -> None:
    with site.opened() as app:
        FakeSource(app).says("a", said(1, published=START))
        app.publisher.publish()
    before = stamps(site)
    lose_store(site.folder)
    (site.folder / "public").rename(site.folder / "old public")
    with site.opened() as app:
        FakeSource(app).says("a", said(1, published=START))
        assert app.publisher.publish().failed == ()
    assert stamps(site) == before


def test_a_folder_that_is_gone_is_written_anew(site: SampleSite) -> None:
    with site.opened() as app:
        FakeSource(app).says("a", said(1, published=START))
        app.publisher.publish()
        before = posts(site)
        (site.folder / "site").rename(site.folder / "gone")
        app.publisher.publish()
        assert posts(site) == before


def test_a_template_of_ones_own_and_its_filters(site: SampleSite) -> None:
    (site.folder / "post.j2").write_text(
        "---\ntitle: {{ story.title|yaml }}\ncategories: {{ category.title|pinyin }}\n---\n"
        "{{ story.html }}\n{{ story.source.title }} {{ category.slug }} {{ 'Ünïcode x'|slug }}"
    )
    site.writes(
        "publish: {jekyll: {to: site/_posts, template: post.j2, file: '{{ story.id }}.md'}}\n"
        "sources: [{key: a, url: 'https://a.example/', category: IPO早知道}]\n"
    )
    with site.opened() as app:
        FakeSource(app).says("a", said(1, title="徐矿集团", text="<p>x</p>"))
        app.publisher.publish()
    ((name, post),) = posts(site).items()
    assert len(Path(name).stem) == 16
    assert post == ('---\ntitle: "徐矿集团"\ncategories: IPOzaozhidao\n---\n<p>x</p>\nFeed a ipozaozhidao unicode-x')


@pytest.mark.parametrize(
    ("template", "line", "said_"),
    [
        ("a\n{% if %}", 2, "Expected an expression"),
        ("a\nb\n{{ story.titel }}", 3, "story"),
        ("{{ nothing }}", 1, "'nothing' is undefined"),
        ("\n{{ story.title | upppper }}", 2, "No filter named 'upppper'"),
        ("{{ story.__class__ }}", 1, "unsafe"),
        ("---\ntitle: [\n---\n", 1, "its front matter is no YAML"),
    ],
)
def test_a_template_that_is_no_good_is_refused_with_its_line(
    site: SampleSite, template: str, line: int, said_: str
) -> None:
    (site.folder / "post.j2").write_text(template)
    site.writes("publish: {jekyll: {to: site/_posts, template: post.j2}}\n" + SOURCE)
    with pytest.raises(ConfigError) as refused, site.opened():
        pass
    (problem,) = refused.value.problems
    assert (problem.file, problem.line) == (str(site.folder / "post.j2"), line)
    assert said_ in problem.what
    assert not (site.folder / "var").exists()


def test_a_story_that_the_template_cannot_take_keeps_its_post_and_the_others_go_on(site: SampleSite) -> None:
    (site.folder / "post.j2").write_text("{{ 100 // (story.title|length - 3) }} {{ story.title }}")
    site.writes("publish: {jekyll: {to: site/_posts, template: post.j2}}\n" + SOURCE)
    with site.opened() as app:
        fake_source = FakeSource(app)
        fake_source.says("a", said(1, title="long", published=START), said(2, title="old", published=START))
        assert len(app.publisher.publish().posts) == 1
        fake_source.says("a", said(1, title="new", published=START), said(3, title="other", published=START))
        published = app.publisher.publish()
        assert published.posts == ("site/_posts/2026-03-04-item-3.md",)
        assert len(published.failed) == 2
        assert posts(site)["_posts/2026-03-04-item-1.md"] == "100 long"
        fake_source.says("a", said(1, title="newer", published=START), said(2, title="older", published=START))
        app.publisher.publish()
    assert [posts(site)[name].split()[1] for name in sorted(posts(site))] == ["newer", "older", "other"]


def test_s44_a_private_source_tells_no_address(site: SampleSite) -> None:
    site.writes(JEKYLL + "sources: [{key: secretive, url: 'https://a.example/feed', private: true}]\n")
    with site.opened() as app:
        FakeSource(app).says(
            "secretive", said(1, own_id="https://a.example/feed#1", link="https://b.example/1"), title="A feed"
        )
        app.publisher.publish()
    ((name, post),) = posts(site).items()
    assert "a.example/feed" not in name + post
    assert "a.example-feed" not in name
    assert "secretive" not in name + post


def test_a_poll_reports_its_posts(tmp_path: Path, publisher: FeedServer) -> None:
    site = SampleSite(tmp_path)
    url = publisher.serve("/feed", rss(item(1)))
    site.writes(JEKYLL + f"sources: ['{url}']\n")
    report = site.poll()
    assert report["posts"] == ["site/_posts/2026-03-04-item-1.md"]
    site.clock.move(minutes=10)
    assert site.poll()["posts"] == []
