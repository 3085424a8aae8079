"""Reads the ini files of Planet, Planet Venus and Pluto for `import`, with line numbers."""

import re
from dataclasses import dataclass, field
from pathlib import PurePath

from aggregator.cli.importing.planet import Imported

_SECTION = re.compile(r"\[(.+)\]\s*(?:[#;].*)?")
_PAIR = re.compile(r"([A-Za-z_][\w.-]*)\s*[=:]\s*(.*)")
_INDENTED_PAIR = re.compile(r"\s+[A-Za-z_][\w.-]*\s*=")
_COMMENT = re.compile(r"\s+;.*")
_ADDRESS = re.compile(r"(?:feed:)?(?:https?:)?//|[\w-]+(?:\.[\w-]+)+/", re.IGNORECASE)
_TEMPLATE = re.compile(r"\.(tmpl|xslt|plugin|dj|django|genshi|erb)$")
_USUAL = "atom.xml rss20.xml rss10.xml foafroll.xml opml.xml"  # outputs of the themes that come with Venus
_ELSEWHERE = {  # key of Venus -> where its effect is set here
    "filter": "include: docs/rules.md",
    "exclude": "exclude: docs/rules.md",
    "filters": "include, exclude, rewrite and show: docs/rules.md",
    "face": "static files and a theme: docs/venus.md",
    "bill_of_materials": "publish.static: docs/venus.md",
    "output_theme": "publish.theme: docs/theme.md",
}


@dataclass(slots=True)
class _Section:
    """A section of an ini file."""

    name: str  # empty for what stands above the first section
    line: int
    values: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)


def looks_like_ini(text: str) -> bool:
    """Report whether a text has a line with a section of an ini file."""
    return any(_SECTION.fullmatch(line.strip()) for line in text.splitlines())


def read_ini(text: str, name: str) -> Imported:
    """Read `config.ini` of Planet or Venus, or the ini file of Pluto.

    Args:
        text: the file.
        name: its name: Pluto names its page after it.
    """
    imported = Imported(form="Planet Venus")
    sections = _sections(text, imported)
    if any(section.name.lower() == "planet" or _ADDRESS.match(section.name) for section in sections):
        _venus(sections, imported)
    else:
        imported.form = "Pluto"
        _pluto(sections, imported, name)
    return imported


def _sections(text: str, imported: Imported) -> list[_Section]:
    sections = [_Section("", 1)]
    last: str | None = None  # key that an indented line continues
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if not bare or bare[0] in "#;":
            continue
        values = sections[-1].values
        if match := _SECTION.fullmatch(bare):
            sections.append(_Section(match[1].strip(), number))
            last = None
        elif last is not None and line[0].isspace() and not _INDENTED_PAIR.match(line):
            values[last] = f"{values[last]} {bare}".strip()
        elif match := _PAIR.fullmatch(bare):
            last = match[1].lower()
            values[last] = _COMMENT.sub("", match[2])
            sections[-1].lines[last] = number
        else:
            imported.remark(number, f"neither a [section] nor a key with a value: {bare[:60]}")
    return sections


def _venus(sections: list[_Section], imported: Imported) -> None:
    planet = next((one for one in sections if one.name.lower() == "planet"), _Section("planet", 1))
    values = planet.values
    _keep(imported, values, {"name": "title", "link": "base_url", "owner_email": "contact"})
    if values.get("items_per_page", "").isdigit():
        imported.settings["publish", "entries"] = values["items_per_page"]
    named = values.get("template_files", "").split()
    outputs = [_TEMPLATE.sub("", PurePath(each).name) for each in named] or _USUAL.split()
    for output in outputs:
        imported.alias(output, planet.lines.get("template_files", 0))
    special = {"", "planet", "default", *(each.lower() for each in (*named, *values.get("filters", "").split()))}
    for section in sections:
        _tell_elsewhere(section, imported)
        if section.name.lower() in special or _TEMPLATE.search(section.name):
            continue
        kind = section.values.get("content_type", "").lower()
        title = section.values.get("name")
        if kind and "opml" not in kind and kind in ("foaf", "csv", "config"):
            imported.remark(
                section.line, f"{section.name}: a reading list as {kind} is not read; use OPML", is_lost=True
            )
        elif _ADDRESS.match(section.name):
            imported.add(section.line, section.name, title, kind="opml" if "opml" in kind else None)
        elif title or not re.search(r"\.(py|xslt|sed|plugin)$", section.name):  # else the settings of a filter
            imported.remark(section.line, f"[{section.name}] is not an address", is_lost=True)


def _tell_elsewhere(section: _Section, imported: Imported) -> None:
    for key, place in _ELSEWHERE.items():
        if section.values.get(key):
            is_first = not any(remark.text.startswith(f"{key} ") for remark in imported.remarks)
            if key != "face" or is_first:
                imported.remark(section.lines[key], f"{key} is not taken over; its place is {place}")


def _pluto(sections: list[_Section], imported: Imported, name: str) -> None:
    top, *feeds = sections
    _keep(imported, top.values, {"title": "title", "link": "base_url", "url": "base_url", "email": "contact"})
    for output in ("atom.xml", "rss.xml", "opml.xml"):  # of the packs of templates that planets use; no ini names them
        imported.alias(output)
    if (page := f"{PurePath(name).stem}.html") != "index.html":
        imported.aliases[page] = "index.html"
    for section in feeds:
        href = section.values.get("feed") or section.values.get("feed_url")
        if href:
            imported.add(section.line, href, section.values.get("title") or section.values.get("name"))
        else:
            imported.remark(section.line, f"[{section.name}] has no feed", is_lost=True)


def _keep(imported: Imported, values: dict[str, str], names: dict[str, str]) -> None:
    for theirs, ours in names.items():
        if value := values.get(theirs):
            imported.settings.setdefault(("site", ours), value)
