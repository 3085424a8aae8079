"""Tells the operator of alarms: by a webhook, and by mail and chat (`alarms` in feeds.yaml)."""

from aggregator.notify.messages import send_messages

__all__ = ["send_messages"]
