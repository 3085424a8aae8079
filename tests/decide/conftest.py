"""What the tests against a real store share: each module says in `room` what its feeds.yaml is."""

from collections.abc import Iterator

import pytest

from aggregator.app import App
from tests.sample_site import SampleSite


@pytest.fixture
def app(site: SampleSite) -> Iterator[App]:
    with site.opened() as app:
        yield app
