"""Loads feeds.yaml into `Settings`, or raises one error with every problem of the file."""

import re
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aggregator.config.addresses import bind_parts, bucket, has_literal_secret, store_path
from aggregator.config.categories import categories_of
from aggregator.config.copies import read_aliases, read_static
from aggregator.config.document import MapNode, Node, Scalar, read_document
from aggregator.config.findings import Findings, Place, Unfit
from aggregator.config.hosts import host_rules, may_hide_allow_private
from aggregator.config.keys import JekyllKeys, PublishKeys, ServeKeys, SiteKeys
from aggregator.config.source_keys import ROOT, RootKeys
from aggregator.config.sources import SourceContext, SourceReader
from aggregator.config.tables import Key, Values
from aggregator.config.tree import HOMES
from aggregator.errors import ConfigError, ExtraMissing, Problem
from aggregator.model.hosts import is_public
from aggregator.model.settings import Jekyll, Publish, Secret, Settings, Site
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
    found = Findings(str(path), environ, was_in_force=was_in_force)
    found.homes = HOMES
    settings = None
    if len(data) > MAX_BYTES:
        found.problem(1, 1, f"the file has over {MAX_BYTES // 2**20} MiB; write a smaller one")
    else:
        root = read_document(data, found)
        if root is not None:
            settings = _settings(root, path.parent.resolve() / path.name, found)
        elif not found.problems:
            found.problem(1, 1, "the file is empty; write sources: and a list of addresses")
    if settings is None or found.problems:
        raise ConfigError(found.problems, (*found.warnings, *found.notes))
    return settings


