"""The people of a clinic: invited by a link to their own phone, changed, let go, never so that nobody is reached."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from pydantic import SecretStr
from sqlalchemy import select

from config import audit, clock, db, runtime
from messaging.inbox.models import InboxItem
from messaging.inbox.routing.hours import WEEKDAYS
from messaging.mail.models import Mail, MailAddress
from messaging.models import Message, Staff
from messaging.people import staff_phones
from messaging.programs import keys
from tests.web.boards.test_unassigned import NUMBER, published
from tests.web.settings.second_person import agreed
from web.models import AccountChange, Passkey, SignInLink

ROSA = {
    "name": "Rosa Delgado", "email": "Rosa@Clinic.example", "role": "care_manager", "languages": "es",
    "number": "(202) 555-0152", "panels": "Dr Abel, Dr Baum", "credential": " LCSW ",
}  # fmt: skip
CHOSEN = {"password": "a few words in a row", "again": "a few words in a row"}


def link_in(answer: Any) -> str:
    """The path of the link that a page shows."""
    match = re.search(r'value="http://localhost:8000(/signin/[^"]+)"', answer.text)
    assert match is not None
    return match[1]


def link_sent(house: Any, answer: Any) -> str:
    """The path of the link that went to a colleague's phone once it was agreed to, which the page does not show."""
    answer = agreed(house, answer)
    assert answer.status_code == 200
    assert "/signin/" not in answer.text
    assert "A link has gone to the phone of" in answer.text
    with db.unit_of_work(house.clinic.id) as session:
        db.load_keys(session, {house.clinic.key_id})
        texts = select(Message).where(Message.staff_id.is_not(None)).order_by(Message.created_at, Message.id)
        bodies = [message.body or "" for message in session.scalars(texts)]
    return [match[1] for body in bodies if (match := re.search(r"http://localhost:8000(/signin/\S+)", body))][-1]


def use(house: Any, path: str) -> int:
    return int(house.browser().post(path, token_from=path, **CHOSEN).status_code)


def lead(house: Any) -> Any:
    return house.signed_in(house.staff("Dana Wu", role="clinic_admin", number=NUMBER))


def the(house: Any, email: str) -> Staff:
    with db.unit_of_work(house.clinic.id) as session:
        colleague = session.query(Staff).filter_by(email=email).one()
        db.load_keys(session, {colleague.key_id})
        _ = colleague.number  # opened here: it needs its session
        return colleague


def test_a_link_goes_to_the_colleagues_own_phone_works_once_and_lets_them_in(house: Any) -> None:
    browser = lead(house)
    path = link_sent(house, browser.post("/settings/people", **ROSA))
    assert path not in browser.get("/settings/people").text
    rosa = the(house, "rosa@clinic.example")
    assert "Rosa Delgado, LCSW" in browser.get("/settings/people").text
    assert (rosa.name, rosa.languages, rosa.panels) == ("Rosa Delgado", ["es"], ["Dr Abel", "Dr Baum"])
    assert rosa.number == "+12025550152"
    assert use(house, path) == 303
    assert house.browser().get(path).status_code == 410
    assert "signs in with a password" in browser.get("/settings/people").text


def test_who_has_a_passkey_and_no_password_is_said_to_sign_in_with_it(house: Any) -> None:
    browser, rosa = lead(house), house.staff("Rosa Delgado")
    with db.unit_of_work(house.clinic.id) as session:
        session.get_one(Staff, rosa.id).password_hash = None
        facts = {"credential_id": b"one", "public_key": b"key", "sign_count": 0, "name": "phone"}
        session.add(Passkey(clinic_id=house.clinic.id, staff_id=rosa.id, made_at=clock.now(), **facts))
    page = browser.get("/settings/people").text
    assert "signs in with a passkey" in page


