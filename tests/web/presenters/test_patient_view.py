"""What staff read of how a patient can be texted: exactly what is closed, and what still goes."""

from itertools import product
from typing import Any

import pytest

from config import db
from messaging.consent import ledger
from messaging.contactability import Facts, Number
from messaging.models import PROGRAMMES
from web.presenters import patient_view

ALL = "can be texted"


def reach(*agreed: str, own: str = "mobile", state: str = "active") -> str:
    of = dict(zip(PROGRAMMES, agreed or ("granted",) * 3, strict=True))
    return patient_view.reach_words(Facts(state, [Number(own, frozenset(), of)]), ALL)


@pytest.mark.parametrize(
    ("agreed", "said"),
    [
        (("granted", "granted", "granted"), ALL),
        (
            ("granted", "revoked", "granted"),
            "opted out of questionnaires; "
            "reminders and texts from the care team still go",
        ),
        (
            ("revoked", "granted", "granted"),
            "opted out of reminders; "
            "questionnaires and texts from the care team still go",
        ),
        (
            ("revoked", "revoked", "granted"),
            "opted out of reminders and questionnaires; "
            "texts from the care team still go",
        ),
        (("revoked", "revoked", "revoked"), "opted out of texts"),
        (("unknown", "unknown", "unknown"), "has not agreed to texts"),
        (
            ("revoked", "unknown", "granted"),
            "opted out of reminders; has not agreed to questionnaires; "
            "texts from the care team still go",
        ),
    ],
)  # fmt: skip
def test_it_says_which_texts_are_closed_and_which_still_go(agreed: tuple[str, ...], said: str) -> None:
    assert reach(*agreed) == said


@pytest.mark.parametrize("own", ["landline", "dead", "wrong_person"])
def test_a_number_of_no_use_is_said_as_that(own: str) -> None:
    assert "number" in reach(own=own) or "landline" in reach(own=own)


def test_nothing_is_promised_that_is_closed() -> None:
    for state, agreed in product(
        ["active", "inactive", "deceased"], product(["granted", "revoked", "unknown"], repeat=3)
    ):
        words = reach(*agreed, state=state)
        assert ("still go" in words) == (state == "active" and 0 < agreed.count("granted") < 3)
        assert (words == ALL) == (state == "active" and set(agreed) == {"granted"})


@pytest.mark.parametrize("stopped", ["reminders", "screening", "care_team"])
def test_who_stopped_one_kind_is_not_shown_as_opted_out_of_texts(house: Any, stopped: str) -> None:
    patient, rosa = house.patient(), house.staff()
    conversation = house.text_from(patient, "stop those")
    item = house.item(patient_id=patient.id, conversation_id=conversation.id, owner_id=rosa.id)
    with db.unit_of_work(house.clinic.id) as session:
        number = session.merge(conversation).number or ""
        ledger.record(session, house.clinic, number, "revoked", source="text", actor="x", programmes=[stopped])
    browser = house.signed_in(rosa)
    page = browser.get(f"/patients/{patient.id}").text
    assert "opted out of texts ·" not in page
    assert {"reminders": "opted out of reminders;", "screening": "opted out of questionnaires;",
            "care_team": "opted out of texts from the care team;"}[stopped] in page  # fmt: skip
    assert "still go" in browser.post("/patients", wanted="teresa", within="1").text
    case = browser.get(f"/inbox/{item.id}").text
    assert ("This number has opted out" in case) == (stopped != "reminders")
    answer = browser.post(f"/inbox/{item.id}/reply", body="We are here.", compose="").status_code
    assert answer == (303 if stopped != "care_team" else 422)
    form = browser.post(f"/patients/{patient.id}/form", instrument="phq9")
    assert form.status_code == (303 if stopped != "screening" else 422)
    if stopped == "screening":
        assert "opted out of questionnaires, so no form can be sent" in form.text
