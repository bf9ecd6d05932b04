"""What makes a key good, and who hears of it."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from config import audit, clock, db
from messaging.programs import keys, scopes
from messaging.programs.models import ApiKey

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)


def make(clinic: Any, **wanted: Any) -> tuple[ApiKey, str]:
    chosen = {"name": "Kiosk", "scopes": ("patients.read",), "days": 30} | wanted
    with db.unit_of_work(clinic.id) as session:
        return keys.make(session, clinic, keys.Wanted(**chosen), actor="operator:x")


@both
def test_a_key_is_good_from_its_making_to_its_end(clinic):
    key, token = make(clinic)
    program = keys.program_of(token)
    assert program is not None
    assert (program.key_id, program.clinic_id, program.staff_id) == (key.id, clinic.id, None)
    with time_machine.travel(clock.now() + timedelta(days=30, seconds=1), tick=False):
        assert keys.program_of(token) is None


@both
def test_making_and_revoking_stand_in_the_audit_log_and_the_token_does_not(clinic):
    key, token = make(clinic)
    with db.unit_of_work(clinic.id) as session:
        assert keys.revoke(session, session.get_one(ApiKey, key.id), actor="operator:x")
        assert not keys.revoke(session, session.get_one(ApiKey, key.id), actor="operator:x")
        entries = session.scalars(select(audit.AuditEntry).where(audit.AuditEntry.about == f"api_key:{key.id}")).all()
        assert sorted(entry.act for entry in entries) == ["api_key.created", "api_key.revoked"]
        assert not any(token in str(entry.detail) for entry in entries)
    assert keys.program_of(token) is None


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"scopes": ()}, "scopes"),
        ({"scopes": ("patients.read", "everything")}, "scopes"),
        ({"days": 0}, "days"),
        ({"days": keys.LONGEST_LIFE + 1}, "days"),
    ],
)
def test_what_breaks_a_rule_is_not_made(clinic, wanted, field):
    with pytest.raises(keys.MayNot) as refused:
        make(clinic, **wanted)
    assert list(refused.value.problems) == [field]


@pytest.mark.parametrize(
    "wanted", [{"name": "n" * keys.LONGEST_NAME}, {"scopes": scopes.ALL}, {"days": 1}, {"days": keys.LONGEST_LIFE}]
)
def test_the_most_and_the_least_that_may_be_wanted_is_made(clinic, wanted):
    assert keys.program_of(make(clinic, **wanted)[1]) is not None


def test_a_key_is_open_then_over_or_revoked_and_revoked_is_the_last_word(clinic):
    key, _ = make(clinic)
    assert keys.state(key, key.expires_at - timedelta(microseconds=1)) == "open"
    assert keys.state(key, key.expires_at) == "expired"
    key.revoked_at = key.created_at
    assert keys.state(key, key.created_at) == keys.state(key, key.expires_at) == "revoked"


@pytest.mark.parametrize("role", ["front_desk", "clinic_admin", "auditor", "psychiatric_consultant"])
def test_a_key_acts_in_the_name_of_nobody_who_may_not_close_an_item(clinic, new_staff, role):
    with pytest.raises(keys.MayNot):
        make(clinic, staff=new_staff(role=role))


def test_scopes_are_kept_once_and_in_their_order(clinic):
    key, _ = make(clinic, scopes=[scopes.ALL[3], scopes.ALL[0], scopes.ALL[3]])
    assert key.scopes == [scopes.ALL[0], scopes.ALL[3]]
