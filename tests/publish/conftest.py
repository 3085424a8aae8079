"""The same as for what is rendered."""

from tests.render.conftest import _nothing_remembered, html_as_it_is

__all__ = ["_nothing_remembered", "html_as_it_is"]
