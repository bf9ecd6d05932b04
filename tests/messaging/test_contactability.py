"""May this person be texted, and if not, why: the rule over all combinations, and the same answer wherever one asks."""

import tomllib
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from messaging import contactability
from messaging.contactability import OPT_OUTS, OPTED_OUT_OF, WISHES, Facts, Number, Refusal
from messaging.inbox import items
from messaging.models import PROGRAMMES

ROOT = Path(__file__).parents[2]
LINES = ("unknown", "mobile", "landline", "dead", "wrong_person")
STATES = ("granted", "revoked", "unknown")
BOTH = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
GRANTED = dict.fromkeys(PROGRAMMES, "granted")


def number(own: str | None = "mobile", *others: str, **agreed: str) -> Number:
    return Number(own, frozenset(others), GRANTED | agreed)


def refusal(*numbers: Number, programme: str | None = "care_team", state: str | None = "active", **how: Any) -> Any:
    return contactability.refusal(Facts(state, numbers), programme, **how)


def test_who_stopped_questionnaires_only_is_still_texted_by_the_care_team():
    facts = Facts("active", [number(screening="revoked")])
    assert contactability.of_programmes(facts, PROGRAMMES) == {
        "reminders": None, "screening": Refusal.OPTED_OUT_OF_SCREENING, "care_team": None,
    }  # fmt: skip


@pytest.mark.parametrize("programme", PROGRAMMES)
def test_who_stopped_everything_has_opted_out_of_everything(programme: str):
    assert refusal(number(**dict.fromkeys(PROGRAMMES, "revoked")), programme=programme) is Refusal.OPTED_OUT


@pytest.mark.parametrize("programme", PROGRAMMES)
@pytest.mark.parametrize("others", ["granted", "unknown"])
def test_who_stopped_one_kind_has_opted_out_of_that_one(programme: str, others: str):
    stopped = dict.fromkeys(PROGRAMMES, others) | {programme: "revoked"}
    assert refusal(number(**stopped), programme=programme) is OPTED_OUT_OF[programme]
    for other in set(PROGRAMMES) - {programme}:
        assert refusal(number(**stopped), programme=other) is (None if others == "granted" else Refusal.NO_CONSENT)


def test_a_number_of_nobody_may_be_answered_and_not_written_to_unasked():
    stranger = number(None, **dict.fromkeys(PROGRAMMES, "unknown"))
    assert refusal(stranger, state=None, answering=True) is None
    assert refusal(stranger, state=None) is Refusal.NO_CONSENT


def test_of_several_who_gave_a_number_one_may_still_be_right():
    assert refusal(number(None, "wrong_person", "mobile"), state=None) is None
    assert refusal(number(None, "wrong_person"), state=None) is Refusal.WRONG_PERSON
    assert refusal(number(None, "wrong_person"), state=None, answering=True) is None


@pytest.mark.parametrize("answering", [True, False])
def test_nothing_about_a_patient_goes_to_a_number_that_is_somebody_else_s(answering: bool):
    assert refusal(number("wrong_person", "mobile"), answering=answering) is Refusal.WRONG_PERSON


def test_the_last_word_after_a_stop_may_go_but_to_no_dead_number():
    stopped = dict.fromkeys(PROGRAMMES, "revoked")
    assert refusal(number(**stopped), programme=None, answering=True) is None
    assert refusal(number("dead", **stopped), programme=None, answering=True) is Refusal.DEAD
    assert refusal(number(**stopped), programme=None, answering=True, state="inactive") is Refusal.INACTIVE


def test_the_last_number_that_can_be_texted_is_meant_and_its_consent_counts():
    first, second, dead = number(care_team="revoked"), number(), number("dead")
    assert refusal(first, second, dead) is None
    assert refusal(second, first, dead) is Refusal.OPTED_OUT_OF_CARE_TEAM
    assert refusal(number("landline"), dead) is Refusal.DEAD
    assert refusal(dead, number("landline")) is Refusal.LANDLINE
    assert refusal() is Refusal.NO_NUMBER


