"""Decides what is rendered again, and writes outputs and posts to a folder or a bucket."""
