"""Templates, stylesheet, icon and texts: ours, and those that an operator's theme has in their place, file by file.

A theme is the operator's own, but what it shows is foreign. So its templates run in a sandbox (S64), escape all they
are given, and may not let markup through (S39): that is done in `prose.html`, which no theme replaces, nor `head.html`
with the policy (A80) and our mark.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache, cached_property, lru_cache
from importlib.resources import files
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, MethodType, TracebackType
from typing import TYPE_CHECKING, Any

from aggregator.errors import ConfigError, Problem, PublishError
from aggregator.late import late
from aggregator.model.settings import Settings
from aggregator.render.theme_files import (
    CATALOGUES,
    EXTRA,
    ICON,
    MAX_FILES,
    PAGES,
    PICTURES,
    STYLE,
    OwnPage,
    is_published,
    limit_of,
    listed,
    own_pages,
    strays,
)
from aggregator.render.translations import BadCatalogue, Catalogue, Messages, messages_of, read_catalogue

if TYPE_CHECKING:
    import jinja2

    from aggregator.render import compiled_templates, sandbox, theme_check
else:
    compiled_templates = late("aggregator.render.compiled_templates")
    jinja2 = late("jinja2")
    sandbox = late("aggregator.render.sandbox")
    theme_check = late("aggregator.render.theme_check")

FIXED = frozenset({"head.html", "prose.html"})  # what keeps pages safe and known as ours; no theme replaces it
MOST_SOURCES = 2000  # with more they have no pages, unless `pages.sources` says so
BUILT_IN = "built-in/"  # before a name: our own template of that name, for a theme's to extend or include

_CSS_MARK, _SVG_MARK = b"/* generator: aggregator */\n", b"<!-- generator: aggregator -->\n"
_OURS = files("aggregator.render") / "templates"
# What rendering a template of somebody else's can raise, besides Jinja's own errors.
FAULTS = (ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError, TypeError, ValueError)


def _no_function(value: object) -> object:
    """Refuse to print a function: `{{ site.title }}`, where `site` is a text, names a method of all texts."""
    if isinstance(value, FunctionType | MethodType | BuiltinFunctionType):
        what = f"{value.__name__!r} is a function here, and no text"
        raise jinja2.TemplateRuntimeError(f"{what}; docs/theme.md says which names there are")
    return value


_TEMPLATES: dict[str, Any] = {
    "autoescape": True,
    "trim_blocks": True,
    "lstrip_blocks": True,
    "keep_trailing_newline": True,
    "auto_reload": False,
}


@cache
def _built_in_environment() -> "jinja2.Environment":
    compiled = compiled_templates.CompiledTemplates(_TEMPLATES)
    loader = jinja2.FunctionLoader(_built_in)
    return jinja2.Environment(loader=loader, undefined=jinja2.StrictUndefined, bytecode_cache=compiled, **_TEMPLATES)


def _built_in(name: str) -> tuple[str, str, None] | None:
    own = name.removeprefix(BUILT_IN)
    return (_template(own), f"{BUILT_IN}{own}", None) if own in ours() else None


@dataclass(frozen=True, eq=False)
class Theme:
    """Templates, stylesheet, icon and texts of pages. Two themes with one digest make the same pages."""

    folder: Path | None  # None: ours alone
    called: str = ""  # the folder, as messages name it
    texts: Mapping[str, str] = field(default_factory=dict)  # own templates by name
    catalogues: Mapping[str, Catalogue] = field(default_factory=dict)  # own, by language in lower case
    stylesheet: bytes = b""
    icon: bytes = b""
    files: Mapping[str, bytes] = field(default_factory=dict)  # published beside pages, by path
    digest: str = ""  # of its own files; empty: ours alone

    @classmethod
    def built_in(cls) -> "Theme":
        """Return the theme that comes with the program."""
        icons = {name: (_OURS / name).read_bytes() for name in PICTURES}
        return cls(None, stylesheet=(_OURS / STYLE).read_bytes(), icon=(_OURS / ICON).read_bytes(), files=icons)

    def messages(self, language: str) -> Messages:
        """Return the texts of a language."""
        found = self._messages.get(language)
        if found is None:
            found = self._messages[language] = messages_of(language, self.catalogues)
        return found

    def render(self, name: str, path: str, values: Mapping[str, object]) -> str:
        """Render a template.

        Args:
            name: of the template, with its suffix.
            path: of the page, for messages.
            values: what the template sees.

        Raises:
            PublishError: a template of the operator's can't be rendered; it names file and line.
        """
        if self.folder is None:
            return self._environment.get_template(name).render(values)
        try:
            return self._environment.get_template(name).render(values)
        except jinja2.TemplateSyntaxError as error:
            raise PublishError(path, f"{error.filename}:{error.lineno}: {error.message}") from error
        except (jinja2.TemplateError, *FAULTS) as error:
            raise PublishError(path, f"{self.place_of(error)}: {sandbox.said_of(error, 'theme.md')}") from error

    def place_of(self, error: BaseException) -> str:
        """Return the place in a template where an error arose, as `file:line`."""
        found = f"{self.called}/"
        for frame, line in _walked(error.__traceback__):
            if frame in self._files:
                found = f"{frame}:{line}"
        return found

    @cached_property
    def pages(self) -> list[OwnPage]:
        """Pages that the theme adds."""
        return own_pages(self.texts)

    @cached_property
    def _messages(self) -> dict[str, Messages]:
        return {}

    @cached_property
    def _files(self) -> frozenset[str]:
        return frozenset(f"{self.called}/{name}" for name in self.texts)

    @cached_property
    def _environment(self) -> "jinja2.Environment":
        """A sandbox if the theme has templates of its own (S64); the built-in templates alone need none."""
        if not self.texts:
            return _built_in_environment()
        loader = jinja2.FunctionLoader(self._load)
        return sandbox.Sandbox(loader=loader, undefined=jinja2.StrictUndefined, finalize=_no_function, **_TEMPLATES)

    def _load(self, name: str) -> tuple[str, str, None] | None:
        if name in self.texts:
            return self.texts[name], f"{self.called}/{name}", None
        return _built_in(name)


def read_theme(folder: Path, called: str) -> Theme:
    """Read a theme's folder. Files with other names than those of a theme are ignored.

    Args:
        folder: where it is.
        called: how messages name it.

    Raises:
        ConfigError: it can't be used; with every problem of every file.
    """
    problems: list[Problem] = []
    try:
        found = read_files(folder)
    except OSError as error:
        why = "there is no such folder; make it, or take `theme` out of feeds.yaml"
        if not isinstance(error, FileNotFoundError):
            why = f"{Path(str(error.filename)).name} can't be read: {error.strerror}; mend it, or move it away"
        raise ConfigError([Problem(called, 1, 1, why)]) from error
    problems += strays(folder, called, ours())
    if len(found) > MAX_FILES:
        raise ConfigError([Problem(called, 1, 1, f"it has over {MAX_FILES} files of a theme; write fewer")])
    texts: dict[str, str] = {}
    catalogues: dict[str, Catalogue] = {}
    data: dict[str, bytes] = {}
    files: dict[str, bytes] = {}
    for name, raw in found.items():
        limit = limit_of(name)
        try:
            if len(raw) > limit:
                raise ValueError(f"it has over {limit // 1024} KiB; write less")
            if is_published(name) and name != EXTRA:
                files[name] = raw
                continue
            text = raw.decode("utf-8-sig")
            if name.endswith(".toml"):
                catalogues[name.removeprefix(f"{CATALOGUES}/").removesuffix(".toml")] = read_catalogue(text)
            elif name.endswith(".html"):
                texts[name] = text
            else:
                data[name] = text.encode()
        except BadCatalogue as error:
            problems += (Problem(f"{called}/{name}", line, 1, what) for line, what in error.faults)
        except ValueError as error:  # UnicodeDecodeError and TOMLDecodeError too
            line = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
            at = (int(line[1]), int(line[2])) if line else (1, 1)
            what = "it is no UTF-8" if isinstance(error, UnicodeDecodeError) else str(error).partition(" (at line")[0]
            problems.append(Problem(f"{called}/{name}", *at, what))
    plain = Theme.built_in()
    theme = Theme(
        folder,
        called,
        texts,
        catalogues,
        _marked(data[STYLE], _CSS_MARK) if STYLE in data else plain.stylesheet,
        _marked(data[ICON], _SVG_MARK) if ICON in data else plain.icon,
        _beside(files, data, plain),
        digest_of(found),
    )
    problems += theme_problems(theme)
    if problems:
        raise ConfigError(problems)
    return theme


def _beside(files: Mapping[str, bytes], data: Mapping[str, bytes], plain: Theme) -> dict[str, bytes]:
    """Return what is published beside pages. Our own pictures show another icon than that of a theme."""
    has_icon = ICON in data or any(name in files for name in PICTURES)
    extra = {EXTRA: _marked(data[EXTRA], _CSS_MARK)} if EXTRA in data else {}
    return ({} if has_icon else dict(plain.files)) | dict(files) | extra


def read_files(folder: Path) -> dict[str, bytes]:
    """Read what of a folder belongs to a theme, by name.

    Raises:
        OSError: the folder, or a file in it, can't be read.
    """
    return {name: _head(path, name) for name, path in listed(folder)}


def signature_of(folder: Path) -> tuple[object, ...]:
    """Return a value that changes when a file of a theme does; cheap enough for every second."""
    try:
        stats = [(name, path.stat()) for name, path in listed(folder)]
    except OSError as error:
        return (type(error).__name__,)
    return tuple((name, stat.st_mtime_ns, stat.st_size, stat.st_ino) for name, stat in stats)


def digest_of(found: Mapping[str, bytes]) -> str:
    """Return the digest of a theme's files."""
    digest = hashlib.sha256()
    for name, raw in sorted(found.items()):
        digest.update(f"{name}\0{len(raw)}\0".encode() + raw)
    return digest.hexdigest()


