"""Makes the JSON Schema and docs/feeds.md from the declared keys.

A test compares docs/feeds.md with the output of this command:

python -m aggregator.config.reference > docs/feeds.md
"""

import re
import sys
from collections.abc import Iterator

from aggregator.config.alarms import ALARMS
from aggregator.config.keys import DEDUPE_TABLE, HOOK, JEKYLL, RULE
from aggregator.config.shapes import Schema
from aggregator.config.source_keys import (
    CATEGORY,
    DEFAULTS,
    DETAIL,
    ENTRY,
    HOST,
    PAGE,
    PAGES,
    PUBLISH,
    REPLACE,
    REWRITE,
    ROOT,
    ROUTE,
    SERVE,
    SITE,
    SOURCE,
)
from aggregator.config.tables import Key, Table

_CODE_OR_TAG = re.compile("`[^`]*`|<")

_INTRODUCTION = """\
# feeds.yaml

Every key, made from the declarations in `aggregator/config/`; don't edit this page. The smallest useful file:

```yaml
sources:
  - https://blog.python.org/feeds/posts/default
```

- All keys but `sources` are optional. A source that is only an address may be written as that.
- Relative paths count from the folder of feeds.yaml, whatever the working directory is.
- A duration is a number and one of ms, s, m, h, d, w: `0.3s`, `15m`, `1d`.
- YAML 1.2 is read: `no`, `on`, `12:30` and `010` are texts. `off` and `false` mean the same where `off` is a value.
  A text that looks like a number needs quotes: `title: "1.10"`.
- `${NAME}` in a value takes it from the environment; passwords and tokens belong there. `$${` is a literal `${`.
- All mistakes are reported at once, each with line, column and the text to write. `aggregator check` does only this.
- With `# yaml-language-server: $schema=feeds.schema.json` in the first line, and that file from `aggregator schema`,
  editors complete the keys and mark mistakes.
"""

_SECTIONS: tuple[tuple[str, str, Table], ...] = (
    ("The file", "", ROOT),
    ("site", "", SITE),
    ("publish", "", PUBLISH),
    ("publish.jekyll", "", JEKYLL),
    ("pages", "", PAGES),
    ("serve", "", SERVE),
    ("alarms", "", ALARMS),
    ("defaults", "", DEFAULTS),
    (
        "hosts",
        "The key is a host name, which holds for all below it, or a network such as `10.0.0.0/8`. The most specific "
        "wins. For a name, `spacing` and `parallel` apply to all its hosts together; for a network, to each address.",
        HOST,
    ),
    ("categories", "The key is the category's name, in any script; the value may be empty.", CATEGORY),
    ("A source", "Each key of `defaults` may stand here, and:", SOURCE),
    (
        "include, exclude, when",
        "A list of rules; each names fields and patterns. Patterns are regular expressions of RE2, with case "
        "(`(?i)` ignores it), searched anywhere in the text of the field. `any`, `all` and "
        "`not` hold rules themselves, up to five inside of each other.",
        RULE.table,
    ),
    ("dedupe, as a mapping", "", DEDUPE_TABLE),
    ("A step of rewrite", "", REWRITE),
    ("title, content, … of rewrite", "", REPLACE),
    ("An item of route", "", ROUTE),
    ("An item of hooks", "", HOOK),
    ("page", "", PAGE),
    ("entry", "", ENTRY),
    ("detail", "Each key of `entry` may stand here, and:", DETAIL),
)


def json_schema() -> Schema:
    """Return the JSON Schema (draft 2020-12) of feeds.yaml.

    The schema accepts every file that the loader accepts. Only the loader finds conflicts between keys or sources.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "feeds.yaml",
        "description": "What the aggregator polls and publishes.",
        "$defs": {
            "rule": RULE.schema(),
            "variable": {"type": "string", "pattern": r"\$\{", "description": "${NAME}: from the environment"},
        },
        **ROOT.schema(),
    }


def render_reference() -> str:
    """Return the content of docs/feeds.md."""
    return "\n".join([_INTRODUCTION, *_lines()]) + "\n"


def _lines() -> Iterator[str]:
    for title, remark, table in _SECTIONS:
        yield f"## {title}\n"
        about = (table.declares.__doc__ or "").strip()
        yield f"{about} {remark}".rstrip() + "\n"
        yield "| key | value | default | meaning |"
        yield "| --- | --- | --- | --- |"
        for key in table.keys.values():
            if key.home == table.declares.HOME:  # keys of the base class have their own section
                yield f"| `{key.name}` | {_cell(key.shape.values)} | {_default(key)} | {_cell(key.says)} |"
        yield ""


def _default(key: Key[object]) -> str:
    return _cell(f"`{key.shown}`") if key.written not in (None, [], {}, "") else _cell(key.shown)


def _cell(text: str) -> str:
    """Return a text escaped for a Markdown table. Between backticks `<` stays: Markdown would show `&lt;` literally."""
    return _CODE_OR_TAG.sub(lambda found: "&lt;" if found[0] == "<" else found[0], text.replace("|", "\\|"))


if __name__ == "__main__":
    sys.stdout.write(render_reference())
