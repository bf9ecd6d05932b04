"""How replies are read: every sentence of the corpus, and what must hold for any text at all."""

import time
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messaging.reading import folding, phrases, read_reply

REPLIES = Path(__file__).parents[1] / "replies"
EXPECTED = {"crisis": False, "consent": None, "scope": None, "answer": None, "thanks": False, "code": None}


def _cases(file: str) -> list[tuple[str, dict[str, Any]]]:
    cases = []
    for kind in tomllib.loads((REPLIES / f"{file}.toml").read_text(encoding="utf-8"))["kind"]:
        expected = {**EXPECTED, **{key: kind[key] for key in (*EXPECTED, "content") if key in kind}}
        if expected["consent"] == "stop" and expected["scope"] is None:
            expected["scope"] = "all"
        cases += [(text, expected) for text in kind["texts"]]
    return cases


CORPUS = [case for language in ("en", "es") for case in _cases(language)]
TEXTS = [text for text, _ in CORPUS]
# One pass over 100,000 characters takes about 50 ms; a rule that backtracks takes minutes.
LINEAR_SECONDS = 2
HOSTILE = [
    "want to ",
    "i cant ",
    "me quiero ",
    "ﷺ",
    "a*",
    "a",
    "1",
    "! ",
    "\u0301",
    "s u i c ",
    "took all ",
    "k ",
]
CRISES = [text for text, expected in CORPUS if expected["crisis"]]


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_corpus_is_large_and_names_where_each_kind_comes_from(language: str) -> None:
    kinds = tomllib.loads((REPLIES / f"{language}.toml").read_text(encoding="utf-8"))["kind"]
    assert sum(len(kind["texts"]) for kind in kinds) >= {"en": 450, "es": 350}[language]
    assert all(kind["source"] and kind["name"] for kind in kinds)


def test_every_reply_is_read_as_a_person_would() -> None:
    assert len(CORPUS) >= 1511
    misread = {}
    for text, expected in CORPUS:
        read = read_reply.read(text)
        got = {key: getattr(read, key) for key in expected}
        if got != expected:
            misread[text] = {"expected": expected, "read": got, "why": read.why}
    assert misread == {}


@pytest.mark.parametrize("field", ["crisis", "consent", "answer"])
def test_precision_and_recall_over_the_corpus(field: str) -> None:
    values = {expected[field] for _, expected in CORPUS} - {None, False}
    pairs = [(expected[field], getattr(read_reply.read(text), field)) for text, expected in CORPUS]
    for value in values:
        right = sum(wanted == got == value for wanted, got in pairs)
        recall = right / sum(wanted == value for wanted, _ in pairs)
        precision = right / sum(got == value for _, got in pairs)
        assert recall == 1.0, (field, value)
        assert precision >= 0.99, (field, value)


def test_the_language_of_the_patient_hides_no_crisis() -> None:
    for text in CRISES:
        assert read_reply.read(text, "en").crisis
        assert read_reply.read(text, "es", awaiting=False).crisis


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.characters(), max_size=200))
def test_any_text_is_read_without_an_error_and_always_alike(text: str) -> None:
    read = read_reply.read(text)
    assert read == read_reply.read(text)
    assert isinstance(read.crisis, bool)
    assert read.version == read_reply.VERSION


_MARKS = st.sampled_from(["", "", "\u0301", "\u0308", "\u200b", "\u200d", "\ufe0f", "\u00ad"])
_SPACES = st.sampled_from([" ", "  ", "\t", "\n", "\u00a0", " \u200b"])
_AROUND = st.sampled_from(
    ["", "Y ", "y, ", "ok ", "😭", "😭😭 ", " 🙏", "\x00", "\ud83d", "... ", "!!!", "👩‍👩‍👧", " lol"]
)


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(CRISES), st.data())
def test_a_crisis_is_seen_through_case_accents_spaces_and_emoji(text: str, data: st.DataObject) -> None:
    typed = data.draw(_AROUND) + " "
    for character in text:
        if character == " ":
            typed += data.draw(_SPACES)
        else:
            typed += data.draw(st.sampled_from([character.lower(), character.upper()]))
            typed += data.draw(_MARKS) if character.isalpha() else ""
    typed += " " + data.draw(_AROUND)
    assert read_reply.read(typed).crisis


