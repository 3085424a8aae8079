"""Polls, plans and replays that store and publish nothing."""
