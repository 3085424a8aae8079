"""Polls: what is due, who polls it, and what becomes of the result."""
