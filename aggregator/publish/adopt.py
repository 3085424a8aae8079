"""What a restored store finds in the folder: outputs of a time that it does not remember."""

from collections.abc import Collection
from logging import getLogger

from aggregator.clock import Clock
from aggregator.model.output_paths import TWIN, is_output
from aggregator.publish.aliases import EVERY_OUTPUT_BYTES
from aggregator.publish.destination import Destination, abreast
from aggregator.publish.story_pages import GONE_LIST, gone_of
from aggregator.store.database import Store

log = getLogger(__name__)


def adopt_outputs(store: Store, folder: Destination, clock: Clock, aliases: Collection[str]) -> None:
    """List the files that a store was restored beside, and let everything be rendered again.

    All of them at once, and not only those that are written now: what a backup has forgotten is polled once more, and
    its page stands there already. They stay where they are until then.

    Args:
        store: a restored one.
        folder: where outputs go. What has the shape of an output and bears our mark is ours; all else is left alone.
        clock: tells the time.
        aliases: old addresses of outputs, which bear the mark as well.

    Raises:
        PublishError: it can't be told what stands there; nothing was listed.
    """
    there = {path.removesuffix(TWIN) for path in folder.below("")}
    wanted = sorted(path for path in there if is_output(path) or path in aliases or path == GONE_LIST)
    with store.read() as tx:
        listed = tx.files.listed(wanted)
    unlisted = [path for path in wanted if path not in listed]
    # One that can't be read is not known as ours: only when its own turn comes does it fail, and harms no other (R32).
    ours = [path for path, is_ours in abreast(folder.stranger, unlisted, folder.abreast) if is_ours is True]
    gone = gone_of(folder.read(GONE_LIST, EVERY_OUTPUT_BYTES)) if GONE_LIST in ours else {}
    with store.begin() as tx:
        for copied in (False, True):
            tx.files.add([path for path in ours if (path in aliases) is copied], clock(), copied=copied, gone=gone)
        tx.files.forget_looks()
    if ours:
        log.info("adopt_outputs", extra={"files": len(ours)})
