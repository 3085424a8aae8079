"""A folder that bears our mark, and a store that knows nothing of it: the state was lost."""

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
    """Stop before anything is asked for or stored, if an aggregator has published where a new store would.

    Entries that are stored once can't be told from those that the site has, and `restore` refuses a store with any.

    Args:
        folder: where outputs go.
        settings: of feeds.yaml; their store is new, or was never published from.

    Raises:
        StateLost: what stands there, and which commands help.
        PublishError: it can't be told what stands there.
    """
    for path in folder.below("category"):
        if _MAIN.fullmatch(path) and is_output(path) and folder.stranger(path):
            to = settings.publish.to
            site = shlex.quote(str(to)) if isinstance(to, Path) else str(settings.site.base_url)
            raise StateLost(folder.named(path), f"-c {shlex.quote(str(settings.path))}", site)
