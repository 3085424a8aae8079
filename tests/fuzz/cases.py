"""Test cases of the fuzzer, and how they are sent to the process that reads them."""

import json
from dataclasses import asdict, dataclass
from typing import IO


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A body, and the settings that decide how it is read."""

    body: bytes
    content_type: str | None = None
    encoding: str | None = None  # the operator's `encoding:`
    timezone: str = "UTC"


def write_case(case: Case, stream: IO[bytes]) -> None:
    """Write a case: one line of JSON, then the body."""
    said = asdict(case)
    said["body"] = len(case.body)
    stream.write(json.dumps(said).encode() + b"\n" + case.body)
    stream.flush()


def read_case(stream: IO[bytes]) -> Case | None:
    """Read one case; None at the end of the stream."""
    line = stream.readline()
    if not line:
        return None
    said = json.loads(line)
    return Case(**(said | {"body": stream.read(said["body"])}))
