"""Front matter that any parser reads back, and foreign text that stays text (S45)."""

import json
from datetime import date, datetime, timedelta, timezone
from html import unescape

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.publish.posts.names import free_name, name_of, safe_part
from aggregator.publish.posts.template import Plain, finished, post_template, yaml_of

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


@pytest.mark.parametrize(
    ("template", "text", "expected"),
    [
        ("{{ a }}", "[click](javascript:x)", "[click&#93;(javascript:x)"),
        ("{{ a }}", "![click](javascript:x)", "![click&#93;(javascript:x)"),
        ("{{ a }}", "[a][b] [b]: javascript:x", "[a&#93;[b] [b&#93;: javascript:x"),
        ("{{ a }}(javascript:x)", "[click]", "[click&#93;(javascript:x)"),
        ("[more {{ a }}](https://e.example/)", "x](javascript:x", "[more x&#93;(javascript:x](https://e.example/)"),
        ("{{ a }}", "[1] 【快讯】 [图] a] [b", "[1] 【快讯】 [图] a] [b"),
        ("<{{ a }}>", "https://[2001:db8::1]:8080/a", "<https://[2001:db8::1]:8080/a>"),
        ("{{ a }}", "https://e.example/](javascript:x)", "https://e.example/&#93;(javascript:x)"),
        ("{{ a }}", "```\nx\n~~~", "&#96;&#96;&#96;\nx\n&#126;&#126;&#126;"),
        ("{{ a }}", "`code` ~5~", "`code` ~5~"),
        ("{{ a }}{{ a }}", "5 $ $$x$$ $", "5 $ &#36;$x&#36;$ $5 $ &#36;$x&#36;$ $"),
        ("---\nt: {{ a|yaml }}\n---\n", "[a](b) ```~~~ $$", '---\nt: "[a](b) ```~~~ $$"\n---'),
    ],
)
def test_s45_markdown_in_a_foreign_text_makes_no_link(template: str, text: str, expected: str) -> None:
    assert rendered(template, a=text) == expected
    assert rendered(template, a=Plain(text)) == expected or text.startswith("https://[")


@settings(deadline=None)  # the first look at a script loads its readings
@given(
    st.lists(st.sampled_from(["[", "]", "(", ":", "{", "$", "`", "~", "x", "\n", "<a", "!"]), max_size=12),
    st.booleans(),
)
def test_s45_no_foreign_text_holds_a_link_whatever_stands_beside_it(parts: list[str], is_plain: bool) -> None:
    text = "".join(parts)
    body = rendered("{{ a }}{{ a }}(x)", a=Plain(text) if is_plain else text)
    assert not any(mark in body for mark in ("](", "][", "]:", "$$", "```", "~~~", "{{", "{:"))
    assert unescape(body) == text + text + "(x)"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "# a *b* _c_ `d` [e](f) <g> & h",
            "&#35; a &#42;b&#42; &#95;c&#95; &#96;d&#96; &#91;e&#93;(f) &#60;g&#62; &#38; h",
        ),
        ("- a - b", "&#45; a - b"),
        ("12. a\n\n    b", "12&#46; a b"),
        ("大众日报：“快讯” 100%!", "大众日报：“快讯” 100%!"),
    ],
)
def test_s45_the_filter_markdown_shows_a_text_as_it_is(text: str, shown: str) -> None:
    assert rendered("{{ a | markdown }}", a=Plain(text)) == shown
    assert unescape(shown) == " ".join(text.split())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("滚动新闻", "滚动新闻"),
        ("21shijijingjibaodao", "21shijijingjibaodao"),
        ("a b-c", "a b-c"),
        *(
            (text, yaml_of(text))
            for text in ("[unclosed", "a: b", "a #b", "no", "y", "12", "1e5", "0x1f", "12:30", "2021-12-08")
        ),
        *(
            (text, yaml_of(text))
            for text in ("", "~", " a", "a ", "*a", "&a b", "!x y", "- a", "'a", '"a"', "{a", "@a", "%a", "a:")
        ),
    ],
)
def test_s45_a_bare_text_in_front_matter_is_quoted_where_it_has_to_be(text: str, said: str) -> None:
    assert rendered("---\nt: {{ a | yaml(bare=true) }}\n---\n", a=Plain(text)) == f"---\nt: {said}\n---"


@settings(deadline=None)  # the first look at a script loads its readings
@given(TEXTS)
def test_s45_any_text_survives_as_bare_front_matter(text: str) -> None:
    said = rendered("---\nt: {{ a | yaml(bare=true) }}\n---\n", a=text)
    assert yaml.safe_load(said.partition("\n")[2].rpartition("\n")[0]) == {"t": text}


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
