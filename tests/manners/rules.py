"""List of rules that can be judged from outside, and the reason why the others can't."""

from tests.manners import rules_conditional, rules_moves, rules_pace, rules_request, rules_statuses

RULES = (
    *rules_conditional.RULES,
    *rules_statuses.RULES,
    *rules_moves.RULES,
    *rules_pace.RULES,
    *rules_request.RULES,
)
# Rules that can't be tested in three days: they need a doubt of 30 days, an adopted address, or many requests.
NEED_A_MONTH = frozenset("P16 P47 P48 P81".split())
# Rules that are known not to hold yet: shown, but not a failure. Delete the line when the rule holds.
OPEN: dict[str, str] = {}
UNJUDGED = {
    "P60": "host keys of names: every host here is an address; tests/model",
    "P66": "two sources with one address are an error of feeds.yaml; where redirects lead to one: P47",
    "P68": "needs a hub",
    "P69": "not for hosts with allow_private, and so not for loopback",
    "P76": "withdrawn",
    "P87": "not for hosts with allow_private",
    "P91": "that nothing else is asked for is P90; the hint is ours to see",
    "P92": "nothing to fetch but feeds: P90",
    "P93": "the store's own book",
}
