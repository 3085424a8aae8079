"""Exports posts: a file for each publication, for site generators. Only changed publications are rendered.

Every file is listed in the store before it is written, and only listed files are ever changed or removed. A story that
grows older than `hot` moves to the archive as a change in the store (invariant 4).
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from logging import getLogger
from pathlib import Path, PurePosixPath

from aggregator.clock import Clock
from aggregator.errors import PublishError, TemplateFailed
from aggregator.model.settings import Roster, Settings
from aggregator.publish.folder import Folder
from aggregator.publish.posts.names import free_name
from aggregator.publish.posts.post import PostWriter
from aggregator.render.visibility import Visibility
from aggregator.store.categories import CategoryRow
from aggregator.store.database import Store
from aggregator.store.post_list import ExportRow, PostRow
from aggregator.store.publications import Placement

Place = tuple[str, str]  # of a file: folder, name


class RestoredNames:
    """The files in the folders of posts that the store does not list.

    A post is named when it is first written, after the copy that is shown then. Later another copy may be shown, or its
    date corrected, and no document has the first name.

    Args:
        folders: those of posts, by their names.
        store: lists the posts that are ours.
        file: the template of names; a file with another suffix is not a post.

    Raises:
        PublishError: the folder can't be read.
    """

    def __init__(self, folders: Mapping[str, Folder], store: Store, file: str) -> None:
        suffix = PurePosixPath(file).suffix
        there = [(folder, name) for folder, its in folders.items() for name in its.below("") if name.endswith(suffix)]
        with store.read() as tx:
            listed = tx.posts.bearers([name for _, name in there])
        self._found: dict[str, list[Place]] = {}
        for folder, name in sorted(there):
            if name.lower() not in listed and (digest := folders[folder].digest(name)) is not None:
                self._found.setdefault(digest, []).append((folder, name))

    def has(self, digest: str, name: str) -> bool:
        """Return whether a file with these bytes has this name."""
        return any(name == restored for _, restored in self._found.get(digest, ()))

    def take(self, digest: str, name: str) -> Iterable[Place]:
        """Return the file that a post was, and the file of the same name in the other folder; no other post gets them.

        Args:
            digest: of what the post is now.
            name: that it would like to have: of several files with its bytes, one with that name.
        """
        found = self._found.get(digest, [])
        if not found:
            return ()
        chosen = name if self.has(digest, name) else found[0][1]
        mine = [place for place in found if place[1] == chosen]
        self._found[digest] = [place for place in found if place[1] != chosen]
        return mine


log = getLogger(__name__)

PART = 200  # stories that are exported together

Key = tuple[int, int]  # of a publication: story, category
_Rendered = tuple[Placement, bytes, str]  # what stands, its post, and the name of that


@dataclass(slots=True)
class Exported:
    """Result of an export."""

    changed: list[str] = field(default_factory=list)  # paths of posts, relative to the folder of feeds.yaml,
    removed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)  # that could not be rendered, written or removed
    waiting: bool = False  # it was cut


@dataclass(slots=True, kw_only=True)
class _Part:
    """Stories that are exported together: their present and their wanted posts."""

    placements: list[Placement]
    rows: list[PostRow]
    categories: Mapping[int, CategoryRow]
    wanted: dict[Place, bytes] = field(default_factory=dict)
    of: dict[Place, Key] = field(default_factory=dict)
    kept: list[PostRow] = field(default_factory=list)  # as they are to be written down
    done: set[Key] = field(default_factory=set)  # publications whose other files may go
    faults: dict[Key, str] = field(default_factory=dict)


class Posts:
    """Exports posts, for one set of settings.

    Args:
        store: open for writing.
        settings: with a `publish.jekyll`.
        clock: returns the current time.

    Raises:
        ConfigError: a template can't be used; it names file and line.
    """

    def __init__(self, store: Store, settings: Settings, clock: Clock) -> None:
        assert settings.publish.jekyll is not None
        self._store, self._settings, self._jekyll, self._clock = store, settings, settings.publish.jekyll, clock
        self._roster = Roster.of(settings)
        self._writer = PostWriter(settings)
        self._base = settings.path.parent
        self._to = self._relative(self._jekyll.to)
        self._archive = self._to if self._jekyll.archive_to is None else self._relative(self._jekyll.archive_to)
        self._folders: dict[str, Folder] = {}

    def adopt(self, roster: Roster) -> None:
        """Use a roster to which categories were added that items have named."""
        self._roster = roster

    def export(
        self,
        visibility: Visibility,
        *,
        everything: bool,
        take_over: bool,
        adopts: bool = False,
        is_cut: Callable[[], bool] = lambda: False,
    ) -> Exported:
        """Bring the posts in line with the store.

        Args:
            visibility: what may be seen.
            everything: render all of them, changed or not.
            take_over: write over a file that the list does not name, if it tells the same story.
            adopts: recognise posts by their bytes, and keep their names.
            is_cut: called between parts; once true, the rest is left for the next time.

        Raises:
            StoreError: our side failed.
        """
        exported = Exported()
        with self._store.read() as tx:
            before = tx.posts.export_row()
            categories = {row.id: row for row in tx.categories.rows()}
            lost = tx.posts.has_any(self._to) and not (self._base / self._to).exists()
        if lost:
            self._folders.clear()
        look = self._look(visibility, categories.values())
        self._move_to_archive(anew=before.look != look)
        everything = everything or lost or before.look != look
        with self._store.read() as tx:
            now = tx.categories.site().dirty
            left = [] if everything else sorted(tx.posts.unfinished())
        rename = before.names not in (None, self._jekyll.file)
        restored_names = self._restored_names() if take_over or adopts else None
        stories = self._touched(-1 if everything else before.generation)
        for part in (left[start : start + PART] for start in range(0, len(left), PART)):
            self._export(
                part,
                categories,
                visibility,
                exported,
                rename=rename,
                restored_names=restored_names,
                take_over=take_over,
            )
        for part in stories:
            if is_cut():
                exported.waiting = True
                return exported
            self._export(
                part,
                categories,
                visibility,
                exported,
                rename=rename,
                restored_names=restored_names,
                take_over=take_over,
            )
        if before != (row := ExportRow(generation=now, look=look, names=self._jekyll.file)):
            with self._store.begin() as tx:
                tx.posts.mark_exported(row)
        return exported

    def _move_to_archive(self, *, anew: bool) -> None:
        hot, now = self._jekyll.hot, self._clock()
        with self._store.begin() as tx:
            if anew:
                tx.posts.warm(since=None if hot is None else now - hot)
            moved = 0 if hot is None else tx.posts.cool(before=now - hot, now=now)
        if moved:
            log.info("archive_posts", extra={"posts": moved})

    def _touched(self, generation: int) -> Iterator[list[int]]:
        after = (-1, 0)
        while True:
            with self._store.read() as tx:
                found = tx.stories.touched_since(generation, after=after, limit=PART)
            if not found:
                return
            after = found[-1]
            yield [number for _, number in found]

    def _export(
        self,
        stories: Sequence[int],
        categories: Mapping[int, CategoryRow],
        visibility: Visibility,
        exported: Exported,
        *,
        rename: bool,
        restored_names: RestoredNames | None,
        take_over: bool,
    ) -> None:
        with self._store.read() as tx:
            part = _Part(
                placements=tx.publications.of_stories(stories), rows=tx.posts.of(stories), categories=categories
            )
        self._render(part, visibility, rename=rename, restored_names=restored_names)
        self._list(part, exported, take_over=take_over)
        self._write(part, exported)
        self._clear_away(part, exported)

    # What shall stand.

    def _render(
        self, part: _Part, visibility: Visibility, *, rename: bool, restored_names: RestoredNames | None
    ) -> None:
        """Render present publications; one whose category is not in feeds.yaml keeps its post as it is (A43)."""
        standing: dict[int, list[Placement]] = {}
        for placement in part.placements:
            if not placement.withdrawn and placement.category in part.categories:
                standing.setdefault(placement.publication.story, []).append(placement)
            elif placement.category in part.categories:
                part.done.add((placement.publication.story, placement.category))
        names = {(row.story, row.category): row.name for row in part.rows if row.digest and not rename}
        rendered: list[_Rendered] = []
        for placements in standing.values():
            for placement in placements:
                key = (placement.publication.story, placement.category)
                try:
                    data, name = self._rendered(placement, placements, part.categories, visibility)
                except (TemplateFailed, ValueError) as error:
                    part.faults[key] = str(error)
                    log.error("render_post", extra={"entry": placement.publication.atom_id, "error": str(error)})
                else:
                    rendered.append((placement, data, names.get(key) or name))
        if restored_names is not None:
            rendered = self._named_again(part, rendered, restored_names)
        with self._store.read() as tx:
            bearers = tx.posts.bearers([name for _, _, name in rendered])
        for placement, data, name in rendered:
            key = (placement.publication.story, placement.category)
            taken = {form for form, keys in bearers.items() if keys - {key}}
            slug = part.categories[placement.category].slug
            free = free_name(name, f"{placement.publication.atom_id}\0{slug}", taken)
            bearers.setdefault(free.lower(), set()).add(key)
            place = (self._folder_of(placement), free)
            part.wanted[place], part.of[place] = data, key

    def _named_again(
        self, part: _Part, rendered: Sequence[_Rendered], restored_names: RestoredNames
    ) -> list[_Rendered]:
        """Assign posts the names that their files have; posts whose files have the wanted name choose first.

        A file in the other folder is listed as theirs, and so is removed once the new file is there.
        """
        listed = {(row.story, row.category) for row in part.rows}
        named = []
        for placement, data, name in sorted(rendered, key=lambda one: not restored_names.has(_digest(one[1]), one[2])):
            key, digest = (placement.publication.story, placement.category), _digest(data)
            found = () if key in listed else restored_names.take(digest, name)
            for folder, restored in found:
                name = restored
                if folder != self._folder_of(placement):
                    part.rows.append(
                        PostRow(folder=folder, name=restored, story=key[0], category=key[1], digest=digest, fault=None)
                    )
            named.append((placement, data, name))
        return named

    def _folder_of(self, placement: Placement) -> str:
        return self._archive if placement.cooled else self._to

    def _rendered(
        self,
        placement: Placement,
        placements: Iterable[Placement],
        categories: Mapping[int, CategoryRow],
        visibility: Visibility,
    ) -> tuple[bytes, str]:
        """Return the bytes of a post, and the name that it wants."""
        row = categories[placement.category]
        category = self._roster.categories[row.key]
        others = [
            (categories[other.category].slug, self._roster.categories[key].title)
            for other in placements
            if other is not placement and not self._roster.categories[key := categories[other.category].key].unlisted
        ]
        shown = visibility.publication(placement.publication, category)
        data = self._writer.render(shown, row.slug, category.title, others)
        return data, self._writer.name(shown, row.slug, category.title)

    # Bringing it about.

    def _list(self, part: _Part, exported: Exported, *, take_over: bool) -> None:
        """List files before their first write; a publication at whose path somebody else's file is gets none."""
        listed = {(row.folder, row.name): row for row in part.rows}
        for place in [place for place in part.wanted if place not in listed]:
            try:
                ours = self._is_ours(place, part.wanted[place], take_over=take_over)
                why = "" if ours else f"{self._path(place)} stands there and is not in this store: move it away"
            except PublishError as error:
                why = str(error)
            if why:
                part.faults[part.of[place]] = why
                log.error("write_post", extra={"output": self._path(place), "error": why})
                del part.wanted[place]
        for place in part.wanted:
            story, category = part.of[place]
            before = listed.get(place)
            digest = None if before is None else before.digest
            part.kept.append(
                PostRow(folder=place[0], name=place[1], story=story, category=category, digest=digest, fault=None)
            )
        new = [row for row in part.kept if (row.folder, row.name) not in listed]
        if new:
            with self._store.begin() as tx:
                tx.posts.keep(new, self._clock())

    def _is_ours(self, place: Place, data: bytes, *, take_over: bool) -> bool:
        """Return whether a file may be written at an unlisted path: nothing is there, or the same post."""
        folder = self._folder(place[0])
        there = folder.digest(place[1])
        if there is None:
            return folder.stranger(place[1]) is None
        return take_over or there == _digest(data)

    def _write(self, part: _Part, exported: Exported) -> None:
        written = []
        for row in part.kept:
            place = (row.folder, row.name)
            data, path = part.wanted[place], self._path(place)
            try:
                if self._folder(row.folder).replace(row.name, data, gzip=False, durable=False):
                    exported.changed.append(path)
                    log.debug("write_post", extra={"output": path, "bytes": len(data)})
            except PublishError as error:
                written.append(replace(row, fault=error.why))
                exported.failed.append(path)
                log.error("write_post", extra={"output": path, "error": error.why})
            else:
                written.append(replace(row, digest=_digest(data)))
                part.done.add((row.story, row.category))
        for folder in self._folders.values():
            folder.sync_folders()
        written += self._faulty(part, exported)
        if written != part.rows:
            with self._store.begin() as tx:
                tx.posts.keep(written, self._clock())

    def _faulty(self, part: _Part, exported: Exported) -> Iterator[PostRow]:
        """Return the posts that could not be rendered or written, with the reason; their files stay as they were.

        A post that has no file yet is listed under a name that none will have, so that it is tried again.
        """
        for key, why in part.faults.items():
            rows = [row for row in part.rows if (row.story, row.category) == key]
            name = f"{key[0]}-{key[1]}.unwritten"
            rows = rows or [PostRow(folder=self._to, name=name, story=key[0], category=key[1], digest=None, fault=None)]
            exported.failed += [self._path((row.folder, row.name)) for row in rows]
            yield from (replace(row, fault=why) for row in rows)

    def _clear_away(self, part: _Part, exported: Exported) -> None:
        """Remove the files of withdrawn publications, and files that another file has replaced."""
        gone = []
        for row in part.rows:
            place = (row.folder, row.name)
            if place in part.wanted or (row.story, row.category) not in part.done:
                continue
            try:
                removed = (self._base / row.folder).exists() and self._folder(row.folder).remove(row.name)
            except PublishError as error:
                exported.failed.append(self._path(place))
                log.error("remove_post", extra={"output": self._path(place), "error": error.why})
                continue
            gone.append(place)
            if removed:
                exported.removed.append(self._path(place))
                log.info("remove_post", extra={"output": self._path(place)})
        if gone:
            with self._store.begin() as tx:
                tx.posts.forget(gone)

    # Names of things.

    def _look(self, visibility: Visibility, rows: Iterable[CategoryRow]) -> str:
        site = self._settings.site
        slugs = {row.key: row.slug for row in rows}
        categories = [(c.title, c.show, c.unlisted, slugs.get(c.key)) for c in self._settings.categories]
        outward = sorted((s.key, s.outward) for s in self._settings.sources if s.outward)
        frame = (site.title, site.base_url, site.language, site.timezone, self._writer.source, self._jekyll.file)
        where = (self._to, self._archive, str(self._jekyll.hot))
        facts = (frame, where, categories, outward, visibility.digest)
        return hashlib.sha256(json.dumps(facts, default=str).encode()).hexdigest()

    def _restored_names(self) -> RestoredNames:
        folders = {name: self._folder(name) for name in (self._to, self._archive)}
        return RestoredNames(folders, self._store, self._jekyll.file)

    def _relative(self, folder: Path) -> str:
        return Path(os.path.relpath(folder, self._base)).as_posix()

    def _path(self, place: Place) -> str:
        return f"{place[0]}/{place[1]}"

    def _folder(self, name: str) -> Folder:
        """Open a folder of posts, and remove the temporary files of a killed run."""
        if name not in self._folders:
            self._folders[name] = Folder((self._base / name).resolve() if name == "." else self._base / name)
            self._folders[name].sweep()
        return self._folders[name]


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
