"""Body of `doctor`: examines what the program stands on, and tells what mends it. Changes nothing."""

import argparse
import os
import platform
import re
import shlex
import shutil
import socket
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Final
from urllib.parse import urlsplit

from aggregator.cli.open import last_good_settings, likely_store
from aggregator.cli.status import needs_a_hand
from aggregator.cli.terminal import counted, json_text, printable
from aggregator.cli.versions import installed_out_of_range
from aggregator.clock import utc_now
from aggregator.config import load_config
from aggregator.errors import AggregatorError, ConfigError, NoStore, PublishError, StateLost, StoreError
from aggregator.in_force import completed_roster, listed_settings
from aggregator.model.alarm import FACTS
from aggregator.model.output_paths import GZIP_SUFFIX, PATH
from aggregator.model.settings import Roster, Settings
from aggregator.model.status import Status
from aggregator.publish.folder import Folder
from aggregator.publish.output_list import expected_files
from aggregator.render.theme import checked_style
from aggregator.restore.lost_state import refuse_lost
from aggregator.store.database import Store, backend_of
from aggregator.store.read_only import damage_of, open_read_only
from aggregator.store.store_file import Holder, holder_of, open_to_others
from aggregator.store.store_row import Rhythm
from aggregator.text.durations import rounded_span

ROOM: Final = 100 * 2**20  # bytes that a disk should have free, if twice the store is not more (R60)
AGREE: Final = 3  # sources whose clocks differ from ours: of fewer, the publisher's clock is at fault
BUILT: Final = datetime(2025, 1, 1, tzinfo=UTC)  # no clock is right that is before
NAMED: Final = 3  # files that a line names
OVERDUE: Final = timedelta(minutes=10)  # beyond twice the longest gap between runs


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report."""

    about: str
    said: str
    mend: str | None = None  # None: nothing is wrong


@dataclass(frozen=True, slots=True)
class _Stored:
    """Values that `doctor` reads from the store, all in one transaction; each check takes what it needs."""

    status: Status
    rhythm: Rhythm
    config: str | None
    expected: frozenset[str]
    listed: frozenset[str]


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Print a line for each thing examined. Exit code 1 if there is anything to mend."""
    program = f"aggregator -c {_quoted(options.config)} " if options.config != Path("feeds.yaml") else "aggregator "
    checks = [
        replace(check, mend=check.mend and check.mend.replace("aggregator ", program))
        for check in examined(options.config, environ, utc_now(), live=options.live)
    ]
    wrong = [check for check in checks if check.mend]
    if options.json:
        rows = [asdict(check) | {"fine": check.mend is None} for check in checks]
        print(json_text({"version": 1, "fine": not wrong, "checks": rows}))
    else:
        for check in checks:
            print(printable(f"{'wrong' if check.mend else 'fine':5}  {check.about:11}  {check.said}"))
            if check.mend:
                print(printable(f"                    → {check.mend}"))
        print(f"{counted(len(wrong), 'thing')} to mend." if wrong else "Nothing to mend.")
    return int(bool(wrong))


def examined(config: Path, environ: Mapping[str, str], now: datetime, *, live: bool) -> Iterator[Check]:
    """Yield a line for each thing that was examined.

    Args:
        config: feeds.yaml.
        environ: where `${NAME}` is looked up.
        now: the time.
        live: the host of `site.base_url` may be looked up.
    """
    settings, broken = None, None
    try:
        settings = load_config(config, environ)
        checked_style(settings)
    except ConfigError as error:
        broken = error
    url = settings.store if settings else likely_store(config)
    store, why = None, None
    try:
        store = open_read_only(url, now=now)
    except AggregatorError as error:  # also an extra that is missing
        why = error
    except OSError as error:  # this user may not look into its folder
        why = StoreError(f"the store can't be reached: {error}")
    try:
        if settings is None and store is not None and broken is not None:
            with suppress(ConfigError):
                settings, _ = last_good_settings(config, environ, broken, store)
        stored = None
        if store is not None and settings is not None:
            try:
                settings = listed_settings(store, settings)
                stored = _read(store, settings, now)
            except StoreError as error:
                why = error
        path = backend_of(url).path if not isinstance(why, AggregatorError) or url.startswith("sqlite:") else None
        holder = holder_of(path) if path is not None else None
        yield _of_config(config, settings, broken, stored, holder)
        yield _of_store(url, path, store, why, settings)
        if path is not None:
            yield from _of_file(path, holder)
        yield from _of_disks(path, settings)
        if settings is not None:
            yield _of_outputs(settings, stored)
            yield _of_address(settings, config, live=live)
        yield _of_clock(stored, now)
        yield _of_versions()
        if stored is not None:
            yield _of_runs(stored.rhythm, holder, now, path)
            yield _of_sources(stored.status)
    finally:
        if store is not None:
            store.close()


