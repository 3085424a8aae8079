"""Sends alarms to the operator: by a webhook, and by mail and chat (`alarms` in feeds.yaml)."""

from aggregator.notify.messages import send_messages

__all__ = ["send_messages"]
