"""The clinic's own words: a version over the shipped ones, and a file."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from sqlalchemy import event
from sqlalchemy.orm import Session

from config import db
from messaging.models import Clinic
from messaging.people import directory
from messaging.versions import publishing
from messaging.wording import clinic_words, situations, text_templates

DAY = "Hello {first_name}: {day} at {time}. Reply Y or R."
Desk = tuple[Session, Clinic]


@pytest.fixture
def desk(house: object) -> Iterator[Desk]:
    """A clinic of two who may agree."""
    with db.unit_of_work(db.EVERY) as session:
        clinic = directory.add_clinic(session, name="Alder Clinic", zone="America/Denver", number="+13035550100")
        for name in ("Dana", "Rosa"):
            staff = directory.add_staff(session, clinic, name=name, email=f"{name}@a.example", role="clinic_admin")
            staff.password_hash = "x"
        session.flush()
        yield session, clinic


def say(clinic: Clinic, key: str, text: str, language: str = "en") -> None:
    """Let a clinic word one text so from now on."""
    with db.unit_of_work(clinic.id) as session:
        there = session.get_one(Clinic, clinic.id)
        publish((session, there), {language: {key: text}})


def publish(desk: Desk, definition: dict[str, Any]) -> None:
    draft = publishing.save(*desk, clinic_words.WORDS, definition, edit=0, actor="operator")
    publishing.publish(*desk, clinic_words.WORDS, edit=draft.edit, actor="operator")


def test_a_published_text_is_said_and_going_back_says_the_shipped_one(desk: Desk) -> None:
    shipped = text_templates.texts("en")["reminder_day"]
    assert clinic_words.of(desk[0], desk[1].id).text("reminder_day", "en") == shipped
    publish(desk, {"en": {"reminder_day": DAY}})
    own = clinic_words.of(desk[0], desk[1].id)
    assert own.text("reminder_day", "en-US") == DAY
    assert own.text("reminder_day", "es") == text_templates.texts("es")["reminder_day"]
    assert clinic_words.present(*desk) == {"en": {"reminder_day": DAY}, "es": {}}
    publish(desk, {})
    assert clinic_words.of(desk[0], desk[1].id).text("reminder_day", "en") == shipped


def test_the_database_is_asked_once_in_a_unit_of_work(desk: Desk) -> None:
    session, clinic = desk
    session.flush()
    statements: list[str] = []
    event.listen(db.engine(), "before_cursor_execute", lambda *given: statements.append(given[2]))
    for key in situations.every():
        clinic_words.of(session, clinic.id).text(key, "en")
    assert len(statements) == 1


def test_only_what_differs_is_kept_and_it_stands_as_it_would_be_sent() -> None:
    shipped = text_templates.texts("en")["late"]
    read = clinic_words.read({"en": {"late": shipped, "arrived": "“Hi”\u200b\tthere\r\nyou \x00"}})
    assert read == {"en": {"arrived": '"Hi" there\nyou'}, "es": {}}
    assert clinic_words.read(read) == read


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"fr": {}}, "fr"),
        ({"en": "late"}, "en"),
        ({"en": {"lat": "x"}}, "en.lat"),
        ({"en": {"staff_alert": "x"}}, "en.staff_alert"),
        ({"es": {"late": 5}}, "es.late"),
    ],
)
def test_what_is_no_text_of_ours_is_refused_at_its_field(wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(publishing.Refused) as refused:
        clinic_words.read(wrong)
    assert [problem.field for problem in refused.value.problems] == [field]


def test_a_text_with_a_problem_is_not_published_and_the_word_is_named(desk: Desk) -> None:
    with pytest.raises(publishing.Refused, match=r"en.late: “depression” .character 12. names a diagnosis"):
        publish(desk, {"en": {"late": "About your depression"}})


def test_what_somebody_in_a_crisis_is_told_takes_two_people(desk: Desk) -> None:
    changed = {"es": {"crisis_line": "O llame al (303) 555-0150."}}
    with pytest.raises(publishing.NeedsSecond, match="Spanish: “The clinic's own crisis line” changes"):
        publish(desk, changed)
    assert clinic_words.silences(clinic_words.read({}), clinic_words.read({"en": {"late": "Thank you"}})) == []
    assert len(clinic_words.silences(clinic_words.read(changed), clinic_words.read({}))) == 1


def test_words_that_can_no_longer_be_filled_in_cost_nobody_the_text() -> None:
    old = clinic_words.Words({"en": {"late": "See you {day}"}})
    assert old.say("late", "en", {"first_name": "Ana", "clinic": "Alder", "clinic_phone": "1"}).startswith("Thank you")


TYPED = st.dictionaries(
    st.sampled_from(text_templates.LANGUAGES),
    st.dictionaries(st.sampled_from(list(situations.every())), st.text(st.characters(codec="utf-8"), max_size=60)),
)


@effort(max_examples=150, deadline=None)
@given(TYPED)
def test_the_file_reads_back_as_it_was(definition: dict[str, dict[str, str]]) -> None:
    read = clinic_words.read(definition)
    assert clinic_words.parse(clinic_words.toml(read)) == read
    own = clinic_words.Words(read)
    for language, texts in read.items():
        for key in texts:
            situation, values = situations.every()[key], clinic_words.sample(None, language)
            own.say(key, language, {name: values[name] for name in situation.places})


def test_a_problem_of_the_file_has_its_line() -> None:
    with pytest.raises(publishing.Refused) as refused:
        clinic_words.parse('[en]\nlate = "Fine"\nlat = "x"\n\n[es]\narrived = 5\n[fr]\n')
    assert [(problem.field, problem.line) for problem in refused.value.problems] == [
        ("en.lat", 3),
        ("es.arrived", 6),
        ("fr", 7),
    ]
    with pytest.raises(publishing.Refused, match="this is not TOML"):
        clinic_words.parse("[en")
    problems = clinic_words.problems(None, clinic_words.parse('[en]\nlate = "your depression"'))
    assert [(problem.field, problem.line) for problem in clinic_words.with_lines(problems, '[en]\nlate = "x"')] == [
        ("en.late", 2)
    ]
