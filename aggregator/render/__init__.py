"""Renders records to bytes (`render_*`) and verifies them (`read_back_*`). No clock, no randomness (A30)."""
