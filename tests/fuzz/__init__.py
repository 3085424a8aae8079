"""Fuzz tests: broken, hostile and odd documents are read and published, and the results are checked.

`python -m tests.fuzz --minutes 60 --seed 1` mutates real feeds for an hour; `pytest -m slow tests/fuzz` does so for a
minute, always with the same seed. A document that causes a fault is reduced and kept as a file.
"""
