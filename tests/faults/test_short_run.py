"""One short seed in every run of the tests; `make faults` runs as many and as long ones as one likes."""

from tools.faults import one_seed, plan
from tools.faults.__main__ import summary, told

SEED = 1


def test_a_service_that_is_killed_frozen_and_lied_to_loses_nothing_and_texts_nobody_twice() -> None:
    verdict = one_seed.run(plan.make(SEED, "embedded", short=True))
    assert not verdict.findings, told(verdict, short=True)
    assert "lost 0, doubled 0, late 0, wrong 0" in summary([verdict])
