"""The page of the clinic's words: read, changed in a draft, seen on a phone, published, and gone back on."""

import re
from typing import Any

import pytest

from config import db
from messaging.models import Clinic
from messaging.versions import publishing
from messaging.wording import clinic_words, situations

OWN = {"en": "Take your time, {first_name}. - {clinic}", "es": "Venga con calma, {first_name}. - {clinic}"}


@pytest.fixture
def admin(house: Any) -> Any:
    """An administrator's browser; nobody else could agree."""
    return house.signed_in(house.staff("Dana Wu", role="clinic_admin"))


def standing(house: Any) -> tuple[dict[str, Any], int]:
    with db.unit_of_work(house.clinic.id) as session:
        draft = publishing.draft(session, house.clinic.id, "words")
        return (draft.definition, draft.edit) if draft else ({}, 0)


def in_force(house: Any) -> dict[str, Any]:
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        return clinic_words.present(session, session.get_one(Clinic, house.clinic.id))


def test_every_text_is_listed_by_its_situation_with_its_words(house: Any, admin: Any) -> None:
    page = admin.get("/settings/words").text
    for situation in situations.every().values():
        assert situation.name.replace("'", "&#39;") in page
        own = admin.get(f"/settings/words/{situation.key}").text
        assert situation.when.replace("'", "&#39;") in own
    assert "nothing yet" in page


def test_a_text_is_found_by_its_words_in_either_language(house: Any, admin: Any) -> None:
    page = admin.get("/settings/words?q=nadie 988").text
    assert 'id="text-crisis"' in page
    assert 'id="text-late"' not in page
    assert "No text has “zebra” in it." in admin.get("/settings/words?q=zebra").text


def test_a_text_is_kept_in_the_draft_published_and_said(house: Any, admin: Any) -> None:
    kept = admin.post("/settings/words/late", edit="0", **OWN)
    assert (kept.status_code, kept.location) == (303, "/settings/words/late")
    assert standing(house) == ({"en": {"late": OWN["en"]}, "es": {"late": OWN["es"]}}, 1)
    assert in_force(house) == {"en": {}, "es": {}}
    listed = admin.get("/settings/words").text
    assert "in the draft" in listed
    assert admin.post("/settings/draft/words/publish", edit="1", why="warmer").status_code == 303
    assert in_force(house)["en"] == {"late": OWN["en"]}
    assert "your words" in admin.get("/settings/words").text


def test_going_back_takes_the_clinics_words_out_of_the_draft(house: Any, admin: Any) -> None:
    admin.post("/settings/words/late", edit="0", **OWN)
    admin.post("/settings/words/arrived", edit="1", en="Welcome!", es="Hola")
    assert admin.post("/settings/words/late", edit="2", shipped="1", **OWN).status_code == 303
    assert standing(house)[0] == {"en": {"arrived": "Welcome!"}, "es": {"arrived": "Hola"}}


def test_it_is_seen_on_a_phone_at_each_privacy_level_before_it_is_kept(house: Any, admin: Any) -> None:
    typed = {"en": "It is {day} at {time} in {place}, {first_name}!", "es": "{day}, {time}"}
    seen = admin.post("/settings/words/reminder_hours", edit="0", show="1", **typed)
    assert seen.status_code == 200
    assert "It is tomorrow at 2:30 PM in Room 4, Alex!" in seen.text
    assert "For people who want the place too" in seen.text
    assert "For people who want nothing said of a visit" in seen.text
    assert "You have a visit coming up" in seen.text
    assert typed["en"] in seen.text
    assert standing(house) == ({}, 0)


@pytest.mark.parametrize(
    ("language", "text", "word"),
    [("en", "We see you today at {time}", "today"), ("en", "TONIGHT: {time}", "TONIGHT"), ("es", "Hoy, {time}", "Hoy")],
)
def test_a_day_that_is_right_on_one_day_only_is_marked_and_not_published(
    house: Any, admin: Any, language: str, text: str, word: str
) -> None:
    typed = {"en": OWN["en"], "es": OWN["es"], language: text}
    admin.post("/settings/words/reminder_hours", edit="0", **typed)
    page = admin.get("/settings/words/reminder_hours").text
    assert f"<mark>{word}</mark>" in page
    assert "is right on one day only: write {day}" in page
    refused = admin.post("/settings/draft/words/publish", edit="1", why="as agreed")
    assert "It was not published" in admin.get(refused.location).text
    assert in_force(house)[language] == {}


def test_the_word_that_may_not_be_sent_is_marked_in_the_preview_and_said_why(house: Any, admin: Any) -> None:
    typed = {"en": "Reply CANCEL about your depression, {nickname}", "es": OWN["es"]}
    admin.post("/settings/words/late", edit="0", **typed)
    page = admin.get("/settings/words/late").text
    for word in ("Reply CANCEL", "depression", "{nickname}"):
        assert f"<mark>{word}</mark>" in page
    assert "names a diagnosis" in page
    assert "acts on the number at the carrier" in page
    assert "cannot be published" in admin.get("/settings/words").text
    refused = admin.post("/settings/draft/words/publish", edit="1", why="as agreed")
    assert "It was not published" in admin.get(refused.location).text
    assert in_force(house)["en"] == {}


