"""The pages, walked through like a phone does: cookies, hidden fields, redirects."""

import re
from datetime import date

import pytest
from sqlalchemy import func, select, text

from config import db
from intake_links import finding, links, rendering
from intake_links.models import IntakeLink, Screen
from messaging.inbox.models import InboxItem
from tests.messaging.wording.test_clinic_words import say

OTHER = date(1980, 1, 2)
INSTRUMENT_WORDS = re.compile(r"PHQ|GAD|AUDIT|depress|anxi|suicid|mental|screen(ing)?\b", re.IGNORECASE)


def read(query):
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        return query(session)


def answers(screen_index=0):
    def query(session):
        screens = session.scalars(select(Screen).order_by(Screen.id)).all()
        return list(finding.answers_of(screens[screen_index]))

    return read(query)


def items():
    return read(lambda s: [(i.kind, i.summary) for i in s.scalars(select(InboxItem).order_by(InboxItem.id))])


def state(link_id):
    return read(lambda s: s.get(IntakeLink, link_id).state)


def everything():
    """Every row there is, to see that nothing changed."""
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        tables = db.Base.metadata.sorted_tables
        return {t.name: session.execute(text(f"SELECT * FROM {t.name}")).all() for t in tables}


def fill(phone, given_answers):
    for answer in given_answers:
        phone.post(**({"skip": 1} if answer is None else {"answer": answer}))
        if phone.path == "/i/help":
            phone.get("/i/q")
    return phone


def test_a_hundred_previews_change_nothing_and_the_link_still_opens(ward, phone, another_phone):
    link_id, path = ward.issue()
    before = everything()
    for _ in range(50):
        another_phone.get(path)
        another_phone.client.head(path, base_url=phone.base_url)
    assert everything() == before
    assert phone.enter(path).path == "/i/q/1/1"
    assert state(link_id) == "verified"


def test_the_first_page_says_who_asks_and_nothing_about_what(ward, phone):
    _, path = ward.issue()
    phone.get(path)
    assert phone.heading == "A few questions for you"
    assert "Alder Street Clinic" in phone.page
    assert "(201) 555-0100" in phone.page
    assert 'href="tel:988"' in phone.page
    said = re.sub(r'(value|action|href)="[^"]*"', "", phone.page)  # tokens are letters by chance
    assert not INSTRUMENT_WORDS.search(said)


def test_a_whole_form_is_answered_checked_and_sent(ward, phone):
    link_id, path = ward.issue("gad2")
    phone.enter(path)
    assert "Question 1<" in phone.page  # how many there will be depends on the answers
    assert "Over the last 2 weeks" in phone.page
    fill(phone, [1, 0])
    assert phone.path == "/i/q/1/check"
    assert "Several days" in phone.page
    assert "Send my answers" in phone.page
    phone.post()
    assert phone.path == "/i/done"
    assert "Thank you" in phone.heading
    assert "Several days" not in phone.page
    assert (state(link_id), answers(), items()) == ("answered", [1, 0], [])


def test_every_answer_is_saved_before_the_next_question(ward, phone):
    _, path = ward.issue()
    fill(phone.enter(path), [3, 2])
    assert answers() == [3, 2, *[None] * 7]


def test_declining_is_a_missing_answer_and_never_a_zero(ward, phone):
    _, path = ward.issue("phq2")
    fill(phone.enter(path), [None, 2])
    assert phone.path == "/i/q/1/check"
    assert "Not answered" in phone.page
    phone.post()
    assert answers() == [None, 2]


def test_continue_without_an_answer_asks_and_saves_nothing(ward, phone):
    _, path = ward.issue()
    phone.enter(path).post()
    assert phone.response.status_code == 422
    assert "Choose the answer" in phone.page
    assert "<title>Please check: " in phone.page
    assert read(lambda s: s.scalar(select(func.count(Screen.id)))) == 0


