"""Changes of one document while they are collected."""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime

from aggregator.decide.item_categories import ItemCategories
from aggregator.decide.order import believed
from aggregator.decide.publications import PublicationDraft
from aggregator.model.changes import (
    Alias,
    CompletedEntry,
    EntryChanges,
    Hit,
    NewEntry,
    RejudgedEntry,
    ReleasedEntry,
    Relisted,
    RevisedEntry,
    TakenBack,
    WaitingEntry,
)
from aggregator.model.entry import Entry, Origin
from aggregator.model.event import Code, Event
from aggregator.model.job import SourceJob
from aggregator.model.known import Known
from aggregator.model.observed import Observed
from aggregator.model.settings import Roster, Source
from aggregator.model.story_changes import NewStory
from aggregator.text.iris import is_identifier
from aggregator.urls import Url


@dataclass(kw_only=True)
class Draft:
    """Input of the decisions on one document, and the changes decided so far."""

    source: Source
    source_id: int
    url: Url  # of the document
    observed: Observed
    stored_before: bool  # entries of the source are stored: this is no first poll (I62)
    asked_at: datetime
    known: Known
    roster: Roster
    origin: Origin
    new: list[NewEntry] = field(default_factory=list)
    revised: list[RevisedEntry] = field(default_factory=list)
    stories: list[NewStory] = field(default_factory=list)
    merge_candidates: list[tuple[int, int]] = field(default_factory=list)
    released: list[ReleasedEntry] = field(default_factory=list)
    waiting: list[WaitingEntry] = field(default_factory=list)
    completed: list[CompletedEntry] = field(default_factory=list)
    rejudged: list[RejudgedEntry] = field(default_factory=list)
    aliases: list[Alias] = field(default_factory=list)
    retired: list[int] = field(default_factory=list)
    taken_back: dict[int, TakenBack] = field(default_factory=dict)  # by the entry's id
    relisted: list[Relisted] = field(default_factory=list)
    hits: Counter[Hit] = field(default_factory=Counter)
    events: list[Event] = field(default_factory=list)
    filing: ItemCategories = field(init=False)  # decisions on categories that entries name
    publications: PublicationDraft = field(init=False)  # decisions on the publications of its stories

    def __post_init__(self) -> None:
        """Prepare the decisions on categories and publications."""
        self.filing = ItemCategories(self.source_id, self.known, self.roster, self.events)
        categories = frozenset(category.id for category in self.known.categories.values())
        self.publications = PublicationDraft(
            now=self.asked_at, roster=self.roster, categories=categories, source=self.source_id, events=self.events
        )

    def changes(self) -> EntryChanges:
        """Return the changes decided so far."""
        return EntryChanges(
            new=tuple(self.new),
            revised=tuple(self.revised),
            released=tuple(self.released),
            waiting=tuple(self.waiting),
            completed=tuple(self.completed),
            rejudged=tuple(self.rejudged),
            retired=tuple(self.retired),
            taken_back=tuple(self.taken_back.values()),
            relisted=tuple(self.relisted),
            aliases=tuple(self.aliases),
            categories=tuple(self.filing.made),
            stories=self.publications.changes(new=self.stories),
            merge_candidates=tuple(self.merge_candidates),
            hits=tuple(self.hits.items()),
            events=tuple(self.events),
        )

    def note(self, code: Code, entry: int | None = None, story: int | None = None, **facts: object) -> None:
        """Add an event."""
        self.events.append(Event(code=code, source=self.source_id, entry=entry, story=story, facts=facts))

    def credit(self, entry: Entry) -> Origin:
        """Return the `atom:source` of an entry: its own if it has one (A9), with an id in any case.

        Its date is believed up to a day ahead of the poll, too (I42).
        """
        credited = entry.origin or self.origin
        if not is_identifier(credited.id):
            credited = replace(credited, id=credited.self_link or credited.link or self.origin.id)
        updated = believed(credited.updated, self.asked_at)
        return credited if updated == credited.updated else replace(credited, updated=updated)


def draft_of(job: SourceJob, asked_at: datetime, known: Known, roster: Roster, origin: Origin) -> Draft:
    """Return an empty draft for what a source, and not one of its details, has brought."""
    return Draft(
        source=job.source,
        source_id=job.source_id,
        url=job.url,
        observed=job.observed,
        stored_before=job.stored_before,
        asked_at=asked_at,
        known=known,
        roster=roster,
        origin=origin,
    )
