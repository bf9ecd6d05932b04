"""What somebody holds who works here, and what ends which of it; the table is in docs/security.md."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from redis import Redis
from sqlalchemy import update

from config import clock, db
from messaging.inbox.staff import staffing
from messaging.models import Clinic, Patient, Staff
from messaging.programs import keys, scopes
from reminders import clinic_profile
from service.cli import people
from tests.web.account.test_duty_feed import made
from tests.web.account.test_second_step import GOOD, a_colleague, code, enter, set_up, step
from web import patient_access
from web.account import lock_out, recoveries, sso_people
from web.models import StaffSession
from web.patients import emergency_access
from web.settings import granting

PAGE = (Path(__file__).parents[3] / "docs/security.md").read_text("utf-8")
OTHER_PASSWORD = "nine slow barges drift"
COLUMNS = ("here", "elsewhere", "poll", "first step", "proof", "emergency", "calendar", "key")
Why = emergency_access.Asked("danger", "The family rang: they fear for a life tonight", 60)


@dataclass
class Held:
    """What Rosa holds: two browsers, a first step taken in a third, a fresh proof, and what opens in her name."""

    house: Any
    rosa: Staff
    here: Any
    elsewhere: Any
    half: Any
    app: Any
    patient: Patient
    calendar: str
    token: str
    ada: Staff
    ines: Staff

    def left(self) -> set[str]:
        """Which of it still opens anything."""
        with db.unit_of_work(db.EVERY, read_only=True) as session:
            rosa = session.get_one(Staff, self.rosa.id)
            lasts = patient_access.lasting(session, rosa, self.patient.id) is not None
        answers = {
            "poll": self.elsewhere.get("/inbox/poll?unattended=1").status_code == 200,
            "here": self.here.get("/account").status_code == 200,
            "elsewhere": self.elsewhere.get("/account").status_code == 200,
            "first step": "code" in (page := self.half.get("/signin/step")).text and page.status_code == 200,
            "proof": "/preferences#" in str(self.here.post("/preferences/calendar").location),
            "emergency": lasts,
            "key": keys.program_of(self.token) is not None,
        }
        return {name for name, opens in answers.items() if opens}

    def calendar_opens(self) -> bool:
        return bool(self.house.browser().get(self.calendar).status_code == 200)

    def in_the_database(self, act: Callable[[Any, Clinic, Staff], object]) -> None:
        with db.unit_of_work(self.house.clinic.id) as session:
            clinic = session.get_one(Clinic, self.house.clinic.id)
            db.load_keys(session, {clinic.key_id})
            act(session, clinic, session.get_one(Staff, self.rosa.id))


@pytest.fixture
def held(house: Any, bell: Redis) -> Held:
    rosa = a_colleague(house)
    ada, ines = (house.staff(name, role="clinic_admin") for name in ("Ada Lind", "Ines Roy"))
    for number in range(2):  # so that Rosa can be let go
        house.staff(f"Stays {number}")
    here, _ = enter(house, rosa)
    app, codes = set_up(here)
    elsewhere, _ = enter(house, rosa)
    assert step(elsewhere, codes.pop()).status_code == 303
    half, _ = enter(house, rosa)
    patient = house.patient()
    with db.unit_of_work(house.clinic.id) as session:
        clinic = session.get_one(Clinic, house.clinic.id)
        db.load_keys(session, {clinic.key_id})
        mine = session.get_one(Staff, rosa.id)
        emergency_access.open_record(session, clinic, mine, session.get_one(Patient, patient.id), Why)
        wanted = keys.Wanted("Reports", scopes.ALL[:1], 30, mine)
        token = keys.make(session, clinic, wanted, actor="operator")[1]
    kept = Held(house, rosa, here, elsewhere, half, app, patient, made(here), token, ada, ines)
    assert kept.calendar_opens()
    return kept


def role_change(held: Held) -> None:
    def change(session: Any, clinic: Clinic, rosa: Staff) -> None:
        facts = staffing.facts(rosa)
        granting.change(session, clinic, rosa, replace(facts, role="clinician"), f"staff:{held.ada.id}")

    held.in_the_database(change)


def recovery(held: Held) -> None:
    def agreed(session: Any, _clinic: Clinic, rosa: Staff) -> None:
        for by in (held.ada, held.ines):
            recoveries.ask(session, rosa, session.get_one(Staff, by.id))

    held.in_the_database(agreed)
    came, _ = enter(held.house, held.rosa)
    assert came.post("/signin/step/recovery", token_from="/signin/step").status_code == 303


def new_password_by_link(held: Held) -> None:
    path = held.house.link(held.rosa, "reset")
    form = {"password": OTHER_PASSWORD, "again": OTHER_PASSWORD}
    assert held.house.browser().post(path, token_from=path, **form).status_code == 303


def own_password(held: Held, **more: str) -> None:
    form = {"current": GOOD, "password": OTHER_PASSWORD, "again": OTHER_PASSWORD} | more
    assert held.here.post("/account/password", token_from="/account", **form).status_code == 303


def revoked(held: Held) -> None:
    held.in_the_database(lambda session, _clinic, rosa: people._lock_out(session, rosa))  # as the command does first


def deactivated(held: Held) -> None:
    browser = held.house.signed_in(held.ada)
    path = f"/settings/people/{held.rosa.id}/leave"
    assert browser.post(path, token_from="/settings/people").status_code == 303


def refused_by_provider(held: Held) -> None:
    def refuse(session: Any, _clinic: Clinic, rosa: Staff) -> None:
        rosa.sso_state = "linked"
        sso_people.end(session, rosa)

    held.in_the_database(refuse)


def app_removed(held: Held) -> None:
    with time_machine.travel(clock.now() + timedelta(seconds=40)):
        answer = held.here.post("/account/factor/remove", token_from="/account", code=code(held.app))
        assert answer.status_code == 303


def long_ago(held: Held, **ago: timedelta) -> None:
    moved = {column: clock.now() - by for column, by in ago.items()}
    with db.unit_of_work(held.house.clinic.id) as session:
        session.execute(update(StaffSession).where(StaffSession.staff_id == held.rosa.id).values(**moved))


EVERYTHING = set(COLUMNS) - {"calendar"}
SESSIONS = {"here", "elsewhere", "poll", "proof"}
ENDINGS: dict[str, tuple[Callable[[Held], object], set[str], bool]] = {
    "sign out": (lambda held: held.here.post("/signout"), {"here", "proof"}, True),
    "end it": (
        lambda held: held.here.post("/account/sessions/end", token_from="/account"),
        {"elsewhere", "poll"},
        True,
    ),
    "password changed": (own_password, {"first step"}, True),
    "password changed, others signed out": (
        lambda held: own_password(held, others="1"),
        {"first step", "elsewhere", "poll"},
        True,
    ),
    "password chosen by a link": (new_password_by_link, SESSIONS | {"first step"}, True),
    "app removed": (app_removed, set(), True),
    "recovery": (recovery, SESSIONS, True),
    "role changed by others": (role_change, SESSIONS | {"emergency"}, True),
    "refused by the provider": (refused_by_provider, SESSIONS | {"first step", "emergency", "key"}, False),
    "deactivated": (deactivated, EVERYTHING, False),
    "staff revoke": (revoked, EVERYTHING, False),
    "fifteen idle minutes": (lambda held: long_ago(held, seen_at=timedelta(minutes=15, seconds=1)), SESSIONS, True),
    "twelve hours": (lambda held: long_ago(held, created_at=timedelta(hours=12, seconds=1)), SESSIONS, True),
}


def row(what: str, ends: set[str], calendar_stays: bool) -> str:
    """The row of the page: `here` is the browser in which it is done."""
    ended = ends | (set() if calendar_stays else {"calendar"})
    return f"| {what} | " + " | ".join("ends" if column in ended else "" for column in COLUMNS) + " |"


@pytest.mark.parametrize("what", ENDINGS)
def test_what_ends_which_of_what_somebody_holds(held: Held, what: str) -> None:
    act, ends, calendar_stays = ENDINGS[what]
    act(held)
    assert held.calendar_opens() == calendar_stays
    if what in ("fifteen idle minutes", "twelve hours"):
        # Pages that only watch are believed until the moment that they knew of; here the rows were moved behind them.
        assert held.left() - {"poll"} == EVERYTHING - ends
    else:
        assert held.left() == EVERYTHING - ends
    assert row(what, ends, calendar_stays) in PAGE


def test_nothing_comes_alive_again_when_somebody_comes_back(held: Held) -> None:
    held.in_the_database(lambda session, _clinic, rosa: lock_out.end_access(session, rosa, "operator"))
    held.in_the_database(lambda session, clinic, rosa: staffing.come_back(session, clinic, rosa, "operator"))
    assert held.left() == {"first step"}  # which a lock or a new password undoes
    assert not held.calendar_opens()


def test_a_clinic_that_begins_to_demand_a_second_step_leads_open_sessions_to_it(house: Any) -> None:
    browser, _ = enter(house, a_colleague(house))
    assert browser.get("/inbox").status_code == 200
    with db.unit_of_work(house.clinic.id) as session:
        clinic = session.get_one(Clinic, house.clinic.id)
        clinic.rules = clinic.rules | {clinic_profile.FACTOR: ["care_manager"]}
    assert browser.get("/inbox").location.startswith("/account/factor")
