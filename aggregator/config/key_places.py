"""Tables that have each key, for messages about keys in the wrong table."""

from collections.abc import Mapping

from aggregator.config.alarms import ALARMS
from aggregator.config.source_keys import CATEGORY, DEFAULTS, HOST, PAGES, PUBLISH, ROOT, SERVE, SITE, SOURCE
from aggregator.config.tables import Table

_PLACES: tuple[tuple[Table, str], ...] = (
    (ROOT, "at the top level"),
    (SITE, "under site:"),
    (PUBLISH, "under publish:"),
    (PAGES, "under pages:"),
    (SERVE, "under serve:"),
    (ALARMS, "under alarms:"),
    (DEFAULTS, "under defaults:"),
    (HOST, "in an entry of hosts:"),
    (CATEGORY, "in a category"),
    (SOURCE, "in a source"),
)


def _key_places() -> Mapping[str, list[str]]:
    places: dict[str, list[str]] = {}
    for table, place in _PLACES:
        for name in table.keys:
            places.setdefault(name, []).append(place)
    return places


KEY_PLACES = _key_places()
