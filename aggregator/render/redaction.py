"""Removes whatever reveals the address of a private source from publications (S44). Pure.

Such an address holds a token as a rule, in its path or its query, and feeds build ids, enclosures and links of it.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from hashlib import sha256
from urllib.parse import SplitResult, unquote, unquote_plus

from aggregator.model.entry import Origin, Person
from aggregator.model.settings import SourceKey
from aggregator.model.story import Publication
from aggregator.model.supplement import Supplement
from aggregator.model.tokens import (
    LONG,
    MIN_SEGMENT,
    MIN_VALUE,
    STRUCK,
    Needles,
    holds,
    is_random,
    longest_first,
    secrets_of,
    split,
    strike_coded,
    whatever_case,
)
from aggregator.urls import Url

_LONG_PART = re.compile(rf"[\w.~+-]{{{LONG},}}")


def public_name(key: SourceKey) -> SourceKey:
    """Return the name that stands for a private source's key: a derived key begins with the host."""
    return SourceKey(f"private-{sha256(key.encode()).hexdigest()[:8]}")


class AddressRedactor:
    """Recognises a private source's addresses by their parts."""

    def __init__(self, addresses: Iterable[str], met: Iterable[str] = (), *, rotates: bool = False) -> None:
        """Make a redactor for all addresses that the source has or had.

        Args:
            addresses: as configured: each longer part of their path is looked for in ids and enclosures (S44).
            met: addresses that redirects led to, that answered, or that documents named as their own. They may be
                plain public pages, so that of their parts only those count that are likely secret.
            rotates: there were more of the latter than are kept: whatever looks drawn at random is struck out, and
                every value of their secret parameters.
        """
        names: set[str] = set()  # part of an id or an enclosure
        tells: set[str] = set()  # part of a link
        strikes: set[str] = set()  # part of a text: nothing that may be a word
        tokens: set[str] = set()  # part of any of them, whatever its case
        whole: set[tuple[str, str]] = set()
        for address in addresses:
            parts = split(address)
            if parts is None:
                continue
            segments = {s for s in _spelled(parts.path.split("/"), unquote) if len(s) >= MIN_SEGMENT}
            pairs = [pair for pair in re.split("[&;]", parts.query) if pair]
            values = {
                v for v in _spelled((p.partition("=")[2] or p for p in pairs), unquote_plus) if len(v) >= MIN_VALUE
            }
            made_up = {s for s in segments if len(s) >= LONG or re.search("[0-9]", s)}
            names |= segments | values
            tells |= made_up | values
            strikes |= made_up | {v for v in values if len(v) >= LONG or re.search("[0-9A-Z]", v)}
            strikes |= {p for p in pairs if len(p) >= MIN_SEGMENT}
            tokens |= secrets_of(address).tokens
            whole |= {*_place(parts)}
        parameters: set[str] = set()
        for address in met:
            parts, secrets = split(address), secrets_of(address)
            if parts is None:
                continue
            names |= secrets.values
            tells |= secrets.values
            tokens |= secrets.tokens
            strikes |= {pair for pair in secrets.pairs if len(pair) >= MIN_SEGMENT}
            parameters |= {pair.partition("=")[0] for pair in secrets.pairs if "=" in pair}
            whole |= {*_met_place(parts)}
        said = [(place, f"(?i:{pattern})") for place, pattern in sorted(whole, key=lambda p: (-len(p[1]), p))]
        said += whatever_case(tokens)
        if rotates:
            said += [(name, rf"(?i:(?<![\w-]){re.escape(name)}=[^&#\s\"'<>]+)") for name in longest_first(parameters)]
        self._rotates = rotates
        self._names, self._tells, self._strikes = (
            Needles([*said, *((part, re.escape(part)) for part in longest_first(parts))])
            for parts in (names, tells | strikes, strikes)
        )

    def names(self, text: str) -> bool:
        """Return whether an id, a key or the address of an enclosure holds a part of the source's address."""
        return self._holds(self._names, text)

    def tells(self, link: str | None) -> bool:
        """Return whether a link is the source's address, or holds what is likely a token of it."""
        return link is not None and self._holds(self._tells, link)

    def struck(self, text: str) -> str:
        """Return a text, or HTML, in which the source's address and its tokens are struck out."""
        text = strike_coded(self._strikes.sub(STRUCK, text), self._finder(self._strikes))
        if self._rotates:
            text = _LONG_PART.sub(lambda found: STRUCK if is_random(found[0]) else found[0], text)
        return text

    def _holds(self, needles: Needles, text: str) -> bool:
        return holds(text, self._finder(needles))

    def _finder(self, needles: Needles) -> Callable[[str], bool]:
        def finds(text: str) -> bool:
            if needles.search(text):
                return True
            return self._rotates and any(map(is_random, _LONG_PART.findall(text)))

        return finds

    def origin(self, origin: Origin, minted: str) -> Origin:
        """Return an `atom:source` that has a minted id, a title and the site's link, and nothing else."""
        return Origin(id=minted, title=self.struck(origin.title), link=self.link(origin.link))

    def link(self, link: Url | None) -> Url | None:
        """Return a link if it may be shown."""
        return None if self.tells(link) else link

    def publication(self, publication: Publication, *, name: SourceKey, minted: str) -> Publication:
        """Return a publication of the source as anyone may see it; its id is left alone.

        Args:
            publication: whose shown copy is the source's.
            name: instead of the source's key.
            minted: the id of its `atom:source`.
        """
        return replace(
            publication,
            source=name,
            entry_key=None if self.names(publication.entry_key or "") else publication.entry_key,
            origin=self.origin(publication.origin, minted),
            title=self.struck(publication.title),
            summary=self.struck(publication.summary),
            content=self.struck(publication.content),
            link=self.link(publication.link),
            enclosures=tuple(e for e in publication.enclosures if not self.names(e.url)),
            supplement=self._supplement(publication.supplement),
            authors=tuple(map(self._person, publication.authors)),
            tags=tuple(
                replace(
                    tag,
                    term=self.struck(tag.term),
                    scheme=None if self.tells(tag.scheme) else tag.scheme,
                    label=None if tag.label is None else self.struck(tag.label),
                )
                for tag in publication.tags
            ),
            rights=None if publication.rights is None else self.struck(publication.rights),
        )

    def _supplement(self, supplement: Supplement) -> Supplement:
        chapters = supplement.chapters
        return replace(
            supplement,
            images=tuple(image for image in supplement.images if not self.names(image.url)),
            player=self.link(supplement.player),
            replies=tuple(reference for reference in supplement.replies if not self.tells(reference.url)),
            contributors=tuple(
                replace(person, name=self.struck(person.name), role=person.role and self.struck(person.role))
                for person in supplement.contributors
            ),
            transcripts=tuple(each for each in supplement.transcripts if not self.names(each.url)),
            chapters=None if chapters is None or self.names(chapters.url) else chapters,
        )

    def _person(self, person: Person) -> Person:
        uri = None if self.tells(person.uri) else person.uri
        return replace(person, name=self.struck(person.name), uri=uri)


