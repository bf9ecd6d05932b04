"""The spool and the mail server: what is taken, what waits, what is dropped; on both databases, over a real server."""

import re
import time
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select, text

from config import audit, clock, db, queue
from messaging.mail import addresses, sending, spool
from messaging.mail.models import Mail, MailAddress
from messaging.models import Staff

LINK = "https://clinic.example/inbox/0190"
both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)


def put(staff: Staff, kind: str = "screen", **more: str) -> Mail:
    with db.unit_of_work(staff.clinic_id) as session:
        dedupe = f"mail:{db.new_id()}"
        return spool.put(session, session.get_one(Staff, staff.id), kind, **({"dedupe": dedupe, "link": LINK} | more))


def drain(after: timedelta = timedelta()) -> int:
    with time_machine.travel(clock.now() + after, tick=False):
        return sending.drain()


def now(mail: Mail) -> Mail:
    with db.unit_of_work(db.EVERY) as session:
        return session.get_one(Mail, mail.id)


def acts(session) -> list[str]:
    return list(session.scalars(select(audit.AuditEntry.act)))


@both
def test_a_mail_arrives_once_and_what_it_said_is_kept_no_longer(rosa, post):
    mail = put(rosa)
    assert drain() == 2  # the one that asked her to confirm, and this
    assert drain(timedelta(hours=1)) == 0
    (read,) = (sent for sent in post.mails() if LINK in sent.get_content())
    assert read["To"] == "rosa@clinic.example"
    assert read["From"] == "warmthread@clinic.example"
    assert post.envelopes[-1].rcpt_tos == ["rosa@clinic.example"]
    assert (now(mail).state, now(mail).body, now(mail).subject) == ("sent", "", "")


@both
def test_what_waits_lies_sealed(rosa):
    put(rosa)
    with db.unit_of_work(db.EVERY) as session:
        rows = session.execute(text("SELECT * FROM mail")).all()
    stored = b"".join(
        bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode() for row in rows for value in row
    )
    assert b"clinic.example" not in stored
    assert b"Warmthread" not in stored


@both
def test_a_server_that_is_away_for_a_day_loses_nothing(rosa, post, serving, served):
    serving.stop()
    mails = [put(rosa, kind) for kind in ("screen", "assigned", "answered")]
    for hours in range(24):
        drain(timedelta(hours=hours))
    assert {now(mail).state for mail in mails} == {"queued"}
    assert now(mails[0]).attempts > 20
    serving(port=served)
    drain(timedelta(hours=24, minutes=6))
    assert [now(mail).state for mail in mails] == ["sent"] * 3
    assert len(post.mails()) == 3  # not the link to confirm: after a day it opens nothing


def test_what_has_become_useless_is_dropped_and_says_so(rosa, post, serving, served):
    serving.stop()
    digest, alert = put(rosa, "digest", waiting="3", late="1"), put(rosa)
    drain()
    with db.unit_of_work(db.EVERY) as session:
        assert addresses.waiting(session, rosa)[0] == 3
    serving(port=served)
    drain(timedelta(hours=13))
    assert (now(digest).state, now(digest).why, now(alert).state) == ("dropped", "late", "sent")
    with db.unit_of_work(db.EVERY) as session:
        count, last = addresses.dropped(session, rosa, clock.now() - timedelta(days=7))
        assert "mail.dropped" in acts(session)
    assert (count, last) == (1, now(digest).ended_at)


def test_the_operator_reads_that_the_server_takes_nothing(rosa, serving):
    put(rosa)
    with db.unit_of_work(db.EVERY) as session:
        assert sending.stuck_since(session, clock.now() + timedelta(hours=1)) is None  # nobody has tried yet
        assert sending.waiting(session) == 2
    serving.stop()
    drain()
    with db.unit_of_work(db.EVERY) as session:
        assert sending.stuck_since(session, clock.now() + timedelta(minutes=2)) is None
        assert sending.stuck_since(session, clock.now() + timedelta(minutes=6)) is not None


def test_a_mailbox_that_is_full_is_no_reason_to_alarm_the_operator(rosa, post):
    post.answer = "452 mailbox full"
    mail = put(rosa)
    drain()
    assert now(mail).last_error == "answered 452"
    with db.unit_of_work(db.EVERY) as session:
        assert sending.stuck_since(session, clock.now() + timedelta(hours=1)) is None


@both
def test_each_mail_is_written_down_before_the_next_and_none_begins_after_the_slice(rosa, post, monkeypatch):
    drain()
    mails = [put(rosa) for _ in range(3)]
    seen: list[list[str]] = []
    with monkeypatch.context() as patched:

        def taken() -> None:
            seen.append(sorted(now(mail).state for mail in mails))
            if len(seen) == 2:
                patched.setattr(clock, "monotonic", lambda: float("inf"))

        post.before_answer = taken
        assert drain() == 2
    assert seen == [["queued"] * 3, ["queued", "queued", "sent"]]
    (left,) = (mail for mail in map(now, mails) if mail.state == "queued")
    assert (left.attempts, left.last_error, left.lease_until) == (0, None, None)


