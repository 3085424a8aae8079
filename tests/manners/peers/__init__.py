"""Runs other feed readers against the same origin and rules: Miniflux, newsboat and the library `reader`."""
