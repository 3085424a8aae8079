"""Stops when the state was lost: the folder has files with our mark that the store does not know."""

import re
import shlex
from pathlib import Path

from aggregator.errors import StateLost
from aggregator.model.formats import FORMATS
from aggregator.model.output_paths import is_output
from aggregator.model.settings import Settings
from aggregator.publish.destination import Destination

_MAIN = re.compile(rf"category/[a-z0-9-]+\.(?:{'|'.join(FORMATS)})")  # archive pages never stand alone


def refuse_lost(folder: Destination, settings: Settings) -> None:
    """Raise StateLost before anything is fetched or stored, if the folder has outputs of another store.

    Entries that are stored once can't be told from those that the site has, and `restore` refuses a store with any.

    Args:
        folder: where outputs go.
        settings: of feeds.yaml; their store is new, or was never published from.

    Raises:
        StateLost: names a file, and the commands that help.
        PublishError: the folder can't be read.
    """
    for path in folder.below("category"):
        if _MAIN.fullmatch(path) and is_output(path) and folder.stranger(path):
            to = settings.publish.to
            site = shlex.quote(str(to)) if isinstance(to, Path) else str(settings.site.base_url)
            raise StateLost(folder.named(path), f"-c {shlex.quote(str(settings.path))}", site)
