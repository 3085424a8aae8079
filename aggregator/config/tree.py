"""Where keys are at home: for the advice that a key stands in the wrong place."""

from collections.abc import Mapping

from aggregator.config.source_keys import CATEGORY, DEFAULTS, HOST, PUBLISH, ROOT, SERVE, SITE, SOURCE
from aggregator.config.tables import Table

_PLACES: tuple[tuple[Table, str], ...] = (
    (ROOT, "at the top level"),
    (SITE, "under site:"),
    (PUBLISH, "under publish:"),
    (SERVE, "under serve:"),
    (DEFAULTS, "under defaults:"),
    (HOST, "in an entry of hosts:"),
    (CATEGORY, "in a category"),
    (SOURCE, "in a source"),
)


def _homes() -> Mapping[str, list[str]]:
    homes: dict[str, list[str]] = {}
    for table, place in _PLACES:
        for name in table.keys:
            homes.setdefault(name, []).append(place)
    return homes


HOMES = _homes()
