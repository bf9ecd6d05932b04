"""What a clinic asks of how it did: shipped as a wording that asks nobody, off until it is published with a reason."""

from typing import Any

import pytest

from config import db
from messaging.models import Clinic
from reminders import satisfaction

PATH = "/settings/satisfaction"


def typed(**changed: str) -> dict[str, str]:
    """What stands in the form as it ships, with some of it changed; an empty `named` is one that is not ticked."""
    said = {
        name: str(value) for name, value in satisfaction.Terms().model_dump().items() if not isinstance(value, bool)
    }
    return {"edit": "0"} | said | changed


def terms(house: Any) -> satisfaction.Terms:
    """What holds."""
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        return satisfaction.of_clinic(session.get_one(Clinic, house.clinic.id))


def test_it_ships_with_words_in_both_languages_and_asks_nobody(house: Any) -> None:
    page = house.signed_in(house.staff(role="clinic_admin")).get(PATH).text
    assert "Did you feel that we listened to you?" in page
    assert "¿Sintió que le escuchamos?" in page
    assert "not shown your answers next to your name" in page, "the preview says what the patient is told"
    assert 'name="asks" checked' not in page
    assert not terms(house).asks


def test_it_is_published_with_a_reason_and_holds_from_then_on(house: Any) -> None:
    admin = house.signed_in(house.staff(role="clinic_admin"))
    assert admin.post(PATH, **typed(asks="on", named="on", second_en="", second_es="")).status_code == 303
    assert not terms(house).asks, "a draft asks nobody"
    page = admin.get(PATH).text
    assert "Your care team can read your answers with your name." in page
    assert "Patients are asked how we did" in page, "what changes is said in words"
    admin.post("/settings/draft/satisfaction/publish", edit="1", why="")
    assert not terms(house).asks, "texting people takes a reason"
    admin.post("/settings/draft/satisfaction/publish", edit="1", why="The team wants to know")
    now = terms(house)
    assert (now.asks, now.named, len(now.questions)) == (True, True, 2)
    assert admin.get("/settings/history/satisfaction").status_code == 200


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"first_es": ""}, "give it in both languages, or in neither"),
        ({"free_en": ""}, "give it in both languages, or in neither"),
        ({"after_days": "0"}, "at least one day"),
        ({"after_days": "soon"}, "a whole number of days"),
        ({"third_en": "x" * 161}, "at most 160 letters"),
        ({"third_en": satisfaction.Terms().first_en}, "the same question stands above"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(
    house: Any, changed: dict[str, str], said: str
) -> None:
    admin = house.signed_in(house.staff(role="clinic_admin"))
    answer = admin.post(PATH, **typed(second_en="Were we kind to you?", **changed))
    assert answer.status_code == 422
    assert said in answer.text
    assert "Were we kind to you?" in answer.text


def test_nobody_can_be_asked_nothing(house: Any) -> None:
    admin = house.signed_in(house.staff(role="clinic_admin"))
    empty = {f"{place}_{language}": "" for place in satisfaction.PLACES for language in ("en", "es")}
    assert "nobody can be asked nothing" in admin.post(PATH, **typed(asks="on", **empty)).text
    assert admin.post(PATH, **typed(**empty)).status_code == 303


def test_a_question_with_other_words_is_another_and_is_known_by_its_own_for_good(house: Any) -> None:
    admin = house.signed_in(house.staff(role="clinic_admin"))
    for edit, words in enumerate(("Were we kind?", "Were we quick?")):
        admin.post(PATH, **typed(asks="on", first_en=words, edit="0"))
        admin.post("/settings/draft/satisfaction/publish", edit="1", why=f"try {edit}")
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        known = satisfaction.ever_asked(session, session.get_one(Clinic, house.clinic.id))
    assert {"Were we kind?", "Were we quick?"} <= {question.en for question in known.values()}


def test_both_languages_say_the_same_things(house: Any) -> None:
    assert satisfaction.form_words("en").keys() == satisfaction.form_words("es").keys()
    assert set(satisfaction.form_words("en")) >= {str(mark) for mark in satisfaction.VALUES}
