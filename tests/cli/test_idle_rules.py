"""`check` names rules that have decided for no entry."""

from tests.command import aggregator
from tests.fake_source import FakeSource, said
from tests.sample_site import SampleSite

YAML = """categories: {{general: {{exclude: [{{title: lamp}}], include: [{{title: Title}}]}}}}
sources:
  - {{key: few, url: "https://few.example/", exclude: [{{title: sponsored}}]}}
  - key: many
    url: "https://many.example/"
    exclude: [{{title: sponsored}}, {{title: "Title 7"}}]
    initial: 200
    rewrite: [{{title: {{replace: wharf, with: quay}}}}]
    route: [{{when: {{title: market}}, to: other}}]
"""


def test_rules_that_have_decided_for_no_entry_are_named(sample_site: SampleSite) -> None:
    site = sample_site
    site.writes(YAML.format())
    with site.opened() as app:
        FakeSource(app).says("few", *map(said, range(300, 320)))
        FakeSource(app).says("many", *map(said, range(120)))
    done = aggregator("-c", str(site.folder / "feeds.yaml"), "check")
    assert done.returncode == 0
    told = [
        line.partition("the rule ")[2].partition(" has")[0] for line in done.stderr.splitlines() if "the rule" in line
    ]
    assert told == [
        "exclude title: lamp",
        "exclude title: sponsored",
        "rewrite title: wharf",
        "route title: market → other",
    ]
    assert "has decided for none of 140 entries of the sources of category general; if" in done.stderr


def test_a_rule_of_defaults_is_named_once_if_no_source_needed_it(sample_site: SampleSite) -> None:
    site, sources = sample_site, ("one", "two")
    rows = "".join(f"  - {{key: {key}, url: 'https://{key}.example/', initial: 200}}\n" for key in sources)
    site.writes("defaults: {exclude: [{title: sponsored}, {title: Title 7}]}\nsources:\n" + rows)
    with site.opened() as app:
        for at, key in enumerate(sources):
            FakeSource(app).says(key, *map(said, range(200 * at, 200 * at + 120)))
    done = aggregator("-c", str(site.folder / "feeds.yaml"), "check")
    told = [line for line in done.stderr.splitlines() if "the rule" in line]
    assert len(told) == 1
    assert "the rule exclude title: sponsored has decided for none of 240 entries of all sources" in told[0]
