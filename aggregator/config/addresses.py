"""Reads the addresses in feeds.yaml: of sources, site, proxy, store, hosts and the port to listen on."""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from aggregator.config.findings import Unfit, quoted
from aggregator.model.output_paths import PATH
from aggregator.model.settings import BucketAddress, Secret
from aggregator.urls import BadUrl, Url, command_url, file_url, host_of, is_address, normalise, split_credentials

MAX_ADDRESS = 4096  # characters (S22)

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_FEED_SCHEME = re.compile(r"feed:(?://(?!/))?(?=https?:)|feed:", re.I)
_FILE_NAME = re.compile(r"[\w-]+(\.[\w-]+)*\.(opml|xml|rss|atom|rdf|json)", re.I)  # no host name has such an end
_HOST_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_][a-z0-9_-]{0,62})*")
_BUCKET = re.compile(
    r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/*((?:[A-Za-z0-9_][A-Za-z0-9._-]*/)*(?:[A-Za-z0-9_][A-Za-z0-9._-]*)?)/*"
)
_SECRET_PARAMETER = re.compile(r"(^|[_-])(api_?key|key|auth|token|secret|pass(word|wd)?|sid|session)$", re.I)
_DATABASE = re.compile(r"[^/?\s]*/[^/?\s]+(?:\?\S*)?$")  # of a PostgreSQL URL, after ://
_USERINFO = re.compile(r"//([^/?#\s]*)@")
_LONG_USER = 16  # characters: a user name this long without a password is probably a token
_LONG = 8  # characters: a value this long of a parameter in _SECRET_PARAMETER is probably a secret

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Address:
    """Address of a source: a URL, or a local file."""

    url: Url  # without credentials
    auth: tuple[str, Secret] | None = None
    path: Path | None = None  # of a local file


def web_address(text: str, raw: str) -> Address:
    """Read the address of a source (S2, P85, R52).

    Args:
        text: the address.
        raw: the address as written; messages show this text, so that they never show the value of a variable.

    Raises:
        Unfit: the text is not an http or https URL. The caller puts the quoted text before the message.
    """
    if text.startswith("url:"):  # `url:https://…` without a blank is a text in YAML, not a key with a value
        raise Unfit("has no blank after url:; write url: https://host/path")
    text = _unfeed(text)
    if not _SCHEME.match(text) or re.match(r"[\w.-]+:[0-9]+(/|$)", text):
        raise Unfit(f"does not begin with http:// or https://; write {_guessed(raw)}")
    try:
        url, auth = split_credentials(normalise(text))
    except BadUrl as error:
        advice = "kind: file beside it, and a path" if text.startswith("file:") else _as_web(raw)
        if re.match(r"https?://[^\s/]+\.\S+\s+\S", text):  # newsboat writes tags behind the address
            advice = "the address alone, and the text after it as category: or title:"
        raise Unfit(f"is not the address of a source: it {error}; write {advice}") from error
    return Address(url, (auth[0], Secret(auth[1])) if auth else None)


def read_as(text: str) -> str | None:
    """Return the http or https address that a `feed:` address means; None if the text is not a `feed:` address."""
    return _unfeed(text) if _FEED_SCHEME.match(text) else None


def _unfeed(text: str) -> str:
    """Return `feed://host/…` and `feed:https://host/…` as web addresses: feed readers register these schemes (S2)."""
    match = _FEED_SCHEME.match(text)
    if match is None:
        return text
    rest = text[match.end() :]
    return rest if re.match(r"https?:", rest, re.I) else "http://" + rest.lstrip("/")


def _as_web(raw: str) -> str:
    """Return the text to write for an address of another scheme; `rss:`, `pcast:` and the like mean https."""
    match = re.match(r"(?:rss|pcast|itpc|podcast|itms|itmss|webcal|feeds|atom)://(\S+)$", raw, re.I)
    return quoted(f"https://{match[1]}") if match and "${" not in raw else "https://host/path"


def _guessed(text: str) -> str:
    if _FILE_NAME.fullmatch(text) and "${" not in text and len(text) <= 200:
        kind = "opml" if text.lower().endswith(".opml") else "file"
        return f"{{kind: {kind}, url: {text}}} for a file beside feeds.yaml, or https://host/{text}"
    looks_like_host = re.match(r"[\w-]+(\.[\w-]+)+(:[0-9]+)?(/\S*)?$", text)
    if looks_like_host and "${" not in text and len(text) <= 200:
        return f"https://{text}"
    return "https://host/path, or kind: file beside the path of a file"