def _read(store: Store, settings: Settings, now: datetime) -> _Stored:
    status = store.status(completed_roster(store, Roster.of(settings)), now, settings.secrets)
    with store.read() as tx:
        return _Stored(
            status,
            tx.store_row.rhythm(),
            tx.store_row.last_good_config(),
            frozenset(expected_files(tx)),
            frozenset(tx.files.digests()),
        )


def _of_config(
    config: Path, settings: Settings | None, broken: ConfigError | None, stored: _Stored | None, holder: Holder | None
) -> Check:
    if broken is not None:
        first, more = broken.problems[0], len(broken.problems) - 1
        since = stored.status.config.loaded_at if stored else None
        instead = f"; that of {since:%Y-%m-%d %H:%M} UTC goes on" if since and settings else ""
        others = f" and {counted(more, 'more problem')}" if more else ""
        return Check("config", f"{first}{others}{instead}", "correct it; aggregator check")
    assert settings is not None
    warned = f"; {counted(len(settings.warnings), 'warning')}: aggregator check" if settings.warnings else ""
    said = f"{config}, {counted(len(settings.sources), 'source')}{warned}"
    if stored is not None and stored.status.config.error and holder is not None and holder.is_running:
        error = stored.status.config.error.splitlines()[0]
        return Check("config", f"an edit is not in force: {error}", "aggregator check")
    if stored is not None and stored.config != _text_of(config):
        return Check("config", f"{said}; edited since the last run, in force from the next one")
    return Check("config", said)


def _of_store(
    url: str, path: Path | None, store: Store | None, why: AggregatorError | None, settings: Settings | None
) -> Check:
    if isinstance(why, NoStore):
        try:
            if settings is not None and _has_folder(settings):
                refuse_lost(Folder(Path(str(settings.publish.to))), settings)
        except StateLost as lost:
            mend = f"aggregator restore --from-site {lost.site}"
            return Check("store", f"there is none at {path}, although outputs of one exist", mend)
        except PublishError:
            pass
        return Check("store", f"there is none at {path} yet", "aggregator poll")
    if path is not None:
        if not os.access(path, os.R_OK | os.W_OK) or not os.access(path.parent, os.W_OK | os.X_OK):
            owner = f'chown -R "$(id -un)" {_quoted(path.parent)}'
            return Check("store", f"{path} can't be read and written by this user", f"run as its owner, or {owner}")
        damage = None if why is not None and "schema" in str(why) else damage_of(url)
        if damage is not None:
            mend = f"mv {_quoted(path)} {_quoted(path)}.damaged; aggregator restore BACKUP, or restore --from-site"
            return Check("store", f"{path} is damaged: {damage}", mend)
    if store is None or why is not None:
        mend = "aggregator poll" if "older schema" in str(why) else "as it says; docs/restore.md has more"
        return Check("store", str(why), mend)
    files = (path, path.with_name(f"{path.name}-wal")) if path is not None else ()
    bytes_of = sum(file.stat().st_size for file in files if os.path.exists(file))  # noqa: PTH110
    size = f", {bytes_of / 2**20:,.1f} MB, every page intact" if path is not None else ""
    return Check("store", f"{path or store.where}{size}")


