"""Makes the rules of `hosts:`."""

from collections.abc import Sequence
from datetime import timedelta

from aggregator.config.addresses import HostName
from aggregator.config.compounds import Pair
from aggregator.config.document import MapNode, Node
from aggregator.config.findings import Findings, quoted
from aggregator.config.keys import HostKeys
from aggregator.config.tables import Values
from aggregator.model.settings import HostRule
from aggregator.text.durations import duration_text

MIN_SPACING = timedelta(seconds=1)  # between two requests to a host without allow_private
MAX_PARALLEL = 4


def host_rules(pairs: Sequence[Pair[HostName, Values]], findings: Findings) -> tuple[HostRule, ...]:
    """Return the rules of `hosts:`. A rule with too high limits is reported and still returned, for later checks."""
    rules: dict[str, HostRule] = {}
    lines: dict[str, int] = {}
    for pair in pairs:
        values = pair.value
        rule = HostRule(
            name=pair.name.name,
            network=pair.name.network,
            spacing=values[HostKeys.spacing],
            parallel=values[HostKeys.parallel],
            allow_private=values[HostKeys.allow_private],
        )
        if rule.name in rules:
            what = f"{quoted(pair.key.raw)} is already the host of line {lines[rule.name]}; remove one of the two"
            findings.problem_at(pair.key, what)
        rules.setdefault(rule.name, rule)
        lines.setdefault(rule.name, pair.key.line)
        if rule.allow_private:
            continue
        if rule.spacing is not None and rule.spacing < MIN_SPACING:
            what = f'"{duration_text(rule.spacing)}" is under 1s; write 1s or more'
            findings.problem_at(values.place(HostKeys.spacing), f"{what}, or allow_private: true for your own machine")
        if rule.parallel is not None and rule.parallel > MAX_PARALLEL:
            what = f'"{rule.parallel}" is over {MAX_PARALLEL}; write 1 to {MAX_PARALLEL}'
            findings.problem_at(values.place(HostKeys.parallel), f"{what}, or allow_private: true for your own machine")
    return tuple(rules.values())


def may_hide_allow_private(node: Node, pairs: Sequence[Pair[HostName, Values]]) -> bool:
    """Report whether an entry that could not be read may contain `allow_private`, so that limits are unknown."""
    if not isinstance(node, MapNode):
        return False
    read = {pair.key.raw for pair in pairs if not pair.value.is_bad(HostKeys.allow_private)}
    return any(
        isinstance(item, MapNode) and HostKeys.allow_private.name in item.values
        for raw, item in node.values.items()
        if raw not in read
    )
