"""All problems of a file are reported at once, each with its position and the text to write (S52, S53)."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.config import load_config
from aggregator.errors import ConfigError
from aggregator.model.formats import FORMATS
from tests.config.reading import SOURCES, problems

LISTED = ", ".join(FORMATS)


def test_ten_mistakes_are_ten_messages(tmp_path: Path) -> None:
    path = tmp_path / "feeds.yaml"
    path.write_text(
        "site:\n"
        "  titel: Planet\n"
        "  timezone: Europe/Berln\n"
        "workers: 100\n"
        "defaults:\n"
        "  every: 5 minuts\n"
        "categories:\n"
        "  python: {slug: index}\n"
        "sources:\n"
        "  - https://example.org/feed.xml\n"
        "  - url: https://EXAMPLE.org:443/feed.xml\n"
        "  - url: https://example.com/a\n"
        "    every: 5m\n"
        "  - url: https://example.com/b\n"
        "    headers: {Authorization: 'Bearer ${TOKEN}'}\n"
        "    category: [python, 3]\n"
        "  - url: https://example.com/c\n"
        "    url: https://example.com/d\n",
        encoding="utf-8",
    )
    with pytest.raises(ConfigError) as caught:
        load_config(path, {})
    assert str(caught.value).replace(str(path), "feeds.yaml").splitlines() == [
        'feeds.yaml:2:3: "titel" is not a key of site; write title',
        'feeds.yaml:3:13: "Europe/Berln" is not a time zone; write Europe/Berlin',
        'feeds.yaml:4:10: "100" is out of range; write a whole number from 1 to 64',
        'feeds.yaml:6:10: "5 minuts" is not a duration; write 15m, or 5m and the reason in frequent:',
        'feeds.yaml:8:18: "index" is a name that the site uses itself; write another, such as index-2',
        'feeds.yaml:11:10: "https://EXAMPLE.org:443/feed.xml" is already polled by the source in line 10; '
        "write all its categories there as a list, or use route",
        'feeds.yaml:13:12: "5m" is under 15m; write 15m or more, or the reason in frequent:',
        "feeds.yaml:15:30: TOKEN is not set in the environment; set it, or write $${TOKEN} for the literal text",
        'feeds.yaml:16:24: "3" is a number without quotes, not a category; write "3" in quotes',
        'feeds.yaml:18:5: "url" is already in line 17; remove one of the two',
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # unknown keys, at every level
        ("sorces: []\n" + SOURCES, '1:1: "sorces" is not a key of feeds.yaml; write sources'),
        ("timezone: UTC\n" + SOURCES, '1:1: "timezone" is not a key of feeds.yaml; '
         "write it under site: or in a source"),
        ("serve: {port: 1}\n" + SOURCES, '1:9: "port" is not a key of serve; '
         "write bind: 127.0.0.1:8080, address and port in one"),
        ("publish: {worker: 3}\n" + SOURCES, '1:11: "worker" is not a key of publish; '
         "write one of to, formats, entries, archive_page, entry_pages, gzip, fair, feed_style, refresh, theme, "
         "static, aliases, jekyll, hub"),
        ("publish: {workers: 3}\n" + SOURCES, '1:11: "workers" is not a key of publish; write it at the top level'),
        ("publish: {entry-pages: true}\n" + SOURCES, '1:11: "entry-pages" is not a key of publish; write entry_pages'),
        ("hosts: {example.org: {space: 1s}}\n" + SOURCES,
         '1:23: "space" is not a key of an entry of hosts; write spacing'),
        ("categories: {a: {tilte: A}}\n" + SOURCES, '1:18: "tilte" is not a key of a category; write title'),
        ("sources: [{url: 'https://e.org/', zzzzz: 1}]\n",
         '1:35: "zzzzz" is not a key of a source; write one that docs/feeds.md lists, or remove it'),
        ("sources: [{url: 'https://e.org/', exclude: [{subject: x}]}]\n",
         '1:46: "subject" is not a key of a rule; write one of title, content, author, tag, link, language, age, any, '
         'all, not'),
        ("defaults: &d {}\nsources: [{<<: *d, url: 'https://e.org/'}]\n",
         '2:12: merge keys ("<<") are not supported; write the keys out, or use defaults:'),
        # types
        ("site: 5\n" + SOURCES, '1:7: "5" is not a mapping; write {title: …}'),
        ("site: {title: [a]}\n" + SOURCES, "1:15: a list is not a text; write a text"),
        ("site: {title: {a: b}}\n" + SOURCES, "1:15: a mapping is not a text; write a text"),
        ("site: {title: 1.10}\n" + SOURCES,
         '1:15: "1.10" is a number without quotes, not a text; write "1.10" in quotes'),
        ("site: {title: true}\n" + SOURCES,
         '1:15: "true" is true or false without quotes, not a text; write "true" in quotes'),
        ("site: {title: ''}\n" + SOURCES, "1:15: an empty text is not a text; write a text"),
        ("site:\n  title:\n" + SOURCES, "2:9: an empty value is not a text; write a text"),
        ("workers: many\n" + SOURCES, '1:10: "many" is not a whole number; write a whole number from 1 to 64'),
        ("workers: '7'\n" + SOURCES, '1:10: "7" in quotes is a text, not a number; write 7 without quotes'),
        ("workers: 010\n" + SOURCES, '1:10: "010" is not a whole number; write a whole number from 1 to 64'),
        ("workers: 0\n" + SOURCES, '1:10: "0" is out of range; write a whole number from 1 to 64'),
        ("publish: {gzip: yes}\n" + SOURCES, '1:17: "yes" is not true or false; write true'),
        ("publish: {gzip: 'true'}\n" + SOURCES, '1:17: "true" is not true or false; write true'),
        ("publish: {gzip: maybe}\n" + SOURCES, '1:17: "maybe" is not true or false; write true or false'),
        ("publish: {formats: atom}\n" + SOURCES,
         f'1:20: "atom" is not a list of formats; write [{LISTED}] or some of them'),
        ("publish: {formats: []}\n" + SOURCES,
         f"1:20: the list is empty; write [{LISTED}] or some of them"),
        ("publish: {formats: [atm]}\n" + SOURCES,
         f'1:21: "atm" is not {" or ".join(LISTED.rsplit(", ", 1))}; write atom'),
        ("publish: {entries: 9}\n" + SOURCES, '1:20: "9" is out of range; write a whole number from 10 to 1000'),
        ("publish: {to: 's3://b/x'}\n" + SOURCES,
         '1:15: "s3://b/x" names no bucket and prefix; write s3://bucket/prefix, and the key in the environment'),
        ("publish: {to: 's3://k:secret@b/x'}\n" + SOURCES,
         '1:15: "s3://***@b/x" names no bucket and prefix; write s3://bucket/prefix, and the key in the environment'),
        ("publish: {to: 's3://bucket/x'}\n" + SOURCES,
         "1:15: publish.to is a bucket; write its public address in site.base_url"),
        ("store: postgres://me:secret@h/db\n" + SOURCES,
         '1:8: "postgres://***@h/db" names no database on PostgreSQL; write postgresql://user@host/database'),
        ("defaults: {initial: 5001}\n" + SOURCES, '1:21: "5001" is out of range; write a whole number from 0 to 5000'),
        ("defaults: {dedupe: never}\n" + SOURCES, '1:20: "never" is not near, exact or off; write near'),
        ("defaults: {dedupe: {near: 2}}\n" + SOURCES, '1:27: "2" is out of range; write a number from 0 to 1'),
        # durations
        ("defaults: {timeout: 5 minuts}\n" + SOURCES, '1:21: "5 minuts" is not a duration; write 5m'),
        ("defaults: {timeout: 15}\n" + SOURCES, '1:21: "15" has no unit; write 15s'),
        ("defaults: {timeout: 1h}\n" + SOURCES, '1:21: "1h" is out of range; write 100ms to 10m'),
        ("defaults: {every: always}\n" + SOURCES,
         '1:19: "always" is not a duration or auto; write 15m, 2h, 1d or auto'),
        ("defaults: {every: 5 minuts}\n" + SOURCES, '1:19: "5 minuts" is not a duration; '
         "write 15m, or 5m and the reason in frequent:"),
        ("defaults: {min_interval: 2d}\n" + SOURCES,
         "1:26: min_interval 2d is over max_interval 1d; write at most 1d"),
        ("defaults: {max_interval: 5m}\n" + SOURCES,
         "1:26: min_interval 15m is over max_interval 5m; write at least 15m"),
        # hosts
        ("hosts: {example.org: {spacing: 0.5s}}\n" + SOURCES,
         '1:32: "500ms" is under 1s; write 1s or more, or allow_private: true for your own machine'),
        ("hosts: {example.org: {parallel: 5}}\n" + SOURCES,
         '1:33: "5" is over 4; write 1 to 4, or allow_private: true for your own machine'),
        ("hosts: {example.org: {parallel: 17, allow_private: true}}\n" + SOURCES,
         '1:33: "17" is out of range; write a whole number from 1 to 16'),
        ("hosts:\n  127.0.0.1/8: {}\n" + SOURCES, '2:3: "127.0.0.1/8" has bits beyond its prefix; write 127.0.0.0/8'),
        ("hosts:\n  a.org: {}\n  A.org: {}\n" + SOURCES,
         '3:3: "A.org" is already the host of line 2; remove one of the two'),
        # categories
        ("categories: {a: {slug: 'A b'}}\n" + SOURCES,
         '1:24: "A b" is not a slug; write lower-case letters, digits and hyphens, such as a-b'),
        ("categories:\n  a: {slug: x}\n  b: {slug: x}\n" + SOURCES,
         '3:13: "x" is the slug in line 2 already; write another'),
        ("categories: {a: {slug: x}, b: {slug: x}}\n" + SOURCES,
         '1:38: "x" is the slug in line 1 already; write another'),
        ("categories:\n  a: {id: 'tag:x,1:y'}\n  b: {id: 'tag:x,1:y'}\n" + SOURCES,
         '3:11: "tag:x,1:y" is the id in line 2 already; write another'),
        ("categories: {a: {id: no id}}\n" + SOURCES,
         '1:22: "no id" is not the id of a feed; write an IRI such as tag:example.org,2006:python'),
        ("categories:\n  a: {was: b}\n  b: {}\n" + SOURCES,
         '2:12: "b" is still a category, in line 3; remove it here, or rename it there'),
        ("categories:\n  a: {was: x}\n  b: {was: [y, x]}\n" + SOURCES,
         '3:12: "x" is claimed by "a" already; remove it here or there'),
        ("categories: {a: {was: a}}\n" + SOURCES, "1:23: \"a\" is this category's own key; remove it"),
        ("categories: {' ': {}}\n" + SOURCES,
         '1:14: " " is not a category; write a name of 1 to 200 characters in one line'),
        ("categories: {a: {exclude: [{title: '(?=x)'}]}}\n" + SOURCES,
         '1:36: "(?=x)" is not a pattern that RE2 accepts: RE2 has no look-ahead or look-behind; write all that must '
         "match in its order, such as a.*b|b.*a for both orders; in rewrite put ( ) round the text to keep, and \\1 in "
         "with"),
        ("categories: {a: {exclude: [{title: '(x'}]}}\n" + SOURCES,
         '1:36: "(x" is not a pattern: missing ): (x; '
         "write a regular expression of RE2 such as (?i)sponsored"),
        ("categories: {a: {exclude: [{}]}}\n" + SOURCES,
         "1:28: a rule without a field matches everything; write {title: pattern}"),
        ("categories: {a: {exclude: {title: x}}}\n" + SOURCES,
         "1:27: a mapping is not a list of rules; write [{title: pattern}]"),
        # sources
        ("site: {title: x}\n", "1:1: sources is missing; write sources: a list: a line with - and an address for each"),
        ("sources:\n", "1:9: an empty value is not a list of sources; "
         "write a list: a line with - and an address for each"),
        ("sources: []\n", "1:10: the list is empty; write a list: a line with - and an address for each"),
        ("sources: https://e.org/\n", '1:10: "https://e.org/" is not a list of sources; '
         "write a list: a line with - and an address for each"),
        ("sources: [5]\n", '1:11: "5" is a number without quotes, not an address; write https://host/path'),
        ("sources:\n  -\n", "2:4: an empty value is not a source; write its address, or a mapping with url:"),
        ("sources: [[a]]\n", "1:11: a list is not a source; write its address, or a mapping with url:"),
        ("sources:\n  - title: x\n", "2:5: url is missing; write url: https://host/path"),
        ("sources:\n  - kind: file\n", "2:5: url is missing; write url: https://host/path"),
        ("sources: [example.org/feed]\n",
         '1:11: "example.org/feed" does not begin with http:// or https://; write https://example.org/feed'),
        ("sources: [{kind: file, url: ../x.xml}]\n", '1:29: "../x.xml" is outside the folder of feeds.yaml; '
         "copy the file into that folder and write the path of the copy"),
        ("sources: [{kind: file, url: 'https://e.org/'}]\n", '1:29: "https://e.org/" is not the path of a file; '
         "write one below the folder of feeds.yaml, or remove kind: file"),
        ("sources: [{kind: fil, url: x.xml}]\n",
         '1:18: "fil" is not feed, json, html, sitemap, file, opml or command; write file'),
        ("sources:\n - https://e.org/\n - http://e.org/\n - https://E.org:443/#x\n",
         '4:4: "https://E.org:443/#x" is already polled by the source in line 2; '
         "write all its categories there as a list, or use route"),
        ("sources: ['https://e.org/', 'https://e.org/']\n",
         '1:29: "https://e.org/" is already polled by the source in line 1; '
         "write all its categories there as a list, or use route"),
        ("sources:\n - &a https://e.org/\n - *a\n", '2:4: "https://e.org/" is already polled by the source in line 2; '
         "write all its categories there as a list, or use route"),
        ("sources:\n - {url: 'https://a.org/', key: a}\n - {url: 'https://b.org/', key: a}\n",
         '3:33: "a" is the key of the source in line 2; write another key'),
        ("sources: [{url: 'https://e.org/', key: My Blog}]\n", '1:40: "My Blog" is not the key of a source; '
         "write lower-case letters, digits, dots and hyphens, such as my-blog"),
        ("sources: [{url: 'https://e.org/', category: []}]\n",
         "1:45: the list is empty; write a name or [one, another]"),
        ("sources: [{url: 'https://e.org/', category: {a: b}}]\n", "1:45: a mapping is not a category or a list; "
         "write a name or [one, another]"),
        ("sources: [{url: 'https://e.org/', every: 5m}]\n",
         '1:42: "5m" is under 15m; write 15m or more, or the reason in frequent:'),
        ("sources: [{url: 'https://e.org/', every: 30s, frequent: agreed}]\n",
         '1:42: "30s" is under 1m; write 1m or more'),
        ("sources: [{url: 'https://e.org/', min_interval: 5m}]\n",
         '1:49: "5m" is under 15m; write 15m or more, or the reason in frequent:'),
        ("defaults: {every: 5m}\nsources:\n - https://e.org/\n - https://f.org/\n",
         '1:19: "5m" is too short for the source in line 3; write 15m or more, or the reason in frequent: there'),
        ("sources: [{url: 'https://e.org/', schedule: '*/5 * * * *'}]\n",
         '1:45: "*/5 * * * *" polls every 5m; write one that polls every 15m at most, or the reason in frequent:'),
        ("sources: [{url: 'https://e.org/', schedule: 'daily'}]\n", '1:45: "daily" is not five fields; '
         'write minute, hour, day, month and weekday, such as "*/20 9-15 * * mon-fri"'),
        ("sources: [{url: 'https://e.org/', schedule: '0 6 * * *', every: 1h}]\n",
         "1:45: every and schedule exclude each other; remove one of the two"),
        ("sources: [{url: 'https://e.org/', timezone: Asia/Shangai}]\n",
         '1:45: "Asia/Shangai" is not a time zone; write Asia/Shanghai'),
        ("sources: [{url: 'https://e.org/', timezone: CST}]\n", '1:45: "CST" is an abbreviation, which can mean '
         'several time zones; write Asia/Shanghai or America/Chicago'),
        ("sources: [{url: 'https://e.org/', timezone: ZZT}]\n", '1:45: "ZZT" is an abbreviation, which can mean '
         'several time zones; write an area and a city, such as Europe/Berlin'),
        ("sources: [{url: 'https://e.org/', pages: '3'}]\n",
         '1:42: "3" in quotes is a text, not a number; write 3 without quotes'),
        ("defaults: {dedupe: {near: '0.9'}}\nsources: [{url: 'https://e.org/'}]\n",
         '1:27: "0.9" in quotes is a text, not a number; write 0.9 without quotes'),
        ("sources:\n  - url:https://e.org/\n    category: news\n",
         "2:5: a blank is missing after url:; write url: and the value"),
        ("sources: [{url: 'https://e.org/', encoding: gb18300}]\n",
         '1:45: "gb18300" is not an encoding; write gb18030'),
        ("sources: [{url: 'https://e.org/', headers: {Host: x}}]\n",
         '1:45: "Host" is set by the program itself; remove it'),
        ("sources: [{url: 'https://e.org/', headers: {A b: x}}]\n",
         '1:45: "A b" is not the name of a header; write one such as Authorization'),
        ("sources: [{url: 'https://e.org/', headers: {X-A: 'é'}}]\n",
         "1:50: the value has characters that are not allowed in headers; write printable ASCII"),
        ("sources: [{url: 'https://e.org/', headers: {X-A: 1, x-a: 2}}]\n",
         "1:50: the value is a number without quotes, not the value of a header; write it in quotes"),
        ("sources: [{url: 'https://e.org/', headers: {X-A: a, x-a: b}}]\n",
         '1:53: "x-a" is here twice; remove one of the two'),
        ("sources: [{url: 'https://u:p@e.org/', headers: {authorization: '${A}'}}]\n", "1:48: the URL has a user and "
         "password, and headers has an Authorization; remove one of the two"),
        ("sources:\n - {url: 'https://e.org/', was: f.org-x}\n - {url: 'https://f.org/', key: f.org-x}\n",
         '2:33: "f.org-x" is still the source in line 3; remove it here, or that source'),
        ("sources:\n - {url: 'https://e.org/', was: 'https://F.org'}\n - https://f.org/\n",
         '2:33: "https://f.org/" is still the source in line 3; remove it here, or that source'),
        ("sources:\n - {url: 'https://e.org/', key: e, was: x}\n - {url: 'https://f.org/', was: [y, x]}\n",
         '3:37: "x" is claimed by "e" already; remove it here or there'),
        ("sources: [{url: 'https://e.org/', was: 'No Key'}]\n",
         '1:40: "No Key" is neither a URL nor the key of a source; write the earlier address or key'),
        ("sources: [{url: 'https://e.org/', priority: high}]\n",
         '1:45: "high" is not a whole number; write a whole number from -1000 to 1000'),
        ("sources: [{url: 'https://e.org/', rewrite: [{title: {replace: x, with: '\\2'}}]}]\n",
         r"1:72: \2 is not a group of the pattern, which has none; put ( ) round a part of the pattern"),
        ("sources: [{url: 'https://e.org/', rewrite: [{title: {replace: (x), with: '\\g<2>'}}]}]\n",
         r"1:74: \g<2> is not a group of the pattern, which has 1; put ( ) round a part of the pattern"),
        ("sources: [{url: 'https://e.org/', rewrite: [{title: {replace: x, with: '\\g<n>'}}]}]\n",
         r"1:72: \g<n> names a group that the pattern lacks; write (?P<n>…) in the pattern"),
        ("sources: [{url: 'https://e.org/', rewrite: [{title: {replace: x, with: 'a\\q'}}]}]\n",
         r'1:72: "a\q" has \q, which is not defined; write \1 for a group, \\ for a backslash'),
        ("sources: [{url: 'https://e.org/', rewrite: [{title: {replace: x, with: '" + r"\g<0>" * 21 + "'}}]}]\n",
         '1:72: "' + r"\g<0>" * 11 + '\\g<0…" names over 20 groups; write fewer'),
        ("site: {language: english}\n" + SOURCES,
         '1:18: "english" is not a language; write a tag such as en, de or zh-CN'),
        ("sources:\n  - url:https://e.org/\n",
         '2:5: "url:https://e.org/" has no blank after url:; write url: https://host/path'),
        ("sources:\n  - url:https://e.org/\n    category:x\n",
         '2:5: "url:https://e.org/ category:x" has no blank after url:; write url: https://host/path'),
        ("serve: {bind: 8080}\n" + SOURCES, '1:15: "8080" is a number without quotes, not an address to listen on; '
         "write host:port, such as 127.0.0.1:8080"),
        # settings of parts that are not built yet are checked as well
        ("sources: [{url: 'https://e.org/', rewrite: [{title: {replac: x}}]}]\n",
         '1:54: "replac" is not a key of a replacement; write replace'),
        (
            "defaults: {exclude: [" + "{any: [" * 5 + "{title: x}" + "]}" * 5 + "]}\n" + SOURCES,
            "1:22: over 5 rules inside of each other; write it flatter",
        ),
        ("defaults: {exclude: [{any: []}]}\n" + SOURCES, "1:28: the list is empty; write [{title: pattern}]"),
        (
            "defaults: {rewrite: [{title: {replace: x, with: '\\1'}}]}\n" + SOURCES,
            "1:49: \\1 is not a group of the pattern, which has none; put ( ) round a part of the pattern",
        ),
        ("defaults: {exclude: [{or: [{title: x}]}]}\n" + SOURCES, '1:23: "or" is not a key of a rule; write any'),
        ("publish: {jekyll: {hot: 3d}}\n" + SOURCES, "1:19: to is missing; write to: a folder such as site/_posts"),
    ],
)  # fmt: skip
def test_a_mistake_is_told(text: str, expected: str) -> None:
    assert expected in problems(text, {"A": "x"})


MISSING_PARTS = (
    "site: {title: x}\nhosts:\n  10.0.0.1/8: {allow_private: true}\nsources: [{url: 'http://10.0.0.1/', every: 5s}]\n"
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "sources:\n  - url: https://e.org/\n    schedule: */5 * * * *\n",
            ["3:15: a value can't begin with * as it is; put it in quotes"],
            id="cron",
        ),
        pytest.param(
            "sources:\n  - {url: 'https://e.org/', include: [{title: *.x}]}\n",
            ["2:47: a value can't begin with * as it is; put it in quotes"],
            id="pattern",
        ),
        pytest.param(
            "sources:\n  - {url: 'https://e.org/', title: `x`}\n",
            ["2:36: a value can't begin with `; put it in quotes"],
            id="the-list-is-not-empty",
        ),
    ],
)
def test_a_fault_of_syntax_is_told_alone(text: str, expected: list[str]) -> None:
    assert problems(text) == expected


def test_a_mistake_draws_no_others_after_it() -> None:
    told = problems(MISSING_PARTS)
    assert told == ['3:3: "10.0.0.1/8" has bits beyond its prefix; write 10.0.0.0/8']


def test_an_unreadable_entry_without_allow_private_hides_nothing() -> None:
    told = problems("hosts: {'*.org': {}}\nsources: [{url: 'http://e.org/', every: 5s}]\n")
    assert len(told) == 2


def test_what_stands_before_a_fault_of_syntax_is_told_too() -> None:
    told = problems("workers: many\nsources:\n  - https://e.org/\n  - titel: x\n    url:  @\n")
    assert told == [
        '1:10: "many" is not a whole number; write a whole number from 1 to 64',
        '4:5: "titel" is not a key of a source; write title',
        "5:11: a value can't begin with @; put it in quotes",
    ]


def test_a_mistake_behind_aliases_is_told_once() -> None:
    text = (
        "sources:\n - &a {url: 'https://e.org/', exclude: &r [{titel: x}]}\n - {url: 'https://f.org/', exclude: *r}\n"
    )
    assert problems(text) == ['2:45: "titel" is not a key of a rule; write title']


@pytest.mark.parametrize("text", ["", "# nothing yet\n"])
def test_r51_an_empty_file_is_broken(text: str) -> None:
    assert problems(text) == ["1:1: the file is empty; write sources: and a list of addresses"]


@pytest.mark.parametrize("text", ["hello\n", "- a\n", "---\n"])
def test_a_file_that_is_no_mapping(text: str) -> None:
    assert problems(text)[0].endswith("is not a mapping; write sources: and a list of addresses")


def test_s16_a_file_has_at_most_32_mib(tmp_path: Path) -> None:
    path = tmp_path / "feeds.yaml"
    with path.open("wb") as file:
        file.truncate(33 * 2**20)
    with pytest.raises(ConfigError, match="the file has over 32 MiB; write a smaller one"):
        load_config(path, {})


def test_s16_there_are_at_most_100_000_sources() -> None:
    told = problems("sources: [" + ", ".join(["a"] * 100_001) + "]")
    assert told == ["1:10: the list has 100,001 items; write at most 100,000"]


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path / "feeds.yaml", {})
    assert (
        str(caught.value)
        == f"{tmp_path}/feeds.yaml:1:1: this file does not exist; create it, or name another file with -c"
    )
    with pytest.raises(ConfigError, match="this is a folder; write the path of a file"):
        load_config(tmp_path, {})


VALUES = st.recursive(
    st.sampled_from(["x", "5", "true", "", "5m", "https://e.org/", "off", "${A}", "'q'", "-1", "1.5", "[", "*a"]),
    lambda inner: st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
    | st.dictionaries(st.sampled_from("url key near every title category to bind a".split()), inner, max_size=3).map(
        lambda pairs: "{" + ", ".join(f"{name}: {value}" for name, value in pairs.items()) + "}"
    ),
    max_leaves=6,
)  # fmt: skip


@given(
    st.dictionaries(
        st.sampled_from("site store publish serve workers proxy defaults hosts categories sources zzz".split()), VALUES
    )
)
def test_any_file_gives_settings_or_problems_with_advice(pairs: dict[str, str]) -> None:
    for problem in problems("".join(f"{name}: {value}\n" for name, value in pairs.items())):
        assert "; " in problem
        assert any(
            word in problem for word in ("write ", "remove ", "check ", "close ", "put ", "indent ", "fix ", "set ")
        )