def is_path(text: str) -> bool:
    """Report whether the address of a `kind: opml` source is a path or a file: URL, not an address on the web."""
    text = text.strip()
    return text.lower().startswith("file://") or not (_SCHEME.match(text) or text.startswith("url:"))


def file_address(text: str, folder: Path) -> Address:
    """Read the path of a local source (`kind: file`, `opml`), which must be below the folder of feeds.yaml (S2).

    Args:
        text: path relative to `folder`, or a file: URL.
        folder: folder of feeds.yaml, symlinks resolved.

    Raises:
        Unfit: the path, symlinks resolved, is outside `folder`, or the text is an address on the web.
    """
    text = text.strip()
    if text.startswith("file://"):
        text = text.removeprefix("file://")
    elif re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", text):
        raise Unfit("is not the path of a file; write one below the folder of feeds.yaml, or remove kind: file")
    try:
        path = (folder / text).resolve()
        inside = path.is_relative_to(folder) and path != folder
    except (OSError, RuntimeError, ValueError) as error:  # for example a loop of symlinks, or a NUL character
        raise Unfit(f"is not a path: {type(error).__name__}; write one below the folder of feeds.yaml") from error
    if not inside:
        raise Unfit(
            "is outside the folder of feeds.yaml; copy the file into that folder and write the path of the copy"
        )
    return Address(file_url(path), path=path)


def command_address(path: Path, arguments: Sequence[str]) -> Address:
    """Return the address of a program as a source."""
    return Address(command_url(path, arguments), path=path)


def program_path(text: str, folder: Path) -> Path:
    """Return the absolute path of an operator's program.

    Args:
        text: absolute, or relative to `folder`.
        folder: folder of feeds.yaml.

    Raises:
        Unfit: the text is no path.
    """
    if not text.strip() or "\0" in text or re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", text):
        raise Unfit("is not the path of a program; write one such as bin/lunch, from the folder of feeds.yaml")
    path = folder / text
    if not path.exists() and " " in text and (folder / text.split()[0]).exists():
        first, *rest = text.split()
        raise Unfit(f"has arguments; write {first}, and arguments: [{', '.join(rest)}]")
    return path


def has_literal_secret(raw: str) -> bool:
    """Report whether a URL, as written, contains a password or token that belongs in the environment (S54)."""
    userinfo = _USERINFO.search(raw)
    if userinfo is not None:
        user, _, password = userinfo[1].partition(":")
        secret = password or user
        if "${" not in secret and (password or len(user) >= _LONG_USER):
            return True
    for parameter in raw.partition("?")[2].partition("#")[0].split("&"):
        name, _, value = parameter.partition("=")
        if _SECRET_PARAMETER.search(name) and len(value) >= _LONG and "${" not in value:
            return True
    return False


def base_url(text: str) -> str:
    """Return `site.base_url`, an http or https URL, with a final slash."""
    try:
        url = normalise(text)
    except BadUrl as error:
        raise Unfit(f"is not a base_url: it {error}; write https://host/ or https://host/path/") from error
    parts = urlsplit(url)
    if parts.query or "@" in parts.netloc or "#" in text:
        raise Unfit("has a query, a fragment or a user; write https://host/ or https://host/path/")
    return url if url.endswith("/") else url + "/"


def hub(text: str) -> str:
    """Return `publish.hub` in normal form: an http or https URL without credentials, since feeds show it."""
    try:
        url = normalise(text)
    except BadUrl as error:
        raise Unfit(f"is not the address of a hub: it {error}; write https://host/") from error
    if "@" in urlsplit(url).netloc:
        raise Unfit("has a user name, and every feed shows this address; write https://host/")
    return url


def proxy(text: str) -> str:
    """Return `proxy` in normal form: the address of an HTTP proxy, with its credentials."""
    try:
        url = normalise(text)
    except BadUrl as error:
        raise Unfit(f"is not the address of a proxy: it {error}; write http://host:3128") from error
    parts = urlsplit(url)
    if parts.path not in ("", "/") or parts.query:
        raise Unfit("has a path or a query; write http://host:3128")
    return urlunsplit(parts._replace(path=""))


