"""Templates of posts: sandboxed Jinja without escaping, in which foreign text remains text (S45).

What an expression of a template gives is foreign; what stands in the template itself is the operator's. In the body of
a post, what a site generator would run in foreign text becomes entities, which read the same: Liquid, shortcodes; of
Markdown links, images, definitions, attribute lists, fences and formulas; tags in a plain text. Front matter is data,
which nobody runs: there a text stays as it is, and quotes that would break it are escaped.
"""

import json
import re
import traceback
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import yaml
from jinja2 import FunctionLoader, StrictUndefined, TemplateError, TemplateSyntaxError

from aggregator.errors import ConfigError, Problem, TemplateFailed
from aggregator.publish.posts.names import safe_part
from aggregator.render.sandbox import Sandbox, said_of
from aggregator.text.slugs import pinyin, slug_of

# JSON text is YAML, but for what YAML takes for line breaks or does not let stand in a text at all.
_UNFIT = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")


class Quoted(str):
    """YAML that is finished: nothing in it needs to be escaped any more."""

    __slots__ = ()


def yaml_of(value: object) -> Quoted:
    """Return a value as YAML: text always in double quotes; lists and mappings in one line.

    Args:
        value: a text, number, flag, date or None, or lists and mappings of such; of anything else, what `str` says.
    """
    match value:
        case None | bool() | int() | float():
            return Quoted(json.dumps(value))
        case datetime():
            return Quoted(value.isoformat(" ", timespec="seconds"))
        case date():
            return Quoted(value.isoformat())
        case Mapping():
            return Quoted("{" + ", ".join(f"{_text(key)}: {yaml_of(item)}" for key, item in value.items()) + "}")
        case list() | tuple():
            return Quoted("[" + ", ".join(map(yaml_of, value)) + "]")
        case _:
            return Quoted(_text(value))


def _text(value: object) -> str:
    return _UNFIT.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(str(value), ensure_ascii=False))


# Stand-ins for foreign characters until it is known where they stand; no cleaned text holds these (I7).
_BRACE, _ANGLE, _QUOTE, _BACKSLASH, _BRACKET, _TICK, _TILDE, _DOLLAR = map(chr, range(1, 9))
_SIGNS = {_BRACE: "{", _ANGLE: "<", _QUOTE: '"', _BACKSLASH: "\\", _BRACKET: "]", _TICK: "`", _TILDE: "~", _DOLLAR: "$"}
_PLAIN = str.maketrans(_SIGNS)
_ESCAPED = str.maketrans(_SIGNS | {_QUOTE: '\\"', _BACKSLASH: "\\\\"})
_INERT = str.maketrans(_SIGNS | {_BRACE: "&#123;", _ANGLE: "&lt;"})
_UNFENCED = str.maketrans({_TICK: "&#96;", _TILDE: "&#126;"})

_RUN = re.compile(r"\{(?=[{%:]|\Z)")  # `{{`, `{%`, `{:`; the last one of a text may meet its like in the next
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_FENCES = re.compile(rf"[`{_TICK}]{{3,}}|[~{_TILDE}]{{3,}}")
_LINKS = re.compile(rf"{_BRACKET}(?=[(\[:])")  # `](`, `][`, `]:`, whoever wrote what follows
_FORMULA = re.compile(rf"\$(?={_DOLLAR})|{_DOLLAR}(?=[${_DOLLAR}])")
_ADDRESS = re.compile(r"https?://(?:\[[0-9A-Fa-f:.]+\])?[^\s\[\]]*")  # brackets in it are those of an IPv6 address
_MARKDOWN = re.compile(r"[&<>\\`*_{}\[\]#|~$^]")
_BEGINNING = re.compile(r"\A(\d*)([-+=.):])")  # of a list, a definition, a line below a heading
_NUMBER = re.compile(r"[-+.]?\d[\da-fA-FxXoO_.,:+-]*")  # or a date, for one reader of YAML or another
_FRONT = re.compile(r"(---[ \t]*\n)(.*?)(^---[ \t]*(?:\n|\Z))", re.DOTALL | re.MULTILINE)
_IN_QUOTES = re.compile(r'"(?:[^"\\\n]|\\.)*"')  # the template's own quotes: foreign ones are stand-ins
_BLANK_LINE = re.compile(r"\n(?=[ \t]*\n)")
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Plain(str):
    """A foreign text without markup: a part that looks like a tag is text."""

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
        environment.filters |= {
            "yaml": _yaml,
            "markdown": _markdown,
            "pinyin": _pinyin,
            "slug": slug_of,
            "one_block": _one_block,
        }
        environment.globals |= known
        try:
            self._template = environment.get_template(name)
        except TemplateSyntaxError as error:
            raise ConfigError([self._problem(error.lineno, error.message or "is no Jinja")]) from error
        except TemplateError as error:
            raise ConfigError([self._problem(1, str(error))]) from error

    def render(self, values: Mapping[str, object]) -> str:
        """Render the template.

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
    """Return the template of a post; what it renders goes through `finished`."""
    return PostTemplate(source, name, finish=_marked, known=known)


def name_template(source: str, name: str, line: int, known: Mapping[str, object]) -> PostTemplate:
    """Return the template of a post's file name, in which foreign text brings neither slash nor odd sign."""
    return PostTemplate(source, name, finish=lambda value: safe_part(str(value)), known=known, first_line=line)