def _of_file(path: Path, holder: Holder | None) -> Iterator[Check]:
    if path.parent.is_dir() and not os.access(path.parent, os.R_OK | os.X_OK):
        return  # nothing is known of it
    if holder is None:
        is_there = os.path.exists(f"{path}.lock")  # noqa: PTH110
        yield Check("lock", "its file can't be read by this user" if is_there else "free")
    elif holder.is_running:
        yield Check("lock", f"held by {holder.who}")
    else:
        yield Check("lock", f"free; {holder.who}, was killed, and the next run clears up")
    readable = [str(each) for each in open_to_others(path)]
    if readable:
        names = _few(readable)
        yield Check(
            "permissions", f"other users can read secrets in {names}", f"chmod 600 {shlex.join(sorted(readable))}"
        )
    else:
        yield Check("permissions", "only its owner can read the store and what is beside it")


def _of_disks(path: Path | None, settings: Settings | None) -> Iterator[Check]:
    places = [path.parent] if path is not None else []
    if settings is not None and isinstance(settings.publish.to, Path):
        places.append(settings.publish.to)
    size = path.stat().st_size if path is not None and os.path.exists(path) else 0  # noqa: PTH110 - False without permission to look
    seen = set()
    for place in places:
        folder = next((each for each in (place, *place.parents) if each.exists()), None)
        if folder is None or (device := folder.stat().st_dev) in seen:
            continue
        seen.add(device)
        free, files = shutil.disk_usage(folder).free, os.statvfs(folder)
        need = max(ROOM, 2 * size)
        said = f"{free / 2**20:,.0f} MB free below {folder}"
        if files.f_files and not files.f_favail:
            yield Check("disk", f"no file can be made below {folder}: it has no inodes left", "remove files there")
        elif free < need:
            mend = "make room; `keep` in feeds.yaml makes the store smaller (docs/keep.md)"
            yield Check("disk", f"{said}; {need / 2**20:,.0f} MB are needed for a migration and a backup", mend)
        else:
            yield Check("disk", said)


def _has_folder(settings: Settings) -> bool:
    return isinstance(settings.publish.to, Path) and settings.publish.to.is_dir()


def _of_outputs(settings: Settings, stored: _Stored | None) -> Check:
    root, publish = settings.publish.to, "aggregator publish"
    if not isinstance(root, Path):
        return Check("outputs", f"{root}; a bucket is not looked at")
    if not root.exists() and (stored is None or not stored.expected):
        return Check("outputs", f"there is no folder {root} yet; the first poll makes it")
    if not root.exists():
        return Check("outputs", f"there is no folder {root}", publish)
    if not root.is_dir() or not os.access(root, os.R_OK | os.W_OK | os.X_OK):
        return Check(
            "outputs", f"{root} is no folder that this user can write", f"ls -ld {_quoted(root)}; run as its owner"
        )
    if stored is None:
        return Check("outputs", f"{root}; without a store nobody knows what is missing")
    try:
        there = frozenset(Folder(root).below(""))
        known = stored.listed | {path + GZIP_SUFFIX for path in stored.listed | there}
        foreign = sorted(there - known)
        ours = [path for path in foreign if PATH.fullmatch(path) and Folder(root).stranger(path)]
    except PublishError as error:
        return Check("outputs", str(error), f"ls -l {_quoted(root)}; run as the owner of these files")
    if missing := sorted(stored.expected - there):
        return Check("outputs", f"{counted(len(missing), 'file')} missing in {root}: {_few(missing)}", publish)
    if ours:
        said = f"{counted(len(ours), 'file')} in {root} that another store published: {_few(ours)}"
        return Check("outputs", said, f"remove them, or {publish} --take-over")
    others = f"; {counted(len(foreign), 'file')} of yours, never touched: {_few(foreign)}" if foreign else ""
    return Check("outputs", f"{root}, all {counted(len(stored.listed), 'file')} known{others}")


