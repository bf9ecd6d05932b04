"""What a seed brings is the seed's alone, and a run can be repeated."""

import itertools

import hypothesis.strategies as st
from hypothesis import given

from tools.faults import plan

SEEDS = st.integers(min_value=0, max_value=10_000)
MODES = st.sampled_from(["embedded", "postgresql"])


@given(SEEDS, MODES, st.booleans())
def test_the_same_seed_is_the_same_plan(seed: int, mode: str, short: bool) -> None:
    assert plan.make(seed, mode, short=short) == plan.make(seed, mode, short=short)


@given(SEEDS, MODES)
def test_nothing_meets_a_target_that_is_frozen_already(seed: int, mode: str) -> None:
    lasting = [fault for fault in plan.make(seed, mode).faults if fault.seconds and fault.act != "storm"]
    for target in {fault.target for fault in lasting}:
        spans = sorted((fault.at, fault.ends) for fault in lasting if fault.target == target)
        assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans))


@given(SEEDS, MODES)
def test_storms_follow_one_another(seed: int, mode: str) -> None:
    storms = [fault for fault in plan.make(seed, mode).faults if fault.act == "storm"]
    assert all(before.ends <= after.at for before, after in itertools.pairwise(storms))


@given(SEEDS, MODES)
def test_a_short_plan_leaves_out_what_takes_a_minute_to_be_made_good(seed: int, mode: str) -> None:
    faults = plan.make(seed, mode, short=True).faults
    assert not [fault for fault in faults if fault.target in ("web", "clock", "disk") or fault.seconds > 10]
    assert plan.LOST_TEXTS not in [fault.rules for fault in faults]


def test_only_postgresql_is_stopped_and_only_where_it_is_used() -> None:
    stopped = {
        mode: {
            fault.target
            for seed in range(20)
            for fault in plan.make(seed, mode).faults
            if fault.act in ("stop", "cut", "sever", "exhaust")
        }
        for mode in ("embedded", "postgresql")
    }
    assert stopped == {"embedded": set(), "postgresql": {"postgresql"}}


def test_many_seeds_bring_every_fault_and_every_kind_of_text() -> None:
    plans = [plan.make(seed, "postgresql") for seed in range(60)]
    assert {fault.act for each in plans for fault in each.faults} == {
        *("kill", "freeze", "flush", "storm", "stop", "cut", "sever", "exhaust", "leap")
    }
    assert any(fault.act == "fill" for seed in range(20) for fault in plan.make(seed, "embedded").faults)
    assert {fault.by for each in plans for fault in each.faults if fault.act == "leap"} == set(plan.LEAPS)
    assert {say.means for each in plans for say in each.says} == set(plan.WORDS)
    assert any(fault.act == "freeze" and fault.seconds > 60 for each in plans for fault in each.faults)
    assert {submit.positive for each in plans for submit in each.submits} == {True, False}
