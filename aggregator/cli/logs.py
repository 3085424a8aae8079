"""Log lines on stderr: an event name and fields, one record per line, control characters escaped (S55)."""

import logging
import sys
from collections.abc import Collection
from datetime import UTC, datetime

from aggregator.cli.terminal import json_text
from aggregator.clock import rfc3339

MAX_FIELD = 2048  # characters (S55)
_OWN = frozenset(logging.LogRecord("", 0, "", 0, "", None, None).__dict__) | {"message", "asctime", "taskName"}
_QUIET = {
    "alembic": logging.WARNING,
    "apscheduler": logging.CRITICAL,  # how jobs fare is said by service/jobs.py
    "waitress.queue": logging.ERROR,
    "urllib3": logging.ERROR,
}


def configure_logging(form: str, *, level: int) -> None:
    """Send log records to stderr.

    Args:
        form: text or json.
        level: level of `logging`; records below it are dropped.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    logging.raiseExceptions = False  # a closed stderr stops nothing (R58)
    for name, quiet in _QUIET.items():
        logging.getLogger(name).setLevel(quiet)


def drop_logged(names: Collection[str]) -> None:
    """Drop log lines with these names, which the report of the command contains as well. Errors are kept."""
    for handler in logging.getLogger().handlers:
        handler.addFilter(lambda record: record.levelno >= logging.ERROR or record.getMessage() not in names)


class TextLines(logging.Formatter):
    """Text lines such as `2026-01-02T03:04:05Z warning poll_source source=lwn error="no address found"`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line, followed by the indented traceback if there is one."""
        fields = " ".join(f"{name}={_quoted(value)}" for name, value in _fields(record).items())
        line = f"{_time(record)} {record.levelname.lower()} {_escaped(record.getMessage())} {fields}".rstrip()
        if record.exc_info:
            line += "\n" + "\n".join(
                f"    {_escaped(row)}" for row in self.formatException(record.exc_info).splitlines()
            )
        return line


class JsonLines(logging.Formatter):
    """Log lines as JSON objects, with the fields of text lines."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line, with the traceback if there is one."""
        line: dict[str, object] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        line |= {
            name: value if isinstance(value, int | float) else str(value)[:MAX_FIELD]
            for name, value in _fields(record).items()
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json_text(line)


def _fields(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in record.__dict__.items() if name not in _OWN and value is not None}


def _time(record: logging.LogRecord) -> str:
    return rfc3339(datetime.fromtimestamp(record.created, UTC))


def _quoted(value: object) -> str:
    text = _escaped(str(value)[:MAX_FIELD])
    return json_text(text) if not text or any(c in text for c in ' "=') else text


def _escaped(text: str) -> str:
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
