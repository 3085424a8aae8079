"""Marks in outputs, by which we recognise our own files."""

import zlib

import aggregator

NAME = "aggregator"
UNSET = "https://aggregator.example/"  # in outputs of a build without a home page: sites were published with it
HOME = aggregator.HOME or UNSET  # of the program; no version, or a release would change every page (A1)

LIST_MARK = f"generator={NAME}"  # first line of gone.txt; without a blank, so that a script can read each line alike
MARKS = (
    *(f'<generator uri="{home}">{NAME}</generator>'.encode() for home in dict.fromkeys((HOME, UNSET))),  # Atom
    f"<generator>{NAME}</generator>".encode(),  # RSS
    f'<meta name="generator" content="{NAME}">'.encode(),  # pages
    b'"_aggregator":',  # JSON Feed and status.json: sorted keys put it first
    f"<!-- generator: {NAME} -->".encode(),  # OPML
    f"/* generator: {NAME} */".encode(),  # the stylesheet
    f"{LIST_MARK}\n".encode(),  # gone.txt
    f"# generator: {NAME}\n".encode(),  # robots.txt
)
HEAD_BYTES = 64 * 1024  # a mark stands in the first part of a file, before anything long


def bears_mark(head: bytes) -> bool:
    """Return whether the beginning of a file, or of its .gz, has a mark of an aggregator."""
    if head.startswith(b"\x1f\x8b"):
        try:
            head = zlib.decompressobj(wbits=31).decompress(head, HEAD_BYTES)
        except zlib.error:
            return False
    return any(mark in head for mark in MARKS)
