"""Names and limits of a theme's files, and what in its folder is one. Pure, but for reading the folder."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

from aggregator.errors import Problem

STYLE: Final = "style.css"
EXTRA: Final = "extra.css"  # beside the stylesheet, after it
ICON: Final = "icon.svg"
PICTURES: Final = ("favicon.ico", "apple-touch-icon.png")  # the icon, for what reads no SVG
CATALOGUES, PAGES, FONTS = "catalogue", "pages", "fonts"  # folders
MAX_BYTES: Final = 256 * 1024  # of a template or stylesheet
MAX_ICON_BYTES: Final = 32 * 1024
MAX_FONT_BYTES: Final = 2 * 1024 * 1024
MAX_FILES: Final = 200
READY: Final = files("aggregator.render") / "themes"  # themes that come with the program
BEGINNING: Final = Path(str(READY / "start"))  # of a theme, for `aggregator theme new`

# Names that pages of an operator's own can't have: those of other pages, and of addresses that `serve` answers.
_TAKEN = frozenset("all entry feed latest search status 404 410 500".split())
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*\.html")
_LANGUAGE = re.compile(r"[a-z]{2,8}(-[a-z0-9]{1,8})*\.toml")
_FONT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}\.woff2?")
_SET = r"\{%%-?\s*set\s+%s\s*=\s*(\"[^\"]*\"|'[^']*')\s*-?%%\}"
_TITLE, _DESCRIPTION = (re.compile(_SET % name) for name in ("title", "description"))


@dataclass(frozen=True, slots=True)
class OwnPage:
    """A page that an operator's theme adds, as links to it name it."""

    name: str
    title: str
    description: str = ""

    @property
    def path(self) -> str:
        """Its path in the published folder."""
        return f"{self.name}.html"


def own_pages(texts: Mapping[str, str]) -> list[OwnPage]:
    """Return the pages that a theme adds, in the order of their names.

    A page says its title and description itself: `{% set title = "About us" %}`.

    Args:
        texts: templates of the theme, by name.
    """
    pages = []
    for name, text in sorted(texts.items()):
        folder, _, file = name.rpartition("/")
        if folder == PAGES:
            word = file.removesuffix(".html")
            title = _said(_TITLE, text) or word.replace("-", " ").replace("_", " ").capitalize()
            pages.append(OwnPage(word, title, _said(_DESCRIPTION, text)))
    return pages


def _said(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1][1:-1].strip() if found else ""


def listed(folder: Path) -> list[tuple[str, Path]]:
    """Return the files of a folder that belong to a theme, by name.

    Raises:
        OSError: the folder can't be read.
    """
    fixed = (STYLE, EXTRA, ICON, *PICTURES)
    found = [(path.name, path) for path in folder.iterdir() if _NAME.fullmatch(path.name) or path.name in fixed]
    for name, pattern in ((CATALOGUES, _LANGUAGE), (PAGES, _NAME), (FONTS, _FONT)):
        if (folder / name).is_dir():
            found += [(f"{name}/{p.name}", p) for p in (folder / name).iterdir() if pattern.fullmatch(p.name)]
    return sorted(found)


def limit_of(name: str) -> int:
    """Return how many bytes a file of a theme may have."""
    if name in (ICON, *PICTURES):
        return MAX_ICON_BYTES
    return MAX_FONT_BYTES if name.startswith(f"{FONTS}/") else MAX_BYTES


def is_published(name: str) -> bool:
    """Return whether a file is published beside pages, under its own name."""
    return name in (EXTRA, *PICTURES) or name.startswith(f"{FONTS}/")


def strays(folder: Path, called: str, templates: frozenset[str]) -> Iterator[Problem]:
    """Return problems for files that look like parts of a theme and have no effect: mostly misspelt names.

    No hidden ones: editors and file managers leave these (`.#style.css`, `._style.css`).

    Args:
        folder: of the theme.
        called: how messages name it.
        templates: names of our own templates.
    """
    known = {path for _, path in listed(folder)}
    for path in sorted({*folder.glob("[!.]*.css"), *folder.glob("[!.]*.html"), *folder.glob("[!.]*.toml")} - known):
        write = STYLE if path.suffix == ".css" else f"{CATALOGUES}/{path.name.lower()}"
        if path.suffix == ".html":
            write = path.name.lower() if path.name.lower() in templates else "small letters, digits, - and _"
        yield Problem(f"{called}/{path.name}", 1, 1, f"no file of a theme has this name; write {write}")
    for path in sorted({*(folder / CATALOGUES).glob("[!.]*.toml")} - known):
        what = f"no language has this name; write one such as {CATALOGUES}/nl.toml or {CATALOGUES}/zh-tw.toml"
        yield Problem(f"{called}/{CATALOGUES}/{path.name}", 1, 1, what)
    for path in sorted({*(folder / PAGES).glob("[!.]*.*")} - known):
        what = f"a page can't have this name; write small letters, digits, - and _, such as {PAGES}/about.html"
        yield Problem(f"{called}/{PAGES}/{path.name}", 1, 1, what)
    for path in sorted({*(folder / FONTS).glob("[!.]*.*")} - known - {*(folder / FONTS).glob("*.txt")}):
        what = f"a font can't have this name; write a name such as {FONTS}/{path.stem}.woff2"
        yield Problem(f"{called}/{FONTS}/{path.name}", 1, 1, what)
    for name, path in listed(folder):
        word = path.name.removesuffix(".html")
        if name.startswith(f"{PAGES}/") and (path.name in templates or word in _TAKEN):
            what = f"another page is at {path.name} already; write another name such as {PAGES}/about.html"
            yield Problem(f"{called}/{name}", 1, 1, what)
