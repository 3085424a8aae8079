"""Posts that a lost state has left: known again by their bytes, so that each keeps the name that it was given once."""

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from aggregator.publish.files import Folder
from aggregator.store.database import Store

Place = tuple[str, str]  # of a file: folder, name


class Strays:
    """The files in the folders of posts that the store does not list.

    A post is named when it is first written, after the copy that is shown then; later another may be shown, or its
    date be mended, and no document tells the first.

    Args:
        folders: those of posts, by their names.
        store: that lists what is ours.
        file: the template of names; a file with another suffix is no post.

    Raises:
        PublishError: it can't be told what stands there.
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
        """Tell whether a file with these bytes has this name."""
        return any(name == stray for _, stray in self._found.get(digest, ()))

    def take(self, digest: str, name: str) -> Iterable[Place]:
        """Give the file that a post was, and its like in the other folder; nobody else gets it.

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
