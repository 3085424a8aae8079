"""Decides on known entries whose content changed: what is stored and what is shown (T4, I42, I45, I61)."""

from dataclasses import replace

from aggregator.decide.article import is_better
from aggregator.decide.copies import MAX_UNDATED
from aggregator.decide.draft import Draft
from aggregator.decide.losses import kept_fields
from aggregator.identify.keys import digest_of
from aggregator.model.changes import RevisedEntry
from aggregator.model.entry import Entry
from aggregator.model.event import Code
from aggregator.model.known import EntryState, KnownEntry, KnownPublication, ListedEntry


class Revisions:
    """Decides on the known entries of one document.

    Args:
        draft: what is known, and where decisions go.
    """

    def __init__(self, draft: Draft) -> None:
        self._draft = draft

    def revise(self, before: KnownEntry, entry: Entry, *, template: bool) -> KnownEntry:
        """Store a new revision of a known entry, and show it where that entry is shown (T4).

        Returns:
            The entry with what is kept of it to be shown.
        """
        source_digest, known = entry.told_digest, self._draft.known
        if known.lost and before.id in known.completed:
            entry = kept_fields(entry, known.completed[before.id], known.lost, self._draft.source)
        if before.thinned:
            entry = _without_text(before, entry)
        elif (before.content or before.summary) and not (entry.content or entry.summary):  # I61
            kept = replace(entry, content=before.content, summary=before.summary, original=None)
            entry = replace(kept, digest=digest_of(kept))
            self._draft.note(Code.KEEP_CONTENT, before.id, before.story)
        elif self._keeps_article(before, entry):  # the feed's text is a part of it still
            kept = replace(entry, content=before.content, summary=entry.summary, original=None)
            entry = self._with_added(before, kept)
        elif self._has_details():  # what the list does not give, the detail gave
            kept = replace(entry, content=entry.content or before.content, summary=entry.summary or before.summary)
            entry = self._with_added(before, kept)
        dated = entry.updated is not None and (before.updated is None or entry.updated > before.updated)
        unseen = self._is_unseen(before, entry)
        undated = before.undated + (not dated and not template and not unseen)
        deferred = not dated and not template and undated > MAX_UNDATED
        published = before.published  # it never moves, unless earlier (I45), or out of a future that was not believed
        if entry.published and (published is None or entry.published < published):
            published = entry.published
        origin = self._draft.credit(entry)
        self._draft.revised.append(
            RevisedEntry(
                id=before.id,
                entry=entry,
                digest=source_digest,
                published=published,
                undated=undated,
                deferred=deferred,
                unseen=unseen,
                origin=origin,
            )
        )
        if unseen:
            return before
        facts = {"title": before.title} if before.title != entry.title else {}
        code = Code.HOLD_REVISION if deferred else Code.REVISE_ENTRY
        self._draft.note(code, before.id, before.story, fields=_changed(before, entry), **facts)
        if deferred:
            return before
        for publication in self._publications(before):
            self._draft.publications.reword(publication, before.id, entry.digest, entry.updated, template=template)
        return replace(
            before,
            shown_digest=entry.digest,
            title=entry.title,
            link=entry.link,
            summary=entry.summary,
            content=entry.content,
            updated=entry.updated,
        )

    def _with_added(self, before: KnownEntry, entry: Entry) -> Entry:
        """Return an entry with the fields that its detail or article added, where the source still lacks them."""
        stored = self._draft.known.completed.get(before.id)
        if stored is not None:
            pictures = entry.supplement.images or stored.supplement.images
            entry = replace(
                entry,
                authors=entry.authors or stored.authors,
                tags=entry.tags or stored.tags,
                language=entry.language or stored.language,
                supplement=replace(entry.supplement, images=pictures),
            )
        return replace(entry, digest=digest_of(entry))

    def _has_details(self) -> bool:
        detail = self._draft.source.detail
        return detail is not None and not detail.reading.is_article

    def _keeps_article(self, before: KnownEntry, entry: Entry) -> bool:
        """Return whether an entry shows the text of its article, and the feed's new text is no better."""
        detail = self._draft.source.detail
        is_article = detail is not None and detail.reading.is_article and before.shown_digest != before.digest
        return is_article and is_better(before.content, entry.content, entry.summary)

    def _is_unseen(self, before: KnownEntry, entry: Entry) -> bool:
        """Return whether readers see no change: old content was kept, or has come back."""
        return before.shown_digest == entry.digest

    def redate(self, before: KnownEntry, entry: Entry) -> None:
        """Take an earlier date though nothing else changed (I42): it is shown, and moves no `updated` (T4)."""
        shown = replace(
            self._with_added(before, entry),
            title=before.title,
            link=before.link,
            content=before.content or entry.content,
            summary=before.summary or entry.summary,
            digest=before.shown_digest,
        )
        if before.thinned:
            shown = replace(shown, content="", summary="", original=None)
        self._draft.revised.append(
            RevisedEntry(
                id=before.id,
                entry=shown,
                digest=entry.told_digest,
                published=entry.published,
                undated=before.undated,
                origin=self._draft.credit(entry),
            )
        )
        self._draft.note(Code.REVISE_ENTRY, before.id, before.story, fields=["published"])
        for publication in self._publications(before):
            if publication.shown == before.id:
                self._draft.publications.reword(publication, before.id, publication.digest, None, template=False)

    def _publications(self, entry: KnownEntry) -> list[KnownPublication]:
        """Return the visible publications of an entry's story."""
        story = self._draft.known.stories.get(entry.story) if entry.story is not None else None
        publications = self._draft.publications.publications_of(story) if story else []
        return [publication for publication in publications if not publication.withdrawn]


def _changed(before: KnownEntry, entry: Entry) -> list[str]:
    """Return the names of changed fields; `others` are authors, tags and enclosures."""
    names = ("title", "link", "summary", "content")
    return [name for name in names if getattr(before, name) != getattr(entry, name)] or ["others"]


def _without_text(before: KnownEntry, entry: Entry) -> Entry:
    """Return a revision of an entry whose text was removed: the text does not come back (K2).

    Otherwise its archive page, which lost the text for good, would change twice more (M7): now, and when the text is
    removed again. A corrected title or link is shown there.
    """
    kept = replace(entry, content="", summary="", original=None)
    is_same = (before.title, before.link) == (kept.title, kept.link)
    return replace(kept, digest=before.shown_digest if is_same else digest_of(kept))


def is_changing(before: ListedEntry, entry: Entry) -> bool:
    """Return whether a document may change a known entry that it lists; of all others, no decision needs the texts."""
    is_withdrawn = before.state is EntryState.WITHDRAWN
    return before.digest != entry.told_digest or is_withdrawn or is_redated(before, entry)


def is_redated(before: ListedEntry, entry: Entry) -> bool:
    """Return whether a source moved an entry's date earlier, or out of a future that was not believed (I42, I45)."""
    return entry.published is not None and before.published is not None and entry.published < before.published
