"""Categories that entries name (`category:` with {fields}): made when first named, and limited in number. Pure.

The name is key and title; slug and feed id stay for ever.
"""

from aggregator.identify.ids import minted_feed_id
from aggregator.model.alarm import MOST
from aggregator.model.changes import NewCategory
from aggregator.model.entry import Entry
from aggregator.model.event import Code, Event
from aggregator.model.known import Known
from aggregator.model.settings import GENERAL, CategoryKey, Roster, Source
from aggregator.text.slugs import free_slug


class ItemCategories:
    """Finds the categories of the entries of one document, and makes missing ones.

    Args:
        source: id of the row.
        known: what the store knows.
        roster: the categories as feeds.yaml has them: it may have renamed one.
        events: gets an event for each category that is made.
    """

    def __init__(self, source: int, known: Known, roster: Roster, events: list[Event]) -> None:
        self._source, self._known, self._roster, self._events = source, known, roster, events
        self._ids = {key: category.id for key, category in known.categories.items() if category.active}
        self._count = sum(category.made_by == source and key != GENERAL for key, category in known.categories.items())
        self.made: list[NewCategory] = []
        self.is_short = False  # an entry named no category, or one too many, and went to `general`

    def keys_of(self, entry: Entry, source: Source) -> tuple[CategoryKey, ...]:
        """Return the categories of an entry: those of its source, and those that it names."""
        if not source.reading.filing:
            return source.categories
        named = tuple(self._heir(CategoryKey(name)) for name in entry.filed) or (GENERAL,)
        return tuple(dict.fromkeys((*source.categories, *named)))

    def place(self, key: CategoryKey, entry: int, source: Source) -> int | None:
        """Return the id of a category in which an entry is published now; None if it has none and none may be made.

        Args:
            key: of the category.
            entry: id of its row.
            source: whose it is.
        """
        if not source.reading.filing or key in source.categories:
            known = self._known.categories.get(key)
            return known.id if known else None
        if key == GENERAL:
            self._note_short(key, entry)
        elif key not in self._ids and self._count >= MOST and not self._is_own(key):
            self._note_short(key, entry)
            key = GENERAL
        if key not in self._ids:
            self._make(key, entry)
        return self._ids[key]

    def _is_own(self, key: CategoryKey) -> bool:
        known = self._known.categories.get(key)
        return known is not None and known.made_by == self._source

    def _heir(self, key: CategoryKey) -> CategoryKey:
        """Return the present key of a category that feeds.yaml has renamed (`was`)."""
        if key in self._roster.categories:
            return key
        return next((one.key for one in self._roster.categories.values() if key in one.was), key)

    def _make(self, key: CategoryKey, entry: int) -> None:
        categories = self._known.categories
        resting = categories.get(key)
        self._count += key != GENERAL and not self._is_own(key)
        if resting is not None:  # it comes back as it was (N5)
            made = NewCategory(
                id=resting.id, key=key, slug=resting.slug, feed_id=resting.feed_id, source=self._source, is_new=False
            )
        else:
            slugs = {one.slug for one in categories.values()} | {one.slug for one in self.made}
            feed_ids = {one.feed_id for one in categories.values()} | {one.feed_id for one in self.made}
            fresh = sum(one.is_new for one in self.made)
            made = NewCategory(
                id=self._known.next_category + fresh,
                key=key,
                slug=free_slug(key, slugs),
                feed_id=minted_feed_id(self._known.store_uuid, key, feed_ids),
                source=self._source,
            )
        self.made.append(made)
        self._ids[key] = made.id
        facts = {"key": key, "slug": made.slug}
        event = Event(code=Code.MAKE_CATEGORY, source=self._source, entry=entry, category=made.id, facts=facts)
        self._events.append(event)

    def _note_short(self, key: CategoryKey, entry: int) -> None:
        self.is_short = True
        facts = {"key": None if key == GENERAL else key, "most": MOST}
        self._events.append(Event(code=Code.FILE_GENERAL, source=self._source, entry=entry, facts=facts))
