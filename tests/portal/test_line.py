"""How a patient's answers have moved, on their own page: by the clinic's choice, in kind words, past the birth date."""

from datetime import timedelta

import pytest

from caseload.models import Episode
from config import clock, db
from intake_links import submissions
from messaging.models import Clinic, Patient
from messaging.people import directory
from reminders import care_model
from tests.portal.conftest import BORN


@pytest.fixture
def care(ward):
    """Let the clinic show the line, or not; enrol the patient eight weeks ago, with these totals a fortnight apart."""

    def cared(*totals, own_line=True, model="collaborative", phase="active"):
        now = clock.now()
        with db.unit_of_work(db.EVERY) as session:
            clinic, patient = session.get_one(Clinic, ward.clinic_id), session.get_one(Patient, ward.patient_id)
            terms = care_model.Terms(model=model, own_line=own_line).model_dump(mode="json")
            clinic.rules = {**clinic.rules, care_model.NAME: terms}
            db.load_keys(session, [patient.key_id])
            staff = directory.add_staff(session, clinic, name="Rosa", email=f"{db.new_id()}@clinic.example")
            session.flush()
            began = now - timedelta(weeks=8)
            session.add(
                Episode(
                    clinic_id=clinic.id, key_id=patient.key_id, patient_id=patient.id, phase=phase, phase_at=began,
                    enrolled_on=began.date(), enrolled_by=staff.id, consent="verbal", consent_at=began,
                    consent_by=staff.id, consent_language="en", practitioner_id=staff.id, manager_id=staff.id,
                    payer="none", scale="phq9", created_at=began,
                )
            )  # fmt: skip
            for number, total in enumerate(totals):
                submissions.accept(
                    session, clinic, patient, instrument="phq9", language="en", source="forms.test",
                    answers=[min(3, max(0, total - 3 * item)) for item in range(9)], event=str(number),
                    authored_at=began + timedelta(days=14 * number + 1),
                )  # fmt: skip

    return cared


@pytest.mark.parametrize(
    ("totals", "kind"),
    [((18, 15, 9), "have become easier"), ((12, 0), "have become easier"), ((14, 13), "about where they were"),
     ((11, 18), "have been harder")],
)  # fmt: skip
def test_the_line_says_in_kind_words_which_way_it_goes_with_each_total_beside_its_day(inside, care, totals, kind):
    care(*totals)
    assert "/i/me/line" in inside.get("/i/me").page
    page = inside.get("/i/me/line").page
    assert kind in page
    assert page.count("<circle") == page.count("<td>") / 2 == len(totals)
    assert all(f"<td>{total}</td>" in page for total in totals)
    assert "January 7, 2026" in page
    for named in ("PHQ", "depress", "remission", "self-harm"):
        assert named not in page


@pytest.mark.parametrize(
    "facts", [{"own_line": False}, {"model": "colocated"}, {"phase": "discharged"}, {"totals": (14,)}, {"totals": ()}]
)
def test_nothing_is_shown_where_the_clinic_does_not_or_there_is_no_line(inside, care, facts):
    care(*facts.pop("totals", (18, 9)), **facts)
    assert "/i/me/line" not in inside.get("/i/me").page
    assert inside.get("/i/me/line").response.status_code == 404
    assert "nothing to show" in inside.page


def test_who_was_away_too_long_says_the_birth_date_again_before_seeing_it(inside, care, travel):
    care(18, 9)
    travel.shift(timedelta(minutes=31))
    assert "easier" not in inside.get("/i/me/line").page
    inside.post(day=BORN.day, month=BORN.month, year=BORN.year)
    assert "easier" in inside.get("/i/me/line").page
