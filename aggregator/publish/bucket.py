"""Outputs as objects of an S3 service, with the headers that a web server would add (A70, A75, A76).

An object has one representation: with `publish.gzip` it is stored packed, as `Content-Encoding: gzip` says. The
digest of the plain bytes is its metadata: with it we compare an object without reading it, and recognise our own.
Every put is whole or nothing. Credentials and endpoint come from the environment (`AWS_…`), where obstore
looks for them.
"""

import hashlib
import logging
import os
import re
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from aggregator.errors import ExtraMissing, PublishError
from aggregator.model.settings import BucketAddress
from aggregator.publish.atomic_file import packed, segments_of
from aggregator.publish.destination import parallel_map
from aggregator.render.mark import HEAD_BYTES, bears_mark
from aggregator.render.media_types import STYLED_FEED, Role, cache_control, is_styled, media_of

try:
    import obstore
    from obstore import exceptions
    from obstore.store import S3Store
except ModuleNotFoundError as error:
    raise PublishError("publish.to", str(ExtraMissing("a bucket", "s3"))) from error

log = logging.getLogger(__name__)

DIGEST = "aggregator-sha256"  # metadata; on the wire x-amz-meta-aggregator-sha256
REQUEST_SECONDS, CONNECT_SECONDS = 8, 4
RETRIES, RETRY_SECONDS = 3, 5.0
MAX_PARALLEL = 8  # requests at once: a service far away then costs an eighth, and none calls that a flood
REST_SECONDS = 10.0  # without a try, once the service can't be reached: a stop has ten seconds for everything (R54)

_ENDPOINT = re.compile(r"https?://[A-Za-z0-9._-]+(:[0-9]{1,5})?(/[A-Za-z0-9._/-]*)?")
_CODE = re.compile(r"<Code>(\w{1,60})</Code>")
_STATUS = re.compile(r"non-2xx status code: (\d{3})")
_ADVICE = {
    "NoSuchBucket": "there is no such bucket: make it, or mend publish.to",
    "InvalidAccessKeyId": "the access key is unknown: mend AWS_ACCESS_KEY_ID",
    "SignatureDoesNotMatch": "the secret key is wrong: mend AWS_SECRET_ACCESS_KEY, and AWS_REGION",
    "AccessDenied": "access denied: let our key list the bucket, and get, put and delete objects",
    "ExpiredToken": "the session has ended: set AWS_SESSION_TOKEN and the keys anew",
    "RequestTimeTooSkewed": "this machine's clock is wrong: set it",
    "AuthorizationHeaderMalformed": "the bucket is in another region: set AWS_REGION",
    "PermanentRedirect": "the bucket is in another region: set AWS_REGION, or AWS_ENDPOINT_URL",
}
_REFUSED = "the service refuses our key: see AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and the key's rights"
_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
_MACHINE = "169.254.169.254"  # where a cloud's machine asks for a key of its own
_NO_KEY = "there is no key: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
_UNREACHABLE = "the service can't be reached; see AWS_ENDPOINT_URL, AWS_REGION and the network"


