"""Benchmarks: costs as ratios, with both sides measured in one run. Not tests: a test only checks that they run.

`python -m benchmarks.performance`: polls against a bare loop and another library; writes docs/performance.md.
`python -m benchmarks.spacing`: the time that a run takes, against the time that politeness leaves it.
`python -m benchmarks.publishing`: one new entry in a site of 200 categories, with few and with many stored.
`python -m benchmarks.trouble`: a service among sources that hang, break off or talk nonsense.
`python -m benchmarks.corpus FOLDER`: what is read of broken feeds, against feedparser by itself.
`python -m benchmarks.house`: how far a reader has to walk through the code.
`python -m benchmarks.mutants`: how many random mutants the tests of their own folder kill.
"""
