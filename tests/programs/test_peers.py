"""`python -m tests.manners --peers` can judge each of the others: they run, and time passes for them."""

from datetime import timedelta

import pytest

from tests.manners.catalogue import HABITS
from tests.manners.habits import HOUR
from tests.manners.judge import judge
from tests.manners.peers.comparison import mark, rules_for
from tests.manners.peers.miniflux import Miniflux
from tests.manners.peers.newsboat import Newsboat
from tests.manners.peers.peer import Peer, as_followed, days_of
from tests.manners.peers.reader import Reader

FEW = frozenset("strong tag-only found-302 retry-imf".split())

pytestmark = [pytest.mark.service, pytest.mark.slow]


@pytest.mark.parametrize("peer", [Miniflux(), Reader(), Newsboat()], ids=lambda peer: peer.name)
def test_another_program_lives_a_third_of_a_day_at_the_origin(peer: Peer) -> None:
    if lacking := peer.missing():
        pytest.skip(f"{lacking} is not installed: .ci/services")
    habits = [habit for habit in as_followed(HABITS, peer) if habit.name in FEW]
    ledger = days_of(peer, habits, timedelta(hours=8))
    assert ledger.steps.keys() == FEW
    for steps in (ledger.steps["strong"], ledger.steps["tag-only"]):
        assert steps[0].held is None
        assert steps[2].first.asked.headers["If-None-Match"] == (steps[2].held and steps[2].held.etag)
        within = [step for step in steps if step.after and step.after.first.start == step.first.start]
        waited = [step.after.first.at - step.first.at for step in within if step.after]
        assert timedelta(minutes=15) <= min(waited) <= max(waited) <= 1.5 * HOUR
    marks = {verdict.rule.number: mark(verdict) for verdict in judge(rules_for(peer), ledger)}
    assert marks["P18"] == "kept"
    assert marks["P16"] == "-", "a month shows that"
