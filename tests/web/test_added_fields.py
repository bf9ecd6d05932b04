"""Fields that no form of staff has: whoever adds them to what a browser sends changes nothing by them."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from config import db
from messaging.models import Staff
from tests.web import test_access_matrix as matrix
from tests.web import test_foreign_ids_in_forms as forms
from tests.web.caseload import seeding

MARK, YEAR = uuid4(), "1971"
MOMENT = f"{YEAR}-12-31T23:59:00+00:00"
# Columns that nobody says: whose a row is, who did it and when, what it may. What a form does ask for is left out.
ADDED = {
    "id": str(MARK), "clinic_id": str(MARK), "key_id": str(MARK), "created_by": str(MARK), "acknowledged_by": str(MARK),
    "acknowledged_at": MOMENT, "created_at": MOMENT, "done_at": MOMENT, "answer_by": MOMENT, "ended_at": MOMENT,
    "password_hash": str(MARK), "active": "", "scopes": str(MARK), "merged_into": str(MARK), "_method": "DELETE",
}  # fmt: skip


def standings(clinic_id: UUID) -> dict[UUID, tuple[str, bool]]:
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        return {each.id: (each.role, each.active) for each in session.query(Staff).filter_by(clinic_id=clinic_id)}


def test_what_no_form_asks_for_is_written_nowhere(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(house.app.config, "WTF_CSRF_ENABLED", False)
    own = matrix.filled(seeding.with_registry(house))
    own["ames_id"] = own["staff_id"]
    answers = forms.asked(house, own, forms.BESIDE | forms.named(own, forms.NAMING) | ADDED, {"POST"})
    assert [name for name, answer in answers.items() if answer.status_code >= 500] == []
    assert sum(answer.status_code < 400 for answer in answers.values()) > 60
    lines = {line for table in forms.rows_of(house.clinic.id).values() for line in table}
    assert [line for line in lines if str(MARK) in line or f"datetime({YEAR}" in line] == []
    kept = standings(house.clinic.id)
    assert sorted(role for role, _ in kept.values()).count("clinic_admin") == 1  # the one who posted
    assert all(active for role, active in kept.values() if role == "care_manager")