def finished(rendered: str) -> str:
    """Return a rendered post in which texts of feeds are plain in the front matter and can't act as markup in the body.

    In a value that the template puts in quotes, characters that would end the quotes are escaped.

    Raises:
        ValueError: its front matter is no YAML mapping.
    """
    front = _FRONT.match(rendered)
    if front is None:
        return _inert(rendered)
    opening, data, closing = front.groups()
    data = _IN_QUOTES.sub(lambda found: found[0].translate(_ESCAPED), data).translate(_PLAIN)
    why = _fault_of(data)
    if why is not None:
        raise ValueError(f"its front matter is no YAML: {why}; write values as {{{{ … | yaml }}}}")
    return f"{opening}{data}{closing}{_inert(rendered[front.end() :])}"


def _inert(body: str) -> str:
    """Return a body with what is foreign in it inert."""
    body = _FENCES.sub(lambda found: found[0].translate(_UNFENCED), body)
    return _FORMULA.sub("&#36;", _LINKS.sub("&#93;", body)).translate(_INERT)


def _fault_of(front: str) -> str | None:
    try:
        node = yaml.compose(front, Loader=_LOADER)
    except yaml.YAMLError as error:
        return str(getattr(error, "problem", None) or error)
    return None if node is None or isinstance(node, yaml.MappingNode) else "it has no keys"


def _marked(value: object) -> str:
    """Return the value of an expression with placeholders for text that may have to be made inert."""
    text = str(value)
    for stand_in in _PLAIN:
        text = text.replace(chr(stand_in), "")
    text = _RUN.sub(_BRACE, text).replace("$", _DOLLAR).replace("`", _TICK).replace("~", _TILDE)
    if isinstance(value, Plain) or not _ADDRESS.fullmatch(text):
        text = text.replace("]", _BRACKET)
    if isinstance(value, Plain) or not isinstance(value, str):
        text = _TAG.sub(_ANGLE, text)
    return text if isinstance(value, Quoted) else text.replace('"', _QUOTE).replace("\\", _BACKSLASH)


def _pinyin(text: object) -> Plain:
    return Plain(pinyin(str(text)))


def _yaml(value: object, *, bare: bool = False) -> Quoted:
    """Return a value as YAML.

    Args:
        value: as `yaml_of` takes it.
        bare: leave a text without quotes if every reader of YAML reads it back the same without.
    """
    return Quoted(value) if bare and isinstance(value, str) and _reads_back(value) else yaml_of(value)


def _reads_back(text: str) -> bool:
    if _NUMBER.fullmatch(text) or len(text) < 2 or not text.isprintable():  # y and n are flags
        return False
    try:
        node = yaml.compose(f"- {text}\n", Loader=_LOADER)
    except yaml.YAMLError:
        return False
    (item,) = node.value if isinstance(node, yaml.SequenceNode) and len(node.value) == 1 else (None,)
    return isinstance(item, yaml.ScalarNode) and (item.tag, item.value) == ("tag:yaml.org,2002:str", text)


def _markdown(text: object) -> str:
    """Return a plain text as Markdown that shows it as it is, on one line: each sign with a meaning is an entity."""
    shown = _MARKDOWN.sub(lambda found: f"&#{ord(found[0])};", " ".join(str(text).split()))
    return _BEGINNING.sub(lambda found: f"{found[1]}&#{ord(found[2])};", shown)


def _one_block(html: object) -> str:
    """Return HTML without blank lines, after which Markdown would be read again inside of it; `pre` keeps its lines."""
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
