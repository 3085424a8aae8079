"""The User-Agent: what of it is known, and nothing else (P75)."""

import pytest

from aggregator import __version__
from aggregator.model.settings import Site
from aggregator.poll import poller
from aggregator.urls import normalise

PUBLIC, LOCAL = normalise("https://planet.example.org/"), normalise("http://127.0.0.1:8080/")


def test_p75_the_user_agent_names_what_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = f"aggregator/{__version__}"
    assert poller.user_agent_of(Site(base_url=LOCAL)) == ours
    assert poller.user_agent_of(Site(base_url=PUBLIC)) == f"{ours} (+{PUBLIC})"
    assert poller.user_agent_of(Site(base_url=PUBLIC, contact="a@b.org")) == f"{ours} (+{PUBLIC}; a@b.org)"
    monkeypatch.setattr(poller, "HOME", "https://home.example.org/")  # as a build may have it
    assert poller.user_agent_of(Site(base_url=LOCAL)) == f"{ours} (+https://home.example.org/)"