def test_a_link_expires_and_a_new_one_ends_the_one_before(house: Any) -> None:
    browser = lead(house)
    first = link_sent(house, browser.post("/settings/people", **ROSA))
    rosa = the(house, "rosa@clinic.example")
    second = link_sent(house, browser.post(f"/settings/people/{rosa.id}/link"))
    assert house.browser().get(first).status_code == 410
    with time_machine.travel(clock.now() + timedelta(days=3, minutes=1)):
        assert house.browser().get(second).status_code == 410
        browser = house.signed_in(house.read(Staff, the(house, "p1@clinic.example").id))
        assert "no link works" in browser.get("/settings/people").text


def test_links_are_listed_with_their_state_and_revoked(house: Any) -> None:
    browser = lead(house)
    first = link_sent(house, browser.post("/settings/people", **ROSA))
    rosa = the(house, "rosa@clinic.example")
    assert use(house, first) == 303
    second = link_sent(house, browser.post(f"/settings/people/{rosa.id}/link"))
    page = browser.get("/settings/people").text
    for words in ("Invitation", "used today", "Reset link", "not used yet", "Last sign-in"):
        assert words in page
    with db.unit_of_work(house.clinic.id) as session:
        made = session.scalars(select(SignInLink).where(SignInLink.kind == "reset")).one().id
    assert browser.post(f"/settings/people/links/{made}/revoke").status_code == 303
    assert "revoked today" in browser.get("/settings/people").text
    assert house.browser().get(second).status_code == 410
    assert house.signed_in(house.staff()).post(f"/settings/people/links/{made}/revoke").status_code == 403


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("name", "", "A name of 1 to 80"),
        ("email", "rosa", "not an e-mail"),
        ("email", "p1@clinic.example", "works here already"),
        ("role", "owner", "Choose one of the roles"),
        ("languages", "fr", "at least one language"),
        ("number", "988", "short code"),
        ("panels", "x" * 121, "Up to 20 names"),
        ("credential", "x" * 41, "At most 40 letters"),
    ],
)
def test_each_mistake_stands_at_its_field_and_nobody_is_added(house: Any, field: str, typed: str, said: str) -> None:
    browser = lead(house)
    answer = browser.post("/settings/people", **(ROSA | {field: typed}))
    assert answer.status_code == 422
    assert said in answer.text
    assert f'id="{field}-new-problem"' in answer.text
    assert "rosa@clinic.example" not in browser.get("/settings/people").text.lower()


def test_who_has_left_is_out_at_once_and_what_they_held_moves_on(house: Any) -> None:
    browser = house.signed_in(published(house))
    rosa = house.staff("Rosa Delgado", number="+12025550152")
    hers = house.signed_in(rosa)
    item = house.item("reply", owner_id=rosa.id)
    hers.post("/preferences/calendar")
    calendar = re.findall(r'value="http://localhost:8000(/calendar/[^"]+)"', hers.get("/preferences").text)[0]
    with db.unit_of_work(house.clinic.id) as session:
        wanted = keys.Wanted("Her script", ("patients.read",), 30, session.get_one(Staff, rosa.id))
        _, token = keys.make(session, house.clinic, wanted, actor=audit.Actor.staff(rosa.id))
    assert "1 of their items and tasks is unfinished" in browser.get(f"/settings/people?leave={rosa.id}").text
    answer = browser.post(f"/settings/people/{rosa.id}/leave", to="team")
    assert answer.status_code == 303
    assert hers.get("/inbox").status_code == 303
    assert house.read(InboxItem, item.id).owner_id is None
    assert "Items that moved on: 1" in browser.get("/settings/people").text
    assert browser.post(f"/settings/people/{rosa.id}/leave").status_code == 404
    again = browser.post("/settings/people", **(ROSA | {"email": rosa.email}))
    assert "has worked here" in again.text
    assert use(house, link_sent(house, browser.post(f"/settings/people/{rosa.id}/link"))) == 303
    # Back they are; what opened in their name before they left does not come back with them.
    assert house.browser().get(calendar).status_code == 404
    assert keys.program_of(token) is None


