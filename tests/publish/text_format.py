"""A made-up output format, as a contributor would add it: one line of text for each story."""

from aggregator.model.story import Document
from aggregator.render import fields, mark, renderer
from aggregator.render.renderer import RenderContext, Renderer


def render_text(document: Document, context: RenderContext) -> bytes:
    """Render a document as lines: our mark, the feed's id and time, then id, title and time of each story."""
    lines = [mark.LIST_MARK, f"{document.id}\t{fields.instant(document.updated)}"]
    lines += [f"{one.atom_id}\t{fields.title_of(one)}\t{fields.instant(one.updated)}" for one in document.publications]
    return "".join(f"{line}\n" for line in lines).encode()


def read_back_text(data: bytes, document: Document) -> None:
    """Read the lines and compare them with the document (A35).

    Raises:
        PublishError: ids, titles, times or their order are not those of the document.
    """
    _, _, *lines = data.decode().splitlines()
    expected = [[id, title, updated] for id, title, updated, _ in renderer.expected(document)]
    renderer.compare(f"{document.path}.lines", [line.split("\t") for line in lines], expected)


RENDERER = Renderer(render=render_text, verify=read_back_text)
