"""Sends requests: the one way to the network (S1)."""

from aggregator.fetch.bodies import Bodies
from aggregator.fetch.client import Client

__all__ = ["Bodies", "Client"]
