"""`python -m aggregator.reader`: a process that reads bodies for another process, until its input ends."""

from aggregator.reader.worker import run

if __name__ == "__main__":
    run()
