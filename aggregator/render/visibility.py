"""Decides what of the store anyone may see, by the present settings: publishers' limits, privacy, credits (S44).

Nothing of this is decided when an entry is stored: an operator who writes `private: true` today wants it to hold for
what came yesterday, and for as long as it is published, whether or not the source still stands in feeds.yaml.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from aggregator.identify.ids import minted_id
from aggregator.late import late
from aggregator.model.naming import name_of
from aggregator.model.poll import State
from aggregator.model.settings import Category, CategoryKey, Roster, Show, SourceKey
from aggregator.model.source_row import Limits, SourceRow
from aggregator.model.status import SourceStatus, Status
from aggregator.model.story import Credit, Publication, SourceLine, Tombstone

if TYPE_CHECKING:
    from aggregator.clean import text, titles
    from aggregator.render import html_fragments, redaction
else:
    html_fragments = late("aggregator.render.html_fragments")
    redaction = late("aggregator.render.redaction")
    text = late("aggregator.clean.text")
    titles = late("aggregator.clean.titles")


class Visibility:
    """Removes what may not be seen.

    Args:
        roster: the sources and categories as feeds.yaml has them.
        limits: of the sources of which not everything may be shown, those that left feeds.yaml among them.
        language: of the site, for titles that we make.
        store: its id, from which ids are minted.
        unlisted: the categories that are in no index, those that left feeds.yaml among them.
    """

    def __init__(
        self,
        roster: Roster,
        limits: Mapping[SourceKey, Limits],
        language: str,
        store: UUID,
        unlisted: frozenset[CategoryKey],
    ) -> None:
        self._roster, self._limits, self._language, self._store = roster, limits, language, store
        self._unlisted = unlisted
        self._redactors = {key: self._redactor_of(key) for key, limit in limits.items() if limit.private}
        self.said = {key: repr(limit) for key, limit in sorted(limits.items())}
        said = [[*self.said.items()], sorted(unlisted)]
        self.digest = hashlib.sha256(json.dumps(said).encode()).hexdigest()  # of what limits shape

    def _redactor_of(self, key: SourceKey) -> "redaction.AddressRedactor":
        source = self._roster.sources.get(key)
        limit = self._limits[key]
        addresses: list[str] = [*limit.addresses]
        met: list[str] = [*limit.met]
        if source is not None:
            addresses += [source.url, *(was for was in source.was if ":" in was)]
            met += [str.__str__(each.url) for each in (source.detail, source.paging) if each is not None]
        return redaction.AddressRedactor(addresses, met, rotates=limit.rotates)

    def publication(self, publication: Publication, category: Category) -> Publication:
        """Return a publication as it is shown in a category."""
        publication = self._with_public_id(publication)
        source = self._roster.sources.get(publication.source)
        limit = self._limits.get(publication.source)
        credits = tuple(credit for credit in publication.credits if self._is_credited(credit, category))
        if credits != publication.credits:
            publication = replace(publication, credits=credits)
        if not publication.title:
            words = text.plain_text(publication.content or publication.summary)
            publication = replace(publication, title=titles.display_title("", words, self._language))
        if source and source.reading.allow_classes:
            publication = replace(publication, allow_classes=source.reading.allow_classes)
        if source and source.language and not publication.language:
            publication = replace(publication, language=source.language)
        if limit and limit.noindex:
            publication = replace(publication, noindex=True)
        publication = _limited(publication, {category.show, limit.show if limit and limit.show else Show.FULL})
        redactor = self._redactors.get(publication.source)
        if redactor is None:
            return publication
        minted = minted_id(str(self._store), publication.source, "")
        return redactor.publication(publication, name=redaction.public_name(publication.source), minted=minted)

    def publications(self, found: Iterable[Publication], category: Category | None = None) -> tuple[Publication, ...]:
        """Return publications as they are shown in a category; None: each in its own, which the roster has."""
        return tuple(self.publication(one, category or self._roster.categories[one.category]) for one in found)

    def _is_credited(self, credit: Credit, category: Category) -> bool:
        """Return whether a copy may be named in a category: not a private one, nor one of other, unlisted categories.

        That a story of theirs is told elsewhere says what they are (T2, S44).
        """
        if credit.source in self._redactors:
            return False
        return category.key in credit.places or not self._unlisted.issuperset(credit.places)

    def _with_public_id(self, publication: Publication) -> Publication:
        """Return a publication whose id has no private address. Ids never change, but such a one is not shown.

        It is the id of the founding entry: what other copies tell, or who is left of them, bears on nothing.
        """
        shown = self._public_id(publication.atom_id, publication.founder)
        return publication if shown == publication.atom_id else replace(publication, atom_id=shown)

    def tombstone(self, tombstone: Tombstone) -> Tombstone:
        """Return a tombstone under the id that readers know."""
        return replace(tombstone, ref=self._public_id(tombstone.ref, tombstone.source))

    def _public_id(self, atom_id: str, founder: SourceKey | None) -> str:
        redactor = self._redactors.get(founder) if founder else None
        return uuid5(self._store, f"private\0{atom_id}").urn if redactor and redactor.names(atom_id) else atom_id

    def source_path(self, key: SourceKey) -> str | None:
        """Return the path of the page of a source, without suffix; None if it has no listed category."""
        source = self._roster.sources.get(key)
        if source is None or not self._listed(source.places):
            return None
        return f"source/{redaction.public_name(key) if key in self._redactors else key}"

    def source_line(self, row: SourceRow) -> SourceLine | None:
        """Return a source's line in the public list; None if it has no listed category, or a list named it just now."""
        source = self._roster.sources.get(row.key)
        listed = self._listed(source.places) if source is not None else ()
        if source is None or not listed:
            return None
        title = source.title or (row.feed.title if row.feed else "")
        link = row.feed.link if row.feed else None
        redactor = self._redactors.get(row.key)
        key = row.key if redactor is None else redaction.public_name(row.key)
        address = source.safe_url if source.path is None else None
        return SourceLine(
            key=key,
            title=(redactor.struck(title) or key) if redactor else name_of(title, address, source.path, key),
            link=redactor.link(link) if redactor else link,
            url=None if redactor else address,
            state=State.PAUSED if row.paused else row.state,
            code=row.code,
            categories=tuple(self._roster.categories[name].title for name in listed),
            quiet=row.quiet,
            quiet_since=row.quiet_since,
            since=row.since,
            format=row.format,
            picture=None if redactor is not None or row.feed is None else row.feed.logo or row.feed.icon,
            places=listed,
            noindex=row.key in self._limits and self._limits[row.key].noindex,
        )

    def status(self, status: Status) -> Status:
        """Return the status as anyone may see it: nothing of unlisted categories, no private address (S69)."""
        found = [self._source_status(source) for source in status.sources]
        return replace(
            status,
            sources=tuple(source for source in found if source.categories),
            categories=tuple(category for category in status.categories if not category.unlisted),
        )

    def _source_status(self, source: SourceStatus) -> SourceStatus:
        if (listed := self._listed(source.categories)) != source.categories:
            source = replace(source, categories=listed)
        redactor = self._redactors.get(source.key)
        if redactor is None:
            return source
        name = redaction.public_name(source.key)
        title = redactor.struck(source.title) if source.is_titled else name
        return replace(source, key=name, title=title, url=None, private=True)

    def _listed(self, names: tuple[str, ...]) -> tuple[CategoryKey, ...]:
        categories = self._roster.categories
        keys = map(CategoryKey, names)
        return tuple(key for key in keys if key in categories and not categories[key].unlisted)


def _limited(publication: Publication, shows: set[Show]) -> Publication:
    """Remove texts that the category or the publisher does not let us show; the strictest counts."""
    if Show.TITLE in shows:
        return replace(publication, content="", summary="", has_picture=False)
    if Show.SUMMARY in shows:
        return replace(
            publication, content="", summary=publication.summary or html_fragments.excerpt_of(publication.content)
        )
    return publication
