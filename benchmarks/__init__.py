"""What things cost, as ratios with both sides in one run. Not tests: a test only checks that they run.

`python -m benchmarks.polling`: unchanged sources against a bare loop of requests.
`python -m benchmarks.growth`: a poll with few and with many entries stored.
"""
