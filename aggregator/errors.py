"""What can go wrong, sorted by what a caller can do about it (STYLE, section 4).

```
AggregatorError                everything we raise on purpose
├── ConfigError(problems)      all of them, each with its place and what to write instead
├── SourceError(url)           their side: recorded, tried again when due, never stops another source
│   ├── FetchError             one class for each thing that happens on the way
│   └── ParseError             not a feed, or nothing usable in it, or `Overran`: too dear to read
├── ReadersBusy, CutShort      nobody's fault: the body was not read, or not decided, this time
├── StoreError                 our side: the command ends, nothing half written; `LockHeld(by)`, `NoStore`,
│                              `DiskFailed`
├── CorrectionRefused      what an operator asked for makes no sense as things stand; nothing was changed
├── AddressInUse(address)      our side: nobody can be served there; the command ends
├── TemplateFailed(template)   an operator's template can't be filled in; the old file stays in place
└── PublishError(output)       the old file stays in place
```

Every `SourceError` has a `code` of DESIGN 3.2, the only part of it that strangers may see (S10, S69).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, NamedTuple

from aggregator.extras import install_command
from aggregator.urls import Url, redact


class AggregatorError(Exception):
    """Everything we raise on purpose. Its text is for the operator."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong in a file that the operator wrote."""

    file: str
    line: int  # from 1
    column: int  # from 1
    what: str  # what is wrong; what to write

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.what}"


class ConfigError(AggregatorError):
    """feeds.yaml can't be used; `problems` names everything that is wrong in it, in the order of the file.

    `warnings` are what else there is to say of it, for `check`, which says all at once.
    """

    def __init__(self, problems: Sequence[Problem], warnings: Sequence[str] = ()) -> None:
        super().__init__(problems, warnings)
        self.problems, self.warnings = tuple(sorted(problems)), tuple(warnings)

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))


class SourceError(AggregatorError):
    """Something on the publisher's side: recorded, tried again when due, and never the end of another source."""

    code: str = "internal"  # of DESIGN 3.2: one for a class, but for `BadStatus`

    def __init__(self, url: Url, *facts: object) -> None:
        super().__init__(url, *facts)
        self.url = url

    def _said(self, what: str) -> str:
        return f"{redact(self.url)}: {what}"


class FetchError(SourceError):
    """A fetch that gave no body to read."""

    code = "http"


class NameUnknown(FetchError):
    """The host's name leads to no address."""

    code = "dns"

    def __init__(self, url: Url, host: str) -> None:
        super().__init__(url, host)
        self.host = host

    def __str__(self) -> str:
        return self._said(f"no address found for {self.host}; check the spelling, or this machine's name server")


class ConnectFailed(FetchError):
    """No connection came about."""

    code = "connect"

    def __init__(self, url: Url, why: str) -> None:
        super().__init__(url, why)
        self.why = why

    def __str__(self) -> str:
        return self._said(f"no connection: {self.why}")


class TlsFailed(FetchError):
    """The certificate or the handshake is no good (P84)."""

    code = "tls"

    def __init__(self, url: Url, why: str) -> None:
        super().__init__(url, why)
        self.why = why

    def __str__(self) -> str:
        return self._said(f"TLS failed: {self.why}")


class TimedOut(FetchError):
    """The publisher didn't answer in time (P81). Only the whole poll's time, `WHOLE`, is a setting."""

    code = "timeout"
    WHOLE: ClassVar[str] = "complete answer"
    CONNECTION: ClassVar[str] = "connection"
    LOOKUP: ClassVar[str] = "answer from this machine's name server"
    UNCONNECTED: ClassVar[tuple[str, ...]] = (CONNECTION, LOOKUP)  # nobody was reached

    def __init__(self, url: Url, phase: str, seconds: float) -> None:
        super().__init__(url, phase, seconds)
        self.phase, self.seconds = phase, seconds

    def __str__(self) -> str:
        advice = "; if it is slow by nature, raise its timeout in feeds.yaml" if self.phase == self.WHOLE else ""
        return self._said(f"no {self.phase} within {self.seconds:g} s{advice}")


class ConnectionLost(FetchError):
    """The connection ended in the middle of the answer."""

    code = "reset"

    def __init__(self, url: Url, why: str) -> None:
        super().__init__(url, why)
        self.why = why

    def __str__(self) -> str:
        return self._said(f"the connection broke: {self.why}")


