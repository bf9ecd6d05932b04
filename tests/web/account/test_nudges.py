"""The page on which each chooses how they hear of what, and has their address confirmed."""

import re
from typing import Any
from urllib.parse import unquote

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from config import audit, clock, db, runtime
from messaging.inbox.staff import channels
from messaging.mail.models import Mail, MailAddress
from messaging.models import Staff


@pytest.fixture
def mail_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that has a mail server; nothing is sent here."""
    mail = {"smtp_url": SecretStr("smtp://127.0.0.1:9"), "mail_from": "warmthread@clinic.example"}
    monkeypatch.setattr(runtime, "_settings", runtime.settings().model_copy(update=mail))


@pytest.fixture
def rosa(house: Any) -> Staff:
    return house.staff()


def fields(page: str) -> set[str]:
    return set(re.findall(r'type="checkbox" name="(nudge\.[a-z_.]+)"', page))


def confirm_path() -> str:
    with db.unit_of_work(db.EVERY) as session:
        newest = select(Mail).where(Mail.kind == "confirm").order_by(Mail.id.desc()).limit(1)
        body = session.scalars(newest).one().body or ""
    (path,) = re.findall(r"http://localhost:8000(/preferences/mail/\S+)", body)
    return str(path)


@pytest.mark.usefixtures("mail_server")
def test_the_grid_offers_what_is_theirs_to_choose_and_nothing_else(house: Any, rosa: Staff) -> None:
    page = house.signed_in(rosa).get("/preferences").text
    offered = {f"nudge.{kind}.{way}" for kind, terms in channels.KINDS.items() for way in terms.offered}
    assert fields(page) == offered
    assert not any(name.startswith("nudge.safety.text") for name in offered)
    assert page.count(">always<") == sum(len(terms.fixed) for terms in channels.KINDS.values())


def test_a_choice_is_remembered_with_the_person_and_written_down(house: Any, rosa: Staff) -> None:
    browser = house.signed_in(rosa)
    chosen = {"nudge.screen.text": "off", "nudge.reply.text": "on", "nudge.reply.desktop": "off"}
    assert browser.post("/preferences", **chosen).status_code == 303
    assert house.read(Staff, rosa.id).notify == {"screen": {"text": False}, "reply": {"text": True, "desktop": False}}
    browser.post("/preferences", **chosen)
    with db.unit_of_work(db.EVERY) as session:
        lines = select(audit.AuditEntry.detail).where(audit.AuditEntry.act == "staff.notices")
        assert list(session.scalars(lines)) == [{"screen": "desktop page", "reply": "page text"}]
    page = browser.get("/preferences").text
    assert 'name="nudge.reply.text" value="on" checked' in page
    assert 'name="nudge.screen.text" value="on">' in page


def test_what_would_silence_patient_safety_is_not_listened_to(house: Any, rosa: Staff) -> None:
    browser = house.signed_in(rosa)
    sneaky = {
        "nudge.safety.text": "off",
        "nudge.escalated.text": "off",
        "nudge.handoff.page": "off",
        "nudge.x.text": "on",
    }
    browser.post("/preferences", **sneaky, **{"nudge.reply.text": "perhaps"})
    assert house.read(Staff, rosa.id).notify == {}
    assert "cannot be switched off" in browser.get("/preferences").text


def test_without_a_mail_server_the_page_says_so_and_offers_no_mail(house: Any, rosa: Staff) -> None:
    browser = house.signed_in(rosa)
    page = browser.get("/preferences").text
    assert "has no mail server" in page
    assert not any(name.endswith(".email") for name in fields(page))
    browser.post("/preferences/mail/ask")
    with db.unit_of_work(db.EVERY) as session:
        assert session.scalar(select(MailAddress.id)) is None


@pytest.mark.usefixtures("mail_server")
def test_an_address_is_asked_for_confirmed_by_a_press_and_stopped(house: Any, rosa: Staff) -> None:
    browser = house.signed_in(rosa)
    assert "You get no e-mail." in browser.get("/preferences").text
    browser.post("/preferences/mail/ask")
    page = browser.get("/preferences").text
    assert "Nothing else is mailed until you have confirmed" in page
    path = confirm_path()
    assert "Confirm your address" in browser.get(path).text  # a program that follows links confirms nothing
    assert "Nothing else is mailed until you have confirmed" in browser.get("/preferences").text
    assert browser.post(path).headers["Location"] == "/preferences#mail"
    assert "You are e-mailed at" in browser.get("/preferences").text
    assert browser.get(path).status_code == 410
    browser.post("/preferences/mail/stop")
    assert "You get no e-mail." in browser.get("/preferences").text


@pytest.mark.usefixtures("mail_server")
def test_a_colleague_s_link_confirms_nothing(house: Any, rosa: Staff) -> None:
    house.signed_in(rosa).post("/preferences/mail/ask")
    ben = house.signed_in(house.staff("Ben Okafor"))
    assert ben.get(confirm_path()).status_code == 410
    ben.post(confirm_path())
    assert "confirms nothing any more" in ben.get("/preferences").text
    with db.unit_of_work(db.EVERY) as session:
        assert session.scalars(select(MailAddress.confirmed_at)).one() is None


@pytest.mark.usefixtures("mail_server")
def test_who_is_signed_out_is_asked_to_sign_in_and_comes_back(house: Any, rosa: Staff) -> None:
    house.signed_in(rosa).post("/preferences/mail/ask")
    path = confirm_path()
    (_, onward) = house.browser().get(path).headers["Location"].split("?next=")
    assert unquote(onward) == path


@pytest.mark.usefixtures("mail_server")
@pytest.mark.parametrize(
    ("state", "says"),
    [("waits", "the mail server has not taken it yet"), ("late", "it had waited until it was no use any more")],
)
def test_what_the_mail_server_did_not_take_is_said(house: Any, rosa: Staff, state: str, says: str) -> None:
    browser = house.signed_in(rosa)
    browser.post("/preferences/mail/ask")
    with db.unit_of_work(db.EVERY) as session:
        mail = session.scalars(select(Mail)).one()
        if state == "waits":
            mail.last_error = "ConnectionRefusedError"
        else:
            mail.state, mail.why, mail.ended_at = "dropped", "late", clock.now()
    assert says in browser.get("/preferences").text


@pytest.mark.usefixtures("mail_server")
def test_an_address_the_server_refuses_is_said_and_can_be_tried_again(house: Any, rosa: Staff) -> None:
    browser = house.signed_in(rosa)
    browser.post("/preferences/mail/ask")
    with db.unit_of_work(db.EVERY) as session:
        session.scalars(select(MailAddress)).one().fault = "refused"
    assert "The mail server refuses" in browser.get("/preferences").text
    browser.post("/preferences/mail/ask")
    with db.unit_of_work(db.EVERY) as session:
        assert session.scalars(select(MailAddress.fault)).one() is None


def test_the_desktop_is_told_of_what_they_chose_alone(house: Any, rosa: Staff) -> None:
    for kind in ("reply", "screen"):
        house.item(kind, owner_id=rosa.id, patient_id=house.patient().id)
    browser = house.signed_in(rosa)
    assert 'data-mine="2" data-nudged="2"' in browser.get("/inbox").text
    browser.post("/preferences", **{"nudge.reply.desktop": "off"})
    assert 'data-mine="2" data-nudged="1"' in browser.get("/inbox").text
    assert 'data-mine="2" data-nudged="1"' in browser.get("/inbox/rows?view=mine&unattended=1").text
