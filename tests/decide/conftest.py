"""Fixtures for tests against a real store; each module sets its feeds.yaml in the fixture `site`."""

from collections.abc import Iterator

import pytest

from aggregator.app import App
from tests.sample_site import SampleSite


@pytest.fixture
def app(site: SampleSite) -> Iterator[App]:
    with site.opened() as app:
        yield app