def test_who_alone_can_be_reached_may_not_leave_nor_lose_the_phone(house: Any) -> None:
    admin = published(house)
    browser = house.signed_in(admin)
    second = house.staff("Lee Park", role="clinic_admin")
    second_browser = house.signed_in(second)
    answer = second_browser.post(f"/settings/people/{admin.id}/leave")
    assert answer.status_code == 422
    assert "nobody active here has the address" in answer.text
    assert house.read(Staff, admin.id).active
    form = {"name": "Dana Wu", "role": "clinic_admin", "languages": "en", "number": "", "panels": ""}
    lost = browser.post(f"/settings/people/{admin.id}", **form)
    assert lost.status_code == 422
    assert "with a mobile number" in lost.text
    assert browser.post(f"/settings/people/{admin.id}", **(form | {"number": NUMBER})).status_code == 303


def test_the_last_who_decides_stays_and_nobody_lets_themselves_out(house: Any) -> None:
    admin = published(house)
    browser = house.signed_in(admin)
    form = {"name": "Dana Wu", "role": "care_manager", "languages": "en", "number": NUMBER, "panels": ""}
    answer = browser.post(f"/settings/people/{admin.id}", **form)
    assert answer.status_code == 422
    assert "make another person a clinic administrator first" in answer.text
    assert "cannot let yourself out" in browser.post(f"/settings/people/{admin.id}/leave").text


def test_a_new_role_ends_the_sessions_of_the_old_one(house: Any) -> None:
    browser = lead(house)
    rosa = house.staff("Rosa Delgado")
    hers = house.signed_in(rosa)
    form = {"name": "Rosa D", "role": "front_desk", "languages": "en", "number": "", "panels": ""}
    assert browser.post(f"/settings/people/{rosa.id}", **form).status_code == 303
    assert hers.get("/patients").status_code == 303
    assert house.read(Staff, rosa.id).role == "front_desk"


def test_numbers_are_shown_to_who_decides_and_only_they_may_act(house: Any, another_house: Any) -> None:
    house.staff("Dana Wu", role="clinic_admin", number=NUMBER)
    rosa = house.staff("Rosa Delgado")
    browser = house.signed_in(rosa)
    page = browser.get("/settings/people")
    assert page.status_code == 200
    assert "555-0151" not in page.text
    assert "··0151" in page.text
    assert browser.post("/settings/people", **ROSA).status_code == 403
    stranger = another_house().staff("Sam Roe")
    assert lead(house).post(f"/settings/people/{stranger.id}/leave").status_code == 404


def test_who_alone_is_there_at_night_stays_reachable_whatever_is_changed(house: Any) -> None:
    """Nobody is named as the fallback here: the nights rest on Rosa's hours alone."""
    browser = house.signed_in(house.staff("Dana Wu", role="clinic_admin", number=None))
    house.staff("Ben Ito", number="+12025550153", hours={day: ["08:00", "20:00"] for day in WEEKDAYS})
    night = {day: ["20:00", "08:00"] for day in WEEKDAYS}
    rosa = house.staff("Rosa Delgado", number="+12025550152", hours=night)
    form = {"name": rosa.name, "role": "care_manager", "languages": "en", "number": rosa.number, "panels": ""}
    for field, changed in (("number", {"number": ""}), ("role", {"role": "front_desk"})):
        refused = browser.post(f"/settings/people/{rosa.id}", **(form | changed))
        assert refused.status_code == 422
        problem = refused.text.partition(f'id="{field}-{rosa.id}-problem"')[2].partition("</p>")[0]
        assert "Mon 0:00 to Mon 8:00" in problem
        assert "put somebody on call" in problem
    left = browser.post(f"/settings/people/{rosa.id}/leave")
    assert left.status_code == 422
    assert "Mon 0:00 to Mon 8:00" in left.text
    kept = house.read(Staff, rosa.id)
    assert (kept.active, kept.role, kept.number_ct is not None) == (True, "care_manager", True)
    with db.unit_of_work(house.clinic.id) as session:
        acts = session.scalars(select(audit.AuditEntry.act)).all()
        assert not {"staff.changed", "staff.revoked"} & set(acts)