@lru_cache(maxsize=1)
def ours() -> frozenset[str]:
    """Return the names of our own templates."""
    return frozenset(file.name for file in _OURS.iterdir() if file.name.endswith(".html"))


def theme_problems(theme: Theme) -> Iterator[Problem]:
    """Return the faults of a theme's templates that can be found without rendering them."""
    used = set(ours())
    parsed: list[str] = []
    for name, text in sorted(theme.texts.items()):
        file = f"{theme.called}/{name}"
        try:
            tree = theme._environment.parse(text, name, file)
        except jinja2.TemplateSyntaxError as error:
            yield Problem(file, error.lineno, 1, error.message or "it is no template")
            continue
        parsed.append(name)
        if name in FIXED:
            yield Problem(file, 1, 1, "this part is not for a theme to replace: it keeps pages safe; remove the file")
        for call in tree.find_all(
            (jinja2.nodes.Extends, jinja2.nodes.Include, jinja2.nodes.Import, jinja2.nodes.FromImport)
        ):
            wanted = getattr(call, "template", None)
            if isinstance(wanted, jinja2.nodes.Const) and isinstance(wanted.value, str):
                used.add(wanted.value)
                if theme._load(wanted.value) is None:
                    yield Problem(file, call.lineno, 1, f"there is no template {wanted.value!r}; {_names_there_are()}")
        for each in tree.find_all(jinja2.nodes.Filter):
            if each.name == "safe":
                yield Problem(
                    file, each.lineno, 1, "`|safe` would let foreign markup through; write {{ prose.show(story.html) }}"
                )
        for scope in tree.find_all(jinja2.nodes.EvalContextModifier):
            yield Problem(file, scope.lineno, 1, "texts are escaped everywhere; take `autoescape` out")
    for name in parsed:
        if name not in used and not name.startswith(f"{PAGES}/"):
            what = f"no page is called so and no template includes it; {_names_there_are()}"
            yield Problem(f"{theme.called}/{name}", 1, 1, what)


