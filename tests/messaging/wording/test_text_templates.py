"""The texts we send: their segments, their variables, and what they may not say."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messaging.wording import text_templates

SAMPLE = {
    "first_name": "Alejandra",
    "clinic": "Riverside Family Clinic",
    "clinic_phone": "(201) 555-0147",
    "day": "tomorrow, Tuesday",
    "time": "10:30 AM",
    "date": "Tuesday, March 10",
    "place": "the second floor, room 204",
    "link": "https://visit.riverside.example/i/8Zr2kQ0v9mT3yX5wB7nC1d",
    "care_team": "your care team",
    "codes": "1 Tue 9:00 AM, 2 Fri 2:30 PM",
}
KEYS = {
    "welcome_suffix", "help", "stopped", "started", "crisis", "unknown_sender", "received",
    "received_closed", "confirmed",
    "change_requested", "arrived", "late", "wrong_person", "handoff_ready", "handoff_soon", "handoff_video",
    "handoff_ready_at", "handoff_video_at", "generic_handoff_ready_at", "generic_handoff_video_at",
    "handoff_call", "handoff_call_instead", "handoff_nudge", "handoff_here", "reminder_far",
    "reminder_day", "reminder_hours", "reminder_link", "reminder_own", "reminder_link_only",
    "reminder_link_codes", "reminder_codes", "missed_visit", "generic_missed_visit", "staff_alert",
    "staff_escalated", "staff_handoff", "staff_covering", "staff_answered", "form_link", "form_again", "own_page",
    "generic_own_page",
    "staff_assigned", "staff_due_soon", "staff_news", "staff_account", "staff_new_browser", "staff_sign_in_link",
    "staff_access", "staff_approval", "staff_proof_code", "staff_asked_when",
    "stopped_reminders", "stopped_screening", "stopped_visit", "crisis_line", "generic_reminder",
    "generic_reminder_link", "generic_reminder_own", "generic_form_link", "generic_form_again",
    "generic_confirmed", "generic_change_requested", "generic_arrived", "generic_late",
    "generic_handoff_ready", "generic_handoff_soon", "generic_handoff_video", "generic_handoff_call",
    "generic_handoff_call_now", "handoff_call_now",
    "generic_handoff_call_instead", "generic_handoff_nudge", "generic_handoff_here", "place_reminder_hours",
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "encoding", "segments", "units"),
    [
        ("", "GSM-7", 0, 0),
        ("a" * 160, "GSM-7", 1, 160),
        ("a" * 161, "GSM-7", 2, 161),
        ("a" * 306, "GSM-7", 2, 306),
        ("a" * 307, "GSM-7", 3, 307),
        ("€" * 80, "GSM-7", 1, 160),
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 3, 306),  # the escape pair may not straddle 153
        ("á" * 70, "UCS-2", 1, 70),
        ("á" * 71, "UCS-2", 2, 71),
        ("á" * 134, "UCS-2", 2, 134),
        ("á" * 66 + "😀" + "á" * 66, "UCS-2", 3, 134),  # nor a surrogate pair 67
        ("😀" * 35, "UCS-2", 1, 70),
        ("é ñ ü ¿ ¡ É Ñ Ç à", "GSM-7", 1, 17),
        ("{}[]\\^~|\f", "GSM-7", 1, 18),
        ("ç", "UCS-2", 1, 1),
        ("\ud800", "UCS-2", 1, 1),
    ],
)
def test_segments_are_counted_as_carriers_bill_them(text: str, encoding: str, segments: int, units: int) -> None:
    counted = text_templates.segments(text)
    assert (counted.encoding, counted.segments, counted.units) == (encoding, segments, units)


def test_an_accent_makes_a_long_reminder_cost_three() -> None:
    plain = "x" * 163
    assert text_templates.segments(plain).segments == 2
    assert text_templates.segments("á" + plain[1:]).segments == 3


def test_the_characters_that_cost_are_named_once_in_order() -> None:
    assert text_templates.segments("“Mañana” será sí, mamá").costly == ("“", "”", "á", "í")


GSM = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "ÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)


def _oracle(text: str) -> tuple[str, int, int]:
    """Cut the text part by part, each the longest that fits and splits no character; slow and plain."""
    gsm = all(c in GSM + "€[]{}\\^~|\f" for c in text)

    def size(piece: str) -> int:
        return (
            len(re.sub(r"[€\[\]{}\\^~|\f]", "--", piece))
            if gsm
            else len(piece.encode("utf-16-le", "surrogatepass")) // 2
        )

    name, single, part = ("GSM-7", 160, 153) if gsm else ("UCS-2", 70, 67)
    if size(text) <= single:
        return name, 1 if text else 0, size(text)
    parts, left = 0, text
    while left:
        length = max(n for n in range(1, min(len(left), part) + 1) if size(left[:n]) <= part)
        parts, left = parts + 1, left[length:]
    return name, parts, size(text)


_GSM_TEXT = st.text(alphabet="aé €{}\\ñ", max_size=400)
_UCS_TEXT = st.text(alphabet="aá😀", max_size=250)


@settings(max_examples=80, deadline=None)
@given(st.one_of(_GSM_TEXT, _UCS_TEXT, st.text(max_size=250)))
def test_segments_agree_with_a_slow_count(text: str) -> None:
    counted = text_templates.segments(text)
    assert (counted.encoding, counted.segments, counted.units) == _oracle(text)


def test_smart_keeps_typographic_text_in_the_cheap_alphabet() -> None:
    typed = "“It’s fine” – see you…\u00a0soon — ok"
    assert text_templates.smart(typed) == '"It\'s fine" - see you... soon - ok'
    assert text_templates.segments(text_templates.smart(typed)).encoding == "GSM-7"
    assert text_templates.smart("mañana será") == "mañana será"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("D’Angelo", "D'Angelo"),
        ("Kaʻiulani", "Ka'iulani"),
        ("Jose\u0301", "José"),
        ("“Bo”", '"Bo"'),
        ("Ana\u00a0Maria", "Ana Maria"),
        ("Smith–Lee", "Smith-Lee"),
        ("O＇Neil", "O'Neil"),
    ],
)
def test_a_value_is_written_in_the_cheap_alphabet_where_nothing_is_lost(name: str, said: str) -> None:
    for filled in (text_templates.render, text_templates.fill):
        text = filled("Hi {first_name}", {"first_name": name})
        assert text == f"Hi {said}"
        assert text_templates.segments(text).encoding == "GSM-7"


def test_no_accent_of_a_name_is_lost() -> None:
    assert text_templates.render("{first_name}", {"first_name": "Íñigo Muñoz-Szczęsny"}) == "Íñigo Muñoz-Szczęsny"


def test_values_are_inserted_literally_and_once() -> None:
    assert text_templates.render("Hi {first_name}!", {"first_name": "{clinic}"}) == "Hi {clinic}!"
    assert text_templates.render("Hi {first_name}!", {"first_name": "A\\1\x00\r\nB\u202e"}) == "Hi A\\1 B!"


@pytest.mark.parametrize(
    ("template", "named"),
    [
        ("{diagnosis}", "diagnosis"),
        ("{first_name", "stray"),
        ("a } b", "stray"),
        ("{{first_name}}", "stray"),
        ("{}", "stray"),
        ("{first_name.x}", "stray"),
        ("{First}", "stray"),
        ("{place}", "place"),
    ],
)
def test_a_bad_template_is_refused_by_name(template: str, named: str) -> None:
    with pytest.raises(text_templates.BadTemplate, match=named):
        text_templates.render(template, {"first_name": "Ana"})


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60), st.text(max_size=60))
def test_rendering_refuses_or_inserts_and_nothing_else(template: str, value: str) -> None:
    try:
        rendered = text_templates.render(template, dict.fromkeys(text_templates.VARIABLES, value))
    except text_templates.BadTemplate:
        assert "{" in template or "}" in template
        return
    if "{" not in template:
        assert rendered == template


@pytest.mark.parametrize(
    ("text", "rule", "word"),
    [
        ("Your depression visit", "diagnosis", "depression"),
        ("su DEPRESIÓN", "diagnosis", "DEPRESIÓN"),
        ("Ansiedad y más", "diagnosis", "Ansiedad"),
        ("suicidal", "diagnosis", "suicidal"),
        ("Your PHQ-9 is due", "instrument", "PHQ"),
        ("GAD-7", "instrument", "GAD-7"),
        ("your score is 12", "score", "score"),
        ("Behavioral   Health", "specialty", "Behavioral   Health"),
        ("with our psychiatrist", "specialty", "psychiatrist"),
        ("salud mental", "specialty", "salud mental"),
        ("therapy at 2", "specialty", "therapy"),
        ("your medication", "medication", "medication"),
        ("Reply CANCEL to cancel", "carrier_word", "Reply CANCEL"),
        ("reply yes to confirm", "carrier_word", "reply yes"),
        ("Reply \"YES\"", "carrier_word", "Reply \"YES"),
        ("Reply C to confirm", "carrier_word", "Reply C"),
        ("Press Y or CANCEL", "carrier_capitals", "CANCEL"),
        ("Responda CANCELAR para cancelar", "carrier_word", "Responda CANCELAR"),
        ("go to bit.ly/abc", "shortener", "bit.ly"),
    ],
)  # fmt: skip
def test_the_linter_finds_what_may_not_be_said(text: str, rule: str, word: str) -> None:
    problems = text_templates.lint(text)
    assert (rule, word) in [(problem.rule, problem.word) for problem in problems]
    assert all(text[problem.start : problem.end] == problem.word and problem.message for problem in problems)


def test_stop_may_not_be_asked_for_as_an_answer() -> None:
    assert [problem.rule for problem in text_templates.lint("Text STOP to confirm")] == ["carrier_word"]
    assert [problem.rule for problem in text_templates.lint("Responda STOP para confirmar")] == ["carrier_word"]


@pytest.mark.parametrize(
    "text",
    [
        "Reply STOP to end texts",
        "Reply STOP to end texts, HELP for help.",
        "Text START to get texts again",
        "Reply Y to confirm or R to change.",
        "Responda STOP para no recibir textos",
        "Call us to confirm or cancel",
        "Your visit will end by 5",
        "Please audit your address",
    ],
)
def test_the_linter_lets_plain_texts_pass(text: str) -> None:
    assert text_templates.lint(text) == []


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.characters(), max_size=120))
def test_the_linter_reads_any_text(text: str) -> None:
    for problem in text_templates.lint(text):
        assert text[problem.start : problem.end] == problem.word


@pytest.mark.parametrize("language", text_templates.LANGUAGES)
def test_our_own_texts_pass_the_linter_and_render(language: str) -> None:
    texts = text_templates.texts(language)
    assert set(texts) == KEYS
    for text in texts.values():
        assert text_templates.lint(text) == []
        rendered = text_templates.render(text, SAMPLE)
        assert "{" not in rendered
        assert text_templates.smart(rendered) == rendered
        assert len(rendered) <= 320


@pytest.mark.parametrize("language", text_templates.LANGUAGES)
def test_texts_keep_to_the_cheap_alphabet_and_fit_in_two_segments(language: str) -> None:
    for key, text in text_templates.texts(language).items():
        counted = text_templates.segments(text_templates.render(text, SAMPLE))
        assert (counted.encoding, counted.segments <= 2) == ("GSM-7", True), key


def test_both_languages_use_the_same_variables() -> None:
    english, spanish = text_templates.texts("en"), text_templates.texts("es")
    assert {key: text_templates.names(text) for key, text in english.items()} == {
        key: text_templates.names(text) for key, text in spanish.items()
    }


def test_another_language_gets_english_and_a_region_its_language() -> None:
    assert text_templates.texts("fr") == text_templates.texts("en")
    assert text_templates.texts("es-MX") == text_templates.texts("es")


def test_the_crisis_text_says_who_to_call_and_promises_no_watch() -> None:
    english, spanish = text_templates.texts("en")["crisis"], text_templates.texts("es")["crisis"]
    assert all(word in english for word in ("not monitored", "911", "988", "has been notified"))
    assert all(word in spanish for word in ("24 horas", "911", "988", "AYUDA", "marcar 2"))


def test_texts_to_staff_carry_nothing_about_a_patient() -> None:
    for language in text_templates.LANGUAGES:
        for key, text in text_templates.texts(language).items():
            if key.startswith("staff_"):
                assert text_templates.names(text) == {"link"}
