"""Settings of a loaded feeds.yaml: defaults, paths, values."""

from datetime import timedelta
from pathlib import Path

import pytest

from aggregator.config import load_config
from aggregator.model.formats import FORMATS
from aggregator.model.settings import Dedupe, Show
from tests.config.reading import SOURCES, said, settings


def test_the_smallest_file_has_all_defaults(tmp_path: Path) -> None:
    path = tmp_path / "feeds.yaml"
    path.write_text("sources:\n  - https://blog.python.org/feeds/posts/default\n", encoding="utf-8")
    read = load_config(path, {})
    assert read.path == path
    assert (read.site.title, read.site.language, read.site.timezone, read.site.contact) == ("Planet", "en", "UTC", None)
    assert read.site.base_url == "http://127.0.0.1:8080/"
    assert read.store == f"sqlite:///{tmp_path}/var/aggregator.db"
    assert read.publish.to == tmp_path / "public"
    assert read.publish.formats == set(FORMATS)
    assert (read.publish.entries, read.publish.archive_page, read.publish.gzip) == (50, 50, True)
    assert (read.host, read.port, read.workers, read.proxy, read.hosts) == ("127.0.0.1", 8080, 16, None, ())
    assert [(category.key, category.declared) for category in read.categories] == [("general", False)]
    [source] = read.sources
    assert (source.key, source.line) == ("blog.python.org-f4efd4ff", 2)
    assert (source.every, source.min_interval, source.max_interval) == (None, timedelta(minutes=15), timedelta(days=1))
    assert (source.initial, source.dedupe, source.keep, source.timeout) == (
        50,
        Dedupe.NEAR,
        None,
        timedelta(seconds=30),
    )
    assert read.warnings == ()


def test_paths_count_from_the_folder_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "feeds.yaml").write_text(
        f"store: sqlite:///a.db\npublish: {{to: ../out}}\n{SOURCES}", encoding="utf-8"
    )
    monkeypatch.chdir(tmp_path)
    read = load_config(Path("conf/feeds.yaml"), {})
    assert read.path == tmp_path / "conf" / "feeds.yaml"
    assert read.store == f"sqlite:///{tmp_path}/conf/a.db"
    assert read.publish.to == tmp_path / "conf" / ".." / "out"


def test_absolute_paths_stay() -> None:
    read = said("store: sqlite:////var/lib/a.db\npublish: {to: /srv/www}")
    assert read.store == "sqlite:////var/lib/a.db"
    assert read.publish.to == Path("/srv/www")


@pytest.mark.parametrize(
    ("text", "url"),
    [
        pytest.param("serve: {bind: '0.0.0.0:80'}", "http://0.0.0.0/", id="from-bind"),
        pytest.param("serve: {bind: '[::1]:8000'}", "http://[::1]:8000/", id="from-ipv6-bind"),
        pytest.param("site: {base_url: https://e.org}", "https://e.org/", id="slash-added"),
        pytest.param("site: {base_url: https://e.org/planet}", "https://e.org/planet/", id="with-a-path"),
    ],
)
def test_base_url(text: str, url: str) -> None:
    assert said(text).site.base_url == url


def test_a_table_may_be_empty() -> None:
    assert said("site:\npublish:\nserve:\ndefaults:\nhosts:\ncategories:\n  a:\n").categories[0].title == "a"


def test_s52_yaml_1_2_rules_hold() -> None:
    read = said("categories: {no: {}, 12:30: {}, 010: {}, off: {}, 1.10: {title: '2024'}}\nsite: {language: no}")
    assert [category.key for category in read.categories] == ["no", "12:30", "010", "off", "1.10", "general"]
    assert read.site.language == "no"


@pytest.mark.parametrize("word", ["off", "false", "False", "'off'"])
def test_s52_off_and_false_mean_the_same(word: str) -> None:
    read = said(f"defaults: {{dedupe: {word}}}\npublish: {{refresh: {word}}}\npages: {{images: {word}}}")
    assert read.sources[0].dedupe is Dedupe.OFF
    assert not read.pages.images


def test_anchors_and_aliases_are_read() -> None:
    read = said("categories:\n  a: &all {exclude: [{title: x}], show: title}\n  b: *all")
    assert read.categories[0].exclude == read.categories[1].exclude != ()
    assert read.categories[1].show is Show.TITLE


def test_a_proxy_keeps_its_credentials_and_shows_none() -> None:
    proxy = said("proxy: http://me:${P}@Proxy.example.org:3128/", {"P": "sesame"}).proxy
    assert proxy == "http://me:sesame@proxy.example.org:3128"
    assert repr(proxy) == "***"


def test_hosts_become_rules() -> None:
    text = "hosts:\n  Api.example.cn: {spacing: 1s, parallel: 2}\n  127.0.0.0/8: {allow_private: true, spacing: 0s}\n"
    name, network = said(text + "  ::1:").hosts[:2]
    assert (name.name, name.network, name.spacing, name.parallel) == ("api.example.cn", None, timedelta(seconds=1), 2)
    assert (network.name, str(network.network), network.spacing) == ("127.0.0.0/8", "127.0.0.0/8", timedelta(0))
    assert network.allow_private


def test_a_file_with_almost_every_key_is_read() -> None:
    pytest.importorskip("trafilatura")
    read = settings((Path(__file__).parent / "example.yaml").read_text(encoding="utf-8"), {"TOKEN": "sesame"})
    assert len(read.sources) == 6
    assert [source.paused for source in read.sources] == [False, True, False, False, False, False]
    assert all("does not exist" in warning for warning in read.warnings)