@pytest.mark.parametrize("made_up", ["4", "-1", "true", "1.0", "", " 1"])
def test_only_the_instruments_own_answers_are_taken(ward, phone, made_up):
    _, path = ward.issue()
    phone.enter(path).post(answer=made_up)
    assert phone.response.status_code == 422
    assert read(lambda s: s.scalar(select(func.count(Screen.id)))) == 0


def test_item_nine_shows_help_at_once_and_tells_a_person_though_the_form_is_never_finished(ward, phone):
    _, path = ward.issue()
    fill(phone.enter(path), [0] * 8).post(answer=1)
    assert phone.path == "/i/help"
    assert "our team has been told" in phone.page.lower()
    assert 'href="tel:988"' in phone.page
    assert 'href="sms:988"' in phone.page
    assert 'href="tel:911"' in phone.page
    assert items() == [("safety", "Answered item 9 on the PHQ-9: several days (form not finished)")]
    phone.get("/i/q")
    assert phone.path == "/i/q/1/check"


def test_the_clinics_own_crisis_line_stands_below_988(ward, phone):
    say(read(lambda session: ward.both(session)[0]), "crisis_line", "Or call <our> line: {clinic_phone}.")
    _, path = ward.issue()
    phone.enter(path).get("/i/help")
    assert "Or call &lt;our&gt; line: (" in phone.page
    assert phone.page.index("Call 988") < phone.page.index("our&gt; line")


def test_help_comes_before_thanks_when_a_form_with_item_nine_is_sent(ward, phone):
    _, path = ward.issue()
    fill(phone.enter(path), [0] * 8 + [2])
    phone.post()
    assert phone.path == "/i/help"
    phone.get("/i/q")
    assert phone.path == "/i/done"
    assert items() == [("safety", "Answered item 9 on the PHQ-9: more than half the days. Total 2, minimal or none")]


def test_that_the_team_was_told_is_said_only_when_it_was(ward, phone):
    _, path = ward.issue()
    phone.enter(path).get("/i/help")
    assert "has been told" not in phone.page
    assert "988" in phone.page


def test_one_instrument_follows_the_other(ward, phone):
    link_id, path = ward.issue("phq2", "audit_c")
    fill(phone.enter(path), [0, 0])
    assert "Send these answers and go on" in phone.page
    phone.post()
    assert phone.path == "/i/q/2/1"
    assert "Part 2 of 2" in phone.page
    assert state(link_id) == "verified"
    phone.post(answer=0)
    assert phone.path == "/i/q/2/check"  # "Never" leaves nothing else to ask
    phone.post()
    assert phone.path == "/i/done"
    assert state(link_id) == "answered"


def test_back_and_change_show_this_sessions_answer_and_keep_the_rest(ward, phone):
    _, path = ward.issue("gad7")
    fill(phone.enter(path), [0, 1, 2])
    phone.get("/i/q/1/2")
    assert re.search(r'value="1" checked', phone.page)
    phone.post(answer=3)
    assert phone.path == "/i/q/1/3"
    fill(phone.get("/i/q"), [0, 0, 0, 0])
    phone.get(re.search(r'href="(/i/q/1/2\?change=1)"', phone.page).group(1)).post(answer=0)
    assert phone.path == "/i/q/1/check"
    assert answers() == [0, 0, 2, 0, 0, 0, 0]


def test_a_question_ahead_cannot_be_opened(ward, phone):
    _, path = ward.issue()
    assert phone.enter(path).get("/i/q/1/7").path == "/i/q/1/1"
    assert phone.get("/i/q/9/1").path == "/i/q/1/1"
    assert phone.get("/i/q/1/check").path == "/i/q/1/1"


