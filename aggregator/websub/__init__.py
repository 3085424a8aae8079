"""WebSub: pings the hub of our own feeds when they change (A85, A86)."""

from aggregator.websub.pings import Pinger, send_pings, send_pings_briefly

__all__ = ["Pinger", "send_pings", "send_pings_briefly"]
