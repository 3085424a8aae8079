"""Politeness tests: an origin server with every habit of feeds, and a ledger that checks the rules (P) of a fetcher.

The judge sees only what arrives over HTTP, and when; so it can judge any fetcher.
"""
