"""Broken, hostile and odd documents by the thousand, read to the end and published, and what came out looked at.

`python -m tests.fuzz --minutes 60 --seed 1` mutates real feeds for an hour; `pytest -m slow tests/fuzz` does so for a
minute, always the same one. A document that harms is made as small as it can be and kept as a file.
"""
