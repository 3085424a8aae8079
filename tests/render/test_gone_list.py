"""`gone.txt`: the paths that a web server answers with 410, or with 404 after a while (A42, A44)."""

from aggregator.render.gone_list import read_gone_list, render_gone_list
from aggregator.render.mark import bears_mark

GONE = {"category/a.atom": 410, "category/b.atom": 404, "entry/ab/abcd.html": 410}


def test_the_list_is_read_as_it_was_written() -> None:
    data = render_gone_list(GONE)
    assert data == b"generator=aggregator\ncategory/a.atom\n404=category/b.atom\nentry/ab/abcd.html\n"
    assert bears_mark(data)
    assert read_gone_list(data) == GONE


def test_lines_of_another_shape_are_skipped() -> None:
    data = b"generator=aggregator\r\ngenerator=other\n500=category/a.atom\n404=category/b.atom\n410=category/c.atom\n"
    assert read_gone_list(data) == {"category/b.atom": 404}
