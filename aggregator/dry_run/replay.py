"""Polls successive versions of one feed from files, each at its own time, and reports the result of each poll.

No requests are sent, and a temporary store is used. The code is that of every poll; only the clock is set, and the
bodies come from files.
"""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from aggregator.app import App, open_app
from aggregator.clock import rfc3339
from aggregator.errors import AggregatorError
from aggregator.identify.keys import key_form
from aggregator.model.ask import Ask
from aggregator.model.changes import Changes
from aggregator.model.entry import Digest
from aggregator.model.event import Code
from aggregator.model.formats import FORMATS
from aggregator.model.job import Gathered, SourceJob
from aggregator.model.known import EntryState
from aggregator.model.poll import Answer, Fetched
from aggregator.model.settings import Settings, SourceKey
from aggregator.poll.pipeline import gather, settle
from aggregator.store.database import Store

INDEX = "index.json"
SUFFIXES = frozenset({".xml", ".rdf", ".txt", *(one.suffix for one in FORMATS.values())})
APART = timedelta(hours=1)  # between versions without a time
MAX_VERSIONS = 10_000


class NothingToReplay(AggregatorError):
    """A folder that can't be replayed; the message has the reason, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """The body of a feed at one time."""

    name: str
    at: datetime
    body: Path | bytes
    headers: Mapping[str, str]  # headers of the answer, names in lower case


@dataclass(frozen=True, slots=True)
class Named:
    """Title and link of an entry."""

    title: str
    link: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Result of the poll of one version."""

    name: str
    at: datetime
    outcome: str
    error: str | None
    listed: int  # entries in the document
    unchanged: int
    found: Mapping[str, tuple[Named, ...]]  # entries by kind (`KINDS`), without empty kinds


KINDS = {
    "new": "published for the first time",
    "unshown": "in a first poll, older than the newest `initial` entries (I62)",
    "rejected": "excluded by a rule",
    "revised": "known, with another content",
    "rekeyed": "known, under another id (I35)",
    "held": "not published until an operator accepts it (R44), or revised too often (T4)",
    "released": "held before, published now (R44)",
    "withdrawn": "withdrawn by the source (I26)",
    "gone": "no longer listed; stays published",
}
_STATES = {EntryState.PUBLISHED: "new", EntryState.KNOWN: "unshown", EntryState.REJECTED: "rejected"}
_EVENTS: Mapping[Code, str] = {
    Code.HOLD_REVISION: "held",
    Code.REKEY_ENTRY: "rekeyed",
    Code.RELEASE_ENTRY: "released",
    Code.WITHDRAW_ENTRY: "withdrawn",
}


def versions_in(folder: Path, now: datetime) -> list[Version]:
    """Return the versions of a feed in a folder, in the order of their names.

    An `index.json` may list them under `versions`, each with `file`, with a time as `at`, `fetched` or `committed`, and
    with `headers`. Without times, versions are an hour apart, and the last one is at `now`.

    Raises:
        NothingToReplay: there are no versions, or the index can't be used.
    """
    listed = _index(folder)
    names = [str(row["file"]) for row in listed] or sorted(
        path.name
        for path in folder.iterdir()
        if path.is_file() and path.suffix.lower() in SUFFIXES and path.name != INDEX
    )
    if not names:
        raise NothingToReplay(f"{folder} has no *.xml or *.json; name a folder with versions of a feed")
    if len(names) > MAX_VERSIONS:
        raise NothingToReplay(f"{folder} has over {MAX_VERSIONS} files; move some of them to another folder")
    rows = listed or [{} for _ in names]
    start = now - APART * (len(names) - 1)
    versions: list[Version] = []
    for place, (name, row) in enumerate(zip(names, rows, strict=True)):
        path = folder / name
        if Path(name).name != name or not path.is_file():
            raise NothingToReplay(f"{folder / INDEX}: {name} is not a file in that folder")
        at = _time(row, folder) or start + APART * place
        if versions and at <= versions[-1].at:  # of two versions of the same second, the later name is later
            at = versions[-1].at + timedelta(seconds=1)
        headers = row.get("headers") or {}
        if not isinstance(headers, dict):
            raise NothingToReplay(f"{folder / INDEX}: the headers of {name} are not a mapping of names to values")
        lower = {str(key).lower(): str(value) for key, value in headers.items()}
        versions.append(Version(name=name, at=at, body=path, headers=lower))
    return versions


def stored_versions(store: Store, key: SourceKey) -> list[Version]:
    """Return the stored bodies of a source, the oldest first.

    Raises:
        NothingToReplay: no body is stored.
    """
    with store.read() as tx:
        kept = tx.bodies.of(key)
    if not kept:
        raise NothingToReplay(f"no body of {key} is stored: no answer brought entries, or its body is too large")
    return [Version(name=rfc3339(one.asked_at), at=one.asked_at, body=one.data, headers=one.headers) for one in kept]


def _index(folder: Path) -> list[dict[str, Any]]:
    path = folder / INDEX
    if not path.is_file():
        return []
    try:
        said = json.loads(path.read_bytes())
        rows = said["versions"]
        if all(isinstance(row["file"], str) for row in rows):
            return sorted(rows, key=lambda row: row["file"])
    except (ValueError, KeyError, TypeError):
        pass
    raise NothingToReplay(
        f'{path} is not an index; remove it, or write {{"versions": [{{"file": "000.xml", "at": "…Z"}}, …]}} '
    )


