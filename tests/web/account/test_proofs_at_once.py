"""One proof in two hands at the same moment: whatever is good once lets one of them in, on either database."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import func, select

from config import audit, db
from tests.web.account.test_second_step import a_colleague, both, code, enter, place, set_up
from web.account import sign_in_limits
from web.models import StaffSession

__all__ = ["place"]
HANDS = 4


def at_once(house: Any, staff: Any, proof: str) -> list[int]:
    """What each of several browsers, all past the password, is answered to the same proof at the same moment."""
    hands = [enter(house, staff)[0] for _ in range(HANDS)]
    for hand in hands:
        hand.get("/signin/step")
        hand.post("/signin/step", token_from="/signin/step", code="")  # a token of its own, fetched before the race
    gate = Barrier(HANDS)

    def try_it(hand: Any) -> int:
        gate.wait()
        status: int = hand.post("/signin/step", code=proof).status_code
        return status

    with ThreadPoolExecutor(HANDS) as pool:
        return list(pool.map(try_it, hands))


@both
@pytest.mark.parametrize("kind", ["app", "recovery"])
def test_one_code_in_several_browsers_at_once_lets_one_in(place: Any, kind: str, monkeypatch: Any) -> None:
    generous = sign_in_limits.throttle.Limit("tests.step", free=100)
    for name in ("STEP_AT_SOURCE", "STEP_AT_DEVICE", "STEP"):
        monkeypatch.setattr(sign_in_limits, name, generous)
    rosa = a_colleague(place, email="rosa@clinic.example")
    browser = enter(place, rosa)[0]
    app, codes = set_up(browser)
    open_before = count(StaffSession.id)
    proof: Callable[[], str] = {"app": lambda: code(app, 30), "recovery": lambda: codes[0]}[kind]
    answers = at_once(place, rosa, proof())
    assert sorted(answers) == [303] + [401] * (HANDS - 1)
    assert count(StaffSession.id) == open_before + 1
    again = enter(place, rosa)[0]
    assert again.post("/signin/step", token_from="/signin/step", code=proof()).status_code == 401
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        refused = select(func.count()).where(audit.AuditEntry.act == "staff.step_refused")
        assert session.scalar(refused) == HANDS - 1 + HANDS + 1


def count(column: Any) -> int:
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        return session.scalar(select(func.count(column))) or 0
