"""Notes to a colleague and the clinic's board at the door."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from config import clock, db
from messaging.inbox.models import InboxItem
from messaging.team.models import Announcement, ColleagueNote

WORDS = "The afternoon clinic is cancelled"


def the_note(house: Any) -> ColleagueNote:
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        return session.scalars(select(ColleagueNote).order_by(ColleagueNote.at)).first()  # type: ignore[return-value]


def test_a_note_is_read_and_answered_between_two(house: Any) -> None:
    rosa, ben, cleo = house.staff(), house.staff("Ben Okafor"), house.staff("Cleo Ruiz")
    hers, his, third = (house.signed_in(each) for each in (rosa, ben, cleo))
    assert hers.post("/notes", to=str(ben.id), words="Can you take Friday?").status_code == 303
    note = the_note(house)
    assert "not read yet" in hers.get("/notes").text
    assert "A note from Rosa Delgado" in his.get("/inbox").text
    assert "Can you take Friday?" in his.get(f"/inbox/{note.item_id}").text
    closed = third.get(f"/inbox/{note.item_id}?view=everyone").text
    assert "Can you take Friday?" not in closed
    assert "It is between Rosa Delgado and who has it." in closed
    assert "Take over" not in closed
    assert "Reassign" not in closed.split('id="need-title"')[1].split("</section>")[0]
    for act, more in (("claim", {"owner": str(ben.id)}), ("resolve", {}), ("handover", {"to": str(cleo.id)})):
        refused = third.post(f"/inbox/{note.item_id}/{act}", **more)
        assert refused.status_code == 422
        assert "A note is between two colleagues" in refused.text
    third.post("/inbox/bulk", act="resolve", item=str(note.item_id))
    assert house.read(InboxItem, note.item_id).state == "open"
    assert "Friday" not in third.get("/notes").text
    his.get("/notes")
    assert "read today" in hers.get("/notes").text
    assert his.post("/notes", answers=str(note.id), words="Yes").status_code == 303
    assert house.read(InboxItem, note.item_id).disposition == "mention_answered"
    assert third.post(f"/notes/{note.id}/close").status_code == 404


def test_the_front_desk_reads_its_notes_and_says_so(house: Any) -> None:
    rosa, dana = house.staff(), house.staff("Dana Price", role="front_desk")
    house.signed_in(rosa).post("/notes", to=str(dana.id), words="Please order paper")
    note, desk = the_note(house), house.signed_in(dana)
    assert "Please order paper" in desk.get("/notes").text
    assert desk.post(f"/notes/{note.id}/close").status_code == 303
    assert house.read(InboxItem, note.item_id).disposition == "mention_read"


@pytest.mark.parametrize(
    ("to", "words", "said"), [("", "typed words", "Choose a colleague"), ("ben", " ", "Write something")]
)
def test_a_refused_note_keeps_what_was_typed(house: Any, to: str, words: str, said: str) -> None:
    browser, ben = house.signed_in(house.staff()), house.staff("Ben Okafor")
    answer = browser.post("/notes", to=str(ben.id) if to else "", words=words)
    assert answer.status_code == 422
    assert said in answer.text
    assert f"{words}</textarea>" in answer.text
    assert the_note(house) is None


def test_an_announcement_stands_above_every_page_until_it_is_read(house: Any) -> None:
    admin, rosa = house.staff("Ada", role="clinic_admin"), house.staff()
    dana = house.staff("Dana Price", role="front_desk")
    hers, desk, chief = (house.signed_in(each) for each in (rosa, dana, admin))
    assert chief.post("/announcements", words=WORDS, ends="tonight").status_code == 303
    hers.post("/preferences")  # it has a token from now on
    for browser, path in ((hers, "/inbox"), (hers, "/today"), (desk, "/today"), (desk, "/visits")):
        assert WORDS in browser.get(path).text.split('id="main"')[0]
    with db.unit_of_work(house.clinic.id) as session:
        row = session.scalars(select(Announcement)).one()
    for came, onward in (
        ("http://localhost/inbox", "/inbox"),
        ("http://localhost/inbox?view=everyone&kind=screen", "/inbox?view=everyone&kind=screen"),
        ("http://evil.example/inbox", "/announcements"),
        ("http://localhost/team/post", "/announcements"),
    ):
        answer = hers.client.post(
            f"/announcements/{row.id}/read", data={"csrf_token": hers.token}, headers={"Referer": came}
        )
        assert answer.location == onward
    assert WORDS not in hers.get("/inbox").text
    assert WORDS in hers.get("/today").text  # it still holds, and stands there quietly
    page = chief.get("/announcements").text
    assert "2 have read it, 1 not yet" in page
    assert "Read by Ada, Rosa Delgado." in page
    assert "Not yet: Dana Price." in page
    with time_machine.travel(clock.now() + timedelta(days=2), tick=False):
        late = house.signed_in(dana)
        assert WORDS not in late.get("/today").text
        assert WORDS in late.get("/announcements").text.split("Before")[1]


def test_it_is_taken_down_by_who_may_post(house: Any) -> None:
    rosa, auditor = house.staff(), house.staff("Sol", role="auditor")
    browser, looks = house.signed_in(rosa), house.signed_in(auditor)
    browser.post("/announcements", words=WORDS, ends="tonight")
    with db.unit_of_work(house.clinic.id) as session:
        row = session.scalars(select(Announcement)).one()
    assert WORDS in looks.get("/announcements").text
    assert looks.post(f"/announcements/{row.id}/end").status_code == 403
    assert looks.post("/announcements", words="mine", ends="tonight").status_code == 403
    assert browser.post(f"/announcements/{row.id}/end").status_code == 303
    assert WORDS not in looks.get("/today").text


def test_a_refused_announcement_keeps_what_was_typed(house: Any) -> None:
    browser = house.signed_in(house.staff())
    answer = browser.post("/announcements", words="typed words", ends_at="2020-01-01T10:00")
    assert answer.status_code == 422
    assert "typed words</textarea>" in answer.text
    assert "Choose until when it stands there" in answer.text
