"""Writes the XML elements of entries as text, in the very bytes that lxml writes for a tree of them (decision 0173).

A tree of an entry costs ten times as much. Every document is read back by a parser before it is published (A35).
"""

from collections.abc import Iterable, Mapping

NOTHING: Mapping[str, str] = {}


def element(indent: str, name: str, text: str | None, attributes: Mapping[str, str] = NOTHING) -> str:
    """Return an element with a text, or with none, on a line of its own.

    Args:
        indent: blanks before it.
        name: its name, with the prefix of its namespace.
        text: without characters that XML forbids, like the attributes' values.
        attributes: in the order in which they are written.
    """
    start = f"{indent}<{name}{''.join(map(_attribute, attributes.items()))}" if attributes else f"{indent}<{name}"
    return f"{start}/>\n" if text is None else f"{start}>{_escaped(text)}</{name}>\n"


def parent(indent: str, name: str, children: Iterable[str], attributes: Mapping[str, str] = NOTHING) -> str:
    """Return an element around lines that hold its children, which are indented further."""
    start = f"{indent}<{name}{''.join(map(_attribute, attributes.items()))}"
    lines = "".join(children)
    return f"{start}>\n{lines}{indent}</{name}>\n" if lines else f"{start}/>\n"


def _attribute(item: tuple[str, str]) -> str:
    name, value = item
    value = _escaped(value).replace('"', "&quot;")
    if not value.isprintable():
        value = value.replace("\n", "&#10;").replace("\t", "&#9;")
    return f' {name}="{value}"'


def _escaped(text: str) -> str:
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("\r", "&#13;") if "\r" in text else text