def _of_address(settings: Settings, config: Path, *, live: bool) -> Check:
    base = str(settings.site.base_url)
    host, port = urlsplit(base).hostname or "", urlsplit(base).port
    is_written = re.search(r"(?m)^[^#\n]*\bbase_url\b", _text_of(config)) is not None
    if not is_written and (host, port or 80) == (settings.host.strip("[]"), settings.port):
        said = f"feeds say that they are at {base}, where no other machine finds them"
        return Check("address", said, "site: {base_url: https://your.host/} in feeds.yaml")
    if live:
        try:
            socket.getaddrinfo(host, port or 443)
        except OSError as error:
            return Check(
                "address", f"{base}: {host} is not found: {error.strerror}", "correct site.base_url, or the DNS"
            )
    contact = "" if settings.site.contact else "; publishers see no contact of yours: write site.contact"
    return Check("address", f"{base}{', which is found' if live else ''}{contact}")


def _of_clock(stored: _Stored | None, now: datetime) -> Check:
    mend = "timedatectl set-ntp true, or set the clock"
    said = f"{now:%Y-%m-%d %H:%M} UTC"
    if now < BUILT:
        return Check("clock", f"{said} is before this program was written", mend)
    if stored is None:
        return Check("clock", said)
    if stored.rhythm.runs and stored.rhythm.runs[-1] > now + OVERDUE:
        return Check("clock", f"{said}, but the last run began {stored.rhythm.runs[-1]:%Y-%m-%d %H:%M} UTC", mend)
    answered = [source for source in stored.status.sources if source.last_success]
    skews = [source.clock_skew.total_seconds() for source in answered if source.clock_skew]
    if len(skews) >= AGREE and 2 * len(skews) > len(answered):
        way = "ahead of" if median(skews) > 0 else "behind"
        hosts = f"{len(skews)} of {counted(len(answered), 'source')}"
        return Check("clock", f"{said}; the clocks of {hosts} are {rounded_span(abs(median(skews)))} {way} it", mend)
    asked = any(source.url and source.url.startswith("http") for source in answered)
    return Check("clock", f"{said}, within ten minutes of most publishers' clocks" if asked else said)


def _of_versions() -> Check:
    said = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    if wrong := installed_out_of_range():
        return Check("versions", f"{said}; {', '.join(text for text, _ in wrong)}", wrong[0][1])
    return Check("versions", f"{said}, all libraries in range")


def _of_runs(rhythm: Rhythm, holder: Holder | None, now: datetime, path: Path | None) -> Check:
    if holder is not None and holder.is_running:
        return Check("runs", f"{holder.command or 'a command'} is running")
    if rhythm.runs:
        last = rhythm.runs[-1]
        since = f"the last run of poll began {rounded_span((now - last).total_seconds())} ago"
        gap = f"; the longest time between runs was {rounded_span(rhythm.gap.total_seconds())}"
        gap = gap if len(rhythm.runs) > 1 else ""
        if now - last > 2 * rhythm.gap + OVERDUE:
            return Check("runs", since + gap, "crontab -l; see whether cron runs, and its mail (docs/cron.md)")
        return Check("runs", since + gap)
    if rhythm.served_at is not None:
        began = f"serve began last on {rhythm.served_at:%Y-%m-%d %H:%M} UTC"
        if path is None:
            return Check("runs", began)
        return Check("runs", f"{began}, and does not run", "aggregator serve; as a service, docs/service.md")
    return Check(
        "runs", "nothing was polled yet, or serve stopped over a week ago", "aggregator poll, or aggregator serve"
    )


def _of_sources(status: Status) -> Check:
    codes = [alarm.code.value for alarm in status.alarms if alarm.code not in FACTS]
    if needs_a_hand(status) and codes:
        return Check("alarms", f"{counted(len(codes), 'alarm')}: {_few(sorted(set(codes)))}", "aggregator status")
    return Check("alarms", f"none, of {counted(len(status.sources), 'source')}")


def _few(names: list[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _text_of(config: Path) -> str:
    try:
        return config.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))
