"""A machine that several colleagues sign in at: what a browser keeps for one of them is nothing for the next."""

from typing import Any

import pytest

from messaging.models import Staff


@pytest.fixture
def rosa(house: Any) -> Staff:
    staff: Staff = house.staff(email="rosa@clinic.example")
    return staff


def test_what_a_browser_keeps_for_somebody_is_gone_for_whoever_comes_next(house: Any, rosa: Staff) -> None:
    """On a shared machine: form tokens, notices that name a patient, a visit that can be put back."""
    sam, browser = house.staff("Sam Fields"), house.browser()

    def comes(staff: Staff) -> tuple[Any, str]:
        path = house.link(staff)
        assert browser.post(path, token_from=path).status_code == 303
        assert "Teresa" not in browser.get("/account").text or staff is rosa
        with browser.client.session_transaction() as kept:
            found, token = kept.get("left"), kept["csrf_token"]
            kept["left"], kept["_flashes"] = staff.name, [("message", "Teresa Q. is settled.")]
        return found, token

    found, first = comes(rosa)
    assert browser.post("/signout").status_code == 303
    assert "Teresa" not in browser.get("/signin").text
    assert (found, comes(rosa)[0]) == (None, None)
    found, second = comes(rosa)
    assert (found, first != second) == (rosa.name, True)  # who is back goes on with what they typed
    found, third = comes(sam)
    assert (found, second != third) == (None, True)
