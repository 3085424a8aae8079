"""Front matter that any parser reads back, and foreign text that stays text (S45)."""

import json
from datetime import date, datetime, timedelta, timezone

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.publish.names import free_name, name_of, safe_part
from aggregator.publish.scalars import yaml_of
from aggregator.publish.template import Plain, finished, post_template

TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60)


def rendered(template: str, **values: object) -> str:
    return finished(post_template(template, "post.j2", {}).render(values))


@settings(deadline=None)  # the first look at a script loads its readings
@given(TEXTS)
def test_s45_any_text_survives_as_front_matter(text: str) -> None:
    said = yaml_of(text)
    assert "\n" not in said
    assert yaml.safe_load(f"title: {said}\n") == {"title": text}
    assert yaml.load(f"title: {said}\n", Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)) == {"title": text}
    assert json.loads(said) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("徐矿集团：“快讯” 100%", '"徐矿集团：“快讯” 100%"'),
        ('a "b" \\ c', '"a \\"b\\" \\\\ c"'),
        ("😀 {{ x }}", '"😀 {{ x }}"'),
        ("no", '"no"'),
        (["a: b", "c"], '["a: b", "c"]'),
        ({"a": [1, None, True]}, '{"a": [1, null, true]}'),
        (datetime(2021, 12, 8, 10, 21, 26, tzinfo=timezone(timedelta(hours=8))), "2021-12-08 10:21:26+08:00"),
        (date(2021, 12, 8), "2021-12-08"),
    ],
)
def test_yaml_of(value: object, text: str) -> None:
    assert yaml_of(value) == text


@settings(deadline=None)  # the first look at a script loads its readings
@given(TEXTS)
def test_s45_nothing_foreign_is_run_in_a_body(text: str) -> None:
    body = rendered("{{ a }}{{ b }}", a=text, b="{% x %}{{ y }}{:z}")
    assert not any(mark in body for mark in ("{{", "{%", "{:"))


@pytest.mark.parametrize(
    ("template", "text", "expected"),
    [
        ("{{ a }}", "{{ site }}", "&#123;{ site }}"),
        ("{{ a }}", "{{{ x }}}", "&#123;&#123;{ x }}}"),
        ("{{ a }}", "{% raw %}{% endraw %}", "&#123;% raw %}&#123;% endraw %}"),
        ("{{ a }}{{ a }}", "{", "&#123;&#123;"),
        ("{{ a }}", "function() { return {a: 1}; }", "function() { return {a: 1}; }"),
        ("{{ a }}", '"quoted" \\ text', '"quoted" \\ text'),
        ("{% raw %}{{ page.url }}{% endraw %} {{ a }}", "x", "{{ page.url }} x"),
        ("---\nt: {{ a|yaml }}\n---\n{{ a }}", "{{ x }}", '---\nt: "{{ x }}"\n---\n&#123;{ x }}'),
        ('---\nt: "{{ a }}"\n---\nb', 'say "hi" \\', '---\nt: "say \\"hi\\" \\\\"\n---\nb'),
        ('---\nt: "{{ a }}"\n---\nb', "C:\\new", '---\nt: "C:\\\\new"\n---\nb'),
        ('---\nt: "{{ a }}"\n---\nb', "plain", '---\nt: "plain"\n---\nb'),
        ("---\nt: {{ a }}\n---\nb", 'a "b" \\', '---\nt: a "b" \\\n---\nb'),
    ],
)
def test_s45_what_is_foreign_reads_the_same(template: str, text: str, expected: str) -> None:
    assert rendered(template, a=text) == expected


def test_a_tag_in_a_plain_text_is_none_but_html_is() -> None:
    text = "<script>1 < 2 <3</script>"
    assert rendered("{{ a }}", a=Plain(text)) == "&lt;script>1 < 2 <3&lt;/script>"
    assert rendered("{{ a|e }}", a=Plain(text)) == "&lt;script&gt;1 &lt; 2 &lt;3&lt;/script&gt;"
    assert rendered("{{ a }}", a="<p>x</p>") == "<p>x</p>"
    assert rendered("{{ a|replace('x', 'y') }}", a="<p>x</p>") == "<p>y</p>"
    assert rendered('---\nt: "{{ a }}"\n---\n', a=Plain(text)) == f'---\nt: "{text}"\n---'


def test_front_matter_that_no_quoting_mends_is_refused() -> None:
    with pytest.raises(ValueError, match="front matter is no YAML"):
        rendered("---\nt: {{ a }}\n---\n", a="[")


@settings(deadline=None)  # the first look at a script loads its readings
@given(TEXTS)
def test_s51_a_part_of_a_name_is_plain(text: str) -> None:
    assert set(safe_part(text)) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("2021-12-08-NW2021.md", "2021-12-08-NW2021.md"),
        ("tech//./../x.md", "tech/x.md"),
        ("", "0f.md"),
        ("../..", "0f.md"),
        ("_posts/x.md", "posts/x.md"),
        ("con.md", "post-con.md"),
        ("a/b/c/d/e/f.md", "b/c/d/e/f.md"),
        ("x.md.gz", "x.md-gz"),
    ],
)
def test_name_of(text: str, name: str) -> None:
    assert name_of(text, "0f") == name


def test_a_taken_name_gets_a_mark_before_its_suffix() -> None:
    taken: set[str] = set()
    for of in ("a", "b", "c"):
        taken.add(free_name("Dir/x.md", of, taken).lower())
    assert len(taken) == 3
    assert all(name.startswith("dir/x") and name.endswith(".md") for name in taken)
