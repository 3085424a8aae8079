"""What the operator's rules make of entries: which pass, what is rewritten, where they go as well (DESIGN 3.1)."""

from aggregator.rules.judgement import Judgement, judge
from aggregator.rules.matching import refusal
from aggregator.rules.rewriting import rewritten

__all__ = ["Judgement", "judge", "refusal", "rewritten"]