class Bucket:
    """A bucket, or the objects below a prefix of it. Threads may share it."""

    max_parallel = MAX_PARALLEL

    def __init__(self, address: BucketAddress) -> None:
        """Open the bucket, and list one object to see whether we have access.

        Raises:
            PublishError: the bucket does not exist, or the key has no right to it. A service that can't be reached is
                no error: the network comes back (R32).
        """
        self._address = address
        self._rest_until = 0.0
        endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
        if endpoint and not _ENDPOINT.fullmatch(endpoint):  # obstore would panic
            raise PublishError(str(address), "AWS_ENDPOINT_URL is no address; write https://host, or https://host:port")
        for named, other in (_KEYS, _KEYS[::-1]):  # obstore would end with an error of its own
            if named in os.environ and not os.environ.get(other):
                raise PublishError(str(address), f"{other} is missing or empty: set both it and {named}, or neither")
        self._store = S3Store(
            address.name,
            prefix=address.prefix or None,
            config={"disable_bulk_delete": True},  # one object at a time, which every service knows
            client_options={
                "allow_http": (endpoint or "").startswith("http://"),
                "timeout": f"{REQUEST_SECONDS}s",
                "connect_timeout": f"{CONNECT_SECONDS}s",
            },
            retry_config={
                "max_retries": RETRIES,
                "retry_timeout": timedelta(seconds=RETRY_SECONDS),
                "backoff": {
                    "init_backoff": timedelta(milliseconds=100),
                    "max_backoff": timedelta(seconds=2),
                    "base": 2,
                },
            },
        )
        try:
            with self._failing(str(address)):
                next(iter(obstore.list(self._store, chunk_size=1)), None)
        except Unreachable as error:
            log.warning("open_bucket", extra={"error": str(error), "advice": "it is tried again with each output"})
            self._rest_until = 0.0  # the first output asks again, and says so

    def where(self) -> str:
        """Return the bucket's address."""
        return str(self._address)

    def named(self, path: str) -> str:
        """Return the address of an object."""
        return f"{self._address}/{path}"

    def replace(
        self,
        path: str,
        data: bytes,
        *,
        gzip: bool,
        max_age: int = 300,
        durable: bool = True,
        like: str | None = None,
    ) -> bool:
        """Put an object in place, unless it stands there already with these bytes and headers."""
        segments_of(path)
        digest = hashlib.sha256(data).hexdigest()
        media_type, role = media_of(path, like)
        wanted = {
            "Content-Type": STYLED_FEED if role is Role.FEED and like is None and is_styled(data) else media_type,
            "Cache-Control": cache_control(max_age),
            **({"Content-Encoding": "gzip"} if gzip else {}),
            DIGEST: digest,
        }
        with self._failing(path):
            stands = self._attributes(path)
            if stands is not None and {name: stands.get(name) for name in (*wanted, "Content-Encoding")} == {
                "Content-Encoding": None,
                **wanted,
            }:
                return False
            body = packed(data) if gzip else data
            attributes: Any = wanted
            obstore.put(self._store, path, body, attributes=attributes, use_multipart=False)
        return stands is None or stands.get(DIGEST) != digest

    def sync_folders(self) -> None:
        """Do nothing: an object that was put is durable."""

    def remove(self, path: str) -> bool:
        """Remove an object of ours; one without a digest was put there by somebody else since, and stays."""
        with self._failing(path):
            stands = self._attributes(path)
            if stands is None or DIGEST not in stands:
                return False
            obstore.delete(self._store, path)
            return True

    def stranger(self, path: str) -> bool | None:
        """Return whose object is at a path that the store does not list; see `Destination.stranger`."""
        with self._failing(path):
            stands = self._attributes(path)
            if stands is None or DIGEST in stands:
                return None if stands is None else True
            head = b""
            for chunk in obstore.get(self._store, path).stream(min_chunk_size=HEAD_BYTES):
                head = bytes(chunk)[:HEAD_BYTES]
                break
            return bears_mark(head)

    def below(self, folder: str) -> Iterator[str]:
        """Return the paths of all objects below a folder."""
        with self._failing(folder):
            for chunk in obstore.list(self._store, prefix=f"{folder}/"):
                yield from (str(found["path"]) for found in chunk)

    def read(self, path: str, limit_bytes: int) -> bytes:
        """Read an object, unpacked if it is kept packed."""
        with self._failing(path):
            try:
                found: Any = obstore.get(self._store, path)
            except FileNotFoundError as error:
                raise PublishError(path, "there is no such object") from error
            data, attributes = bytes(found.bytes()), dict(found.attributes)
        try:
            is_packed = attributes.get("Content-Encoding") == "gzip"
            plain = zlib.decompressobj(wbits=31).decompress(data, limit_bytes + 1) if is_packed else data
        except zlib.error as error:
            raise PublishError(path, "is not packed as it says; somebody else has changed it") from error
        if len(plain) > limit_bytes:
            raise PublishError(path, f"has over {limit_bytes // 2**20} MiB")
        return plain

    def missing(self, names: Iterable[str]) -> set[str]:
        """Return those names at which no object of ours stands."""
        return {name for name in names if self.digest(name) is None}

    def digest(self, path: str) -> str | None:
        """Return the digest in an object's metadata."""
        with self._failing(path):
            stands = self._attributes(path)
            return None if stands is None else stands.get(DIGEST)

    def digests(self, paths: Iterable[str]) -> dict[str, str | None]:
        """Return the digests of objects by path; None also where the service refuses to say."""
        found = parallel_map(self.digest, paths, self.max_parallel)
        return {path: None if isinstance(digest, PublishError) else digest for path, digest in found}

    def sweep(self) -> int:
        """Do nothing: an interrupted put leaves nothing."""
        return 0

    def _attributes(self, path: str) -> dict[str, str] | None:
        """Return an object's headers and metadata; None if there is no object."""
        try:
            found: Any = obstore.get(self._store, path, options={"head": True}).attributes
        except FileNotFoundError:
            return None
        return dict(found)

    @contextmanager
    def _failing(self, output: str) -> Iterator[None]:
        """Turn errors into PublishError with advice. The text of obstore may hold secrets and is never shown (S44)."""
        if time.monotonic() < self._rest_until:
            raise Unreachable(output)
        try:
            yield
        except (exceptions.BaseError, OSError, ValueError) as error:
            said = str(error)
            code, status = _CODE.search(said), _STATUS.search(said)
            if code and code[1] in _ADVICE:
                raise PublishError(output, _ADVICE[code[1]]) from error
            if _MACHINE in said:
                raise PublishError(output, _NO_KEY) from error
            if status and status[1] in ("401", "403"):
                raise PublishError(output, _REFUSED) from error
            if code or status:
                facts = " ".join(match[1] for match in (status, code) if match)
                raise PublishError(output, f"the service answered {facts}; it is tried again") from error
            if "HTTP error" not in said:
                raise PublishError(output, "the service's answer can't be read: see AWS_ENDPOINT_URL") from error
            self._rest_until = time.monotonic() + REST_SECONDS
            raise Unreachable(output) from error


class Unreachable(PublishError):
    """The service does not answer."""

    def __init__(self, output: str) -> None:
        super().__init__(output, _UNREACHABLE)