def test_another_phone_goes_on_where_the_first_stopped_and_sees_no_answer(ward, phone, another_phone):
    _, path = ward.issue("gad2")
    fill(phone.enter(path), [1])
    assert another_phone.enter(path).path == "/i/q/1/2"
    another_phone.get("/i/q/1/1")
    assert "checked" not in another_phone.page
    assert "answered this question before" in another_phone.page
    another_phone.post()
    assert another_phone.path == "/i/q/1/2"
    assert answers() == [1, None]
    another_phone.post(answer=0)
    assert "Answered earlier" in another_phone.page
    assert "Several days" not in another_phone.page


def test_language_changes_on_the_way_and_keeps_the_answers(ward, phone):
    _, path = ward.issue("phq2")
    fill(phone.enter(path), [1])
    phone.post("/i/language", to="es", at="question", part=1, number=2)
    assert phone.path == "/i/q/1/2"
    assert '<html lang="es">' in phone.page
    assert "Pregunta 2<" in phone.page
    phone.get("/i/q/1/1")
    assert re.search(r'value="1" checked', phone.page)
    assert "Varios días" in phone.page
    assert read(lambda s: s.scalars(select(Screen.language)).one()) == "es"


def test_a_patient_who_speaks_spanish_is_spoken_to_in_spanish_from_the_first_page(ward, phone):
    with db.unit_of_work(db.EVERY) as session:
        ward.both(session)[1].language = "es-MX"
    _, path = ward.issue("audit_c")
    phone.get(path)
    assert '<html lang="es">' in phone.page
    assert phone.heading == "Unas preguntas para usted"
    phone.enter(path)
    assert '<h1 lang="en">' in phone.page
    assert "solo está disponible en inglés" in phone.page


def test_the_language_chosen_on_the_first_page_stays(ward, phone):
    _, path = ward.issue()
    phone.enter(path + "?lang=es")
    assert phone.path == "/i/q/1/1"
    assert "Pregunta 1 de 9" in phone.page


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("31", "2", "1981"), "not a date in the calendar"),
        (("27", "", "1981"), "fill in the day"),
        (("27", "3", "81"), "four digits"),
    ],
)
def test_a_slip_in_the_birth_date_is_said_in_words_keeps_what_was_typed_and_costs_no_try(ward, phone, typed, said):
    link_id, path = ward.issue()
    phone.get(path).post(day=typed[0], month=typed[1], year=typed[2])
    assert phone.response.status_code == 422
    assert said in phone.page
    assert f'value="{typed[2]}"' in phone.page
    assert read(lambda s: s.get(IntakeLink, link_id).tries) == 0
    assert not re.search("error|invalid|failed", re.sub("aria-invalid", "", phone.page), re.IGNORECASE)


def test_sending_twice_is_sending_once_and_shows_the_same_thanks(ward, phone):
    _, path = ward.issue("phq2")
    fill(phone.enter(path), [3, 3, *[None] * 7])
    check_page, check_path = phone.page, phone.path
    first = phone.post().page
    phone.page = check_page
    assert phone.post(check_path).page == first
    assert [kind for kind, _ in items()] == ["screen"]
    assert phone.get("/i/q/1/1").path == "/i/done"
    assert phone.get(path).heading == phone.get("/i/done").heading


def test_an_old_tab_that_answers_otherwise_after_sending_is_kept_for_a_person(ward, phone):
    _, path = ward.issue("phq2")
    phone.enter(path)
    old_page, old_path = phone.page, phone.path
    fill(phone, [0, 0]).post()
    phone.page = old_page
    assert phone.post(old_path, answer=2).path == "/i/done"
    assert (answers(0), answers(1)) == ([0, 0], [2, 0])
    assert [kind for kind, _ in items()] == ["reply"]


def test_both_languages_say_the_same_things():
    assert rendering.words("en").keys() == rendering.words("es").keys()
    for key, said in rendering.words("en").items():
        if isinstance(said, str):
            placeholders = re.findall(r"\{\w+\}", said)
            assert sorted(placeholders) == sorted(re.findall(r"\{\w+\}", rendering.words("es")[key])), key
    assert sorted(rendering.words("es")["birth_order"]) == sorted(links.BIRTH)
