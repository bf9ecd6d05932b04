"""A text on a phone: cut where something is wrong or costly, and nothing of it is lost."""

from typing import Any

from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from messaging.wording import clinic_words, situations, text_templates
from web.settings import phone_preview

TYPED = st.lists(
    st.one_of(
        st.text(st.characters(codec="utf-8"), max_size=20),
        st.sampled_from(["{first_name}", "{link}", "{nickname}", "{", "depression", "CANCEL", "á"]),
    ),
    max_size=8,
).map(" ".join)


@effort(max_examples=200, deadline=None)
@given(TYPED, st.sampled_from(list(situations.every())))
def test_the_pieces_together_are_the_text_filled_in(typed: str, key: str) -> None:
    values = clinic_words.sample(None, "en")
    problems = situations.check(situations.every()[key], typed, values)
    pieces = phone_preview.pieces(typed, problems, values)
    if not any(problem.word for problem in problems):
        assert "".join(words for words, _ in pieces) == text_templates.fill(typed, values)
    flagged = [words for words, kind in pieces if kind == "flag"]
    assert set(flagged) <= {problem.word for problem in problems}
    assert bool(flagged) == any(problem.word for problem in problems)


def test_a_text_for_some_names_what_the_others_get(house: Any) -> None:
    def who(key: str) -> list[tuple[str, str | None]]:
        typed = {language: text_templates.texts(language)[key] for language in text_templates.LANGUAGES}
        english, _ = phone_preview.sides(house.clinic, situations.every()[key], typed, {})
        return [(screen.who, screen.other and screen.other.key) for screen in english.screens]

    assert who("started") == [("On everybody's phone", None)]
    assert who("late") == [
        ("For people who want day and time / For people who want the place too", None),
        ("For people who want nothing said of a visit", "generic_late"),
    ]
    assert who("generic_reminder") == [("For people who want nothing said of a visit", None)]
    assert who("reminder_far") == [
        ("For people who want day and time / For people who want the place too", None),
        ("For people who want nothing said of a visit", "generic_reminder"),
    ]
    assert [key for _, key in who("place_reminder_hours")] == [None, "generic_reminder", "reminder_hours"]