def _spelled(parts: Iterable[str], decoded: Callable[[str], str]) -> set[str]:
    """Return parts as they are and percent-decoded."""
    return {spelling for part in parts for spelling in (part, decoded(part))}


def _hosts(parts: SplitResult) -> set[str]:
    """Return the host with its port as the address writes it, and in the letters of its language."""
    host = parts.netloc.rpartition("@")[2]
    try:
        return {host, ".".join(map(_label, host.split(".")))}
    except UnicodeError:
        return {host}


def _label(label: str) -> str:
    name, colon, port = label.partition(":")
    return (name[4:].encode("ascii").decode("punycode") if name.lower().startswith("xn--") else name) + colon + port


def _place(parts: SplitResult) -> Iterable[tuple[str, str]]:
    """Yield literals and patterns of host and path, whatever the query; none of a bare host with a query."""
    path = parts.path.rstrip("/")
    for host in _hosts(parts):
        if path:
            for spelling in {path, unquote(path)}:
                yield host + spelling, rf"(?<![\w.-]){re.escape(host + spelling)}/?(?!\.?[\w/%-])"
        elif host and not parts.query:
            yield host, rf"(?<![\w.-]){re.escape(host)}/?(?![\w.:/?#%-])"


def _met_place(parts: SplitResult) -> Iterable[tuple[str, str]]:
    """Yield literals and patterns of host, path and query; none of a start page, to which a site's link leads.

    Where there is a query, the same path with another one is another page: `/index.php?p=1` may be an article.
    """
    path = parts.path.rstrip("/")
    for host in _hosts(parts):
        for spelling in {path, unquote(path)}:
            place = rf"(?<![\w.-]){re.escape(host + spelling)}/?"
            if parts.query:
                yield host + spelling, rf"{place}\?{re.escape(parts.query)}(?![\w%=&-])"
            if path:
                yield host + spelling, place + (r"(?!\.?[\w/%?-])" if parts.query else r"(?!\.?[\w/%-])")
