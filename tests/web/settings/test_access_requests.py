"""Access that takes two: asked by an administrator, agreed to by a settled second person, and nothing before."""

import html
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from config import audit, clock, db
from messaging import two_person_rule
from messaging.models import Message, Staff
from tests.web.settings.second_person import REQUESTS, waits
from web.models import AccessRequest, AccountChange, SignInLink

PEOPLE = "/settings/people"
OWN, HERS = "+12025550151", "+12025550161"
RITA = {
    "name": "Rita Moss", "email": "rita@clinic.example", "role": "care_manager", "languages": "en", "number": OWN,
}  # fmt: skip
ROSA = {"name": "Rosa Delgado", "languages": "en", "role": "care_manager", "number": HERS}
DAYS_3 = two_person_rule.SETTLES + timedelta(minutes=1)


@pytest.fixture(params=["house", "house_on_postgresql"])
def place(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


def texts(house: Any) -> list[tuple[str, str]]:
    """To whom of the staff which text went, by name."""
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        db.load_keys(session, {house.clinic.key_id})
        rows = select(Message, Staff.name).join(Staff, Staff.id == Message.staff_id)
        return [(name, message.body or "") for message, name in session.execute(rows)]


def told(house: Any) -> set[str]:
    """Who was texted that something waits for a second person."""
    return {name for name, body in texts(house) if "waits for a second person" in body}


def links(house: Any) -> list[SignInLink]:
    """Links by which somebody chooses a password."""
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        return list(session.scalars(select(SignInLink).where(SignInLink.kind != "once")))


def outcomes(house: Any) -> list[str | None]:
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        return list(session.scalars(select(AccessRequest.outcome).order_by(AccessRequest.asked_at, AccessRequest.id)))


def people(house: Any) -> dict[str, tuple[str, bool]]:
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        return {staff.name: (staff.role, staff.active) for staff in session.scalars(select(Staff))}


def answer(browser: Any, house: Any, act: str = "agree") -> Any:
    (row,) = waits(house)
    return browser.post(f"{REQUESTS}/{row.id}/{act}")


def says(browser: Any, path: str = REQUESTS) -> str:
    return html.unescape(browser.get(path).text)


def number_of(house: Any, staff: Staff) -> str | None:
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        return session.get_one(Staff, staff.id).number


def test_an_administrator_alone_ends_with_nothing_by_any_way(house: Any) -> None:
    dana = house.staff("Dana Wu", role="clinic_admin", number=OWN)
    house.staff("Lee Park", role="clinic_admin")
    rosa = house.staff("Rosa Delgado", number=HERS)
    kim = house.staff("Kim Ost", role="clinician")  # no phone: a link would be shown
    gone = house.staff("Guy Noe", number=OWN)
    with db.unit_of_work(house.clinic.id) as session:
        session.get_one(Staff, gone.id).active = False
    before, browser = people(house), house.signed_in(dana)
    desk = RITA | {"role": "front_desk", "email": "puppet@clinic.example", "name": "Pup Pet"}
    assert browser.post(PEOPLE, **desk).status_code == 200
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        puppet = session.scalars(select(Staff).where(Staff.name == "Pup Pet")).one()
    already = len(links(house))
    tries = [
        (PEOPLE, RITA),
        (PEOPLE, RITA | {"role": "clinic_admin"}),
        (f"{PEOPLE}/{dana.id}", ROSA | {"name": "Dana Wu", "number": OWN}),
        (f"{PEOPLE}/{puppet.id}", ROSA | {"name": "Pup Pet", "number": OWN}),
        (f"{PEOPLE}/{rosa.id}", ROSA | {"number": OWN}),
        (f"{PEOPLE}/{kim.id}/link", {}),
        (f"{PEOPLE}/{gone.id}/link", {}),
    ]
    for path, form in tries:
        sent = browser.post(path, **form)
        assert (sent.status_code, sent.location) == (303, f"{PEOPLE}#requests"), path
    for by in (browser, house.signed_in(puppet)):
        for row in waits(house):
            assert by.post(f"{REQUESTS}/{row.id}/agree").status_code in (303, 403)
    with time_machine.travel(clock.now() + DAYS_3):
        late = house.signed_in(house.read(Staff, dana.id))
        for row in waits(house):
            late.post(f"{REQUESTS}/{row.id}/agree")
    assert people(house) == before | {"Pup Pet": ("front_desk", True)}
    assert len(links(house)) == already
    assert number_of(house, rosa) == HERS
    assert "/signin/" not in says(browser) + says(browser, PEOPLE)
    assert "Rosa Delgado" in told(house)


@pytest.mark.parametrize("what", ["invite", "role", "number", "link", "return", "locked"])
def test_each_way_in_waits_and_is_given_when_a_second_person_agrees(house: Any, what: str) -> None:
    dana, lee = house.staff("Dana Wu", role="clinic_admin"), house.staff("Lee Park")
    number = None if what == "link" else HERS
    rosa = house.staff("Rosa Delgado", number=number, role="front_desk" if what == "role" else "clinician")
    with db.unit_of_work(house.clinic.id) as session:
        row = session.get_one(Staff, rosa.id)
        row.active, row.sso_state = what != "return", "locked" if what == "locked" else None
    form = ROSA | {"role": "clinician"}
    tries = {
        "invite": (PEOPLE, RITA),
        "role": (f"{PEOPLE}/{rosa.id}", form),
        "number": (f"{PEOPLE}/{rosa.id}", form | {"number": OWN}),
    }
    path, typed = tries.get(what, (f"{PEOPLE}/{rosa.id}/link", {}))
    before = people(house)
    assert house.signed_in(dana).post(path, **typed).location == f"{PEOPLE}#requests"
    assert (people(house), links(house), number_of(house, rosa)) == (before, [], number)
    second = house.signed_in(lee)
    assert "Dana Wu asked" in says(second)
    done = answer(second, house)
    assert (outcomes(house), waits(house)) == (["agreed"], [])
    if what in ("role", "number"):
        assert done.status_code == 303
        assert (people(house)["Rosa Delgado"], number_of(house, rosa)) == (
            ("clinician", True),
            OWN if what == "number" else HERS,
        )
    else:
        assert done.status_code == 200
        assert len(links(house)) == 1
        assert ("/signin/" in done.text) == (what == "link")  # shown once, to whoever agreed
    assert people(house).get("Rita Moss") == (("care_manager", True) if what == "invite" else None)


def test_what_gives_no_words_and_no_say_waits_for_nobody(house: Any) -> None:
    browser = house.signed_in(house.staff("Dana Wu", role="clinic_admin", number=OWN))
    rosa = house.staff("Rosa Delgado", number=HERS)
    for role in ("front_desk", "auditor"):
        assert browser.post(PEOPLE, **(RITA | {"role": role, "email": f"{role}@clinic.example"})).status_code == 200
    assert browser.post(f"{PEOPLE}/{rosa.id}/link").status_code == 200  # to her own phone, and she is told
    for form in (ROSA | {"name": "Rosa D"}, ROSA | {"number": ""}, ROSA | {"role": "front_desk", "number": OWN}):
        assert browser.post(f"{PEOPLE}/{rosa.id}", **form).location.startswith(f"{PEOPLE}#person-")
    assert waits(house) == []


def test_of_a_change_what_needs_nobody_happens_at_once_and_the_rest_when_it_is_agreed_to(place: Any) -> None:
    dana, lee = place.staff("Dana Wu", role="clinic_admin"), place.staff("Lee Park", role="clinic_admin")
    rosa = place.staff("Rosa Delgado", role="front_desk", number=HERS)
    place.signed_in(dana).post(f"{PEOPLE}/{rosa.id}", **(ROSA | {"name": "Rosa D", "languages": "es"}))
    row = place.read(Staff, rosa.id)
    assert (row.name, row.languages, row.role) == ("Rosa D", ["es"], "front_desk")
    browser = place.signed_in(lee)
    assert "Role: from Front desk to Care manager" in says(browser)
    hers = place.signed_in(row)
    assert answer(browser, place).status_code == 303
    assert place.read(Staff, rosa.id).role == "care_manager"
    assert hers.get("/preferences").status_code == 303  # the session of the other role is over
    with db.unit_of_work(place.clinic.id, read_only=True) as session:
        changes = session.scalars(select(AccountChange.what).where(AccountChange.staff_id == rosa.id)).all()
        acts = session.scalars(select(audit.AuditEntry.act).where(audit.AuditEntry.act.like("access.%"))).all()
    assert {"access_asked", "role"} <= set(changes)
    assert sorted(acts) == ["access.agreed", "access.asked"]


def test_whoever_asked_is_concerned_new_or_without_the_role_does_not_agree(house: Any) -> None:
    dana, lee = house.staff("Dana Wu", role="clinic_admin"), house.staff("Lee Park", role="clinic_admin")
    rosa = house.staff("Rosa Delgado", number=HERS)
    new = house.staff("Nia New", role="clinic_admin", actor=audit.Actor.staff(dana.id))
    house.signed_in(dana).post(f"{PEOPLE}/{rosa.id}", **(ROSA | {"number": OWN}))
    for staff, why in ((dana, "You have asked"), (rosa, "It is about you"), (new, "less than three days")):
        browser = house.signed_in(staff)
        assert ">Agree" not in says(browser)
        assert answer(browser, house).status_code == 303
        assert why in says(browser)
    assert answer(house.signed_in(house.staff("Flo Desk", role="front_desk")), house).status_code == 403
    assert (len(waits(house)), number_of(house, rosa)) == (1, HERS)
    house.signed_in(new).post(f"{PEOPLE}/{rosa.id}", **(ROSA | {"number": OWN}))  # a new one's question takes no yes
    browser = house.signed_in(lee)
    assert "less than three days" in says(browser)
    assert answer(browser, house).status_code == 303
    assert (outcomes(house), number_of(house, rosa)) == (["replaced", None], HERS)
    with time_machine.travel(clock.now() + DAYS_3):
        assert answer(house.signed_in(house.read(Staff, lee.id)), house).status_code == 303
    assert number_of(house, rosa) == OWN


def test_anybody_here_may_refuse_and_the_asker_takes_back_and_hears_of_it(house: Any) -> None:
    dana, flo = house.staff("Dana Wu", role="clinic_admin", number=OWN), house.staff("Flo Desk", role="front_desk")
    house.staff("Lee Park")
    browser = house.signed_in(dana)
    browser.post(PEOPLE, **RITA)
    assert "May agree: Lee Park" in says(browser, PEOPLE)
    assert "Take it back" in says(browser)
    desk = house.signed_in(flo)
    assert ">Refuse<" in says(desk)
    assert answer(desk, house, "refuse").status_code == 303
    assert "Dana Wu" in told(house)
    browser.post(PEOPLE, **RITA)
    assert answer(browser, house, "refuse").status_code == 303
    assert "Taken back" in says(browser)
    assert "Nothing waits" in says(browser)
    assert (outcomes(house), links(house)) == (["refused", "withdrawn"], [])


def test_administrators_auditors_and_whoever_may_agree_are_told_and_no_text_names_anybody(house: Any) -> None:
    dana = house.staff("Dana Wu", role="clinic_admin", number=OWN)
    roles = {"Lee": "clinic_admin", "Ann": "auditor", "Cal": "care_manager", "Dr": "clinician", "Flo": "front_desk"}
    for at, (name, role) in enumerate(roles.items()):
        house.staff(name, role=role, number=f"+1202555017{at}")
    house.signed_in(dana).post(PEOPLE, **RITA)
    assert told(house) == {"Lee", "Ann", "Cal"}
    for _, body in texts(house):
        assert not any(word in body for word in ("Rita", "Dana", "0151", "care"))
        assert REQUESTS in body


def test_where_nobody_could_agree_everybody_is_told_and_after_three_days_the_asker_goes_on(house: Any) -> None:
    dana = house.staff("Dana Wu", role="clinic_admin", number=OWN)
    house.staff("Dr Abel", role="clinician", number="+12025550171")
    house.staff("Flo Desk", role="front_desk", number="+12025550172")
    browser = house.signed_in(dana)
    browser.post(PEOPLE, **RITA)
    assert told(house) == {"Dr Abel", "Flo Desk"}
    assert "You may go on from" in says(browser)
    assert answer(browser, house).status_code == 303
    assert "Three days have to pass" in says(browser)
    assert links(house) == []
    with time_machine.travel(clock.now() + DAYS_3):
        browser = house.signed_in(house.read(Staff, dana.id))
        assert ">Go on" in says(browser)
        assert answer(browser, house).status_code == 200
    assert (outcomes(house), len(links(house))) == (["waited"], 1)


def test_the_wait_is_no_way_round_who_could_have_agreed_when_it_was_asked(house: Any) -> None:
    dana, lee = house.staff("Dana Wu", role="clinic_admin"), house.staff("Lee Park", role="clinic_admin")
    house.signed_in(dana).post(PEOPLE, **RITA)
    with db.unit_of_work(house.clinic.id) as session:
        session.get_one(Staff, lee.id).active = False
    with time_machine.travel(clock.now() + DAYS_3):
        browser = house.signed_in(house.read(Staff, dana.id))
        assert answer(browser, house).status_code == 303
        assert (outcomes(house), links(house)) == ([None], [])


def test_what_has_changed_meanwhile_or_is_too_old_is_asked_anew(house: Any) -> None:
    dana, lee = house.staff("Dana Wu", role="clinic_admin"), house.staff("Lee Park")
    rosa = house.staff("Rosa Delgado", role="front_desk", number=HERS)
    browser, second = house.signed_in(dana), house.signed_in(lee)
    browser.post(f"{PEOPLE}/{rosa.id}", **ROSA)
    browser.post(
        f"{PEOPLE}/{rosa.id}", **(ROSA | {"role": "front_desk", "number": OWN})
    )  # a desk's number needs nobody
    assert "It has to be asked anew" in says(second)
    assert answer(second, house).status_code == 303
    assert house.read(Staff, rosa.id).role == "front_desk"
    browser.post(f"{PEOPLE}/{rosa.id}", **ROSA)
    assert outcomes(house) == ["replaced", None]
    (row,) = waits(house)
    with time_machine.travel(clock.now() + timedelta(days=7, minutes=1)):
        second = house.signed_in(house.read(Staff, lee.id))
        assert "Nothing waits" in says(second)
        second.post(f"{REQUESTS}/{row.id}/agree")
        assert "This waits no more" in says(second)
    assert house.read(Staff, rosa.id).role == "front_desk"


def test_a_change_that_could_not_be_made_is_refused_to_whoever_asks(house: Any) -> None:
    dana = house.staff("Dana Wu", role="clinic_admin", number=OWN)
    house.staff("Lee Park")
    alone = house.signed_in(dana).post(f"{PEOPLE}/{dana.id}", **(ROSA | {"name": "Dana Wu", "number": OWN}))
    assert alone.status_code == 422
    assert "make another person a clinic administrator first" in alone.text
    taken = house.signed_in(dana).post(PEOPLE, **(RITA | {"email": dana.email}))
    assert (taken.status_code, waits(house)) == (422, [])


def test_another_clinic_sees_and_answers_nothing(house: Any, another_house: Any) -> None:
    house.staff("Lee Park")
    house.signed_in(house.staff("Dana Wu", role="clinic_admin")).post(PEOPLE, **RITA)
    elsewhere = another_house()
    stranger = elsewhere.signed_in(elsewhere.staff("Sam Roe", role="clinic_admin"))
    assert "Rita" not in says(stranger)
    for act in ("agree", "refuse"):
        assert answer(stranger, house, act).status_code == 404
