"""JSON lines of a command: an item of JSON Feed in each line, in place of a whole JSON Feed."""

import json

from aggregator.errors import ParseError
from aggregator.urls import Url

_VERSION = "https://jsonfeed.org/version/1.1"


def as_jsonfeed(text: str, url: Url) -> str:
    """Return JSON lines as a JSON Feed; any other text unchanged.

    Raises:
        ParseError: a line is not a JSON object. The program that writes them is the operator's own, so nothing is
            repaired.
    """
    lines = [(number, line.strip()) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not lines or not lines[0][1].startswith("{"):
        return text
    try:
        first = json.loads(lines[0][1])
    except (ValueError, RecursionError):
        if len(lines) == 1 or lines[0][1] == "{" or not lines[1][1].startswith("{"):
            return text  # a JSON Feed over several lines, or broken JSON, about which its reader has more to say
        first = {}
    if "items" in first:
        return text
    for number, line in lines:
        try:
            item = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise ParseError(url, f"line {number} of its output is not JSON") from error
        if not isinstance(item, dict):
            raise ParseError(url, f"line {number} of its output is no JSON object")
    return f'{{"version": "{_VERSION}", "items": [{",".join(line for _, line in lines)}]}}'
