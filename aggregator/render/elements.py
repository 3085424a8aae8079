"""Writes the XML elements of entries as text, in the very bytes that lxml writes for a tree of them (decision 0173).

A tree of an entry costs ten times as much. Every document is read back by a parser before it is published (A35). Atom
and RSS have elements in namespaces that readers know: Media RSS, iTunes, podcast, GeoRSS (A20, I57).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from aggregator.model.story import Publication
from aggregator.model.supplement import ImageRole, Supplement
from aggregator.render import fields, mark

NOTHING: Mapping[str, str] = {}
FEED_STYLE: Final = "feed.css"


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


def with_stylesheet(feed: bytes, path: str) -> bytes:
    """Return a feed that names the stylesheet for browsers, after its XML declaration (0171).

    Args:
        feed: an XML document whose declaration is its first line.
        path: of the document in the published folder; the stylesheet stands at the folder's top.
    """
    declaration, newline, rest = feed.partition(b"\n")
    href = "../" * path.count("/") + FEED_STYLE
    return declaration + newline + f'<?xml-stylesheet type="text/css" href="{href}"?>\n'.encode() + rest


# --- extensions

NAMESPACES: Final = {
    "media": "http://search.yahoo.com/mrss/",
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "podcast": "https://podcastindex.org/namespace/1.0",
    "georss": "http://www.georss.org/georss",
    "wfw": "http://wellformedweb.org/CommentAPI/",  # of RSS alone: Atom has `replies`
}

# Roles that feeds use, of the list of the European Broadcasting Union: Media RSS means that list unless a scheme is
# named, and who checks a feed finds any other role wrong.
_EBU_ROLES: Final = frozenset(
    "actor animator announcer artist author choreographer composer conductor consultant correspondent dancer director "
    "editor expert illustrator interviewer librettist lyricist musician participant performer photographer producer "
    "reporter singer translation witness".split()
)
_OWN_ROLES: Final = f"{mark.HOME}roles"  # the scheme of all others: whatever publishers say
# What iTunes takes for a web address: a host of letters, digits and hyphens, with a dot in it.
_HOSTED = re.compile(r"https?://(?:[A-Za-z0-9-]+\.)+[A-Za-z0-9][A-Za-z0-9-]*(?::[0-9]+)?/.*")

_Part = tuple[str, str | None, Mapping[str, str]]  # name with prefix, text, attributes


def extensions_of(publication: Publication) -> list[_Part]:
    """Return the elements that say what goes with an entry, in a fixed order (A32)."""
    supplement = fields.supplement_of(publication)
    durations = (file.duration for _, file in fields.enclosures_of(publication) if file.duration is not None)
    parts = [*_media(supplement), *_itunes(supplement, next(durations, None)), *_podcast(supplement)]
    if point := supplement.point:
        parts.append(("georss:point", f"{_degrees(point.latitude)} {_degrees(point.longitude)}", {}))
    return parts


def declarations(lines: str) -> dict[str, str]:
    """Return the attributes that declare the namespaces of elements in an entry, once and in one order.

    Args:
        lines: those of its lines that may use one of `NAMESPACES`; to search its text too would cost a tenth of all.
    """
    return {f"xmlns:{prefix}": uri for prefix, uri in NAMESPACES.items() if f"<{prefix}:" in lines}


def _media(supplement: Supplement) -> Iterator[_Part]:
    seen = set()
    for image in supplement.images:
        if image.url not in seen:
            seen.add(image.url)
            sides = {"width": image.width, "height": image.height}
            yield "media:thumbnail", None, {"url": image.url} | {n: str(v) for n, v in sides.items() if v}
    if supplement.player:
        yield "media:player", None, {"url": supplement.player}
    for person in supplement.contributors:
        yield "media:credit", person.name, _role(person.role)


def _itunes(supplement: Supplement, duration: int | None) -> Iterator[_Part]:
    cover = next((image for image in supplement.images if image.role is ImageRole.COVER), None)
    if cover and _HOSTED.fullmatch(cover.url):
        yield "itunes:image", None, {"href": cover.url}
    if duration is not None:
        yield "itunes:duration", str(duration), {}
    if supplement.season:  # iTunes counts from 1, seasons and episodes
        yield "itunes:season", str(supplement.season), {}
    if supplement.episode and _counts(supplement.episode):
        yield "itunes:episode", supplement.episode, {}
    if supplement.kind:
        yield "itunes:episodeType", supplement.kind, {}
    if supplement.explicit is not None:
        yield "itunes:explicit", "true" if supplement.explicit else "false", {}


def _podcast(supplement: Supplement) -> Iterator[_Part]:
    if supplement.season == 0:
        yield "podcast:season", "0", {}
    if supplement.episode and not _counts(supplement.episode):
        yield "podcast:episode", supplement.episode, {}
    for transcript in supplement.transcripts:
        rel = "captions" if transcript.captions else None
        said = (
            ("url", transcript.url),
            ("type", transcript.type or "text/plain"),  # the format demands one
            ("language", transcript.language),
            ("rel", rel),
        )
        yield "podcast:transcript", None, _known(said)
    if supplement.chapters:
        kind = supplement.chapters.type or "application/json+chapters"
        yield "podcast:chapters", None, {"url": supplement.chapters.url, "type": kind}


def _counts(episode: str) -> bool:
    """Return whether iTunes accepts a text as the number of an episode: 6.5 and 0 are refused."""
    return episode.isdigit() and int(episode) > 0


def _role(role: str | None) -> dict[str, str]:
    if not role:
        return {}
    name = role.lower()
    return {"role": name} if name in _EBU_ROLES else {"role": name, "scheme": _OWN_ROLES}


def _known(attributes: Iterable[tuple[str, str | None]]) -> dict[str, str]:
    return {name: value for name, value in attributes if value}


def _degrees(value: float) -> str:
    """Write a number without an exponent, which GeoRSS does not know."""
    return f"{value:.7f}".rstrip("0").rstrip(".")
