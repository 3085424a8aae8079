"""What the tests against a real store share: each module says in `room` what its feeds.yaml is."""

from collections.abc import Iterator

import pytest

from aggregator.app import App
from tests.newsroom import SampleSite


@pytest.fixture
def app(room: SampleSite) -> Iterator[App]:
    with room.opened() as app:
        yield app
