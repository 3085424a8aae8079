"""All exceptions that we raise on purpose, by what a caller can do about them.

```
AggregatorError                base class
├── ConfigError(problems)      feeds.yaml is invalid: every problem, with its position and the text to write
├── SourceError(url)           fault of a publisher: recorded, tried again when due, never stops another source
│   ├── FetchError             no body to read; one class for each cause
│   └── ParseError             the body is not a feed, has nothing usable, or is too expensive to read (`Overran`)
├── ReadersBusy, CutShort      no fault: this time the body was not read, or the poll not decided
├── StoreError                 fault of our side: the command ends, nothing is half written; `LockHeld(by)`,
│                              `NoStore`, `DiskFailed`, `StoreAway`
├── CorrectionRefused          an operator's correction is not possible; nothing was changed
├── AddressInUse(address)      fault of our side: the server can't listen there; the command ends
├── TemplateFailed(template)   an operator's template failed; the old file stays in place
└── PublishError(output)       an output could not be written; the old file stays in place
```

Every `SourceError` has a `code` (docs/alarms.md), the only part of it that the public may see (S10, S69).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, NamedTuple

from aggregator.extras import install_command
from aggregator.urls import Url, redact


class AggregatorError(Exception):
    """Base class of our exceptions. The message is for the operator."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One problem in a file that the operator wrote."""

    file: str
    line: int  # from 1
    column: int  # from 1
    what: str  # the fault; the text to write

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.what}"


class ConfigError(AggregatorError):
    """feeds.yaml can't be used. `problems` are all problems in the order of the file.

    `warnings` are the warnings and notes of the same file, for `check`, which prints everything at once.
    """

    def __init__(self, problems: Sequence[Problem], warnings: Sequence[str] = ()) -> None:
        super().__init__(problems, warnings)
        self.problems, self.warnings = tuple(sorted(problems)), tuple(warnings)

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))


class SourceError(AggregatorError):
    """A fault on the publisher's side: recorded, tried again when due, never stops another source."""

    code: str = "internal"  # docs/alarms.md lists the codes; fixed for each class, except `BadStatus` and `Overran`

    def __init__(self, url: Url, *facts: object) -> None:
        super().__init__(url, *facts)
        self.url = url

    def _said(self, what: str) -> str:
        return f"{redact(self.url)}: {what}"


class FetchError(SourceError):
    """A fetch failed, or brought no body to read."""

    code = "http"


class NameUnknown(FetchError):
    """The host name has no address."""

    code = "dns"

    def __init__(self, url: Url, host: str) -> None:
        super().__init__(url, host)
        self.host = host

    def __str__(self) -> str:
        return self._said(f"no address found for {self.host}; check the spelling, or this machine's name server")


class ConnectFailed(FetchError):
    """No connection could be made."""

    code = "connect"

    def __init__(self, url: Url, why: str) -> None:
        super().__init__(url, why)
        self.why = why

    def __str__(self) -> str:
        return self._said(f"no connection: {self.why}")


class TlsFailed(FetchError):
    """The certificate is invalid, or the TLS handshake failed (P84)."""

    code = "tls"

    def __init__(self, url: Url, why: str) -> None:
        super().__init__(url, why)
        self.why = why

    def __str__(self) -> str:
        return self._said(f"TLS failed: {self.why}")


class TimedOut(FetchError):
    """The publisher did not answer in time (P81). Only the time of the whole poll, `WHOLE`, can be configured."""

    code = "timeout"
    WHOLE: ClassVar[str] = "complete answer"
    CONNECTION: ClassVar[str] = "connection"
    LOOKUP: ClassVar[str] = "answer from this machine's name server"
    UNCONNECTED: ClassVar[tuple[str, ...]] = (CONNECTION, LOOKUP)  # no server was reached

    def __init__(self, url: Url, phase: str, seconds: float) -> None:
        super().__init__(url, phase, seconds)
        self.phase, self.seconds = phase, seconds

    def __str__(self) -> str:
        advice = "; if this source is always slow, raise its timeout in feeds.yaml" if self.phase == self.WHOLE else ""
        return self._said(f"no {self.phase} within {self.seconds:g} s{advice}")


class ConnectionLost(FetchError):
    """The connection ended before the answer was complete."""

    code = "reset"

    def __init__(self, url: Url, why: str) -> None:
        super().__init__(url, why)
        self.why = why

    def __str__(self) -> str:
        return self._said(f"the connection broke: {self.why}")


class BadRedirect(FetchError):
    """A redirect can't or must not be followed (P25, P42 to P44)."""

    code = "redirect"

    def __init__(self, url: Url, why: str) -> None:
        super().__init__(url, why)
        self.why = why

    def __str__(self) -> str:
        return self._said(f"redirect not followed: {self.why}")


