"""What makes a key good, and who hears of it."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from config import audit, clock, db
from config.keys import token_hash
from messaging.models import Clinic, Staff
from messaging.people import directory
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


def test_how_long_a_name_and_a_life_may_be() -> None:
    assert (ApiKey.name.type.length, 366) == (keys.LONGEST_NAME, keys.LONGEST_LIFE)


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


def elsewhere() -> Clinic:
    with db.unit_of_work(db.EVERY) as session:
        return directory.add_clinic(session, name="Elm Clinic", zone="America/Denver", number="+13035550102")


def lines(act: str) -> list[audit.AuditEntry]:
    with db.unit_of_work(db.EVERY) as session:
        return list(session.scalars(select(audit.AuditEntry).where(audit.AuditEntry.act == act)))


def test_a_key_says_what_it_is_and_who_has_made_it(clinic, new_staff):
    rosa = new_staff("Rosa")
    with time_machine.travel(clock.now(), tick=False):
        key, token = make(clinic, name="  Kiosk ", staff=rosa, scopes=(scopes.ALL[1], scopes.ALL[0]), days=7)
        assert (key.name, key.created_by, key.created_at) == ("Kiosk", "operator:x", clock.now())
        assert key.expires_at == clock.now() + timedelta(days=7)
    assert (key.last_used_at, key.revoked_at, key.revoked_by) == (None, None, None)
    assert token.startswith("wtk_")
    program = keys.program_of(token)
    assert program is not None
    assert (program.staff_id, program.scopes) == (rosa.id, {scopes.ALL[0], scopes.ALL[1]})
    (line,) = lines("api_key.created")
    assert (line.clinic_id, line.actor) == (clinic.id, "operator:x")
    assert line.detail == {"scopes": f"{scopes.ALL[0]},{scopes.ALL[1]}", "staff": str(rosa.id)}


def test_a_key_in_nobodys_name_says_so(clinic):
    assert make(clinic)[0].staff_id is None
    assert lines("api_key.created")[0].detail.get("staff") is None


@pytest.mark.parametrize("gone", [{"active": False}, {"sso_state": "locked"}])
def test_no_key_acts_in_the_name_of_whoever_is_gone_or_locked_out(clinic, new_staff, gone):
    rosa = new_staff("Rosa")
    for field, value in gone.items():
        setattr(rosa, field, value)
    with pytest.raises(keys.MayNot, match=r"^staff$"):
        make(clinic, staff=rosa)


def test_no_key_acts_in_the_name_of_another_clinics_colleague(clinic, new_staff):
    with pytest.raises(keys.MayNot) as refused:
        make(elsewhere(), staff=new_staff(), name="")
    assert (str(refused.value), sorted(refused.value.problems.items())) == (
        "name, staff",
        [("name", "name"), ("staff", "staff")],
    )


def test_a_key_ends_with_the_colleague_in_whose_name_it_acts(clinic, new_staff):
    rosa = new_staff("Rosa")
    _, token = make(clinic, staff=rosa)
    assert keys.program_of(token) is not None
    with db.unit_of_work(clinic.id) as session:
        session.get_one(Staff, rosa.id).sso_state = "locked"
    assert keys.program_of(token) is None


def test_only_a_token_of_ours_and_of_a_sane_length_is_looked_up(clinic):
    key, _ = make(clinic)
    longest = keys.PREFIX.ljust(100, "a")
    for token, found in ((longest, True), (longest + "a", False), ("xtk_" + "a" * 22, False)):
        with db.unit_of_work(clinic.id) as session:
            session.get_one(ApiKey, key.id).token_hash = token_hash(token)
        assert (keys.program_of(token) is not None) is found, token


def test_the_newest_key_stands_first_and_another_clinics_never(clinic):
    now = clock.now()
    for hour, name in ((0, "first"), (2, "third"), (1, "second")):
        with time_machine.travel(now + timedelta(hours=hour), tick=False):
            make(clinic, name=name)
    make(elsewhere())
    with db.unit_of_work(clinic.id) as session:
        assert [key.name for key in keys.of_clinic(session, clinic)] == ["third", "second", "first"]


def test_who_has_revoked_a_key_stands_beside_it_and_in_the_audit_log(clinic):
    key, _ = make(clinic)
    with time_machine.travel(clock.now(), tick=False), db.unit_of_work(clinic.id) as session:
        row = session.get_one(ApiKey, key.id)
        assert keys.revoke(session, row, actor="operator:y") is True
        assert (row.revoked_at, row.revoked_by) == (clock.now(), "operator:y")
        assert keys.revoke(session, row, actor="operator:z") is False
        assert row.revoked_by == "operator:y"
    (line,) = lines("api_key.revoked")
    assert (line.clinic_id, line.actor, line.about) == (clinic.id, "operator:y", f"api_key:{key.id}")


def test_whoever_goes_takes_their_own_keys_with_them_and_nobody_elses(clinic, new_staff):
    rosa, ben = new_staff("Rosa"), new_staff("Ben")
    made = {name: make(clinic, name=name, staff=staff)[0] for name, staff in (("r1", rosa), ("r2", rosa), ("b", ben))}
    made["nobody"] = make(clinic)[0]
    with db.unit_of_work(clinic.id) as session:
        keys.revoke(session, session.get_one(ApiKey, made["r1"].id), actor="operator:before")
        keys.revoke_in_name_of(session, rosa, actor="operator:y")
        by = {name: session.get_one(ApiKey, key.id).revoked_by for name, key in made.items()}
    assert by == {"r1": "operator:before", "r2": "operator:y", "b": None, "nobody": None}


def test_a_keys_use_is_written_down_once_a_minute(clinic):
    key, _ = make(clinic)
    begun, seen = clock.now(), []
    for second in (0, 59, 60, 61, 100, 122):
        with time_machine.travel(begun + timedelta(seconds=second), tick=False), db.unit_of_work(clinic.id) as session:
            keys.used(session, key.id)
            at = session.get_one(ApiKey, key.id).last_used_at
            assert at is not None
            seen.append(round((at - begun).total_seconds()))
    assert seen == [0, 0, 0, 61, 61, 122]
