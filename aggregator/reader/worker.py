"""The process that reads one body after the other, within limits set by the operating system (S15).

Requests and answers are a line of JSON; the body follows the line of a request. The parent may have died: so the
process counts the seconds of each body itself, too. It ignores the signals that stop the program, or polls that have
five seconds left would end at once (R54).
"""

import json
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from typing import Any, BinaryIO, Final

from aggregator.errors import CutOff, NotAFeed, Overran, ParseError
from aggregator.model.poll import Fetched
from aggregator.model.settings import Reading
from aggregator.reader.codec import from_json, to_json
from aggregator.reader.reading import read

OUT_OF_MEMORY: Final = 77  # exit code: without memory no answer can be made
READY: Final = b"ready\n"
SPARE_SECONDS: Final = 5  # before it ends by itself; the parent acts first
KNOWN: Final[dict[str, Callable[..., ParseError]]] = {  # errors that are sent to the parent, by name and arguments
    "ParseError": ParseError,
    "NotAFeed": NotAFeed,
    "CutOff": CutOff,
    "Overran": lambda url, why, *_: Overran(url, why),
}


def run() -> None:
    """Read bodies until the input ends. The first argument is the memory limit, in bytes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is not an answer
    memory = int(sys.argv[1]) if len(sys.argv) > 1 else resource.RLIM_INFINITY
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        answers.write(READY)
        answers.flush()
        while _serve(sys.stdin.buffer, answers):
            pass
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except BrokenPipeError:  # the parent has ended
        os._exit(0)


def request_line(fetched: Fetched, reading: Reading, seconds: float) -> tuple[bytes, bytes]:
    """Return the line of a request, and the body that follows it."""
    said = {
        "fetched": to_json(replace(fetched, body=b"")),
        "reading": to_json(reading),
        "bytes": len(fetched.body),
        "seconds": seconds,
    }
    return json.dumps(said).encode() + b"\n", fetched.body


def _serve(stream: BinaryIO, answers: BinaryIO) -> bool:
    """Read one body; return False if the input has ended."""
    line = stream.readline()
    if not line:
        return False
    said, began = json.loads(line), time.process_time()
    signal.setitimer(signal.ITIMER_REAL, said["seconds"] + SPARE_SECONDS)
    fetched = replace(from_json(Fetched, said["fetched"]), body=stream.read(said["bytes"]))
    answer = _answer(fetched, from_json(Reading, said["reading"])) | {"seconds": time.process_time() - began}
    signal.setitimer(signal.ITIMER_REAL, 0)
    # Without escapes, loading takes the parent 0.45 ms instead of 0.7 (190 kB).
    answers.write(json.dumps(answer, ensure_ascii=False).encode(errors="surrogatepass") + b"\n")
    answers.flush()
    return True


def _answer(fetched: Fetched, reading: Reading) -> dict[str, Any]:
    try:
        return {"feed": to_json(read(fetched, reading))}
    except MemoryError:
        raise
    except ParseError as error:
        if type(error).__name__ in KNOWN:
            return {"error": type(error).__name__, "arguments": error.args}
        return {"crash": traceback.format_exc()}
    except Exception:  # noqa: BLE001 - the border of a process: the parent logs it, and fails that poll alone
        return {"crash": traceback.format_exc()}
