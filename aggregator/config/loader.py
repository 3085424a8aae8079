"""Loads feeds.yaml into `Settings`, or raises one error with every problem of the file."""

import re
from collections.abc import Mapping
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aggregator.config.addresses import bind_parts, bucket, has_literal_secret, store_path
from aggregator.config.alarms import alarming_of
from aggregator.config.aliases import read_aliases, read_static
from aggregator.config.categories import categories_of
from aggregator.config.document import MapNode, Node, Scalar, read_document
from aggregator.config.findings import Findings, Place, Unfit
from aggregator.config.hosts import host_rules, may_hide_allow_private
from aggregator.config.key_places import KEY_PLACES
from aggregator.config.keys import READY_THEMES, JekyllKeys, PagesKeys, PublishKeys, ServeKeys, SiteKeys
from aggregator.config.source_keys import ROOT, RootKeys
from aggregator.config.sources import SourceContext, SourceReader
from aggregator.config.tables import Key, Values
from aggregator.errors import ConfigError, ExtraMissing, Problem
from aggregator.model.hosts import is_public
from aggregator.model.settings import NO_ALARMING, Jekyll, Pages, Publish, Secret, Settings, Site
from aggregator.urls import Url, host_of, normalise

BUCKETS = "obstore"  # library of the extra `s3`
MAX_BYTES = 32 * 2**20  # size of feeds.yaml (S16)


def load_config(path: Path, environ: Mapping[str, str]) -> Settings:
    """Load feeds.yaml.

    Args:
        path: path of the file, as the operator wrote it; messages show it unchanged.
        environ: variables for `${NAME}`.

    Raises:
        ConfigError: the file has problems; the error has all of them.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError([Problem(str(path), 1, 1, _why_unreadable(error))]) from error
    return read_config(data, path, environ)


def read_config(data: bytes, path: Path, environ: Mapping[str, str], *, was_in_force: bool = False) -> Settings:
    """Load the content of a feeds.yaml, which may be an earlier version of the file (R51).

    Args:
        data: content of the file.
        path: path of the file; relative paths in it start at its folder.
        environ: variables for `${NAME}`.
        was_in_force: the content was accepted before, perhaps by an earlier version of the program: probable
            misspellings are not reported.

    Raises:
        ConfigError: the file has problems; the error has all of them.
    """
    findings = Findings(str(path), environ, was_in_force=was_in_force)
    findings.key_places = KEY_PLACES
    settings = None
    if len(data) > MAX_BYTES:
        findings.problem(1, 1, f"the file has over {MAX_BYTES // 2**20} MiB; write a smaller one")
    else:
        root = read_document(data, findings)
        if root is not None:
            settings = _settings(root, path.parent.resolve() / path.name, findings)
        elif not findings.problems:
            findings.problem(1, 1, "the file is empty; write sources: and a list of addresses")
    if settings is None or findings.problems:
        raise ConfigError(findings.problems, (*findings.warnings, *map(str, findings.notes)))
    return settings


def _why_unreadable(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "this file does not exist; create it, or name another file with -c"
    if isinstance(error, IsADirectoryError):
        return "this is a folder; write the path of a file"
    return f"it can't be read: {error.strerror}; give this user the right to read it"


def _settings(root: Node, path: Path, findings: Findings) -> Settings | None:
    try:
        values = ROOT.read(root, findings)
    except Unfit as unfit:
        findings.problem_at(root, _other_format(root) or str(unfit))
        return None
    publish = _publish(values[RootKeys.publish], path.parent, findings)
    rules = host_rules(values[RootKeys.hosts], findings)
    site_values, bind = values[RootKeys.site], values[RootKeys.serve][ServeKeys.bind]
    context = SourceContext(
        folder=path.parent,
        defaults=values[RootKeys.defaults],
        zone=site_values[SiteKeys.timezone],
        rules=rules,
        has_all_rules=not (isinstance(root, MapNode) and root.cut)
        and not may_hide_allow_private(values.place(RootKeys.hosts), values[RootKeys.hosts]),
    )
    reader = SourceReader(context, findings)
    listed = values[RootKeys.sources]
    sources = reader.read(listed or ())
    pages = values[RootKeys.pages]
    host, port = bind_parts(bind)
    in_file = store_path(values[RootKeys.store])
    database = None if in_file is None else path.parent / in_file
    if database is None:
        _check_server(values.place(RootKeys.store), findings)
    if not isinstance(publish.to, Path):
        if find_spec(BUCKETS) is None:
            place = values[RootKeys.publish].place(PublishKeys.to)
            findings.problem_at(place, str(ExtraMissing("a bucket", "s3")))
        if site_values[SiteKeys.base_url] is None:
            place = values[RootKeys.publish].place(PublishKeys.to)
            findings.problem_at(place, "publish.to is a bucket; write its public address in site.base_url")
    elif database is not None and database.is_relative_to(publish.to):
        findings.warn(
            values.place(RootKeys.store), "the store is inside publish.to and would be public; write another path"
        )
    alarming = (
        NO_ALARMING if (alarms := values[RootKeys.alarms]) is None else alarming_of(alarms, publish.aliases, findings)
    )
    if publish.static is not None:
        place = values[RootKeys.publish].place(PublishKeys.static)
        private = [path, *([database] if database else []), *([publish.to] if isinstance(publish.to, Path) else [])]
        taken = [*(alias for alias, _ in publish.aliases), *filter(None, [alarming.feed])]
        read_static(publish.static, place, taken, private, findings)
    site = _site(site_values, bind)
    if publish.hub is not None:
        _check_hub(publish.hub, site, values[RootKeys.publish].place(PublishKeys.hub), findings)
    return Settings(
        path=path,
        site=site,
        store=values[RootKeys.store] if database is None else f"sqlite:///{quote(str(database))}",
        publish=publish,
        pages=Pages(images=pages[PagesKeys.images], show=pages[PagesKeys.show], sources=pages[PagesKeys.sources]),
        alarms=alarming,
        host=host,
        port=port,
        workers=values[RootKeys.workers],
        proxy=_proxy(values, findings),
        hosts=rules,
        categories=categories_of(values[RootKeys.categories], sources, reader.mentions, publish.entries, findings),
        sources=sources,
        default_rules=reader.default_rules,
        warnings=findings.warnings,
        notes=findings.notes,
        secrets=frozenset(map(Secret, findings.secrets)),
    )


def _other_format(root: Node) -> str | None:
    """Return the message for a file of another feed reader; None if `root` is not recognised as one."""
    if isinstance(root, Scalar) and root.raw.startswith("<"):
        return "this is XML, not YAML; write sources: and a list of addresses; of OPML see docs/opml.md"
    if isinstance(root, Scalar) and re.match(r"https?://", root.raw):
        return "this is a list of addresses, not a mapping; write sources: and below it a line with - for each address"
    return None


def _site(values: Values, bind: str) -> Site:
    return Site(
        title=values[SiteKeys.title],
        base_url=normalise(values[SiteKeys.base_url] or f"http://{bind}/"),
        language=values[SiteKeys.language],
        timezone=values[SiteKeys.timezone],
        contact=values[SiteKeys.contact],
        description=values[SiteKeys.description],
        logo=values[SiteKeys.logo],
        front=values[SiteKeys.front],
        headlines=values[SiteKeys.headlines],
    )


def _publish(values: Values, folder: Path, findings: Findings) -> Publish:
    formats, static = frozenset(values[PublishKeys.formats]), values[PublishKeys.static]
    return Publish(
        to=bucket(values[PublishKeys.to]) or folder / values[PublishKeys.to],
        formats=formats,
        entries=values[PublishKeys.entries],
        archive_page=values[PublishKeys.archive_page],
        entry_pages=values[PublishKeys.entry_pages],
        gzip=values[PublishKeys.gzip],
        fair=values[PublishKeys.fair],
        feed_style=values[PublishKeys.feed_style],
        refresh=values[PublishKeys.refresh],
        theme=_theme(values[PublishKeys.theme], folder),
        theme_at=_at(values, PublishKeys.theme),
        jekyll=_jekyll(values[PublishKeys.jekyll], folder, findings),
        hub=normalise(hub) if (hub := values[PublishKeys.hub]) else None,
        static=None if static is None else folder / static,
        aliases=read_aliases(aliases, formats, findings) if (aliases := values[PublishKeys.aliases]) else (),
    )


def _theme(name: str | None, folder: Path) -> Path | None:
    """Return the folder of a theme: the operator's, or one of ours if he has none of that name."""
    if name is None:
        return None
    is_ready = name in READY_THEMES and not (folder / name).exists()
    return Path(str(files("aggregator.render") / "themes" / name)) if is_ready else folder / name


