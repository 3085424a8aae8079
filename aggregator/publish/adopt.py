"""Lists the outputs that a restored store finds in its folder and does not know, by the mark that they bear."""

from collections.abc import Collection
from logging import getLogger

from aggregator.clock import Clock
from aggregator.model.output_paths import GONE_LIST, GZIP_SUFFIX, is_output
from aggregator.publish.aliases import EVERY_OUTPUT_BYTES
from aggregator.publish.destination import Destination, parallel_map
from aggregator.render.gone_list import read_gone_list
from aggregator.store.database import Store

log = getLogger(__name__)


def adopt_outputs(store: Store, folder: Destination, clock: Clock, aliases: Collection[str]) -> None:
    """List the outputs that a restored store finds, and have everything rendered again.

    All of them are listed at once, not only those that are written now: an entry that the backup does not have is
    polled once more later, and its page is there already.

    Args:
        store: a restored one.
        folder: where outputs go. A file with the path of an output and our mark is ours; other files are left alone.
        clock: returns the current time.
        aliases: old addresses of outputs, whose files have the mark as well.

    Raises:
        PublishError: the folder can't be read; nothing was listed.
    """
    there = {path.removesuffix(GZIP_SUFFIX) for path in folder.below("")}
    wanted = sorted(path for path in there if is_output(path) or path in aliases or path == GONE_LIST)
    with store.read() as tx:
        listed = tx.files.listed(wanted)
    unlisted = [path for path in wanted if path not in listed]
    # One that can't be read is not known as ours: only when its own turn comes does it fail, and harms no other (R32).
    ours = [path for path, is_ours in parallel_map(folder.stranger, unlisted, folder.max_parallel) if is_ours is True]
    gone = read_gone_list(folder.read(GONE_LIST, EVERY_OUTPUT_BYTES)) if GONE_LIST in ours else {}
    with store.begin() as tx:
        for copied in (False, True):
            tx.files.add([path for path in ours if (path in aliases) is copied], clock(), copied=copied, gone=gone)
        tx.files.forget_looks()
    if ours:
        log.info("adopt_outputs", extra={"files": len(ours)})