def test_a_crisis_after_y_is_still_a_crisis() -> None:
    assert len(CRISES) >= 484
    typed = [words for text in CRISES for words in (f"Y {text}", f"{text} thanks")]
    assert [words for words in typed if not read_reply.read(words).crisis] == []


@pytest.mark.parametrize(
    "text",
    [
        "took all my pills with vodka",
        "I want to hurt him when he comes home",
        "I can't go on the way things are",
        "I can't take it at home anymore",
        "help me to die",
        "dying to see you but I want to kill myself",
        "suicide squad was fun, now I want to die",
        "this cough is killing me and I can't go on",
        "I don't want to live with my thoughts",
        "I do not want to live in this world",
        "me muero de risa pero me quiero matar",
    ],
)
def test_an_idiom_hides_its_own_words_only(text: str) -> None:
    assert read_reply.read(text).crisis


def test_a_crisis_at_the_end_of_the_longest_text_is_seen() -> None:
    assert read_reply.read("a nice day " * 144 + " kill myself").crisis


@pytest.mark.parametrize(
    "unit",
    ["want to ", "i want ", "no ", "stop ", "a", "k ", "dont ", "me quiero ", "si ", "1", "! ", "ﷺ", "a*"],
)
def test_long_texts_of_one_word_are_read_too(unit: str) -> None:
    text = (unit * 1600)[:1600]
    assert read_reply.read(text) == read_reply.read(text)


def test_a_yes_that_nobody_waits_for_answers_nothing() -> None:
    for text in ("Y", "1", "ok", "sí", "👍", "N", "no", "2"):
        assert read_reply.read(text, awaiting=False).answer is None
    yes = read_reply.read("YES", awaiting=False)
    assert (yes.consent, yes.answer) == ("start", None)
    cancel = read_reply.read("CANCEL", awaiting=False)
    assert (cancel.consent, cancel.answer) == ("stop", None)
    assert read_reply.read("ok", awaiting=False).thanks


def test_what_needs_doing_is_read_even_when_nothing_is_awaited() -> None:
    assert read_reply.read("I'm here", awaiting=False).answer == "arrived"
    assert read_reply.read("I need to reschedule", awaiting=False).answer == "change"
    assert read_reply.read("running late", awaiting=False).answer == "late"
    assert read_reply.read("wrong number", awaiting=False).answer == "wrong_person"


def test_the_rules_that_hit_are_named() -> None:
    assert read_reply.read("kms").why == ("crisis.en.self_harm",)
    assert read_reply.read("STOP").why == ("consent.keyword.stop",)
    assert read_reply.read("Y").why == ("answer.en.confirm",)
    assert read_reply.read("CANCEL").why == ("consent.keyword.stop", "answer.en.change")


def test_the_language_breaks_the_tie_of_a_leading_y() -> None:
    assert read_reply.read("Y traigo mis papeles", "es").answer is None
    assert read_reply.read("Y, bringing my papers", "en").answer == "confirm"


def test_a_guess_never_opts_anyone_back_in() -> None:
    for text in ("yesss", "y e s", "Yesterday was hard", "yes ok", "start over", "Sí"):
        assert read_reply.read(text).consent is None


@pytest.mark.parametrize(
    ("typed", "folded"),
    [
        ("I can’t", "i cant"),
        ("Día Ñandú", "dia nandu"),
        ("kіll", "kil"),
        ("su1c1de", "suicide"),
        ("9-1-1", "9 1 1"),
        ("911", "911"),
        ("\ud800a\x00b", "a b"),
        ("👍🏽", "picyes"),
        ("İ ß ﬁ", "i s fi"),
    ],
)
def test_folding(typed: str, folded: str) -> None:
    assert folding.fold(typed) == folded