def _jekyll(values: Values | None, folder: Path, findings: Findings) -> Jekyll | None:
    where = values[JekyllKeys.to] if values is not None else None
    if values is None or where is None:
        return None
    hot, old, template = values[JekyllKeys.hot], values[JekyllKeys.archive_to], values[JekyllKeys.template]
    if (hot is None) != (old is None):
        alone: Key[Any] = JekyllKeys.hot if old is None else JekyllKeys.archive_to
        other = "archive_to: site/old_post" if old is None else "hot: 3d"
        findings.problem_at(values.place(alone), f"{alone.name} has no effect alone; write {other} as well")
    to, archive_to = folder / where, None if old is None else folder / old
    if to == archive_to:
        text = "archive_to is the same folder as to; write another folder such as site/old_post"
        findings.problem_at(values.place(JekyllKeys.archive_to), text)
    return Jekyll(
        to=to,
        file=values[JekyllKeys.file],
        file_at=_at(values, JekyllKeys.file),
        template=None if template is None else folder / template,
        template_at=_at(values, JekyllKeys.template),
        hot=hot,
        archive_to=archive_to,
    )


def _check_hub(hub: Url, site: Site, place: Place, findings: Findings) -> None:
    """Warn of a hub that can't work or is not safe. A hub on a private network is not checked."""
    if isinstance(place, Scalar) and "${" in place.raw:
        findings.warn(place, "every feed shows this address, and so everybody can read the value of its variable")
    if not is_public(host_of(hub)):
        return
    if hub.startswith("http:"):
        findings.warn(
            place, "http is not encrypted: others can answer for this hub; write https:// if it supports that"
        )
    if not is_public(host_of(site.base_url)):
        findings.warn(
            place, f"a hub can't fetch feeds from {site.base_url}; write their public address in site.base_url"
        )


def _at(values: Values, key: Key[Any]) -> tuple[int, int]:
    place = values.place(key)
    return place.line, place.column


def _check_server(place: Node, findings: Findings) -> None:
    if isinstance(place, Scalar) and has_literal_secret(place.raw):
        findings.warn(place, "a password is written out in this URL; write ${NAME}, or keep it in ~/.pgpass")


def _proxy(values: Values, findings: Findings) -> Secret | None:
    proxy = values[RootKeys.proxy]
    place = values.place(RootKeys.proxy)
    if proxy is not None and isinstance(place, Scalar) and has_literal_secret(place.raw):
        findings.warn(place, "a password is written out in this URL; write ${NAME}, and set NAME in the environment")
    return None if proxy is None else Secret(proxy)