class AddressRefused(FetchError):
    """The address must not be fetched (S2 to S8). `rule` names the rule, and how to allow the address."""

    code = "refused"

    def __init__(self, url: Url, rule: str) -> None:
        super().__init__(url, rule)
        self.rule = rule

    def __str__(self) -> str:
        return self._said(f"refused: {self.rule}")


class BadStatus(FetchError):
    """The HTTP status is not a success (P26 to P35)."""

    CODES: ClassVar[dict[int, str]] = {
        401: "auth",
        407: "auth",
        403: "forbidden",
        404: "not_found",
        410: "gone",
        429: "rate_limited",
    }

    def __init__(self, url: Url, status: int, retry_after: timedelta | None = None, *, challenge: bool = False) -> None:
        super().__init__(url, status, retry_after)
        self.status, self.retry_after, self.challenge = status, retry_after, challenge
        self.code = "challenge" if challenge else self.CODES.get(status, "http")

    def __str__(self) -> str:
        if self.challenge:
            return self._said(
                f"HTTP {self.status}: a bot challenge instead of the feed; ask the publisher to let feed readers pass"
            )
        wait = f"; asked to wait {self.retry_after.total_seconds():.0f} s" if self.retry_after else ""
        return self._said(f"HTTP {self.status}{wait}")


class BodyTooLarge(FetchError):
    """The body, or the headers, exceed a limit (P82, S21)."""

    code = "too_large"

    def __init__(self, url: Url, what: str, limit_bytes: int) -> None:
        super().__init__(url, what, limit_bytes)
        self.what, self.limit_bytes = what, limit_bytes

    def __str__(self) -> str:
        return self._said(f"{self.what}: over the limit of {self.limit_bytes:,} bytes")


class EmptyBody(FetchError):
    """The answer is a success without a body (P33)."""

    code = "empty"

    def __str__(self) -> str:
        return self._said("the answer has no body")


class BodyCut(FetchError):
    """The body has fewer bytes than announced, or its compressed stream ends early (P83)."""

    code = "short"

    def __init__(self, url: Url, why: str) -> None:
        super().__init__(url, why)
        self.why = why

    def __str__(self) -> str:
        return self._said(f"the body is incomplete: {self.why}")


class ProtocolFault(FetchError):
    """The answer is not valid HTTP, or does not fit the request (P15, P22, S21, S22)."""

    code = "http"

    def __init__(self, url: Url, why: str) -> None:
        super().__init__(url, why)
        self.why = why

    def __str__(self) -> str:
        return self._said(self.why)


class FileUnreadable(FetchError):
    """The file of a `kind: file` source can't be read."""

    code = "not_found"

    def __init__(self, url: Url, why: str) -> None:
        super().__init__(url, why)
        self.why = why

    def __str__(self) -> str:
        return self._said(self.why)


class ProgramFailed(FetchError):
    """A program of the operator, a command or a hook, ended with a fault, or its answer can't be used."""

    code = "program"

    def __init__(self, url: Url, why: str) -> None:
        super().__init__(url, why)
        self.why = why

    def __str__(self) -> str:
        return self._said(self.why)


class RobotsRefused(FetchError):
    """The robots.txt of the site disallows the page (P89)."""

    code = "forbidden"

    def __str__(self) -> str:
        return self._said('its robots.txt disallows this page; ask the publisher, and write robots: "their reason"')


class ParseError(SourceError):
    """The body can't be read as a feed."""

    code = "unreadable"

    def __init__(self, url: Url, why: str, line: int | None = None) -> None:
        super().__init__(url, why, line)
        self.why, self.line = why, line

    def __str__(self) -> str:
        return self._said(self.why + (f" (line {self.line})" if self.line else ""))


class NamedFeed(NamedTuple):
    """A feed that a page links to. A tuple, because it is sent between processes as JSON."""

    url: Url
    title: str = ""
    format: str = ""  # atom, rss, rdf, json; empty if the page does not declare it


NAMES_ONE = "it names one feed: "  # text before the address in the message of `NotAFeed`


class NotAFeed(ParseError):
    """The body is not a feed, but a web page, an error of an API, a maintenance note and so on (I14)."""

    code = "not_a_feed"

    def __init__(
        self, url: Url, why: str, shown: str = "", feeds: Sequence[Sequence[str]] = (), is_page: bool = False
    ) -> None:
        SourceError.__init__(self, url, why, shown, tuple(feeds), is_page)
        self.why, self.line = why, None
        self.is_page = is_page  # the body is a web page
        self.shown = shown  # first characters of the body; for the operator only (S10)
        # Feeds that the page links to: advice for the operator, never fetched automatically (P91).
        self.feeds = tuple(NamedFeed(Url(url), *more) for url, *more in feeds)

    def __str__(self) -> str:
        hint = ""
        if len(self.feeds) == 1:
            hint = f"; {NAMES_ONE}{self.feeds[0].url}"
        elif self.feeds:
            hint = f"; it names {len(self.feeds)} feeds"
        return self._said(self.why + hint + (f"; it begins: {self.shown}" if self.shown else ""))


