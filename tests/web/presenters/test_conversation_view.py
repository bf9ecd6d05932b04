"""A conversation a page at a time, with notes and calls between the texts."""

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from config import clock, db
from messaging import conversations, outbox
from messaging.inbox import notes_and_calls
from messaging.inbox.models import InboxItem
from messaging.models import Conversation, Message, Patient
from tests.queries import statements
from web.presenters import conversation_view


def fill(house: Any, conversation: Conversation, texts: int) -> None:
    """Write many texts at once, a minute apart, the last one a minute ago."""
    now = clock.now()
    with db.unit_of_work(house.clinic.id) as session:
        kept = session.get_one(Conversation, conversation.id)
        rows = []
        for number in range(texts):
            at = now - timedelta(minutes=texts - number)
            message = Message(
                clinic_id=kept.clinic_id,
                key_id=kept.key_id,
                conversation_id=kept.id,
                direction="in",
                kind="reply",
                state="received",
                lane="bulk",
                body=f"text {number:04}",
                media=[],
                reading=[],
                dedupe=f"many:{kept.id}:{number}",
                created_at=at,
                try_after=at,
                attempts=0,
                fence=0,
            )
            rows.append({c.key: getattr(message, c.key) for c in Message.__mapper__.column_attrs})
        if rows:
            session.execute(insert(Message), rows)


def read(house: Any, patient: Patient, staff: Any, cursor: str | None = None) -> conversation_view.Page:
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        kept = session.get_one(Patient, patient.id)
        conversation = conversations.of_patient(session, house.clinic, kept)
        return conversation_view.page(
            session, house.clinic, staff, conversation_view.Thread(conversation, kept), cursor
        )


def bodies(page: conversation_view.Page) -> list[str]:
    return [text.body for day in page.days for text in day.said]


@pytest.mark.parametrize("extra", [0, 1, 39, 40, 41, 90])
def test_turning_back_page_by_page_shows_every_text_note_and_call_once_in_order(house: Any, extra: int) -> None:
    patient, rosa = house.patient(), house.staff()
    conversation = house.text_from(patient, "the last")
    fill(house, conversation, extra)
    with db.unit_of_work(house.clinic.id) as session:
        for number in range(0, extra, 7):
            note = notes_and_calls.write_note(
                session, house.clinic, rosa, words=f"note {number}", patient_id=patient.id
            )
            # At the very moment of a text: the cursor must not lose either.
            note.at = clock.now() - timedelta(minutes=number)
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = read(house, patient, rosa, cursor)
        assert len(bodies(page)) <= conversation_view.PAGE
        assert page.past == (cursor is not None)
        seen = bodies(page) + seen
        cursor = page.earlier
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 1 + extra + len(range(0, extra, 7))
    assert [body for body in seen if body.startswith("text")] == [f"text {number:04}" for number in range(extra)]


def test_two_thousand_texts_open_with_as_many_queries_as_twenty(house: Any) -> None:
    rosa = house.staff()
    browser = house.signed_in(rosa)
    counts = {}
    for texts in (20, 2000):
        patient = house.patient()
        conversation = house.text_from(patient, "hello")
        fill(house, conversation, texts)
        item = house.item(patient_id=patient.id, conversation_id=conversation.id, owner_id=rosa.id)
        browser.get(f"/inbox/{item.id}")
        with statements() as sent:
            page = browser.get(f"/inbox/{item.id}").text
        counts[texts] = len(sent)
        assert page.count('class="msg in"') == min(texts + 1, conversation_view.PAGE)
        assert ("Earlier texts" in page) == (texts == 2000)
    assert counts[20] == counts[2000] < 70, counts


def test_the_way_to_earlier_texts_is_a_link_that_needs_no_script(house: Any) -> None:
    rosa, patient = house.staff(), house.patient()
    conversation = house.text_from(patient, "hello")
    fill(house, conversation, 40)
    item = house.item(patient_id=patient.id, conversation_id=conversation.id, owner_id=rosa.id)
    browser = house.signed_in(rosa)
    first = browser.get(f"/inbox/{item.id}").text
    onward = re.search(r'href="([^"]+)#thread" data-earlier', first)
    assert onward is not None
    earlier = browser.get(onward[1].replace("&amp;", "&")).text
    assert "text 0000" in earlier
    assert "text 0000" not in first
    assert "Back to the latest texts" in earlier