def store(text: str) -> str:
    """Check `store` and return it unchanged; the path of a file is relative to the folder of feeds.yaml."""
    scheme, _, rest = text.partition("://")
    if scheme.partition("+")[0] in ("postgresql", "postgres"):
        if scheme != "postgresql" or "#" in text or not _DATABASE.match(rest):
            raise Unfit("names no database on PostgreSQL; write postgresql://user@host/database")
    elif scheme != "sqlite" or not rest.startswith("/") or rest[1:] in ("", ":memory:") or "?" in rest or "#" in rest:
        raise Unfit("is not a store; write sqlite:/// and the path of a file, such as sqlite:///var/aggregator.db")
    return text


def store_path(store: str) -> str | None:
    """Return the path in a valid `store`; None for a database on a server."""
    return store.removeprefix("sqlite:///") if store.startswith("sqlite:") else None


def bucket(text: str) -> BucketAddress | None:
    """Return the parts of `s3://bucket/prefix`; None for any other text."""
    match = _BUCKET.fullmatch(text)
    return BucketAddress(match[1], match[2].rstrip("/")) if match and len(text) <= 1000 else None


def bind(text: str) -> str:
    """Check `serve.bind`, an IP address or host name with a port, and return it unchanged."""
    host, _, port = text.rpartition(":")
    if not (port.isascii() and port.isdigit() and int(port) <= 65535 and host):
        raise Unfit("is not an address to listen on; write host:port, such as 127.0.0.1:8080")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not is_address(bare) and not _HOST_NAME.fullmatch(bare.lower()):
        hint = f"[{host}]:{port}" if is_address(host) else "host:port, such as 127.0.0.1:8080"
        raise Unfit(f"is not an address to listen on; write {hint}")
    if ":" in bare and bare == host:
        raise Unfit(f"is not an address to listen on; write [{host}]:{port}")
    try:
        normalise(f"http://{text}/")  # this is the default base_url
    except BadUrl as error:
        raise Unfit("is not an address to listen on; write host:port, such as 127.0.0.1:8080") from error
    return text


def bind_parts(bind: str) -> tuple[str, int]:
    """Return host, without brackets, and port of a valid `serve.bind`."""
    host, _, port = bind.rpartition(":")
    return host.strip("[]"), int(port)


@dataclass(frozen=True, slots=True)
class HostName:
    """Host name or network that an entry of `hosts:` is for."""

    name: str  # lower case and IDNA, or a network in CIDR form
    network: Network | None = None


def host_name(text: str) -> HostName:
    """Read a key under `hosts:`: a host name, or an IP network. A single address is a network of one address.

    Raises:
        Unfit: the text is neither.
    """
    bare = text.strip().strip("[]") if text.count("/") == 0 else text.strip()
    try:
        network = ipaddress.ip_network(bare)
    except ValueError:
        pass
    else:
        return HostName(str(network), network)
    try:
        wide = ipaddress.ip_network(bare, strict=False)
    except ValueError:
        pass
    else:
        raise Unfit(f"has bits beyond its prefix; write {wide}")
    if text.startswith(("*.", ".")):
        raise Unfit(f"needs no star: a name includes its subdomains; write {text.lstrip('*.')}")
    if "://" in text or "@" in text or re.fullmatch(r"[^/]*:[0-9]+", text) or re.fullmatch(r"[a-z][^/]*/.*", text):
        raise Unfit("is more than a host name; write the name alone, without scheme, port or path")
    try:
        host = host_of(normalise(f"http://{bare}/"))
    except BadUrl:
        host = ""
    if not _HOST_NAME.fullmatch(host) or "/" in bare or is_address(host) or len(host) > 253:
        raise Unfit("is not a host name; write one such as example.org, or a network such as 10.0.0.0/8")
    return HostName(host)


def picture(text: str) -> str:
    """Return the address of a picture, or the path of one in the published folder."""
    if not PATH.fullmatch(text) and not (text.startswith(("https://", "http://")) and is_address(text)):
        raise Unfit("is neither an address nor a path; write https://host/logo.svg, or logo.svg in publish.static")
    return text
