"""Templates of posts: sandboxed Jinja without escaping, in which what is foreign remains text (S45; DESIGN 7).

What an expression of a template gives is foreign; what stands in the template itself is the operator's. In the body of
a post, what a site generator would run in foreign text (Liquid, shortcodes, attribute lists of Markdown, tags in a
plain text) becomes entities, which read the same. Front matter is data, which nobody runs: there a text stays as it
is, and quotes that would break it are escaped.
"""

import re
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml
from jinja2 import FunctionLoader, StrictUndefined, TemplateError, TemplateSyntaxError

from aggregator.errors import ConfigError, Problem, TemplateFailed
from aggregator.publish.names import safe_part
from aggregator.publish.sandbox import Sandbox, said_of
from aggregator.publish.scalars import Quoted, yaml_of
from aggregator.slugs import pinyin, slug_of

# Stand-ins for foreign characters until it is known where they stand; no cleaned text holds these (I7).
_BRACE, _ANGLE, _QUOTE, _BACKSLASH = "\x01", "\x02", "\x03", "\x04"
_PLAIN = str.maketrans({_BRACE: "{", _ANGLE: "<", _QUOTE: '"', _BACKSLASH: "\\"})
_ESCAPED = str.maketrans({_BRACE: "{", _ANGLE: "<", _QUOTE: '\\"', _BACKSLASH: "\\\\"})
_INERT = str.maketrans({_BRACE: "&#123;", _ANGLE: "&lt;", _QUOTE: '"', _BACKSLASH: "\\"})

_RUN = re.compile(r"\{(?=[{%:]|\Z)")  # `{{`, `{%`, `{:`; the last one of a text may meet its like in the next
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_FRONT = re.compile(r"(---[ \t]*\n)(.*?)(^---[ \t]*(?:\n|\Z))", re.DOTALL | re.MULTILINE)
_IN_QUOTES = re.compile(r'"(?:[^"\\\n]|\\.)*"')  # the template's own quotes: foreign ones are stand-ins
_BLANK_LINE = re.compile(r"\n(?=[ \t]*\n)")
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Plain(str):
    """A foreign text without markup: what looks like a tag in it is none."""

    __slots__ = ()


class PostTemplate:
    """A template, ready to be filled in.

    Args:
        source: its text.
        name: where it stands, for messages: a path.
        finish: what is done with the value of each expression.
        known: what every rendering sees.
        first_line: of the file, where the template begins.

    Raises:
        ConfigError: it is no Jinja; names file and line.
    """

    def __init__(
        self,
        source: str,
        name: str,
        *,
        finish: Callable[[object], str],
        known: Mapping[str, object],
        first_line: int = 1,
    ) -> None:
        self._name, self._first_line = name, first_line
        environment = Sandbox(
            autoescape=False,
            undefined=StrictUndefined,
            finalize=finish,
            loader=FunctionLoader(lambda wanted: (source, name, None) if wanted == name else None),
        )
        environment.filters |= {"yaml": yaml_of, "pinyin": _pinyin, "slug": slug_of, "one_block": _one_block}
        environment.globals |= known
        try:
            self._template = environment.get_template(name)
        except TemplateSyntaxError as error:
            raise ConfigError([self._problem(error.lineno, error.message or "is no Jinja")]) from error
        except TemplateError as error:
            raise ConfigError([self._problem(1, str(error))]) from error

    def render(self, values: Mapping[str, object]) -> str:
        """Fill it in.

        Raises:
            TemplateFailed: with the line, and what is wrong there.
        """
        try:
            return self._template.render(values)
        except Exception as error:
            lines = [f.lineno or 1 for f in traceback.extract_tb(error.__traceback__) if f.filename == self._name]
            raise TemplateFailed(
                self._name, (lines or [1])[-1] + self._first_line - 1, said_of(error, "jekyll.md")
            ) from error

    def _problem(self, line: int | None, what: str) -> Problem:
        return Problem(self._name, (line or 1) + self._first_line - 1, 1, f"the template can't be read: {what}")


def post_template(source: str, name: str, known: Mapping[str, object]) -> PostTemplate:
    """Give the template of a post; what it renders goes through `finished`."""
    return PostTemplate(source, name, finish=_marked, known=known)


def name_template(source: str, name: str, line: int, known: Mapping[str, object]) -> PostTemplate:
    """Give the template of a post's file name, in which what is foreign brings neither slash nor odd sign."""
    return PostTemplate(source, name, finish=lambda value: safe_part(str(value)), known=known, first_line=line)


def finished(rendered: str) -> str:
    """Give a rendered post with every foreign text in its place: as it is in front matter, inert in the body.

    Where a template writes quotes around a value, what would end or change them is escaped.

    Raises:
        ValueError: its front matter is no YAML mapping.
    """
    front = _FRONT.match(rendered)
    if front is None:
        return rendered.translate(_INERT)
    opening, data, closing = front.groups()
    data = _IN_QUOTES.sub(lambda found: found[0].translate(_ESCAPED), data).translate(_PLAIN)
    why = _fault_of(data)
    if why is not None:
        raise ValueError(f"its front matter is no YAML: {why}; write values as {{{{ … | yaml }}}}")
    return f"{opening}{data}{closing}{rendered[front.end() :].translate(_INERT)}"


def _fault_of(front: str) -> str | None:
    try:
        node = yaml.compose(front, Loader=_LOADER)
    except yaml.YAMLError as error:
        return str(getattr(error, "problem", None) or error)
    return None if node is None or isinstance(node, yaml.MappingNode) else "it has no keys"


def _marked(value: object) -> str:
    """Give the value of an expression with stand-ins for what may have to be made inert."""
    text = str(value)
    for stand_in in _PLAIN:
        text = text.replace(chr(stand_in), "")
    text = _RUN.sub(_BRACE, text)
    if isinstance(value, Plain) or not isinstance(value, str):
        text = _TAG.sub(_ANGLE, text)
    return text if isinstance(value, Quoted) else text.replace('"', _QUOTE).replace("\\", _BACKSLASH)


def _pinyin(text: object) -> Plain:
    return Plain(pinyin(str(text)))


def _one_block(html: object) -> str:
    """Give HTML without a blank line, at which Markdown would begin again inside of it; `pre` keeps its lines."""
    return _BLANK_LINE.sub("&#10;", str(html))


def read_template(path: Path, place: tuple[str, int, int]) -> str:
    """Read a template's file.

    Args:
        path: of the file.
        place: file, line and column that name it, for messages.

    Raises:
        ConfigError: it can't be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        if isinstance(error, FileNotFoundError):
            what = f"there is no file {path}; write it, or take template out"
        else:
            why = f"{error.strerror}; let this user read it" if isinstance(error, OSError) else "save it as UTF-8"
            what = f"the template {path} can't be read: {why}"
        raise ConfigError([Problem(*place, what)]) from error