@pytest.mark.parametrize("learnt", ["dead", "landline"])
def test_what_one_text_has_taught_of_a_number_holds_for_all_who_gave_it(learnt: str):
    assert refusal(number("mobile", learnt)) is contactability.LINES[learnt]
    assert refusal(number(None, learnt, "wrong_person"), state=None, answering=True) is contactability.LINES[learnt]


def test_whoever_may_be_texted_has_agreed_and_whoever_may_not_has_a_reason():
    cases = product(
        [None, "active", "inactive", "deceased"], [None, *LINES], [(), ("mobile",), ("wrong_person",), ("dead",)],
        product(STATES, repeat=3), PROGRAMMES, [True, False],
    )  # fmt: skip
    for state, own, others, agreed, programme, answering in cases:
        of = dict(zip(PROGRAMMES, agreed, strict=True))
        facts = Facts(state, [Number(own, frozenset(others), of)])
        reason = contactability.refusal(facts, programme, answering=answering)
        if reason is None:
            assert of[programme] == "granted" or (answering and of[programme] == "unknown")
            assert state in (None, "active")
            assert own in (None, "unknown", "mobile")
            assert "dead" not in others
        if reason in OPT_OUTS:
            assert of[programme] == "revoked"
            assert (reason is Refusal.OPTED_OUT) == (set(agreed) == {"revoked"})
        if not answering:  # whoever may be written to unasked may be answered
            assert reason is not None or contactability.refusal(facts, programme, answering=True) is None


def test_each_refusal_has_words_within_a_sentence():
    assert set(items.words()["refusals"]) == {reason.key for reason in Refusal}
    for reason in Refusal:
        assert items.why_not(reason) == items.words()["refusals"][reason.key]
    assert items.why_not("internal error") == "internal error"


def possible(programme: str) -> set[str]:
    """The refusals that can come where texts of this programme are meant."""
    return {reason.key for reason in set(Refusal) - set(OPTED_OUT_OF.values()) | {OPTED_OUT_OF[programme]}}


@pytest.mark.parametrize(
    ("room", "file", "table", "wanted"),
    [
        ("web", "en", "closed", possible("care_team")),
        ("web", "en", "closed_forms", possible("screening")),
        ("web", "en", "unreached", possible("reminders")),
        ("web", "en", "reach", {reason.key for reason in set(Refusal) - set(OPTED_OUT_OF.values())}),
        ("webhooks", "staff", "cannot", possible("care_team") - {"no_consent", "no_number", "wrong_person"}),
    ],
)
def test_each_refusal_has_its_words_wherever_staff_read_it(room: str, file: str, table: str, wanted: set[str]):
    texts = tomllib.loads((ROOT / room / "texts" / f"{file}.toml").read_text("utf-8"))
    assert wanted <= set(texts[table])
    assert all(texts[table][key].strip() for key in wanted)


def test_nobody_is_asked_to_call_whoever_wants_no_texts():
    assert OPT_OUTS < WISHES
    assert {Refusal.DEAD, Refusal.LANDLINE, Refusal.NO_NUMBER, Refusal.WRONG_PERSON}.isdisjoint(WISHES)


def test_a_number_is_shared_while_one_of_the_others_has_not_said_that_it_is_not_theirs():
    assert number("mobile", "mobile").shared is True
    assert number("mobile", "wrong_person", "mobile").shared is True
    assert number("mobile", "wrong_person").shared is False
    assert number("mobile").shared is False


def test_a_strangers_denial_says_nothing_of_whoever_has_the_number_in_their_record():
    assert refusal(number(None, "wrong_person")) is Refusal.WRONG_PERSON
    assert refusal(number("mobile", "wrong_person")) is None
    assert refusal(number(None, "wrong_person"), answering=True) is None


def test_without_a_number_that_can_be_texted_the_last_one_says_why():
    assert contactability.refusal(Facts("active", ()), "care_team") is Refusal.NO_NUMBER
    for line in ("landline", "dead", "wrong_person"):
        assert refusal(number("landline"), number(line)) is contactability.LINES[line]