class BadRedirect(FetchError):
    """A redirect that can't or mustn't be followed (P25, P42 to P44)."""

    code = "redirect"

    def __init__(self, url: Url, why: str) -> None:
        super().__init__(url, why)
        self.why = why

    def __str__(self) -> str:
        return self._said(f"redirect not followed: {self.why}")


class AddressRefused(FetchError):
    """The address is one that fetching must not reach (S2 to S8); the rule says what to do if it should."""

    code = "refused"

    def __init__(self, url: Url, rule: str) -> None:
        super().__init__(url, rule)
        self.rule = rule

    def __str__(self) -> str:
        return self._said(f"refused: {self.rule}")


class BadStatus(FetchError):
    """An HTTP status that is no success (P26 to P35)."""

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
    """A body over the limits of P82 or S21."""

    code = "too_large"

    def __init__(self, url: Url, what: str, limit_bytes: int) -> None:
        super().__init__(url, what, limit_bytes)
        self.what, self.limit_bytes = what, limit_bytes

    def __str__(self) -> str:
        return self._said(f"{self.what}: over the limit of {self.limit_bytes:,} bytes")


class EmptyBody(FetchError):
    """A success without a body (P33)."""

    code = "empty"

    def __str__(self) -> str:
        return self._said("the answer has no body")


class BodyCut(FetchError):
    """Fewer bytes than promised, or a compressed stream that ends early (P83)."""

    code = "short"

    def __init__(self, url: Url, why: str) -> None:
        super().__init__(url, why)
        self.why = why

    def __str__(self) -> str:
        return self._said(f"the body is not whole: {self.why}")


class ProtocolFault(FetchError):
    """An answer that makes no sense as HTTP, or for what we asked (P15, P22, S21, S22)."""

    code = "http"

    def __init__(self, url: Url, why: str) -> None:
        super().__init__(url, why)
        self.why = why

    def __str__(self) -> str:
        return self._said(self.why)


class FileUnreadable(FetchError):
    """A `kind: file` source whose file can't be read."""

    code = "not_found"

    def __init__(self, url: Url, why: str) -> None:
        super().__init__(url, why)
        self.why = why

    def __str__(self) -> str:
        return self._said(self.why)


class RobotsRefused(FetchError):
    """A site's robots.txt asks crawlers to leave a page alone (P89)."""

    code = "forbidden"

    def __str__(self) -> str:
        return self._said(
            'its robots.txt asks crawlers to leave this page alone; ask the publisher, and write robots: "their reason"'
        )


class ParseError(SourceError):
    """A body that can't be read as a feed: broken beyond use."""

    code = "unreadable"

    def __init__(self, url: Url, why: str, line: int | None = None) -> None:
        super().__init__(url, why, line)
        self.why, self.line = why, line

    def __str__(self) -> str:
        return self._said(self.why + (f" (line {self.line})" if self.line else ""))


class NamedFeed(NamedTuple):
    """A feed that a page names. A tuple, since it crosses from one process to another as JSON."""

    url: Url
    title: str = ""
    format: str = ""  # atom, rss, rdf, json; empty if the page doesn't say


NAMES_ONE = "it names one feed: "  # before its address, in the text of a NotAFeed


class NotAFeed(ParseError):
    """Something else than a feed: a web page, an API's error, a maintenance note (I14)."""

    code = "not_a_feed"

    def __init__(
        self, url: Url, why: str, shown: str = "", feeds: Sequence[Sequence[str]] = (), is_page: bool = False
    ) -> None:
        SourceError.__init__(self, url, why, shown, tuple(feeds), is_page)
        self.why, self.line = why, None
        self.is_page = is_page  # a web page, whatever is on it
        self.shown = shown  # how the body begins; for the operator only (S10)
        # That a page names: a hint, never followed by itself (P91).
        self.feeds = tuple(NamedFeed(Url(url), *more) for url, *more in feeds)

    def __str__(self) -> str:
        hint = ""
        if len(self.feeds) == 1:
            hint = f"; {NAMES_ONE}{self.feeds[0].url}"
        elif self.feeds:
            hint = f"; it names {len(self.feeds)} feeds"
        return self._said(self.why + hint + (f"; it begins: {self.shown}" if self.shown else ""))