def test_a_phone_that_takes_no_texts_is_named_on_the_card_and_to_whoever_carries_it(house: Any) -> None:
    browser = lead(house)
    with db.unit_of_work(house.clinic.id) as session:
        for colleague in session.query(Staff):
            staff_phones.refused(session, colleague, "opt_out")
    page = browser.get("/settings/people").text
    assert "Alerts do not reach your phone: it has stopped our texts." in page
    assert page.count("START, texted from it") == 2
    assert "no mobile that takes alerts" in browser.get("/settings/rota").text


def test_a_link_is_shown_once_where_no_way_leads_to_the_colleague_alone(house: Any) -> None:
    browser = lead(house)
    answer = browser.post("/settings/people", **(ROSA | {"number": ""}))
    path = link_in(agreed(house, answer))
    assert path not in browser.get("/settings/people").text
    assert use(house, path) == 303


def test_a_link_goes_by_mail_to_who_has_confirmed_it_and_has_no_phone(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = lead(house)
    rosa = house.staff("Rosa Delgado", email="rosa@clinic.example")
    mailing = runtime.settings().model_copy(update={"smtp_url": SecretStr("smtp://127.0.0.1:9")})
    monkeypatch.setattr(runtime, "_settings", mailing)
    with db.unit_of_work(house.clinic.id) as session:
        confirmed = dict.fromkeys(("asked_at", "expires_at", "confirmed_at", "try_after"), clock.now())
        session.add(MailAddress(clinic_id=house.clinic.id, staff_id=rosa.id, **confirmed))
    answer = browser.post(f"/settings/people/{rosa.id}/link")
    assert "A link has gone to the e-mail of Rosa Delgado" in answer.text
    assert "/signin/" not in answer.text
    with db.unit_of_work(house.clinic.id) as session:
        db.load_keys(session, {house.clinic.key_id})
        mails = {mail.kind: mail.body or "" for mail in session.scalars(select(Mail))}
    path = re.search(r"http://localhost:8000(/signin/\S+)", mails["sign_in_link"])
    assert path is not None
    assert use(house, path[1]) == 303


def test_a_colleague_is_told_of_a_new_link_role_or_number_and_sees_who_did_it(house: Any) -> None:
    browser = lead(house)
    link = link_sent(house, browser.post("/settings/people", **ROSA))
    rosa = the(house, "rosa@clinic.example")
    hers = house.browser()
    assert hers.post(link, token_from=link, **CHOSEN).status_code == 303
    link_sent(house, browser.post(f"/settings/people/{rosa.id}/link"))
    form = ROSA | {"role": "clinician", "number": "(202) 555-0159"}
    assert agreed(house, browser.post(f"/settings/people/{rosa.id}", **form)).status_code == 303
    with db.unit_of_work(house.clinic.id) as session:
        told = session.scalars(select(AccountChange.what).where(AccountChange.staff_id == rosa.id)).all()
    assert sorted(told) == ["access_asked", "link", "new_browser", "number", "role"]
    page = house.signed_in(rosa).get("/account").text
    for words in ("Sign-in link made", "Role changed", "Work phone changed", "Dana Wu"):
        assert words in page


def test_a_new_number_ends_the_links_that_went_to_the_old_one(house: Any) -> None:
    browser = lead(house)
    link = link_sent(house, browser.post("/settings/people", **ROSA))
    rosa = the(house, "rosa@clinic.example")
    form = ROSA | {"number": "(202) 555-0159"}
    assert agreed(house, browser.post(f"/settings/people/{rosa.id}", **form)).status_code == 303
    assert house.browser().get(link).status_code == 410
