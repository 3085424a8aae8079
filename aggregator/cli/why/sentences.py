"""Sentences of `why`: each recorded event, and each publication with the reason for the copy that it shows."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from aggregator.cli.terminal import called, shortened
from aggregator.decide.copies import OPEN, best_of, compare, copy_of
from aggregator.model.entry import KeyRule
from aggregator.model.event import Code
from aggregator.model.known import EntryState
from aggregator.model.naming import name_of_source
from aggregator.model.settings import CategoryKey, Roster, SourceKey
from aggregator.model.trail import EntryRecord, PlaceRecord, Step, StoryRecord

KEY_RULES = {
    KeyRule.ID: "its own id",
    KeyRule.LINK: "its link, since it has no id of use",
    KeyRule.ENCLOSURE: "its file, since neither id nor link tell it from others",
    KeyRule.TITLE_AND_DATE: "its title and date, since it has no usable id, link or file",
    KeyRule.TITLE: "its title, as `identity` of its source wants it",
    KeyRule.TITLE_AND_CONTENT: "its title and text, since nothing else tells it from others",
}
STATES = {
    EntryState.PUBLISHED: "published",
    EntryState.WAITING: "waits for more, such as its full text",
    EntryState.REJECTED: "rejected by a rule",
    EntryState.KNOWN: "known and not published: beyond `initial` of a first poll, or the `limit` of a category",
    EntryState.WITHDRAWN: "withdrawn by its source",
    EntryState.HELD: "held until it is known whether its source is still the same feed",
}


CLEARED = {"itself": "what it listed then", "time": "time", "operator": "an operator"}  # who says so (R44)


@dataclass(frozen=True, slots=True)
class Names:
    """Names of sources, stories, entries and categories that events mention by number."""

    categories: Mapping[int, CategoryKey]
    atom_ids: Mapping[int, str]
    sources: Mapping[int, str]  # of entries, as people call them
    zone: ZoneInfo  # of the site: all times are told in it

    def instant(self, told: object) -> str:
        """Return a time that an event contains as RFC 3339 text, in the form of all other times."""
        return moment(datetime.fromisoformat(told), self.zone) if isinstance(told, str) else "a while"

    def category(self, step: Step) -> str:
        """Return the name of the category of an event."""
        return self.categories.get(step.facts.get("category", 0), CategoryKey("a category"))

    def story(self, number: object) -> str:
        """Return the id of a story."""
        return self.atom_ids.get(number, f"story {number}") if isinstance(number, int) else "a story"

    def entry(self, number: int | None) -> str:
        """Return the title of an entry with its source."""
        source = self.sources.get(number or 0)
        return f"entry {number}" + (f" ({source})" if source else "")


def said(step: Step, names: Names) -> str:
    """Return the sentence for an event."""
    sentence = SENTENCES.get(step.code)
    if sentence is None:
        return f"{step.code} {dict(step.facts)}"
    words = sentence(step, names)
    return f"{words} (request {step.facts['request']})" if "request" in step.facts else words


def _joined(step: Step, names: Names) -> str:
    facts = step.facts
    score = f", similarity {facts['similarity']}" if facts.get("similarity", 1.0) != 1.0 else ""
    because = f" ({facts['because']}{score})" if facts.get("because") else ""
    against = names.entry(facts.get("with_entry"))
    also = ", ".join(names.story(number) for number in facts.get("others", ()))
    kin = f"; it matched {also} too, and joined the oldest" if also else ""
    how = f"{facts.get('evidence')}{because}, held against {against}{kin}{_uncompared(step)}"
    return f"{names.entry(step.entry)} joined: {how}"


def _merged(step: Step, names: Names) -> str:
    into = f"it into {names.story(step.facts['into'])}" if "into" in step.facts else None
    count = len(step.facts.get("entries", ()))
    what = into or f"{step.facts.get('atom_id')} into it, with {_entries(count)}"
    if "request" in step.facts:
        return f"an operator merged {what}"
    return f"merged {what}{_because(step)}"


def _unmerged(step: Step, names: Names) -> str:
    if "parted" in step.facts:
        return f"an operator parted it from {names.story(step.facts['parted'])}"
    how = "the story it had come from stands again" if step.facts.get("revived") else "it became a story of its own"
    return f"an operator took {names.entry(step.entry)} out: {how}, {names.story(step.facts.get('to'))}"


def _moved(step: Step, names: Names) -> str:
    was, now = step.facts.get("host", ("?", "?"))
    return f"its address moved from {was} to {now}"


def _state(step: Step, names: Names) -> str:
    facts = step.facts
    why = f": {facts['code']}: {facts['error']}" if facts.get("code") else ""
    return f"from {facts.get('from')} to {facts.get('to')}{why}"


def _settings(step: Step, names: Names) -> str:
    what = ", ".join(f"{name} {' to '.join(map(str, change))}" for name, change in step.facts.items())
    return f"feeds.yaml changed: {what}"


def _fields(step: Step) -> str:
    fields: list[str] = step.facts.get("fields", [])
    title = f" (before: “{step.facts['title']}”)" if step.facts.get("title") else ""
    return f": {', '.join(fields)}{title}" if fields else ""


def _because(step: Step) -> str:
    return f": {step.facts['because']}" if step.facts.get("because") else ""


def _uncompared(step: Step) -> str:
    """Return a clause on the entries that were not compared, and so count as different."""
    count = len(step.facts.get("uncompared", ()))
    if not count:
        return ""
    which = "1 copy it may be of was" if count == 1 else f"{count} copies it may be of were"
    return f"; {which} not compared: that would cost too much"


SENTENCES: dict[str, Callable[[Step, Names], str]] = {
    Code.MAKE_STORY: lambda step, names: (
        f"{names.entry(step.entry)} matched no story that was there and founded one"
        + (", with its place by its own date (a first poll)" if step.facts.get("backfill") else "")
        + _uncompared(step)
    ),
    Code.JOIN_STORY: _joined,
    Code.PUBLISH_STORY: lambda step, names: f"entered {names.category(step)}, by {names.entry(step.entry)}",
    Code.SWITCH_COPY: lambda step, names: (
        f"{names.category(step)} shows {names.entry(step.entry)} from now on{_because(step)}"
    ),
    Code.REJECT_ENTRY: lambda step, names: f"{names.entry(step.entry)} was rejected: {step.facts.get('rule')}",
    Code.KEEP_OUT: lambda step, names: (
        f"{names.entry(step.entry)} was kept out of {names.category(step)}: {step.facts.get('rule')}"
    ),
    Code.ROUTE_ENTRY: lambda step, names: (
        f"{names.entry(step.entry)} goes to {names.category(step)} too, by the route {step.facts.get('rule')}"
    ),
    Code.KEEP_KNOWN: lambda step, names: (
        f"{names.entry(step.entry)} was stored and not published: older than the newest `initial` of a first poll"
    ),
    Code.REVISE_ENTRY: lambda step, names: f"{names.entry(step.entry)} was revised by its source{_fields(step)}",
    Code.HOLD_REVISION: lambda step, names: (
        f"a revision of {names.entry(step.entry)} is stored and not shown: over 24 without a date of their own"
    ),
    Code.KEEP_CONTENT: lambda step, names: f"{names.entry(step.entry)} came back empty; its text was kept",
    Code.MINT_ID: lambda step, names: (
        f"an id was minted for the story of {names.entry(step.entry)}: {step.facts.get('taken')} belongs to another"
    ),
    Code.WITHDRAW_STORY: lambda step, names: f"withdrawn from {names.category(step)}{_because(step)}",
    Code.RETURN_STORY: lambda step, names: f"back in {names.category(step)}, where it stood before{_because(step)}",
    Code.MERGE_STORIES: _merged,
    Code.UNMERGE_STORY: _unmerged,
    Code.RETRACT_STORY: lambda step, names: (
        "an operator had it forgotten: its texts are no longer in the store"
        if step.facts.get("forgotten")
        else "an operator retracted it"
    ),
    Code.RESTORE_STORY: lambda step, names: "an operator brought it back",
    Code.CHANGE_STATE: _state,
    Code.MOVE_URL: _moved,
    Code.REKEY_ENTRY: lambda step, names: (
        f"{names.entry(step.entry)} came under another id, {step.facts.get('key')}{_because(step)}"
    ),
    Code.REUSE_ID: lambda step, names: (
        f"the id of {names.entry(step.entry)} names another article from then on: {step.facts.get('title')}"
    ),
    Code.FILL_CATEGORY: lambda step, names: (
        f"it entered {names.category(step)} and brought {step.facts.get('entries')} entries along"
    ),
    Code.SUSPECT_SOURCE: lambda step, names: "it looks like another feed than before: what is new in it is held",
    Code.CLEAR_SOURCE: lambda step, names: f"it is believed again, by {CLEARED.get(step.facts.get('by', ''), 'time')}",
    Code.LOSE_FIELDS: lambda step, names: (
        f"no entry has {' or '.join(lost)} any more, and most had: nothing that is stored loses it"
        if (lost := step.facts.get("fields"))
        else "its entries have again what they had lost, or are asked for it no more"
    ),
    Code.HOLD_ENTRY: lambda step, names: (
        f"{names.entry(step.entry)} was held: {step.facts.get('because') or 'its source looked like another feed'}"
    ),
    Code.RELEASE_ENTRY: lambda step, names: f"{names.entry(step.entry)} was let go, and published{_because(step)}",
    Code.DROP_ENTRY: lambda step, names: (
        f"{names.entry(step.entry)} was not published: the feed that came back does not list it"
    ),
    Code.WITHDRAW_ENTRY: lambda step, names: (
        f"{names.entry(step.entry)} was taken back by its source"
        + (f", at {step.facts['when']}" if step.facts.get("when") else "")
    ),
    Code.RELIST_ENTRY: lambda step, names: (
        f"{names.entry(step.entry)} was listed again by its source, as updated {step.facts.get('updated')}"
    ),
    Code.FLOOD: lambda step, names: (
        f"{step.facts.get('new')} new entries came at once: the newest were published as new, the others as a backfill"
    ),
    Code.TEMPLATE: lambda step, names: (
        f"{step.facts.get('revised')} entries changed at once: its template did, so their dates stay"
    ),
    Code.OVERFLOW: lambda step, names: (
        f"all {step.facts.get('new')} entries of its document were new: some may have been missed"
    ),
    Code.AWAIT_DETAIL: lambda step, names: f"{names.entry(step.entry)} is published once its detail is there",
    Code.RETRY_DETAIL: lambda step, names: (
        f"the detail of {names.entry(step.entry)} did not come: {step.facts.get('error')}; "
        f"it is asked for again after {names.instant(step.facts.get('next'))}"
    ),
    Code.COMPLETE_ENTRY: lambda step, names: f"{names.entry(step.entry)} waits no longer: {step.facts.get('because')}",
    Code.MAKE_CATEGORY: lambda step, names: (
        f"{names.entry(step.entry)} was the first to name the category {step.facts.get('key')}: it was made"
    ),
    Code.FILE_GENERAL: lambda step, names: (
        f"{names.entry(step.entry)} went to general: "
        + (
            f"{step.facts['key']} would be one category more than the {step.facts.get('most')} that items may name"
            if step.facts.get("key")
            else "it names no category"
        )
    ),
    Code.THIN_PAGE: lambda step, names: (
        f"archive page {step.facts.get('page')} of {names.category(step)} shows no more texts of "
        f"{_entries(step.facts.get('entries', 0))}"
    ),
    Code.LEAVE_OUT: lambda step, names: f"an entry could not be read and was left out: {step.facts.get('entry')}",
    Code.DOUBT_LIST: lambda step, names: f"not believed: {step.facts.get('because')}",
    Code.MOVE_SETTINGS: _settings,
}


def stored(entry: EntryRecord, source: str) -> str:
    """Return the sentence on the source and the key of an entry."""
    rule = KEY_RULES[entry.key_rule]
    return f"entry {entry.id} was stored for the first time, from {source}; it is known by {rule}"


def becomes_of(entry: EntryRecord) -> str:
    """Return the sentence on the state of an entry."""
    times = "once" if entry.revisions == 1 else f"{entry.revisions} times"
    revised = f", revised {times}" if entry.revisions else ""
    held = ", a newer revision is held back" if entry.held else ""
    thinned = ", its text was not kept any longer" if entry.thinned else ""
    if entry.thinned and entry.state is EntryState.WITHDRAWN and not entry.title:
        return "forgotten by an operator"
    return f"{STATES[entry.state]}{revised}{held}{thinned}"


def stands(place: PlaceRecord, zone: ZoneInfo) -> str:
    """Return the sentence on the publication of a story in a category."""
    if place.withdrawn_at is not None:
        return f"{place.category}: withdrawn {moment(place.withdrawn_at, zone)}"
    document = f"category/{place.slug}" + ("" if place.page is None else f"/archive/{place.page}")
    entered, updated = moment(place.entered_at, zone), moment(place.updated, zone)
    return f"{place.category}: {document}, entered {entered}, updated {updated}"


def shown_because(
    place: PlaceRecord, story: StoryRecord, roster: Roster, now: datetime, name_of: Callable[[SourceKey], str]
) -> str:
    """Return which copy a category shows, and why (T2, T3)."""
    copies = [
        copy for copy in story.copies if copy.state is EntryState.PUBLISHED and place.category_id in copy.categories
    ]
    shown = next((copy for copy in copies if copy.id == place.shown), None)
    if shown is None:
        return f"shows entry {place.shown}"
    name = f"shows entry {shown.id} ({name_of(shown.source_key)})"
    others = [copy for copy in copies if copy.id != shown.id]
    if not others:
        return f"{name}: the only copy that is published there"
    rival = best_of(others, roster)
    other = f"entry {rival.id} ({name_of(rival.source_key)})"
    first, second = (shown, rival) if copies.index(shown) < copies.index(rival) else (rival, shown)
    wins, merit = compare(copy_of(second, roster), copy_of(first, roster))
    if (second if wins else first) is shown:
        return f"{name}, before {other}: {merit}"
    if place.page is not None or now >= place.entered_at + OPEN:
        return f"{name}, fixed an hour after it entered, before {other}, though {merit}"
    return f"{name}, not {other}, which bears its id and does not say the same"


def moment(when: datetime | None, zone: ZoneInfo) -> str:
    """Return a time in the site's time zone."""
    return when.astimezone(zone).strftime("%Y-%m-%d %H:%M") if when else "never"


