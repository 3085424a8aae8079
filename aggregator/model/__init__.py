"""Frozen records that stages pass to each other. They use no library and contain no rules."""
