"""The service behind `serve`: everything except HTTP."""

from aggregator.service.service import Service

__all__ = ["Service"]
