"""What a colleague's text may not carry, and how it would cost less."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messaging.wording import proofreading, saved_replies, text_templates


def found(text: str, *names: str) -> list[tuple[str, str]]:
    return [(problem.rule, problem.word) for problem in proofreading.proof(text, names)]


@pytest.mark.parametrize(
    "text",
    [
        "Hola Teresa", "teresa?", "TERESA", "Teresa's visit", "for quintana", "la señora Núñez", "Quintana-Núñez",
        "Will, please call", "WILL",
    ],
)  # fmt: skip
def test_a_withheld_name_is_found_however_it_is_written(text):
    assert [rule for rule, _ in found(text, "Teresa", "Will", "Quintana Nuñez")] == ["name"]


@pytest.mark.parametrize("text", ["I will call you", "it would be a joy", "teresita", "Hi there", "mayo", ""])
def test_words_of_the_language_are_not_taken_for_names(text):
    assert found(text, "Teresa", "Will", "Joy", "May") == []


def test_a_place_that_nothing_was_filled_into_is_found_and_other_braces_are_not():
    assert found("See you {day} {soon} {") == [("gap", "{day}")]


def test_what_the_linter_of_templates_stops_is_stopped_here_too():
    assert found("About your PHQ-9 and {day}") == [("instrument", "PHQ"), ("gap", "{day}")]


def test_tidy_is_what_would_be_sent():
    assert proofreading.tidy(" “Sí”…\r\nit’s\rfine \n") == '"Sí"...\nit\'s\nfine'


@settings(max_examples=120, deadline=None)
@given(st.text(alphabet="aáÁñíõ€😀“ç \r\n", max_size=200))
def test_plainer_letters_never_cost_more_and_change_nothing_twice(text):
    tidy = proofreading.tidy(text)
    plain = proofreading.plainer(tidy)
    assert text_templates.segments(plain).segments <= text_templates.segments(tidy).segments
    assert proofreading.plainer(plain) == plain
    assert len(plain) == len(tidy)


def test_letters_that_cost_nothing_stay():
    assert proofreading.plainer("Mañana será mamá") == "Mañana sera mama"
    assert proofreading.plainer("mañana, señora") == "mañana, señora"


@pytest.mark.parametrize("key", list(saved_replies.defaults()))
def test_the_replies_that_are_offered_may_leave_and_cost_one_segment(key):
    reply = saved_replies.defaults()[key]
    values = {
        "first_name": "Alejandra", "clinic": "Alder Street Clinic", "clinic_phone": "(202) 555-0199",
        "care_team": "your care team", "day": "tomorrow", "time": "2:30 PM",
    }  # fmt: skip
    for language in text_templates.LANGUAGES:
        assert saved_replies.problems(reply[language]) == []
        body = saved_replies.fill(reply[language], values)
        assert proofreading.proof(body) == []
        assert text_templates.segments(body).segments == 1, (key, language, text_templates.segments(body))
