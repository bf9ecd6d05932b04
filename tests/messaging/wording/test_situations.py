"""What a text must hold and may not say, by the situation it is sent in."""

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from messaging.wording import clinic_words, situations, text_templates
from messaging.wording.situations import check, every, notes

TYPED = st.text(
    alphabet=st.one_of(st.sampled_from("{}abcdefghijklmnopqrstuvwxyz_ .988911STOP\n"), st.characters()),
    max_size=120,
)
PLACED = st.lists(
    st.one_of(TYPED, st.sampled_from(sorted(text_templates.VARIABLES)).map("{{{}}}".format)), max_size=6
).map(" ".join)


def rules(key: str, text: str, language: str = "en") -> list[str]:
    return [problem.rule for problem in check(every()[key], text, clinic_words.sample(None, language))]


def test_every_text_to_a_patient_has_its_situation_and_no_other() -> None:
    ours = {key for key in text_templates.texts("en") if not key.startswith("staff_")}
    assert set(every()) == ours
    assert all(set(situation.places) <= text_templates.VARIABLES for situation in every().values())


@pytest.mark.parametrize("language", text_templates.LANGUAGES)
@pytest.mark.parametrize("key", list(every()))
def test_every_shipped_text_passes_its_own_check(key: str, language: str) -> None:
    text, values = text_templates.texts(language)[key], clinic_words.sample(None, language)
    assert check(every()[key], text, values) == []
    assert notes(every()[key], text, values) == []


@pytest.mark.parametrize(
    ("key", "text", "rule"),
    [
        ("reminder_day", "", "empty"),
        ("reminder_day", "   \n", "empty"),
        ("reminder_day", "About your depression, {first_name}", "diagnosis"),
        ("reminder_day", "Reply CANCEL to change", "carrier_word"),
        ("reminder_day", "See bit.ly/x for more", "address"),
        ("reminder_day", "See bit.ly/x for more", "shortener"),
        ("reminder_day", "See https://depression-clinic.example/you", "address"),
        ("reminder_day", "See www.alder-clinic.org", "address"),
        ("reminder_day", "Hi {nickname}", "place"),
        ("reminder_day", "Hi {first name}", "brace"),
        ("reminder_day", "Please open {link}", "place"),
        ("reminder_link", "Your visit is {day}", "needs"),
        ("late", "See you {day}", "place"),
        ("reminder_hours", "We will see you today at {time}", "near_day"),
        ("place_reminder_hours", "TOMORROW at {time}", "near_day"),
        ("confirmed", "¡Nos vemos mañana!", "near_day"),
        ("confirmed", "Le esperamos manana, {time}", "near_day"),
        ("missed_visit", "We missed you yesterday", "near_day"),
        ("reminder_day", "Le esperamos esta  noche", "near_day"),
        ("reminder_codes", "Your visits today: {codes}. Y or R", "near_day_unsaid"),
        ("generic_reminder", "You have a visit tomorrow", "near_day_unsaid"),
        ("wrong_person", "Thank you, {first_name}", "place"),
        ("generic_reminder", "Hi {first_name}", "place"),
        ("generic_reminder", "You have a visit at Cedar Clinic", "names_clinic"),
        ("welcome_suffix", "Reply STOP to end texts.", "says"),
        ("help", "{clinic}: call {clinic_phone}. Msg & data rates may apply.", "says"),
        ("crisis", "Call 911 or our own line.", "says"),
        ("crisis", "Call 911 or 303-988-0101.", "says"),
        ("crisis", "Call 911 or (988) 555-0101.", "says"),
        ("reminder_day", "a" * 1000, "long"),
    ],
)
def test_what_stops_a_text(key: str, text: str, rule: str) -> None:
    assert rule in rules(key, text)


def test_mornings_and_what_is_said_of_no_visit_name_no_day() -> None:
    assert rules("reminder_day", "A las 8 de la mañana o por la mañana, {day}: Y o R") == []
    assert rules("reminder_day", "Hola mañana, Y o R") == ["near_day"]
    assert rules("arrived", "Thank you for coming today, {first_name}") == []
    assert rules("reminder_day", "Ahoy, {day}: todays' Y or R") == []


@pytest.mark.parametrize(
    ("text", "day", "right"),
    [
        ("See you {day}", "Wed, Mar 4", True),
        ("See you today", "today", True),
        ("See you today", "tomorrow", False),
        ("Nos vemos Hoy", "hoy", True),
        ("Nos vemos mañana", "mañana", True),
        ("Nos vemos pasado mañana", "mañana", False),
        ("The day after tomorrow", "tomorrow", False),
        ("Not today but tomorrow", "tomorrow", False),
        ("See you tonight", "today", False),
        ("See you today", "", False),
    ],
)
def test_words_with_a_day_of_their_own_are_right_on_that_day_only(text: str, day: str, right: bool) -> None:
    assert situations.right_on("reminder_hours", text, day) is right
    assert situations.right_on("late", text, day)


def test_a_clinic_may_add_its_own_line_beside_988_and_911() -> None:
    assert rules("crisis", "Call 911 or 988, or our line at (303) 555-0150.") == []
    assert rules("crisis_line", "Or call our own line, day and night: (303) 555-0150.") == []
    assert rules("crisis_line", "") == []


def test_initials_and_hours_are_no_addresses() -> None:
    assert rules("reminder_day", "Hi {first_name}. Dr. A.M. Cole at 2 p.m.Please reply Y or R") == []


def test_what_is_worth_a_second_look_stops_nothing() -> None:
    values = clinic_words.sample(None, "es")
    assert [note.rule for note in notes(every()["reminder_day"], "Su cita y su hora", values)] == [
        "asks",
        "asks",
    ]
    assert [note.rule for note in notes(every()["late"], "a" * 500, values)] == ["several"]
    assert rules("late", "a" * 500) == []


@effort(max_examples=300, deadline=None)
@given(st.sampled_from(list(every())), PLACED)
def test_whatever_passes_can_be_filled_in_by_its_sender(key: str, text: str) -> None:
    values = clinic_words.sample(None, "en")
    problems = check(every()[key], text, values)
    notes(every()[key], text, values)
    text_templates.fill(text, values)
    for problem in problems:
        assert text[problem.start : problem.end] == problem.word
    if not problems:
        values_said = {name: values[name] for name in every()[key].places}
        assert text_templates.render(text, values_said) == text_templates.fill(text, values_said)


def test_a_made_up_patient_has_everything_that_can_be_filled_in() -> None:
    for language in text_templates.LANGUAGES:
        assert set(clinic_words.sample(None, language)) == text_templates.VARIABLES
    assert situations.sample("fr") == situations.sample("en")
