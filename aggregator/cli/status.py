"""`aggregator status`: how sources and categories stand, what needs a hand first. Works beside a running `serve`."""

import argparse
import json
import logging
import sys
from collections.abc import Mapping
from dataclasses import replace
from zoneinfo import ZoneInfo

from aggregator.cli.names import keys_of
from aggregator.cli.open import last_good_settings, read_store
from aggregator.cli.status_words import in_words, one_in_words
from aggregator.cli.terminal import printable
from aggregator.cli.weight import heavy_feeds
from aggregator.clock import utc_now
from aggregator.config import load_config
from aggregator.errors import ConfigError
from aggregator.model.settings import Roster, Settings
from aggregator.model.status import SourceStatus, Status
from aggregator.model.tokens import Hush
from aggregator.render.status_page import alarm_record, history_record, rule_record, source_record, status_record
from aggregator.store.database import Store
from aggregator.store.hush import private_hush

LEVEL = logging.WARNING
DAYS = 7  # whose sums are shown of one source


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Say how things stand."""
    broken = None
    try:
        settings = load_config(options.config, environ)
    except ConfigError as error:  # a running service goes on with the last good one, and so do we
        settings, _ = last_good_settings(options.config, environ, error)
        broken = str(error)
    store = read_store(settings)
    try:
        settings = store.listed(settings)
        status = store.status(store.completed(Roster.of(settings)), utc_now(), settings.secrets)
        if broken:
            status = replace(status, config=replace(status.config, error=broken))
        with store.read() as tx:
            hush = private_hush(tx, settings.sources)
        if not options.key:
            print(_all(status, settings, hush, as_json=options.json, folds=not options.all))
            return 0
        keys = keys_of([options.key], settings, options.config)
        source = next((each for each in status.sources if keys and each.key == keys[0]), None)
        if source is None:
            if keys:
                print(f"aggregator: {keys[0]} was not polled yet; `aggregator poll {keys[0]}` does", file=sys.stderr)
            return 2
        print(_one(source, status, store, settings, hush, as_json=options.json))
        return 0
    finally:
        store.close()


def _all(status: Status, settings: Settings, hush: Hush, *, as_json: bool, folds: bool) -> str:
    if as_json:
        return json.dumps(hush.record(status_record(status, public=False)), ensure_ascii=False)
    said = in_words(status, folds=folds)
    if settings.site.contact is None:  # P75
        said += "\nThere is no site.contact: write an address that a host may turn to, it goes into the User-Agent."
    return printable("\n".join([hush.text(said), *(f"{advice}." for advice in heavy_feeds(settings))]))


def _one(source: SourceStatus, status: Status, store: Store, settings: Settings, hush: Hush, *, as_json: bool) -> str:
    with store.read() as tx:
        history = tx.history(source.key, status.at, days=DAYS)
        hits = [each for each in tx.rule_hits() if each.source == source.key]
    alarms = [alarm for alarm in status.alarms if alarm.source == source.key]
    if as_json:
        record = source_record(source, public=False) | history_record(history)
        record["alarms"] = [alarm_record(alarm, public=False) for alarm in alarms]
        record["rules"] = [rule_record(each) for each in hits]
        return json.dumps(hush.record(record), ensure_ascii=False)
    said = one_in_words(source, history, alarms, hits, status, ZoneInfo(settings.site.timezone))
    return printable(hush.text(said))