def _why_unreadable(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "this file does not exist; create it, or name another file with -c"
    if isinstance(error, IsADirectoryError):
        return "this is a folder; write the path of a file"
    return f"it can't be read: {error.strerror}; give this user the right to read it"


def _settings(root: Node, path: Path, found: Findings) -> Settings | None:
    try:
        said = ROOT.read(root, found)
    except Unfit as unfit:
        found.problem_at(root, _other_format(root) or str(unfit))
        return None
    publish = _publish(said[RootKeys.publish], path.parent, found)
    rules = host_rules(said[RootKeys.hosts], found)
    context = SourceContext(
        folder=path.parent,
        defaults=said[RootKeys.defaults],
        zone=said[RootKeys.site][SiteKeys.timezone],
        rules=rules,
        has_all_rules=not (isinstance(root, MapNode) and root.cut)
        and not may_hide_allow_private(said.place(RootKeys.hosts), said[RootKeys.hosts]),
    )
    reader = SourceReader(context, found)
    listed = said[RootKeys.sources]
    sources = reader.read(listed or ())
    host, port = bind_parts(said[RootKeys.serve][ServeKeys.bind])
    database = path.parent / store_path(said[RootKeys.store])
    if not isinstance(publish.to, Path):
        if find_spec(BUCKETS) is None:
            place = said[RootKeys.publish].place(PublishKeys.to)
            found.problem_at(place, str(ExtraMissing("a bucket", "s3")))
        if said[RootKeys.site][SiteKeys.base_url] is None:
            place = said[RootKeys.publish].place(PublishKeys.to)
            found.problem_at(place, "publish.to is a bucket; write its public address in site.base_url")
    elif database.is_relative_to(publish.to):
        found.warn(said.place(RootKeys.store), "the store is inside publish.to and would be public; write another path")
    if publish.static is not None:
        place = said[RootKeys.publish].place(PublishKeys.static)
        private = [path, database, *([publish.to] if isinstance(publish.to, Path) else [])]
        read_static(publish.static, place, publish.aliases, private, found)
    site = _site(said[RootKeys.site], said[RootKeys.serve])
    if publish.hub is not None:
        _check_hub(publish.hub, site, said[RootKeys.publish].place(PublishKeys.hub), found)
    return Settings(
        path=path,
        site=site,
        store=f"sqlite:///{quote(str(database))}",
        publish=publish,
        host=host,
        port=port,
        workers=said[RootKeys.workers],
        proxy=_proxy(said, found),
        hosts=rules,
        categories=categories_of(said[RootKeys.categories], sources, reader.mentions, publish.entries, found),
        sources=sources,
        warnings=found.warnings,
        notes=found.notes,
        secrets=frozenset(map(Secret, found.secrets)),
    )


def _other_format(root: Node) -> str | None:
    """Return the message for a file of another feed reader; None if `root` is not recognised as one."""
    if isinstance(root, Scalar) and root.raw.startswith("<"):
        return "this is XML, not YAML; write sources: and a list of addresses; of OPML see docs/opml.md"
    if isinstance(root, Scalar) and re.match(r"https?://", root.raw):
        return "this is a list of addresses, not a mapping; write sources: and below it a line with - for each address"
    return None


def _site(said: Values, serve: Values) -> Site:
    return Site(
        title=said[SiteKeys.title],
        base_url=normalise(said[SiteKeys.base_url] or f"http://{serve[ServeKeys.bind]}/"),
        language=said[SiteKeys.language],
        timezone=said[SiteKeys.timezone],
        contact=said[SiteKeys.contact],
    )


def _publish(said: Values, folder: Path, found: Findings) -> Publish:
    formats, static = frozenset(said[PublishKeys.formats]), said[PublishKeys.static]
    return Publish(
        to=bucket(said[PublishKeys.to]) or folder / said[PublishKeys.to],
        formats=formats,
        entries=said[PublishKeys.entries],
        archive_page=said[PublishKeys.archive_page],
        entry_pages=said[PublishKeys.entry_pages],
        gzip=said[PublishKeys.gzip],
        fair=said[PublishKeys.fair],
        refresh=said[PublishKeys.refresh],
        theme=folder / theme if (theme := said[PublishKeys.theme]) else None,
        theme_at=_at(said, PublishKeys.theme),
        jekyll=_jekyll(said[PublishKeys.jekyll], folder, found),
        hub=normalise(hub) if (hub := said[PublishKeys.hub]) else None,
        static=None if static is None else folder / static,
        aliases=read_aliases(said[PublishKeys.aliases], formats, found),
    )


def _jekyll(said: Values | None, folder: Path, found: Findings) -> Jekyll | None:
    where = said[JekyllKeys.to] if said is not None else None
    if said is None or where is None:
        return None
    hot, old, template = said[JekyllKeys.hot], said[JekyllKeys.archive_to], said[JekyllKeys.template]
    if (hot is None) != (old is None):
        alone: Key[Any] = JekyllKeys.hot if old is None else JekyllKeys.archive_to
        other = "archive_to: site/old_post" if old is None else "hot: 3d"
        found.problem_at(said.place(alone), f"{alone.name} has no effect alone; write {other} as well")
    to, archive_to = folder / where, None if old is None else folder / old
    if to == archive_to:
        text = "archive_to is the same folder as to; write another folder such as site/old_post"
        found.problem_at(said.place(JekyllKeys.archive_to), text)
    return Jekyll(
        to=to,
        file=said[JekyllKeys.file],
        file_at=_at(said, JekyllKeys.file),
        template=None if template is None else folder / template,
        template_at=_at(said, JekyllKeys.template),
        hot=hot,
        archive_to=archive_to,
    )


def _check_hub(hub: Url, site: Site, place: Place, found: Findings) -> None:
    """Warn of a hub that can't work or is not safe. A hub on a private network is not checked."""
    if isinstance(place, Scalar) and "${" in place.raw:
        found.warn(place, "every feed shows this address, and so everybody can read the value of its variable")
    if not is_public(host_of(hub)):
        return
    if hub.startswith("http:"):
        found.warn(place, "http is not encrypted: others can answer for this hub; write https:// if it supports that")
    if not is_public(host_of(site.base_url)):
        found.warn(place, f"a hub can't fetch feeds from {site.base_url}; write their public address in site.base_url")


def _at(said: Values, key: Key[Any]) -> tuple[int, int]:
    place = said.place(key)
    return place.line, place.column


def _proxy(said: Values, found: Findings) -> Secret | None:
    proxy = said[RootKeys.proxy]
    place = said.place(RootKeys.proxy)
    if proxy is not None and isinstance(place, Scalar) and has_literal_secret(place.raw):
        found.warn(place, "a password is written out in this URL; write ${NAME}, and set NAME in the environment")
    return None if proxy is None else Secret(proxy)
