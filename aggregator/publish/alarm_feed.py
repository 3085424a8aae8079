"""Makes the output of the feed of alarms (`alarms.feed`); nothing links to it."""

from functools import partial

from aggregator.model.output import Output
from aggregator.model.settings import Settings
from aggregator.render.alarm_feed import LISTED, render_alarm_feed
from aggregator.store.channels import names_of_sources, redaction_of
from aggregator.store.transaction import Transaction

AGE = 300  # seconds that a reader may keep it


def alarm_feed(tx: Transaction, settings: Settings, path: str) -> Output:
    """Return the output, with the alarms that began or ended last.

    Args:
        tx: reading transaction.
        settings: with the sources that lists name.
        path: of the feed, in the published folder.
    """
    alarms = tx.alarms.latest(LISTED)
    render = partial(
        render_alarm_feed,
        alarms,
        names_of_sources(tx, settings, alarms),
        settings.site,
        store=str(tx.store_row.uuid()),
        created_at=tx.store_row.created_at(),
        path=path,
        redact=redaction_of(tx, settings),
    )
    return Output(path=path, render=render, max_age=AGE, copied=True)