def indented(lines: Sequence[str]) -> list[str]:
    """Indent lines; empty lines stay empty."""
    return [f"  {line}" if line else "" for line in lines]


def _entries(count: int) -> str:
    return "1 entry" if count == 1 else f"{count} entries"


@dataclass(frozen=True, slots=True)
class Section:
    """Record and lines about one thing."""

    lines: list[str]
    record: dict[str, Any]  # for `--json`


def names_in(roster: Roster, titles: Mapping[SourceKey, str]) -> dict[SourceKey, str]:
    """Return the names of sources: title or URL, with the key if two sources have the same name."""
    names = {key: name_of_source(source, titles.get(key)) for key, source in roster.sources.items()}
    count = Counter(names.values())
    return {key: called(name, key) if count[name] > 1 else shortened(name) for key, name in names.items()}


@dataclass(frozen=True, slots=True)
class Frame:
    """Settings, names and time zone for the sentences of one run."""

    roster: Roster
    zone: ZoneInfo  # of the times
    now: datetime
    names: Mapping[SourceKey, str] = field(default_factory=dict)  # of sources; one without a name is called by its key

    def name(self, key: SourceKey) -> str:
        """Return the name of a source; its key if it left feeds.yaml."""
        return self.names.get(key, key)

    def moment(self, when: datetime | None) -> str:
        """Return a time in the site's time zone."""
        return moment(when, self.zone)
