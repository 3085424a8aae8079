"""Renders and reads `gone.txt`: which listed files are no longer published, and what a web server answers for them."""

from collections.abc import Mapping

from aggregator.render.mark import LIST_MARK


def render_gone_list(gone: Mapping[str, int]) -> bytes:
    """Return `gone.txt`: our mark, then one path a line, after `404=` if the path answers that and not 410."""
    lines = (path if answer == 410 else f"{answer}={path}" for path, answer in gone.items())
    return "".join(f"{line}\n" for line in (LIST_MARK, *lines)).encode()


def read_gone_list(data: bytes) -> dict[str, int]:
    """Return what each path of a `gone.txt` answers, 410 or 404. A line of another shape is skipped."""
    lines = (line.rpartition("=") for line in data.decode("utf-8", "replace").splitlines() if line != LIST_MARK)
    answers = {"": 410, "404": 404}
    return {path: answers[answer] for answer, _, path in lines if answer in answers}
