"""Runs an operator's own programs: commands that are sources, and hooks. Each has a process group and limits."""
