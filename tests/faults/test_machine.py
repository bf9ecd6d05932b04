"""What the machine itself does to a service, each kind for itself: clocks, a full disk, a database that is cut off."""

from dataclasses import replace

from tools.faults import one_seed, plan
from tools.faults.__main__ import told
from tools.faults.plan import Fault

SEED = 5


def met_with(mode: str, *faults: Fault) -> None:
    """Let these faults happen to a service. How soon an alert leaves is judged by `make faults`, where little else
    runs; here a busy machine may be late for its own reasons."""
    verdict = one_seed.run(replace(plan.make(SEED, mode, short=True), faults=faults))
    assert not [finding for finding in verdict.findings if finding.kind != "late"], told(verdict, short=True)
    assert verdict.alerts


def test_a_clock_that_leaps_back_and_is_set_right_loses_nothing_and_doubles_nothing() -> None:
    # A worker dies meanwhile; and what patients say then is dated before what was known of them.
    met_with("embedded", Fault(2, "leap", "clock", 5, by=-3600), Fault(6.5, "kill", "worker.urgent"))


def test_what_came_in_while_the_clock_stood_ahead_does_not_wait_for_that_hour() -> None:
    ahead = Fault(2, "leap", "clock", 5, by=3600), Fault(6.5, "kill", "worker.urgent")
    verdict = one_seed.run(replace(plan.make(SEED, "embedded", short=True), faults=ahead))
    # What a clock an hour ahead has held for too late to say is not said: that is not lost by us.
    assert {finding.kind for finding in verdict.findings} <= {"late", "dropped"}, told(verdict, short=True)
    assert verdict.alerts


def test_what_a_full_disk_has_no_room_for_is_taken_when_there_is_room_again() -> None:
    met_with("embedded", Fault(2, "fill", "disk", 4))


def test_a_database_cut_off_and_found_again_loses_nothing() -> None:
    met_with("postgresql", Fault(2, "cut", "postgresql", 5))


def test_a_database_without_a_connection_left_loses_nothing() -> None:
    met_with("postgresql", Fault(1, "exhaust", "postgresql", 6), Fault(3, "kill", "worker.urgent"))


def test_a_failover_that_ends_every_session_loses_nothing() -> None:
    met_with("postgresql", Fault(2, "sever", "postgresql"), Fault(4, "sever", "postgresql"))
