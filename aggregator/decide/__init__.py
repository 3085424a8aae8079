"""Decides what a poll, a detail, a correction or an edit of feeds.yaml changes. Pure: records in, records out."""
