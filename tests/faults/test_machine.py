"""What the machine itself does to a service: a clock that leaps, sessions that end. `make faults ALONE=1` has them all.

How soon an alert leaves is judged there too, where little else runs: here a busy machine may be late for its own
reasons.
"""

from tools.faults import alone
from tools.faults.__main__ import told


def met_with(name: str) -> None:
    """Let what is called so happen to a service; nothing is lost, doubled or wrong."""
    verdict = alone.run(name)
    assert not [finding for finding in verdict.findings if finding.kind != "late"], told(verdict, short=True)
    assert verdict.alerts


def test_a_clock_that_leaps_back_and_is_set_right_loses_nothing_and_doubles_nothing() -> None:
    # A worker dies meanwhile; and what patients say then is dated before what was known of them.
    met_with("clock back")


def test_a_failover_that_ends_every_session_loses_nothing() -> None:
    met_with("severed")


def test_each_kind_of_the_plan_s_machine_faults_can_be_met_alone() -> None:
    met = {fault.act for kind in alone.KINDS.values() for fault in kind.faults}
    assert met >= {"leap", "fill", "cut", "exhaust", "sever"}
