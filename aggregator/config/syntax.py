"""Messages for YAML syntax errors in the operator's words; libyaml's own speak of tokens and block collections."""

import re

import yaml

MAX_DEPTH = 20  # levels of nesting (S52)

_JOINED = re.compile(r"\s*(?:- +)*([a-z_]+):(?=[^\s/])")  # `url:https://…` is a text that continues in the next line


def syntax_problem(error: yaml.MarkedYAMLError, text: str) -> tuple[int, int, str]:
    """Return line, column and message of a syntax error.

    Args:
        error: the error of libyaml.
        text: the text of feeds.yaml.
    """
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    lines = text.split("\n")
    written = lines[line] if line < len(lines) else ""
    char = written[column : column + 1]
    opened = error.context_mark
    since = f" begun in line {opened.line + 1}" if opened else ""
    problem = error.problem or "no YAML"
    if "quoted scalar" in (error.context or "") and "end of stream" in problem and opened:
        return opened.line + 1, opened.column + 1, "the quote opened here is never closed; close it"
    if "document start" in problem and re.match(r"\s*\[[^\]\n]+\]\s*$", "\n".join(lines[:line])):
        what = "this is an ini file of Planet Venus, not YAML; docs/venus.md explains how to convert it"
    elif char == "\t" or "tab character" in problem:
        what = "there is a tab here; write spaces"
    elif column and written[column - 1 : column + 1] == "${":
        what = 'within { } or [ ] a variable needs quotes; write "${NAME}"'
    elif written[column - 1 : column] in ("*", "&") and "alphabetic or numeric" in problem:
        return line + 1, column, f"a value can't begin with {written[column - 1]} as it is; put it in quotes"
    elif "cannot start any token" in problem:
        what = f"a value can't begin with {char}; put it in quotes"
    elif "mapping values" in problem and line and (key := _JOINED.match(lines[line - 1])):
        return line, key.start(1) + 1, f"a blank is missing after {key[1]}:; write {key[1]}: and the value"
    else:
        said = next((said for part, said in _SYNTAX if part in problem), None)
        what = said.format(since=since) if said else f"not YAML: {problem}; check the quotes and brackets before it"
    return line + 1, column + 1, what


_SYNTAX = (
    ("mapping values are not allowed", 'a ": " is not allowed here; put the value in quotes, or fix the indentation'),
    ("expected '-' indicator", "this line does not fit the list{since}; indent it like its neighbours"),
    (
        "expected key",
        "this line does not fit the mapping{since}; fix its indentation, or a quote or bracket before it",
    ),
    ("expected ',' or ']'", "the list{since} is not closed, or lacks a comma before this; write ] or ,"),
    ("expected ',' or '}'", "the mapping{since} is not closed, or lacks a comma before this; write }} or ,"),
    ("block sequence entries", 'a list can\'t begin within this line; write "- " on a line of its own'),
    ("unknown escape", "an unknown escape in double quotes; write \\\\ for a backslash, or use single quotes"),
    ("could not find expected ':'", "a key without a colon; write key: value"),
    ("expected node content", "a value is missing; write one here"),
    ("found unexpected ':'", "a key that is not followed by a blank; write key: value"),
    ("nesting depth", f"over {MAX_DEPTH} levels of nesting; write it flatter, or remove brackets"),
)