def _time(row: Mapping[str, Any], folder: Path) -> datetime | None:
    said = next((row[name] for name in ("at", "fetched", "committed") if row.get(name)), None)
    if said is None:
        return None
    try:
        when = datetime.fromisoformat(str(said))
    except ValueError as error:
        raise NothingToReplay(f"{folder / INDEX}: {said} is not a time; write it as 2026-03-04T12:00:00Z") from error
    return when if when.tzinfo else when.replace(tzinfo=UTC)


class Replay:
    """An `App` with a temporary store and one source, whose versions are polled one after the other."""

    def __init__(self, settings: Settings, versions: Sequence[Version]) -> None:
        self._versions = versions
        self._now = versions[0].at
        self._folder = tempfile.TemporaryDirectory(prefix="aggregator-")
        root = Path(self._folder.name)
        apart = replace(
            settings,
            store=f"sqlite:///{root}/replay.db",
            publish=replace(settings.publish, to=root / "public"),
            sources=tuple(replace(source, detail=None) for source in settings.sources),  # so that no request is sent
        )
        self.app: App = open_app(apart, command="replay", clock=lambda: self._now, text="")
        self._listed: dict[int, Named] = {}  # entries of the version before, by entry id

    def __enter__(self) -> "Replay":
        return self

    def __exit__(self, *_: object) -> None:
        self.app.close()
        self._folder.cleanup()

    def steps(self) -> Iterator[Step]:
        """Poll the versions in order, and yield each result.

        Raises:
            StoreError: our side failed.
        """
        (source,) = self.app.in_force.written.sources
        for version in self._versions:
            self._now = version.at
            with self.app.store.begin() as tx:
                (waiting,) = tx.schedule.named([source.key])
                (due,) = tx.claims.claim([waiting], self._now, self.app.in_force.roster.sources)
            ports = replace(self.app.poller.ports, fetch=partial(_answer, version))
            poll = gather(replace(due, window=None), ports)  # a step counts all entries of a version
            (changes,) = settle([poll], ports)
            assert isinstance(changes, Changes)
            yield self._step(version, poll, changes)

    def _step(self, version: Version, poll: Gathered[SourceJob], changes: Changes) -> Step:
        found: dict[str, tuple[Named, ...]] = {}
        listed, unchanged = len(self._listed), len(self._listed)
        if not poll.is_quiet and not changes.update.code:
            with self.app.store.read() as tx:
                known = tx.known(poll.job, poll.feed, self._now).entries
            forms = [key_form(entry.key) for entry in poll.feed.entries]
            names = {known[form].id: Named(known[form].title, known[form].link) for form in forms if form in known}
            kinds = _kinds(changes) | {"gone": [number for number in self._listed if number not in names]}
            both = self._listed | names
            found = {kind: tuple(both[one] for one in ids if one in both) for kind, ids in kinds.items() if ids}
            listed, unchanged = (
                len(poll.feed.entries),
                len(names.keys() - {one for ids in kinds.values() for one in ids}),
            )
            self._listed = names or self._listed
        move = changes.update
        return Step(
            name=version.name,
            at=version.at,
            outcome=move.outcome.value,
            error=f"{move.code}: {move.error}" if move.code else None,
            listed=listed,
            unchanged=unchanged,
            found=found,
        )


def _kinds(changes: Changes) -> dict[str, list[int]]:
    """Return the ids of the entries of each kind."""
    kinds: dict[str, list[int]] = {kind: [] for kind in KINDS}
    for event in changes.entries.events:
        if event.code in _EVENTS and event.entry is not None:
            kinds[_EVENTS[event.code]].append(event.entry)
    for new in changes.entries.new:
        kinds[_STATES.get(new.state, "held")].append(new.id)
    kinds["revised"] = [item.id for item in changes.entries.revised if not (item.deferred or item.unseen)]
    return kinds


def _answer(version: Version, ask: Ask) -> Answer:
    """Return a version as if it had been fetched."""
    body = version.body if isinstance(version.body, bytes) else version.body.read_bytes()
    digest = Digest(sha256(body).hexdigest())
    return Fetched(
        asked_at=version.at,
        url=ask.url,
        body=body,
        body_bytes=len(body),
        body_digest=digest,
        etag=version.headers.get("etag"),
        last_modified=version.headers.get("last-modified"),
        content_type=version.headers.get("content-type"),
        content_language=version.headers.get("content-language"),
        content_location=version.headers.get("content-location"),
        same_body=digest == ask.body_digest,
    )


def replay_record(folder: Path | None, steps: Sequence[Step]) -> dict[str, Any]:
    """Return the JSON of `replay --json`. Fields may be added, and are never removed or renamed."""
    return {
        "version": 1,
        "folder": None if folder is None else str(folder),
        "versions": [
            {
                "file": step.name,
                "at": rfc3339(step.at),
                "outcome": step.outcome,
                "error": step.error,
                "listed": step.listed,
                "unchanged": step.unchanged,
            }
            | {kind: [{"title": one.title, "link": one.link} for one in step.found.get(kind, ())] for kind in KINDS}
            for step in steps
        ],
        "totals": {kind: sum(len(step.found.get(kind, ())) for step in steps) for kind in KINDS},
    }
