"""A judge of manners: an origin with every habit that feeds have, and a ledger that knows the rules (STANDARDS, P).

It looks at nothing but what arrives over HTTP, and when; so it judges any fetcher, ours among them.
"""
