"""What would give the address of a private source away, and a publication without it (S44). Pure.

Such an address holds a token as a rule, in its path or its query, and feeds build ids, enclosures and links of it.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from hashlib import sha256
from urllib.parse import SplitResult, unquote, unquote_plus, urlsplit

from aggregator.model.entry import Origin, Person
from aggregator.model.settings import SourceKey
from aggregator.model.story import Publication
from aggregator.model.supplement import Supplement
from aggregator.urls import Url

STRUCK = "***"
MIN_SEGMENT = 8  # characters from which a part of a path tells one address from others
MIN_VALUE = 6  # the same of a value in a query
LONG = 20  # from which a part without a digit is no word


def public_name(key: SourceKey) -> SourceKey:
    """Give the name that stands for a private source's key: a derived key begins with the host."""
    return SourceKey(f"private-{sha256(key.encode()).hexdigest()[:8]}")


class Veil:
    """Knows a private source's addresses by their parts."""

    def __init__(self, addresses: Iterable[str]) -> None:
        """Make one of all addresses that the source has or had."""
        names: set[str] = set()  # part of an id or an enclosure
        tells: set[str] = set()  # part of a link
        strikes: set[str] = set()  # part of a text: nothing that may be a word
        whole: set[str] = set()
        for address in addresses:
            parts = urlsplit(address)
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
            whole |= {*_place(parts)}
        address = "|".join(sorted(whole, key=lambda p: (-len(p), p)))
        self._names, self._tells = _any_of(names, address), _any_of(tells | strikes, address)
        self._strikes = _any_of(strikes, address)

    def names(self, text: str) -> bool:
        """Tell whether an id, a key or the address of an enclosure holds a part of the source's address."""
        return _finds(self._names, text)

    def tells(self, link: str | None) -> bool:
        """Tell whether a link is the source's address, or holds what is likely a token of it."""
        return link is not None and _finds(self._tells, link)

    def struck(self, text: str) -> str:
        """Give a text, or HTML, in which the source's address and its tokens are struck out."""
        return text if self._strikes is None else self._strikes.sub(STRUCK, text)

    def origin(self, origin: Origin, minted: str) -> Origin:
        """Give an `atom:source` that has a minted id, a title and the site's link, and nothing else."""
        return Origin(id=minted, title=self.struck(origin.title), link=self.link(origin.link))

    def link(self, link: Url | None) -> Url | None:
        """Give a link if it may be shown."""
        return None if self.tells(link) else link

    def publication(self, publication: Publication, *, name: SourceKey, minted: str) -> Publication:
        """Give a publication of the source as anyone may see it; its id is left alone.

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
    """Give parts as they stand and without percent signs."""
    return {spelling for part in parts for spelling in (part, decoded(part))}


def _place(parts: SplitResult) -> Iterable[str]:
    """Give the pattern of host and path, whatever scheme, final slash and query; none of a bare host with a query."""
    host = parts.netloc.rpartition("@")[2]
    path = parts.path.rstrip("/")
    if path:
        for spelling in {path, unquote(path)}:
            yield rf"(?<![\w.-]){re.escape(host + spelling)}/?(?!\.?[\w/%-])"
    elif host and not parts.query:
        yield rf"(?<![\w.-]){re.escape(host)}/?(?![\w.:/?#%-])"


def _any_of(parts: Iterable[str], address: str) -> re.Pattern[str] | None:
    said = [re.escape(part) for part in sorted(parts, key=lambda part: (-len(part), part))]
    patterns = [address, *said] if address else said
    return re.compile("|".join(patterns)) if patterns else None


def _finds(pattern: re.Pattern[str] | None, text: str) -> bool:
    return pattern is not None and bool(pattern.search(text) or ("%" in text and pattern.search(unquote(text))))
