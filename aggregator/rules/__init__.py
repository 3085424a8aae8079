"""The operator's rules: include, exclude, rewrite and routes. Pure."""

from aggregator.rules.judgement import Judgement, judge
from aggregator.rules.matching import refusal
from aggregator.rules.rewriting import rewritten

__all__ = ["Judgement", "judge", "refusal", "rewritten"]
