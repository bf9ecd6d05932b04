"""What came with a text is shown to those who may read texts, as bytes that cannot act; every look is recorded."""

import re
from typing import Any

import pytest
from sqlalchemy import select

from config import clock, db
from config.audit import AuditEntry
from messaging import conversations
from messaging.media import attachments, file_types
from messaging.models import Clinic, Media, Message

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64
SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"


def _text(house: Any, number: str, *contents: bytes | None, state: str = "kept") -> list[Media]:
    """A text from `number` with these files; None is one that has not come, or failed."""
    with db.unit_of_work(house.clinic.id) as session:
        clinic = session.get_one(Clinic, house.clinic.id)
        conversation = conversations.of_number(session, clinic, number)
        attached = [{"url": "", "type": "image/png"}] * len(contents)
        message = conversations.file_inbound(
            session, clinic, conversation, body="look", provider_sid="SM1", reading=[], media=attached
        )
        attachments.expect(session, message, attached)
        session.flush()
        rows = list(session.scalars(select(Media).order_by(Media.place)))
        for row, content in zip(rows, contents, strict=True):
            row.try_after, row.state = clock.now(), state
            if content is not None:
                row.content, row.type = content, file_types.kind_of(content).type
        return rows


def test_a_picture_is_shown_as_a_picture_that_cannot_act(house: Any) -> None:
    patient = house.patient()
    (row,) = _text(house, "+12025550101", PNG)
    answer = house.signed_in(house.staff()).get(f"/attachments/{row.id}")
    assert (answer.status_code, answer.data, answer.content_type) == (200, PNG, "image/png")
    assert answer.headers["Content-Disposition"].startswith("inline;")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert patient is not None
    with db.unit_of_work(db.EVERY) as session:
        read = session.scalars(select(AuditEntry).where(AuditEntry.act == "media.read")).all()
        assert [entry.about for entry in read] == [f"media:{row.id}"]


@pytest.mark.parametrize("content", [SVG, b"<!doctype html><script>1</script>", b"%PDF-1.7"])
def test_whatever_is_no_picture_is_only_saved(house: Any, content: bytes) -> None:
    (row,) = _text(house, "+12025550101", content)
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(Media, row.id).type = "image/svg+xml"  # what somebody said it was is not believed
    answer = house.signed_in(house.staff()).get(f"/attachments/{row.id}")
    assert answer.content_type == "application/octet-stream"
    name = rf"from-patient-{row.id.hex[-8:]}\.(bin|pdf)"
    assert re.fullmatch(rf'attachment; filename="{name}"', answer.headers["Content-Disposition"])


@pytest.mark.parametrize("role", ["clinic_admin", "auditor", "front_desk"])
def test_whoever_may_not_read_texts_sees_no_picture(house: Any, role: str) -> None:
    (row,) = _text(house, "+12025550101", PNG)
    assert house.signed_in(house.staff(role=role)).get(f"/attachments/{row.id}").status_code == 403
    assert house.browser().get(f"/attachments/{row.id}").status_code in (303, 401)


def test_what_is_not_here_yet_or_somebody_elses_is_not_found(house: Any) -> None:
    (row,) = _text(house, "+12025550101", None, state="failed")
    browser = house.signed_in(house.staff())
    assert browser.get(f"/attachments/{row.id}").status_code == 404
    assert browser.get(f"/attachments/{house.clinic.id}").status_code == 404


def test_the_thread_offers_pictures_behind_a_click_and_says_what_failed(house: Any) -> None:
    patient = house.patient(number="+12025550101")
    rows = _text(house, "+12025550101", PNG, SVG, None)
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(Media, rows[2].id).state = "failed"
        message = session.scalars(select(Message)).one()
    item = house.item(about=f"message:{message.id}", patient_id=patient.id, conversation_id=message.conversation_id)
    page = house.signed_in(house.staff()).get(f"/inbox/{item.id}").text
    assert "<summary>Show picture</summary>" in page
    assert f'src="/attachments/{rows[0].id}"' in page
    assert "Download file" in page
    assert "could not be fetched" in page
    admin = house.signed_in(house.staff(role="clinic_admin")).get(f"/inbox/{item.id}").text
    assert "/attachments/" not in admin
