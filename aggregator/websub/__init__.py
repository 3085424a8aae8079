"""WebSub: the hub of our own feeds is told when they change (A85, A86)."""

from aggregator.websub.pings import Pinger, tell_for_a_while, tell_hub

__all__ = ["Pinger", "tell_for_a_while", "tell_hub"]