class CutOff(ParseError):
    """The document is truncated before its first entry ends (I13)."""

    code = "short"

    def __init__(self, url: Url) -> None:
        SourceError.__init__(self, url)
        self.why, self.line = "the document is truncated before its first entry ends", None


class Overran(ParseError):
    """Reading the body took too much time or memory, or ended the reading process (S15)."""

    def __init__(self, url: Url, why: str, *, code: str = "unreadable") -> None:
        super().__init__(url, why)
        self.code = code


class ReadersBusy(AggregatorError):
    """A large body was not read, because all reading processes were busy; not a fault of the source (S15, L5)."""

    def __init__(self, processes: int, seconds: float) -> None:
        super().__init__(processes, seconds)
        self.processes, self.seconds = processes, seconds

    def __str__(self) -> str:
        return f"not read: all {self.processes} processes for large bodies were busy for {self.seconds:g} s"


class CutShort(AggregatorError):
    """The program stops before a poll was read or decided completely (R54)."""


class StoreError(AggregatorError):
    """Our store can't be used. Nothing is half written."""


class DiskFailed(StoreError):
    """The disk of the store is full, broken or read-only; the data to store is not at fault (R7)."""


class StoreAway(DiskFailed):
    """The database server of the store is stopped, is starting or can't be reached; it may come back."""


class NoStore(StoreError):
    """There is no store yet, because nothing was polled."""


class LockHeld(StoreError):
    """Another process has the lock of the store (R27)."""

    def __init__(self, by: str) -> None:
        super().__init__(by)
        self.by = by

    def __str__(self) -> str:
        return f"another process uses this store: {self.by}"


class CorrectionRefused(AggregatorError):
    """An operator's correction is not possible; the message has the reason, and what to do instead."""


class AddressInUse(AggregatorError):
    """The server can't listen on its address; the command ends with exit code 3."""

    def __init__(self, address: str, why: str) -> None:
        super().__init__(address, why)
        self.address, self.why = address, why

    def __str__(self) -> str:
        return f"can't serve on {self.address}: {self.why}; free it, or choose another address in serve.bind"


class ExtraMissing(AggregatorError):
    """A feature needs an extra that is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(what, extra)
        self.what, self.extra = what, extra

    def __str__(self) -> str:
        return f"{self.what} needs the extra {self.extra}; install it: {install_command(self.extra)}"


class PublishError(AggregatorError):
    """An output could not be written. The old file stays in place."""

    def __init__(self, output: str, why: str) -> None:
        super().__init__(output, why)
        self.output, self.why = output, why

    def __str__(self) -> str:
        return f"{self.output}: {self.why}"


class StateLost(AggregatorError):
    """The output folder has files of this program, but the store is new; nothing was polled, stored or published."""

    def __init__(self, path: str, options: str, site: str) -> None:
        super().__init__(path, options, site)
        self.path, self.options, self.site = path, options, site

    def __str__(self) -> str:
        return (
            f"{self.path} was published by an aggregator whose state is lost; nothing was polled. "
            f"`aggregator {self.options} restore --from-site {self.site}` brings it back from the published files, "
            f"`aggregator {self.options} restore FILE` from a backup, "
            f"`aggregator {self.options} publish --take-over` starts with an empty state and replaces it"
        )


class TemplateFailed(AggregatorError):
    """An operator's template failed for a story. The file that was rendered before stays in place."""

    def __init__(self, template: str, line: int, why: str) -> None:
        super().__init__(template, line, why)
        self.template, self.line, self.why = template, line, why

    def __str__(self) -> str:
        return f"{self.template}:{self.line}: {self.why}"


class StrangerInTheWay(PublishError):
    """A file that is not in our list of files has the path of an output; the command ends."""

    def __init__(self, output: str, path: str, *, ours: bool) -> None:
        told = "exists and is not in this store; " + (
            "it was published by an aggregator whose state is lost: "
            "`restore --from-site` brings it back from the published files, `restore FILE` from a backup, "
            "`publish --take-over` starts with an empty state and replaces it"
            if ours
            else "this program did not write it: move it away, or write another folder in publish.to"
        )
        super().__init__(output, f"{path} {told}")
        self.path, self.ours = path, ours
        self.told = told  # the message without the path
        self.changed: tuple[str, ...] = ()  # outputs that were written; only those of the same category are not