def test_the_character_that_costs_a_second_part_is_shown_and_replaced_in_one_press(house: Any, admin: Any) -> None:
    long = "Su equipo le espera mañana y está feliz de verle pronto en la clínica, como siempre"
    typed = {"en": OWN["en"], "es": long}
    seen = admin.post("/settings/words/late", edit="0", show="1", **typed).text
    assert '<u class="costly">á</u>' in seen
    assert "2 segments (á í makes it 70 characters each)" in seen
    assert 'name="plain" value="es"' in seen
    plain = admin.post("/settings/words/late", edit="0", plain="es", **typed).text
    assert "mañana y esta feliz de verle pronto en la clinica" in plain
    assert 'class="costly"' not in plain
    assert 'name="plain"' not in plain


def test_of_two_who_change_it_at_once_the_second_sees_both_and_nothing_is_written_over(house: Any, admin: Any) -> None:
    admin.post("/settings/words/late", edit="0", **OWN)
    second = admin.post("/settings/words/late", edit="0", en="No hurry!", es=OWN["es"])
    assert second.status_code == 409
    assert "Theirs, English" in second.text
    assert "Theirs, Spanish" not in second.text
    assert ">No hurry!</textarea>" in second.text
    assert standing(house)[0]["en"] == {"late": OWN["en"]}
    edit = re.search(r'name="edit" value="(\d+)"', second.text)
    assert edit is not None
    assert admin.post("/settings/words/late", edit=edit[1], en="No hurry!", es=OWN["es"]).status_code == 303
    assert standing(house)[0]["en"] == {"late": "No hurry!"}


def test_a_colleagues_change_of_another_text_stays_when_mine_is_saved_again(house: Any, admin: Any) -> None:
    admin.post("/settings/words/arrived", edit="0", en="Welcome!", es="Hola")
    second = admin.post("/settings/words/late", edit="0", **OWN)
    assert second.status_code == 409
    admin.post("/settings/words/late", edit="1", **OWN)
    assert standing(house)[0]["en"] == {"arrived": "Welcome!", "late": OWN["en"]}


def test_crisis_words_wait_for_a_second_person_who_may_only_agree(house: Any, admin: Any) -> None:
    rosa = house.staff()
    with db.unit_of_work(house.clinic.id) as session:
        session.merge(rosa).password_hash = "x"
    typed = {"en": "Or call our line: {clinic_phone}.", "es": "O llame al {clinic_phone}."}
    admin.post("/settings/words/crisis_line", edit="0", **typed)
    assert "A second person must agree" in admin.get("/settings/words").text
    admin.post("/settings/draft/words/publish", edit="1", why="as agreed")
    assert in_force(house)["en"] == {}
    admin.post("/settings/draft/words/ask", edit="1", why="our new line")
    agreeing = house.signed_in(rosa)
    assert "Agree and publish" in agreeing.get("/settings/words").text
    assert agreeing.post("/settings/words/late", edit="1", **OWN).status_code == 403
    agreeing.post("/settings/draft/words/publish", edit="1", why="as agreed")
    assert in_force(house)["en"] == {"crisis_line": typed["en"]}


def test_988_and_911_cannot_be_taken_away(house: Any, admin: Any) -> None:
    admin.post("/settings/words/crisis", edit="0", en="Call our own line.", es="Llame al 911 o al 988.")
    page = admin.get("/settings/words/crisis").text
    assert "must hold the word 988" in page
    assert "must hold the word 911" in page
    admin.post("/settings/draft/words/publish", edit="1", why="as agreed")
    assert in_force(house)["en"] == {}


def test_a_script_is_told_what_the_button_would_show(house: Any, admin: Any) -> None:
    typed = {"en": "<b>About your depression</b> {clinic}", "es": ""}
    answer = admin.post("/settings/words/late/look", **typed).json
    assert "<mark>depression</mark>" in answer["shown"]["en"]
    assert "&lt;b&gt;About your" in answer["shown"]["en"]
    assert answer["said"]["en"] == "English: 1 segment. One thing stops it from being published."
    assert "is empty" in answer["shown"]["es"]


def test_who_may_only_look_reads_and_changes_nothing(house: Any) -> None:
    browser = house.signed_in(house.staff(role="auditor"))
    assert "Save draft" not in browser.get("/settings/words/late").text
    assert browser.post("/settings/words/late", edit="0", **OWN).status_code == 403
    assert house.signed_in(house.staff(role="front_desk")).get("/settings/words").status_code == 403
    assert browser.get("/settings/words/staff_alert").status_code == 404


@pytest.mark.parametrize("key", list(situations.every()))
def test_every_text_has_its_page(house: Any, admin: Any, key: str) -> None:
    page = admin.get(f"/settings/words/{key}").text
    assert "This cannot be published" not in page
