"""`warmthread staff`: what is typed wrongly ends with exit 2, says which option it was, and does nothing."""

from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from config import db
from messaging.models import Clinic, Staff
from service.cli import opening, people
from web.models import SignInLink


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "begin", lambda: None)


def counted() -> tuple[int | None, int | None]:
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        people_here, links = (session.scalar(select(func.count(model.id))) for model in (Staff, SignInLink))
        return people_here, links


WRONG = [
    (["approve", "--email", "rita"], "--email"),
    (["approve", "--email", ""], "--email"),
    (["approve", "--email", "rita@clinic.example\u202e"], "--email"),
    (["approve", "--email", "nobody@clinic.example"], "nothing waits for this address"),
    (["approve", "--email", "rita@clinic.example", "--clinic", "Elsewhere"], "--clinic"),
    (["approve", "--clinic", "Elsewhere"], "--clinic"),
    (["approve", "rita@clinic.example"], "unexpected extra argument"),
    (["approve", "--yes"], "--yes"),
    (["revoke"], "--email"),
    (["revoke", "--email", "rita"], "--email"),
    (["revoke", "--email", "nobody@clinic.example"], "nobody here has this address"),
    (["list", "--clinic", "Elsewhere"], "--clinic"),
    (["invite", "--name", "Rita"], "--email"),
    (["invite", "--name", " ", "--email", "rita@clinic.example"], "--name"),
    (["invite", "--name", "R\u202eita", "--email", "rita@clinic.example"], "--name"),
    (["invite", "--name", "Rita", "--email", "rita at clinic.example"], "--email"),
    (["invite", "--name", "Rita", "--email", "rita@clinic.example", "--role", "king"], "--role"),
    (["invite", "--name", "Rita", "--email", "rita@clinic.example", "--language", "xx"], "--language"),
    (["invite", "--name", "Rita", "--email", "rita@clinic.example", "--number", "12"], "--number"),
    (["dismiss"], "dismiss"),
]


def test_wrong_arguments_end_with_exit_2_and_name_what_was_wrong(clinic: Clinic, new_staff: Any) -> None:
    new_staff("Dana", role="clinic_admin")
    before, answers = counted(), {}
    for words, named in WRONG:
        result = CliRunner().invoke(people.staff, words)
        shown = result.output.replace("\n", " ")
        if result.exit_code != 2 or named not in shown or "Traceback" in shown:
            answers[" ".join(words)] = (result.exit_code, shown)
    assert answers == {}
    assert counted() == before