class CutOff(ParseError):
    """A document whose end is missing, before anything in it was whole (I13)."""

    code = "short"

    def __init__(self, url: Url) -> None:
        SourceError.__init__(self, url)
        self.why, self.line = "the document is cut off before its first entry ends", None


class Overran(ParseError):
    """A body that took more to be read than a source may take, or ended the process that read it (S15)."""

    def __init__(self, url: Url, why: str, *, code: str = "unreadable") -> None:
        super().__init__(url, why)
        self.code = code


class ReadersBusy(AggregatorError):
    """A body was not read, for every process that may read such a one is busy; nobody's fault (S15, L5)."""

    def __init__(self, processes: int, seconds: float) -> None:
        super().__init__(processes, seconds)
        self.processes, self.seconds = processes, seconds

    def __str__(self) -> str:
        return f"not read: all {self.processes} processes for large bodies were busy for {self.seconds:g} s"


class CutShort(AggregatorError):
    """Raised when the program stops before a poll was read or decided to the end (R54)."""


class StoreError(AggregatorError):
    """Our store can't be used; nothing was half written."""


class DiskFailed(StoreError):
    """The disk under our store is full, fails, or can't be written: no fault of what was to be stored (R7)."""


class NoStore(StoreError):
    """Nothing was polled yet, so there is no store to be read."""


class LockHeld(StoreError):
    """Another process holds the store (R27)."""

    def __init__(self, by: str) -> None:
        super().__init__(by)
        self.by = by

    def __str__(self) -> str:
        return f"another process works on this store: {self.by}"


class CorrectionRefused(AggregatorError):
    """A correction that makes no sense as things stand; its text says why, and what to do instead."""


class AddressInUse(AggregatorError):
    """The address to serve on can't be had; the command ends (exit code 3)."""

    def __init__(self, address: str, why: str) -> None:
        super().__init__(address, why)
        self.address, self.why = address, why

    def __str__(self) -> str:
        return f"can't serve on {self.address}: {self.why}; free it, or choose another address in serve.bind"


class ExtraMissing(AggregatorError):
    """What was asked for needs an extra that is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(what, extra)
        self.what, self.extra = what, extra

    def __str__(self) -> str:
        return f"{self.what} needs the extra {self.extra}; install it: {install_command(self.extra)}"


class PublishError(AggregatorError):
    """An output that was not written; the file that stood there still stands."""

    def __init__(self, output: str, why: str) -> None:
        super().__init__(output, why)
        self.output, self.why = output, why

    def __str__(self) -> str:
        return f"{self.output}: {self.why}"


class StateLost(AggregatorError):
    """What we published stands there, and the store knows nothing of it; nothing was polled, stored or published."""

    def __init__(self, path: str, options: str, site: str) -> None:
        super().__init__(path, options, site)
        self.path, self.options, self.site = path, options, site

    def __str__(self) -> str:
        return (
            f"{self.path} was published by an aggregator whose state is lost; nothing was polled. "
            f"`aggregator {self.options} restore --from-site {self.site}` brings it back from the published files, "
            f"`aggregator {self.options} restore FILE` from a backup, "
            f"`aggregator {self.options} publish --take-over` starts anew over it"
        )


class TemplateFailed(AggregatorError):
    """An operator's template could not be filled in for a story; what was rendered of that one before still stands."""

    def __init__(self, template: str, line: int, why: str) -> None:
        super().__init__(template, line, why)
        self.template, self.line, self.why = template, line, why

    def __str__(self) -> str:
        return f"{self.template}:{self.line}: {self.why}"


class StrangerInTheWay(PublishError):
    """A file that we did not write stands where we want to write (DESIGN 3.3); the command ends."""

    def __init__(self, output: str, path: str, *, ours: bool) -> None:
        told = "stands there and is not in this store; " + (
            "it was published by an aggregator whose state is lost: "
            "`restore --from-site` brings it back from the published files, `restore FILE` from a backup, "
            "`publish --take-over` starts anew over it"
            if ours
            else "it is somebody else's file: move it away, or choose another place in publish.to"
        )
        super().__init__(output, f"{path} {told}")
        self.path, self.ours = path, ours
        self.told = told  # to whoever need not know where we are
        self.changed: tuple[str, ...] = ()  # outputs that were written all the same: it stops only those beside it