@both
def test_what_was_left_goes_next_time_and_nothing_goes_twice(rosa, post, monkeypatch):
    drain()
    before = len(post.raw)
    for _ in range(3):
        put(rosa)
    monkeypatch.setattr(sending, "SLICE_SECONDS", 0.05)
    post.before_answer = lambda: time.sleep(0.1)
    assert [drain() for _ in range(4)] == [1, 1, 1, 0]
    assert len(post.raw) - before == 3


def test_pauses_grow_and_end_at_five_minutes(rosa, serving):
    mail = put(rosa)
    serving.stop()
    pauses = []
    at = clock.now()
    for _ in range(12):
        with time_machine.travel(at, tick=False):
            sending.drain()
            pauses.append(now(mail).try_after - clock.now())
            at = now(mail).try_after
    assert pauses[:3] == [timedelta(seconds=seconds) for seconds in (2, 4, 8)]
    assert max(pauses) == timedelta(minutes=5)
    assert now(mail).attempts == 12


def test_an_address_the_server_does_not_know_is_not_mailed_again(rosa, post):
    drain()
    post.unknown = {"rosa@clinic.example"}
    first, second = put(rosa), put(rosa)
    drain()
    assert {now(mail).why for mail in (first, second)} == {"refused"}
    later = put(rosa)
    drain()
    assert (now(later).state, now(later).why) == ("dropped", "stopped")
    with db.unit_of_work(db.EVERY) as session:
        assert session.scalars(select(MailAddress.fault)).one() == "refused"
        assert not spool.takes_mail(session, rosa)


@pytest.mark.parametrize(("answer", "state"), [("451 later", "queued"), ("554 never", "dropped")])
def test_a_no_for_now_is_tried_again_and_a_no_for_good_is_not(rosa, post, answer, state):
    post.answer = answer
    mail = put(rosa)
    drain()
    assert now(mail).state == state
    post.answer = "250 taken"
    drain(timedelta(minutes=10))
    assert now(mail).state == ("sent" if state == "queued" else "dropped")
    with db.unit_of_work(db.EVERY) as session:
        assert session.scalars(select(MailAddress.fault)).one() is None  # that mail was refused, not her address


def test_nothing_is_mailed_to_whoever_has_not_confirmed_has_stopped_or_left(new_staff, rosa, post, confirm):
    ben, ines = new_staff("Ben", email="ben@clinic.example"), confirm(new_staff("Ines", email="ines@clinic.example"))
    mails = [put(staff) for staff in (ben, rosa, ines)]
    with db.unit_of_work(db.EVERY) as session:
        addresses.stop(session, session.get_one(Staff, rosa.id))
        session.get_one(Staff, ines.id).active = False
    drain()
    assert {now(mail).why for mail in mails} == {"stopped"}
    assert post.raw == []


def test_a_worker_that_was_thought_dead_writes_nothing_and_the_mail_is_the_same_mail(rosa, post):
    mail = put(rosa)
    with db.unit_of_work(db.EVERY) as session:
        (claimed, *_) = (each for each in db.claim(session, Mail, sending.DUE) if each.id == mail.id)
        made = sending._ready(session, claimed)
    with db.unit_of_work(db.EVERY) as session:  # another has taken it over
        session.get_one(Mail, mail.id).fence += 1
    ((_, outcome),) = sending._outcomes([(claimed, made)], clock.monotonic())
    sending._write_down(claimed, outcome)
    assert outcome.sent
    assert now(mail).state == "queued"
    drain(timedelta(minutes=1))
    assert now(mail).state == "sent"
    ids = [sent["Message-ID"] for sent in post.mails() if LINK in sent.get_content()]
    assert len(ids) == 2
    assert len(set(ids)) == 1


def test_one_mail_that_cannot_be_opened_holds_up_no_other(rosa, post):
    broken, whole = put(rosa), put(rosa)
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(Mail, broken.id).body_ct = b"not sealed by us"
    drain()
    assert (now(broken).why, now(whole).state) == ("broken", "sent")


def test_logs_name_nobody(rosa, serving, capfd):
    put(rosa)
    serving.stop()
    drain()
    said = capfd.readouterr()
    assert not re.search(r"rosa|clinic\.example", said.out + said.err)


def test_the_same_reason_makes_one_mail(rosa):
    first, second = put(rosa, dedupe="mail:x"), put(rosa, dedupe="mail:x")
    assert first.id == second.id


def test_the_lane_is_one_of_the_service_s(rosa):
    put(rosa)
    with db.unit_of_work(db.EVERY) as session:
        assert queue.lanes()["mail"].oldest(session, clock.now()) is not None
    queue.lanes()["mail"].drain()
    with db.unit_of_work(db.EVERY) as session:
        assert queue.lanes()["mail"].oldest(session, clock.now()) is None
