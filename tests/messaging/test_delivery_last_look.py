"""The last look before a sending, and a late callback: what they must still stand."""

from sqlalchemy import delete

from config import db, runtime
from messaging import delivery
from messaging.models import Attempt


def test_a_wrong_person_told_between_queueing_and_sending_holds_the_text(network, desk, new_patient):
    message = desk.text(new_patient(number="+13035550117"), kind="reply", programme="care_team")
    desk.learn("+13035550117", "wrong_person")
    delivery.deliver("bulk")
    assert desk.state(message) == "held"
    assert network.asked() == 0


def test_a_patient_whose_key_is_gone_does_not_stop_the_lane(network, desk, new_patient):
    gone = new_patient()
    erased, message = desk.text(gone), desk.text(new_patient())
    with db.unit_of_work(db.EVERY) as session:
        session.execute(delete(db.DataKey).where(db.DataKey.id == gone.key_id))
    runtime.forget("db.keys")
    delivery.deliver("bulk")
    assert desk.state(message) == "sent"
    assert desk.state(erased) in ("held", "failed")


def test_a_callback_takes_its_sid_back_from_an_equal_text_that_was_given_it(network, desk, new_patient):
    patient = new_patient()
    first, second = desk.text(patient, body="Same."), desk.text(patient, body="Same.")
    delivery.deliver("bulk")
    one, two = network.accepted()
    with db.unit_of_work(db.EVERY) as session:  # as the reconciler may match them: the words are equal
        attempt = delivery.attempt_by_token(session, one["status_callback"].rsplit("/", 1)[1])
        session.get_one(Attempt, attempt.id).state = "unknown"
        session.get_one(Attempt, attempt.id).provider_sid = None
    with db.unit_of_work(db.EVERY) as session:
        attempt = delivery.attempt_by_token(session, two["status_callback"].rsplit("/", 1)[1])
        session.get_one(Attempt, attempt.id).provider_sid = one["sid"]
    desk.callback(one["status_callback"], "delivered", one["sid"])
    assert "delivered" in desk.state(first, second)
