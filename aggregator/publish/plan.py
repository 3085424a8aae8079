"""A plan as JSON: the shape of `aggregator plan --json`, which gains fields, and never loses or renames one."""

from collections.abc import Sequence
from typing import Any

from aggregator.clock import rfc3339
from aggregator.decide.rules_again import Reapplied

DOES = ("publish", "withdraw", "move", "rewrite")


def reapplied_record(change: Reapplied) -> dict[str, Any]:
    """Give what edited rules would make of a stored entry: `does` is publish, withdraw, move or rewrite."""
    known = change.stored.known
    does = "publish" if change.passes else "withdraw" if change.is_dropped else "move" if change.is_moved else "rewrite"
    kept_out, routed = dict(change.judgement.kept_out), dict(change.judgement.routed)
    rules = [*(kept_out.get(key) for key in change.lost), *(routed.get(key) for key in change.gained)]
    return {
        "entry": known.id,
        "title": known.title,
        "new_title": change.entry.title if change.entry.title != known.title else None,
        "link": known.link,
        "first_seen": rfc3339(known.first_seen),
        "does": does,
        "rule": change.judgement.reason or "; ".join(dict.fromkeys(filter(None, rules))) or None,
        "enters": list(change.gained),
        "leaves": list(change.lost),
    }


def counts_of(changes: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Count what would be done."""
    return {
        word: sum(change["does"] == word for change in changes) for word in ("publish", "withdraw", "move", "rewrite")
    }