def test_a_cursor_that_is_none_shows_the_latest(house: Any) -> None:
    rosa, patient = house.staff(), house.patient()
    house.text_from(patient, "hello")
    for cursor in ("", "x", "1-2", "9" * 40 + "-" + "a" * 32):
        assert bodies(read(house, patient, rosa, cursor)) == ["hello"]


def test_a_text_that_is_still_to_go_out_at_a_chosen_hour_stands_elsewhere(house: Any) -> None:
    rosa, patient = house.staff(), house.patient()
    conversation = house.text_from(patient, "hello")
    with db.unit_of_work(house.clinic.id) as session:
        kept = session.get_one(Conversation, conversation.id)
        planned = conversations.file_inbound(
            session, house.clinic, kept, body="tomorrow", provider_sid="SMx", reading=[]
        )
        planned.direction, planned.state, planned.scheduled_for = "out", "queued", clock.now()
    assert bodies(read(house, patient, rosa)) == ["hello"]


def test_a_text_whose_words_are_no_longer_kept_says_so_and_keeps_its_place(house: Any) -> None:
    rosa, patient = house.staff(), house.patient()
    conversation = house.text_from(patient, "can i bring my daughter")
    item = house.item(patient_id=patient.id, conversation_id=conversation.id, owner_id=rosa.id, summary="daughter")
    done = house.item(patient_id=patient.id, owner_id=rosa.id)
    with db.unit_of_work(house.clinic.id) as session:
        message = session.scalars(select(Message)).one()
        message.body, message.emptied_at = "", clock.now()
        kept = session.get_one(InboxItem, done.id)
        kept.state, kept.done_at, kept.summary = "done", clock.now(), ""
    browser = house.signed_in(rosa)
    page = browser.get(f"/inbox/{item.id}").text
    assert "<p><em>No longer kept</em></p>" in page
    assert '<span class="what">No longer kept</span>' in page
    assert browser.get("/inbox?view=done").text.count("No longer kept") == 1
    assert "No longer kept" in browser.get(f"/patients/{patient.id}/consent").text


def test_a_reaction_stands_beside_the_text_it_reacts_to_and_a_robot_is_called_one(house: Any) -> None:
    rosa, patient = house.staff(), house.patient()
    conversation = house.text_from(patient, "hello")
    ours = "Your visit is tomorrow at 9:00 AM. Reply STOP to end texts."
    with db.unit_of_work(house.clinic.id) as session:
        kept = session.get_one(Conversation, conversation.id)
        sent = outbox.text_conversation(
            session,
            house.clinic,
            kept,
            kind="reply",
            programme="care_team",
            body=ours,
            dedupe="asked",
            author_id=rosa.id,
        )
        answers = [
            (f"👍 to “{ours}”", ["kind.reaction", f"{conversations.REACTS_TO}{sent.id}"]),
            (f"Liked “{ours}” thanks a lot", ["kind.reaction", f"{conversations.REACTS_TO}{sent.id}"]),
            ("Sorry, I can't talk right now.", ["kind.robot"]),
            ("Liked “a text of another page”", ["kind.reaction", f"{conversations.REACTS_TO}{db.new_id()}"]),
        ]
        for number, (body, labels) in enumerate(answers):
            conversations.file_inbound(
                session, house.clinic, kept, body=body, provider_sid=f"SMr{number}", reading=labels
            )
    page = read(house, patient, rosa)
    assert bodies(page) == ["hello", ours, *(body for body, _ in answers[1:])]
    texts = [text for day in page.days for text in day.said]
    name = texts[0].author
    done = [line.partition(" · ")[0] for line in texts[1].reacted]
    assert done == [f"{name} reacted 👍", f"{name} reacted Liked"]
    assert [text.state for text in texts[2:]] == [
        "a reaction to a text of ours",
        "written by their phone or network, not by them",
        "a reaction to a text of ours",
    ]
    item = house.item(patient_id=patient.id, conversation_id=conversation.id, owner_id=rosa.id)
    assert f"{name} reacted 👍" in house.signed_in(rosa).get(f"/inbox/{item.id}").text
