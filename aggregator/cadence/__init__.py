"""Computes when a source is due next, and explains why (P50 to P72). Pure: all input comes in as arguments."""

from aggregator.cadence.explain import explain
from aggregator.cadence.turn import (
    ARRIVALS,
    Course,
    Pace,
    Turn,
    crash_floor,
    later_arrivals,
    may_ask_again,
    median_gap,
    next_turn,
    outside_skipped,
)

__all__ = [
    "ARRIVALS",
    "Course",
    "Pace",
    "Turn",
    "crash_floor",
    "explain",
    "later_arrivals",
    "may_ask_again",
    "median_gap",
    "next_turn",
    "outside_skipped",
]