def _names_there_are() -> str:
    return f"write one of {', '.join(sorted(name.removesuffix('.html') for name in ours() - FIXED))}"


def _head(path: Path, name: str) -> bytes:
    with path.open("rb") as file:
        return file.read(limit_of(name) + 1)


@lru_cache(maxsize=32)
def _template(name: str) -> str:
    return (_OURS / name).read_text(encoding="utf-8")


def _marked(data: bytes, mark: bytes) -> bytes:
    """Add our mark to a file that may begin with something that has to come first."""
    if mark.strip() in data:
        return data
    return mark + data if data.lstrip()[:1] != b"<" else data.rstrip() + b"\n" + mark


def _walked(trace: TracebackType | None) -> Iterator[tuple[str, int]]:
    while trace is not None:
        yield trace.tb_frame.f_code.co_filename, trace.tb_lineno
        trace = trace.tb_next


@dataclass(frozen=True, slots=True, kw_only=True)
class PageStyle:
    """Theme and options that all pages of a site share."""

    theme: Theme
    refresh: timedelta | None = None  # so often pages that change reload themselves; None: never
    search: bool = False  # whether /search answers: under `serve`, never on a static host
    images: bool = True  # whether pages show the picture of a story that is not in its text
    river: bool = True  # whether latest.html is a page of ours; False: the operator has a file there
    sources: bool = True  # whether each source has a page

    @property
    def facts(self) -> tuple[object, ...]:
        """Return the values that shape pages; a change of them renders pages anew."""
        refresh = self.refresh and self.refresh.total_seconds()
        return self.theme.digest, refresh, self.search, self.images, self.river, self.sources


@lru_cache(maxsize=1)
def plain_style() -> PageStyle:
    """Return the style that comes with the program."""
    return PageStyle(theme=Theme.built_in())


def checked_style(settings: Settings) -> PageStyle:
    """Return the style that feeds.yaml asks for; a theme is read, and tried on pages that show all there can be.

    Raises:
        ConfigError: the theme can't be used; with every problem, each with file and line.
    """
    folder, refresh, images = settings.publish.theme, settings.publish.refresh, settings.pages.images
    sources = len(settings.sources) <= MOST_SOURCES if settings.pages.sources is None else settings.pages.sources
    style = PageStyle(theme=plain_style().theme, refresh=refresh, images=images, sources=sources)
    if folder is None:
        return style
    called = folder.relative_to(settings.path.parent) if folder.is_relative_to(settings.path.parent) else folder
    if not folder.is_dir():
        why = f"there is no folder {called}; make it, or take theme out"
        raise ConfigError([Problem(str(settings.path), *settings.publish.theme_at, why)])
    style = replace(style, theme=read_theme(folder, str(called)))
    problems = theme_check.try_theme(style.theme, settings.site)
    if problems:
        raise ConfigError(problems)
    return style
