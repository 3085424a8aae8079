"""Reads the head of a response: status line and headers, bounded, byte for byte (S22, P12, P35).

http.client's own way is slower (it uses the e-mail parser, a fifth of the whole cost of a 304), stops at the first line
that is not a header, splits lines at bytes that mean something in Latin-1 only, and takes 103 for the response.
"""

import http.client
import re
from typing import Final

from urllib3.exceptions import HTTPError

from aggregator.errors import ConnectionLost, FetchError, ProtocolFault
from aggregator.fetch.flight import Flight, under_way

MAX_HEADER_LINES = 100
MAX_HEAD_BYTES = 64 * 1024
MAX_INTERIM = 10  # answers with 1xx before the one that counts
MAX_CHUNK_LINE = 4096
MAX_FRAMING_BYTES = 256 * 1024  # of all chunk lines and trailers: megabytes in chunks of a byte would cost seconds

_STATUS = re.compile(rb"HTTP/1\.(\d) ([1-9]\d\d)(?: +([^\r\n]*))?\r?\n")
_CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,15}")


class Fault(HTTPError):
    """Carries an error of ours out of urllib3.

    Not an OSError: requests makes its own ConnectionError of any OSError that is raised inside a connection, and the
    cause would be lost.
    """

    def __init__(self, error: FetchError) -> None:
        super().__init__(str(error))
        self.error: Final = error


class Head(http.client.HTTPResponse):
    """http.client's response with a head that we read ourselves; the body is read as usual."""

    chunked: bool
    chunk_left: int | None
    length: int | None
    will_close: bool
    framing = 0  # bytes of chunk lines and trailers so far

    def begin(self) -> None:
        """Read status line and headers.

        Raises:
            RemoteDisconnected: nothing came.
            Fault: what came is no HTTP, or beyond the limits.
        """
        if self.headers is not None:
            return
        flight = under_way()
        for _ in range(MAX_INTERIM):
            minor, status, reason = self._read_status_line(flight)
            lines = self._read_header_lines(flight)
            if not 100 <= status < 200:
                break
            if status == 101:
                raise Fault(ProtocolFault(flight.url, "it switches to a protocol that we did not ask for"))
        else:
            raise Fault(ProtocolFault(flight.url, f"over {MAX_INTERIM} interim answers"))

        self.code = self.status = status
        self.reason = reason
        self.version = 11 if minor else 10
        self.headers = self.msg = _message(lines)
        self._frame(flight)

    def _read_status_line(self, flight: Flight) -> tuple[int, int, str]:
        line = self.fp.readline(MAX_CHUNK_LINE)
        if not line:
            raise http.client.RemoteDisconnected("the connection was closed without an answer")
        flight.answered = True
        flight.received += len(line)
        match = _STATUS.fullmatch(line)
        if match is None:
            raise Fault(ProtocolFault(flight.url, "what answers there is no HTTP/1 server"))
        return int(match[1]), int(match[2]), (match[3] or b"").decode("latin-1")

    def _read_header_lines(self, flight: Flight) -> list[bytes]:
        lines: list[bytes] = []
        size = 0
        while True:
            line = self.fp.readline(MAX_HEAD_BYTES + 1)
            size += len(line)
            if size > MAX_HEAD_BYTES:
                raise Fault(ProtocolFault(flight.url, f"its headers have over {MAX_HEAD_BYTES:,} bytes"))
            if line in (b"\r\n", b"\n"):
                flight.received += size
                return lines
            if not line:
                raise Fault(ConnectionLost(flight.url, "it ended in the middle of the headers"))
            lines.append(line)
            if len(lines) > MAX_HEADER_LINES:
                raise Fault(ProtocolFault(flight.url, f"it has over {MAX_HEADER_LINES} header lines"))

    def _frame(self, flight: Flight) -> None:
        """Find out where the body ends (RFC 9112, section 6.3)."""
        coding = ", ".join(self.headers.get_all("transfer-encoding", ())).strip().lower()
        if coding not in ("", "identity", "chunked"):
            raise Fault(ProtocolFault(flight.url, "it has a transfer coding that we did not ask for"))
        self.chunked, self.chunk_left = coding == "chunked", None
        self.length = None
        if self.status in (204, 304):
            self.length = 0
        elif not self.chunked:
            self.length = number_of((self.headers.get("content-length") or "").partition(",")[0].strip())
        connection = (self.headers.get("connection") or "").lower()
        ends = "close" in connection if self.version == 11 else "keep-alive" not in connection
        self.will_close = ends or (not self.chunked and self.length is None)

    def _read_next_chunk_size(self) -> int:
        """Read the size of the next chunk; http.client would accept -1, and then read without end."""
        line = self._read_framing()
        size = line.partition(b";")[0].strip()
        if not line.endswith(b"\n") or not _CHUNK_SIZE.fullmatch(size):
            self.close()
            raise ValueError("no chunk size")  # http.client makes an IncompleteRead of it
        return int(size, 16)

    def _read_and_discard_trailer(self) -> None:
        """Skip what may follow the last chunk, within limits; http.client would read on without end."""
        while self._read_framing() not in (b"\r\n", b"\n", b""):
            pass

    def _read_framing(self) -> bytes:
        line: bytes = self.fp.readline(MAX_CHUNK_LINE)
        self.framing += len(line)
        if self.framing > MAX_FRAMING_BYTES:
            url = under_way().url
            raise Fault(ProtocolFault(url, f"over {MAX_FRAMING_BYTES:,} bytes of its body say how long its chunks are"))
        return line


def number_of(digits: str) -> int | None:
    """Read a whole number of any length; None if the text is not a number. Over 18 digits count as one huge number."""
    if not (digits.isascii() and digits.isdigit()):
        return None
    return int(digits.lstrip("0")[:18] or "0")


def _message(lines: list[bytes]) -> http.client.HTTPMessage:
    """Return the headers of a head. A line that is not a header is left out; a folded one belongs to the one before."""
    pairs: list[tuple[str, str]] = []
    for line in lines:
        text = line.decode("latin-1")
        if text[0] in " \t":
            if pairs:
                pairs[-1] = (pairs[-1][0], pairs[-1][1] + " " + text.strip(" \t\r\n"))
            continue
        name, colon, value = text.partition(":")
        if colon and name and not name.endswith((" ", "\t")):
            pairs.append((name, value.strip(" \t\r\n")))
    message = http.client.HTTPMessage()
    for name, value in pairs:
        message.set_raw(name, value)
    return message
