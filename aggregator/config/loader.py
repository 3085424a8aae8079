"""feeds.yaml becomes `Settings`, or a list of all that is wrong with it (DESIGN 3.1, Errors)."""

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
from aggregator.config.hosts import hides_a_permit, host_rules
from aggregator.config.keys import JekyllKeys, PublishKeys, ServeKeys, SiteKeys
from aggregator.config.source_keys import ROOT, RootKeys
from aggregator.config.sources import Around, SourceReader
from aggregator.config.tables import Key, Values
from aggregator.config.tree import HOMES
from aggregator.errors import ConfigError, ExtraMissing, Problem
from aggregator.model.hosts import is_public
from aggregator.model.settings import Jekyll, Publish, Secret, Settings, Site
from aggregator.urls import Url, host_of, normalise

BUCKETS = "obstore"  # what the extra s3 brings
MAX_BYTES = 32 * 2**20  # of feeds.yaml (S16)


def load_config(path: Path, environ: Mapping[str, str]) -> Settings:
    """Read feeds.yaml.

    Args:
        path: of the file, as the operator named it; messages name it so.
        environ: what `${NAME}` is looked up in.

    Raises:
        ConfigError: it can't be used; with every problem of the file.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError([Problem(str(path), 1, 1, _why_unreadable(error))]) from error
    return read_config(data, path, environ)


def read_config(data: bytes, path: Path, environ: Mapping[str, str], *, was_in_force: bool = False) -> Settings:
    """Read the content of a feeds.yaml, which may be an earlier one (R51).

    Args:
        data: the file's bytes.
        path: where it stands; relative paths in it count from that folder.
        environ: what `${NAME}` is looked up in.
        was_in_force: it was accepted once, perhaps by an earlier version: what looks like a slip in it is meant by now.

    Raises:
        ConfigError: it can't be used; with every problem of the file.
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
        return "there is no such file; write it, or name another with -c"
    if isinstance(error, IsADirectoryError):
        return "this is a folder; write the path of a file"
    return f"it can't be read: {error.strerror}; let this user read it"


def _settings(root: Node, path: Path, found: Findings) -> Settings | None:
    try:
        said = ROOT.read(root, found)
    except Unfit as unfit:
        found.problem_at(root, _other_format(root) or str(unfit))
        return None
    publish = _publish(said[RootKeys.publish], path.parent, found)
    rules = host_rules(said[RootKeys.hosts], found)
    around = Around(
        folder=path.parent,
        defaults=said[RootKeys.defaults],
        zone=said[RootKeys.site][SiteKeys.timezone],
        rules=rules,
        has_all_rules=not (isinstance(root, MapNode) and root.cut)
        and not hides_a_permit(said.place(RootKeys.hosts), said[RootKeys.hosts]),
    )
    reader = SourceReader(around, found)
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
            found.problem_at(place, "publish.to is a bucket; write in site.base_url where readers find it")
    elif database.is_relative_to(publish.to):
        found.warn(said.place(RootKeys.store), "the store lies in publish.to, for all to read; write another path")
    if publish.static is not None:
        place = said[RootKeys.publish].place(PublishKeys.static)
        private = [path, database, *([publish.to] if isinstance(publish.to, Path) else [])]
        read_static(publish.static, place, publish.aliases, private, found)
    site = _site(said[RootKeys.site], said[RootKeys.serve])
    if publish.hub is not None:
        _look_at_hub(publish.hub, site, said[RootKeys.publish].place(PublishKeys.hub), found)
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
    """Return what to do with a file of another reader that was given in place of feeds.yaml; None: it is none."""
    if isinstance(root, Scalar) and root.raw.startswith("<"):
        return "this is XML, not YAML; write sources: and a list of addresses; of OPML see docs/opml.md"
    if isinstance(root, Scalar) and re.match(r"https?://", root.raw):
        return "addresses alone are not a mapping; write sources: and below it a line with - for each address"
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
        found.problem_at(said.place(alone), f"{alone.name} does nothing alone; write {other} beside it")
    to, archive_to = folder / where, None if old is None else folder / old
    if to == archive_to:
        text = "archive_to is the folder of the new posts; write another one such as site/old_post"
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


def _look_at_hub(hub: Url, site: Site, place: Place, found: Findings) -> None:
    """Warn of a hub that works otherwise than one may think; one on the operator's own network is their business."""
    if isinstance(place, Scalar) and "${" in place.raw:
        found.warn(place, "this address stands in every feed, for all to read, and with it what the variable holds")
    if not is_public(host_of(hub)):
        return
    if hub.startswith("http:"):
        found.warn(place, "whoever is on the way to this hub can speak for it; write https:// if it has that")
    if not is_public(host_of(site.base_url)):
        found.warn(
            place, f"no hub can fetch feeds from {site.base_url}; write in site.base_url where the world sees them"
        )


def _at(said: Values, key: Key[Any]) -> tuple[int, int]:
    place = said.place(key)
    return place.line, place.column


def _proxy(said: Values, found: Findings) -> Secret | None:
    proxy = said[RootKeys.proxy]
    place = said.place(RootKeys.proxy)
    if proxy is not None and isinstance(place, Scalar) and has_literal_secret(place.raw):
        found.warn(place, "a password is written out in this URL; write ${NAME}, and set NAME in the environment")
    return None if proxy is None else Secret(proxy)
