"""The clock of a service: what polls, publishes and watches feeds.yaml for as long as it runs."""

from aggregator.service.service import Service

__all__ = ["Service"]