def test_a_phrase_that_cannot_be_found_is_refused() -> None:
    with pytest.raises(ValueError, match="to find it by"):
        phrases.read_phrase("_ .. _", {})
    with pytest.raises(KeyError):
        phrases.read_phrase("<nothing> here", {})


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(CRISES), st.sampled_from(TEXTS), st.sampled_from([". ", "! ", "? ", "\n"]))
def test_whatever_sentence_stands_beside_it_a_crisis_stays_one(crisis: str, other: str, between: str) -> None:
    assert read_reply.read(f"{other}{between}{crisis}").crisis
    assert read_reply.read(f"{crisis}{between}{other}").crisis


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(CRISES), st.lists(st.text(alphabet="bcdfgjlmnprstvz", min_size=3, max_size=9), max_size=9))
def test_words_that_mean_nothing_hide_no_crisis(crisis: str, words: list[str]) -> None:
    around = " ".join(words)
    assert read_reply.read(f"{around} {crisis}").crisis
    assert read_reply.read(f"{crisis} {around}").crisis


@pytest.mark.parametrize("unit", HOSTILE)
def test_a_hundred_thousand_hostile_characters_are_read_at_once(unit: str) -> None:
    text = (unit * 100_000)[:100_000]
    read_reply.read("warm")
    began = time.thread_time()
    read = read_reply.read(text)
    assert time.thread_time() - began < LINEAR_SECONDS
    assert read.content


@settings(max_examples=30, deadline=None)
@given(st.text(min_size=1, max_size=12))
def test_no_text_is_slow_to_read(unit: str) -> None:
    text = (unit * 100_000)[:100_000]
    began = time.thread_time()
    read_reply.read(text)
    assert time.thread_time() - began < LINEAR_SECONDS


def test_a_crisis_at_either_end_of_a_very_long_text_is_seen() -> None:
    assert read_reply.read("I want to kill myself " + "a nice day " * 9000).crisis
    assert read_reply.read("a nice day " * 9000 + "I want to kill myself").crisis


def test_a_stop_says_how_much_it_ends() -> None:
    assert read_reply.read("STOP").scope == "all"
    assert read_reply.read("no more reminders").scope == "reminders"
    assert read_reply.read("stop texting me reminders").scope == "all"
    assert read_reply.read("no más cuestionarios").scope == "screening"
    assert read_reply.read("don't remind me about this visit").scope == "visit"
    assert read_reply.read("Y").scope is None


@pytest.mark.parametrize("typed", ["S T O P", "s.t.o.p", "s t o p please"])
def test_letters_that_stand_apart_are_read_as_the_word_they_spell(typed: str) -> None:
    assert read_reply.read(typed).consent == "stop"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("I want to kill myself", "self_harm"),
        ("I will shoot my boss", "harm_to_others"),
        ("my husband hit me again", "violence_at_home"),
        ("took 30 pills", "overdose"),
        ("I have chest pain", "medical"),
        ("goodbye forever everyone", "farewell"),
        ("me quiero matar", "self_harm"),
        ("voy a matar a mi jefe", "harm_to_others"),
        ("mi esposo me pega", "violence_at_home"),
        ("me tomé 30 pastillas", "overdose"),
        ("no puedo respirar", "medical"),
        ("adiós para siempre", "farewell"),
    ],
)
def test_the_kind_of_crisis_is_named(text: str, kind: str) -> None:
    assert any(label.endswith(f".{kind}") for label in read_reply.read(text).why)


def test_both_languages_are_read_whatever_the_patient_is_registered_with() -> None:
    assert read_reply.read("me quiero morir", "en").crisis
    assert read_reply.read("I want to die", "es").crisis
    assert read_reply.read("ya no me manden mensajes", "en").consent == "stop"
    assert read_reply.read("take me off your list", "es").consent == "stop"
    assert read_reply.read("no puedo ir", "en").answer == "change"
    assert read_reply.read("can't make it", "es").answer == "change"


def test_a_sentence_that_only_names_this_is_no_smaller_stop() -> None:
    assert read_reply.read("I didn't agree to this, take me off").scope == "all"
    assert read_reply.read("no more reminders about this").scope == "visit"
