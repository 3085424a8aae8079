"""What the tests against a real store share: each module says in `room` what its feeds.yaml is."""

from collections.abc import Iterator

import pytest

from aggregator.app import World
from tests.newsroom import Newsroom


@pytest.fixture
def world(room: Newsroom) -> Iterator[World]:
    with room.opened() as world:
        yield world
