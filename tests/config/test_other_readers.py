"""Keys of other feed readers: the message names the key of feeds.yaml with the same meaning."""

import re

import pytest

from aggregator.config.keys import RULE
from aggregator.config.other_readers import EQUIVALENTS
from aggregator.config.source_keys import CATEGORY, DEFAULTS, ENTRY, HOST, PUBLISH, ROOT, SERVE, SITE, SOURCE
from aggregator.config.tables import Table
from tests.config.reading import problems, settings, warnings

URL = "url: 'https://e.org/f'"
TABLES: dict[str, Table] = {
    table.declares.HOME: table
    for table in (ROOT, SITE, PUBLISH, SERVE, DEFAULTS, HOST, CATEGORY, SOURCE, ENTRY, RULE.table)
}


@pytest.mark.parametrize("home", EQUIVALENTS)
def test_each_word_is_foreign_and_leads_to_a_key(home: str) -> None:
    keys = {name for table in TABLES.values() for name in table.keys}
    for word, advice in EQUIVALENTS[home].items():
        assert word not in TABLES[home].keys, word
        assert word == word.casefold().replace("-", "_"), "as it is looked up"
        first = re.match(r"[a-z_]+", advice)
        known = keys | {"nothing", "it", "no", "the", "an", "a"}
        assert first is not None, (word, advice)
        assert first[0] in known, (word, advice)


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("tags: [x]", '"tags" is not a key of a source; write category: and a name, or a list of names'),
        ("interval: 1h", '"interval" is not a key of a source; write every'),
        ("refresh-interval: 1h", '"refresh-interval" is not a key of a source; write every'),
        ("xmlUrl: x", '"xmlUrl" is not a key of a source; write url'),
        ("name: x", '"name" is not a key of a source; write title (what pages show) or key (what commands call it)'),
        (
            "enabled: false",
            '"enabled" is not a key of a source; write paused: true for one that is not polled, and nothing for the '
            "others",
        ),
        (
            "filter: x",
            '"filter" is not a key of a source; write exclude (entries to leave out) or include (the only '
            "entries to take), a list such as [{title: pattern}]",
        ),
        ("kind: rss", '"rss" is not feed, json, html, sitemap, file, opml or command; write feed'),
        ("every: 5 minutes", '"5 minutes" is not a duration; write 15m, or 5m and the reason in frequent:'),
        ("every: 2 hours", '"2 hours" is not a duration; write 2h'),
        ("every: every 30 min", '"every 30 min" is not a duration; write 30m'),
        ("every: an hour", '"an hour" is not a duration; write 1h'),
        ("every: daily", '"daily" is not a duration; write 1d'),
        ("every: 300", '"300" has no unit; write 300m or 300h, or 300s and the reason in frequent:'),
        (
            "every: '*/5 * * * *'",
            '"*/5 * * * *" is not a duration; write schedule: in place of this key, such as "*/20 9-15 * * mon-fri"',
        ),
        ("every: 999999999w", '"999999999w" is out of range; write 1s to 31d'),
        ("timeout: 2 hours", '"2 hours" is not a duration; write 100ms to 10m'),
        (
            "exclude: [{title: '^(?!.*x)y'}]",
            '"^(?!.*x)y" is not a pattern that RE2 accepts: RE2 has no look-ahead or look-behind; write what must '
            "not match under exclude, and the rest of the pattern under include",
        ),
        (
            "exclude: [{title: '(?<=a)y'}]",
            '"(?<=a)y" is not a pattern that RE2 accepts: RE2 has no look-ahead or look-behind; write all that must '
            "match in its order, such as a.*b|b.*a for both orders; in rewrite put ( ) round the text to keep, "
            r"and \1 in with",
        ),
        (
            r"exclude: [{title: '(a)\1'}]",
            r'"(a)\1" is not a pattern that RE2 accepts: RE2 has no references back to a group; write out the '
            "texts that the group may match",
        ),
        (
            r"exclude: [{title: '\\(?!a[)'}]",
            r'"\\(?!a[)" is not a pattern that RE2 accepts: RE2 has no look-ahead or look-behind; write what must '
            "not match under exclude, and the rest of the pattern under include",
        ),
        (
            "title: “My feed”",
            '“ and ” are typographic quotation marks, which do not quote in YAML; write "My feed", or "“My feed”" '
            "if the marks are part of the text",
        ),
        ("‘title’: x", '‘ and ’ are typographic quotation marks, which do not quote in YAML; write "title"'),
        (
            "headers: {X-Token: “secret”}",
            'the value is in typographic quotation marks, which do not quote in YAML; write "Bearer ${TOKEN}"',
        ),
    ],
)
def test_a_source_is_told_what_to_write(said: str, advice: str) -> None:
    found = problems(f"sources: [{{{URL}, {said}}}]\n")
    assert [each.partition(": ")[2] for each in found] == [advice]


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("feeds: [https://a.org/]\n", '1:1: "feeds" is not a key of feeds.yaml; write sources'),
        (
            "https://a.org/ tag\n",
            "1:1: this is a list of addresses, not a mapping; "
            "write sources: and below it a line with - for each address",
        ),
        (
            "<?xml version='1.0'?>\n<opml/>\n",
            "1:1: this is XML, not YAML; write sources: and a list of addresses; of OPML see docs/opml.md",
        ),
        (
            "[Planet]\nname = Foo\n",
            "2:1: this is an ini file of Planet Venus, not YAML; docs/venus.md explains how to convert it",
        ),
        (
            'sources:\n  - https://a.org/f "tag" "~Title"\n',
            '2:5: "https://a.org/f "tag" "~Title"" is not the address of a source: it has a blank, a control '
            "character or a backslash; write the address alone, and the text after it as category: or title:",
        ),
        (
            "sources:\n  - pcast://a.org/f\n",
            '2:5: "pcast://a.org/f" is not the address of a source: it does not begin with http:// or https:// '
            'and a host; write "https://a.org/f"',
        ),
    ],
)
def test_a_file_of_another_reader_is_told_apart(text: str, advice: str) -> None:
    assert advice in problems(text)


