"""Reads a body into a `Feed` (parse, clean, identify), in this process or in one that can be killed (S15, D24)."""
