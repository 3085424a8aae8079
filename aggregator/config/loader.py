"""feeds.yaml becomes `Settings`, or a list of all that is wrong with it (DESIGN 3.1, Errors)."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from aggregator.config.addresses import bind_parts, has_literal_secret, store_path
from aggregator.config.categories import categories_of
from aggregator.config.document import MapNode, Node, Scalar, read_document
from aggregator.config.findings import Findings, Unfit
from aggregator.config.hosts import hides_a_permit, host_rules
from aggregator.config.keys import PublishKeys, ServeKeys, SiteKeys
from aggregator.config.source_keys import ROOT, RootKeys
from aggregator.config.sources import Around, SourceReader
from aggregator.config.tables import Values
from aggregator.config.tree import HOMES
from aggregator.errors import ConfigError, Problem
from aggregator.model.settings import Publish, Secret, Settings, Site
from aggregator.urls import normalise

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


def read_config(data: bytes, path: Path, environ: Mapping[str, str]) -> Settings:
    """Read the content of a feeds.yaml, which may be an earlier one (R51).

    Args:
        data: the file's bytes.
        path: where it stands; relative paths in it count from that folder.
        environ: what `${NAME}` is looked up in.

    Raises:
        ConfigError: it can't be used; with every problem of the file.
    """
    found = Findings(str(path), environ)
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
        raise ConfigError(found.problems)
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
        found.problem_at(root, str(unfit))
        return None
    publish = _publish(said[RootKeys.publish], path.parent)
    rules = host_rules(said[RootKeys.hosts], found)
    around = Around(
        folder=path.parent,
        defaults=said[RootKeys.defaults],
        rules=rules,
        has_all_rules=not (isinstance(root, MapNode) and root.cut)
        and not hides_a_permit(said.place(RootKeys.hosts), said[RootKeys.hosts]),
    )
    reader = SourceReader(around, found)
    listed = said[RootKeys.sources]
    sources = reader.read(listed or ())
    host, port = bind_parts(said[RootKeys.serve][ServeKeys.bind])
    database = path.parent / store_path(said[RootKeys.store])
    if database.is_relative_to(publish.to):
        found.warn(said.place(RootKeys.store), "the store lies in publish.to, for all to read; write another path")
    return Settings(
        path=path,
        site=_site(said[RootKeys.site], said[RootKeys.serve]),
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


def _site(said: Values, serve: Values) -> Site:
    return Site(
        title=said[SiteKeys.title],
        base_url=normalise(said[SiteKeys.base_url] or f"http://{serve[ServeKeys.bind]}/"),
        language=said[SiteKeys.language],
        timezone=said[SiteKeys.timezone],
        contact=said[SiteKeys.contact],
    )


def _publish(said: Values, folder: Path) -> Publish:
    return Publish(
        to=folder / said[PublishKeys.to],
        formats=frozenset(said[PublishKeys.formats]),
        entries=said[PublishKeys.entries],
        archive_page=said[PublishKeys.archive_page],
        gzip=said[PublishKeys.gzip],
    )


def _proxy(said: Values, found: Findings) -> Secret | None:
    proxy = said[RootKeys.proxy]
    place = said.place(RootKeys.proxy)
    if proxy is not None and isinstance(place, Scalar) and has_literal_secret(place.raw):
        found.warn(place, "a password is written out in this URL; write ${NAME}, and set NAME in the environment")
    return None if proxy is None else Secret(proxy)