def test_what_is_quoted_with_typographic_marks_on_purpose_is_taken() -> None:
    text = f"sources: [{{{URL}, title: '“My feed”'}}, {{url: 'https://b.org/', title: “Best” of}}]\n"
    assert [source.title for source in settings(text).sources] == ["“My feed”", "“Best” of"]


def test_a_scheme_of_feed_readers_is_read_and_warned_of() -> None:
    text = "sources:\n - feed://a.org/f\n - {url: 'feed:https://b.org/f'}\n"
    assert warnings(text) == [
        '2:4: "feed://a.org/f" is read as "http://a.org/f"; write that',
        '3:10: "feed:https://b.org/f" is read as "https://b.org/f"; write that',
    ]


def test_one_feed_by_several_addresses_is_warned_of() -> None:
    text = (
        "sources:\n - http://a.org/feed\n - https://a.org/feed/\n - {url: 'https://www.a.org/feed'}\n"
        " - https://a.org/other\n - https://b.org/feed\n - {url: 'https://u:p@a.org/feed'}\n"
    )
    twice = (
        "is probably the same feed as in line 2: the addresses differ only in http or https, www. or a final slash; "
        "keep one of the two, with the categories of both"
    )
    assert [each for each in warnings(text) if "same feed" in each] == [
        f'3:4: "https://a.org/feed/" {twice}',
        f'4:10: "https://www.a.org/feed" {twice}',
    ]


def test_categories_in_one_text_are_a_problem_if_one_of_them_is_declared() -> None:
    text = f"categories: {{web: {{}}}}\nsources: [{{{URL}, category: 'python, web'}}]\n"
    assert problems(text) == [
        '2:46: "python, web" is one name, and not declared as a category; write [python, web], '
        'or add "python, web": {} under categories: if one category is meant'
    ]
    assert problems(text.replace("web: {}", "news: {}")) == []
