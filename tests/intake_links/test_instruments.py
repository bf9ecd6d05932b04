"""The instruments' definitions: their words, their codes, and what is refused when they are read."""

import pathlib
import re
import tomllib
from typing import Any

import pytest

from intake_links import instruments, scoring

FOLDER = pathlib.Path(instruments.__file__).parent
LICENCE = (
    "Developed by Drs. Robert L. Spitzer, Janet B.W. Williams, Kurt Kroenke and colleagues, with an educational grant "
    "from Pfizer Inc. No permission required to reproduce, translate, display or distribute."
)
PHQ_FAMILY = ["phq9", "phq2", "gad7", "gad2"]
ALL = [*PHQ_FAMILY, "audit_c", "pc_ptsd_5", "phq9m", "adherence"]


def documents() -> dict[str, Any]:
    return {file.stem: tomllib.loads(file.read_text("utf-8")) for file in FOLDER.glob("*.toml")}


def codes(instrument_id: str) -> list[str | None]:
    return [item.loinc for item in scoring.instrument(instrument_id).items]


def luhn(code: str) -> bool:
    """An oracle for the check digit, from the table of doubled digits."""
    digits = code.replace("-", "")[::-1]
    return sum(int("0246813579"[int(d)]) if i % 2 else int(d) for i, d in enumerate(digits)) % 10 == 0


def test_the_eight_instruments_are_there_and_read_once():
    assert sorted(scoring.instruments()) == sorted(ALL)
    assert scoring.instrument("phq9") is scoring.instrument("phq9")


def test_an_unknown_instrument_says_so():
    with pytest.raises(scoring.UnknownInstrument, match="no such instrument"):
        scoring.instrument("phq15")


@pytest.mark.parametrize(
    ("instrument_id", "panel", "total"),
    [
        ("phq9", "44249-1", "44261-6"),
        ("phq2", "55757-9", "55758-7"),
        ("gad7", "69737-5", "70274-6"),
        ("gad2", None, None),
        ("audit_c", "72109-2", "75626-2"),
    ],
)
def test_panel_and_total_have_the_verified_codes(instrument_id, panel, total):
    definition = scoring.instrument(instrument_id)
    assert (definition.panel_loinc, definition.total_loinc) == (panel, total)


def test_items_have_the_verified_codes_in_the_order_of_the_form():
    phq9 = ["44250-9", "44255-8", "44259-0", "44254-1", "44251-7", "44258-2", "44252-5", "44253-3", "44260-8"]
    gad7 = ["69725-0", "68509-9", "69733-4", "69734-2", "69735-9", "69689-8", "69736-7"]
    assert (codes("phq9"), codes("phq2")) == (phq9, phq9[:2])
    assert (codes("gad7"), codes("gad2")) == (gad7, gad7[:2])
    assert codes("audit_c") == ["68518-0", "68519-8", "68520-6"]


@pytest.mark.parametrize("wrong", ["70273-8", "68517-2", "69689-6", "LA6571-8"])
def test_the_codes_public_copies_get_wrong_are_nowhere(wrong):
    files = [file for file in FOLDER.rglob("*") if file.is_file() and file.suffix != ".pyc"]
    assert len(files) >= 6
    assert not [file.name for file in files if wrong in file.read_text("utf-8")]


def test_very_and_extremely_difficult_keep_their_backward_codes():
    (difficulty,) = scoring.instrument("phq9").unscored
    assert difficulty.loinc == "69722-7"
    assert [(answer.loinc, answer.text["en"]) for answer in difficulty.answers] == [
        ("LA6572-7", "Not difficult at all"),
        ("LA6573-5", "Somewhat difficult"),
        ("LA6575-0", "Very difficult"),
        ("LA6574-3", "Extremely difficult"),
    ]


def test_gad7_irritable_and_afraid_are_not_swapped():
    sixth, seventh = scoring.instrument("gad7").items[5:]
    assert (sixth.loinc, sixth.text["en"]) == ("69689-8", "Becoming easily annoyed or irritable")
    assert (seventh.loinc, seventh.text["en"]) == (
        "69736-7",
        "Feeling afraid, as if something awful might happen",
    )


def test_every_numeric_code_in_every_file_passes_its_check_digit():
    written = {
        code for file in FOLDER.glob("*.toml") for code in re.findall(r'"([0-9]+-[0-9])"', file.read_text("utf-8"))
    }
    assert len(written) == 9 + 7 + 3 + 1 + 4 * 2 + 1
    assert all(luhn(code) and instruments.has_check_digit(code) for code in written)


@pytest.mark.parametrize("code", ["44250-9", "69689-8", "1-8"])
def test_any_other_check_digit_is_refused(code):
    wrong = {f"{code[:-1]}{digit}" for digit in range(10)} - {code}
    assert instruments.has_check_digit(code)
    assert not any(instruments.has_check_digit(each) for each in wrong)


@pytest.mark.parametrize("code", ["", "44250", "44250-", "LA6568-5", "44250-9 ", "4425O-9", "٤٤٢٥٠-٩"])
def test_what_is_no_code_has_no_check_digit(code):
    assert not instruments.has_check_digit(code)


@pytest.mark.parametrize("instrument_id", PHQ_FAMILY)
def test_the_phq_family_asks_about_two_weeks_and_offers_the_same_four_answers(instrument_id):
    definition = scoring.instrument(instrument_id)
    assert definition.stem == {
        "en": "Over the last 2 weeks, how often have you been bothered by any of the following problems?",
        "es": "Durante las últimas 2 semanas, ¿qué tan seguido ha tenido molestias debido a los siguientes problemas?",
    }
    for item in definition.items:
        assert [(a.value, a.loinc, a.text["en"], a.text["es"]) for a in item.answers] == [
            (0, "LA6568-5", "Not at all", "Ningún día"),
            (1, "LA6569-3", "Several days", "Varios días"),
            (2, "LA6570-1", "More than half the days", "Más de la mitad de los días"),
            (3, "LA6571-9", "Nearly every day", "Casi todos los días"),
        ]


@pytest.mark.parametrize("instrument_id", PHQ_FAMILY)
def test_the_phq_family_carries_its_licence_sentence_word_for_word(instrument_id):
    licence = scoring.instrument(instrument_id).licence
    assert licence["en"] == LICENCE
    assert licence["es"].startswith("Elaborado por los doctores Robert L. Spitzer")
    assert licence["es"].endswith("No se requiere permiso para reproducir, traducir, presentar o distribuir.")


def test_items_stand_word_for_word():
    phq9, gad7, audit_c = (scoring.instrument(each).items for each in ("phq9", "gad7", "audit_c"))
    assert phq9[8].text["en"] == "Thoughts that you would be better off dead, or of hurting yourself in some way"
    assert phq9[8].text["es"] == "Pensamientos de que estaría mejor muerto(a) o de lastimarse de alguna manera"
    assert phq9[5].text["en"] == (
        "Feeling bad about yourself - or that you are a failure or have let yourself or your family down"
    )
    assert phq9[7].text["es"] == (
        "¿Se ha movido o hablado tan lento que otras personas podrían haberlo notado? o lo contrario – muy inquieto(a) "
        "o agitado(a) que ha estado moviéndose mucho más de lo normal"
    )
    assert gad7[0].text["en"] == "Feeling nervous, anxious, or on edge"
    assert gad7[4].text["es"] == "Se ha sentido tan inquieto(a) que no ha podido quedarse quieto(a)"
    assert audit_c[2].text["en"] == (
        "How often did you have 6 or more (for men) or 4 or more (for women and everyone 65 and older) drinks on an "
        "occasion in the past year?"
    )


def test_audit_c_answers_have_their_own_words_and_codes():
    first, second, third = scoring.instrument("audit_c").items
    assert [a.loinc for a in first.answers] == [
        "LA6270-8",
        "LA18926-8",
        "LA18927-6",
        "LA18928-4",
        "LA18929-2",
    ]
    assert [a.loinc for a in second.answers] == [
        "LA15694-5",
        "LA15695-2",
        "LA18930-0",
        "LA18931-8",
        "LA18932-6",
    ]
    assert [a.loinc for a in third.answers] == [
        "LA6270-8",
        "LA18933-4",
        "LA18876-5",
        "LA18891-4",
        "LA18934-2",
    ]
    assert all(item.values == (0, 1, 2, 3, 4) for item in (first, second, third))


def test_the_short_forms_share_the_very_items_of_the_long_ones():
    for short, long in (("phq2", "phq9"), ("gad2", "gad7")):
        shared = scoring.instrument(short).items
        assert all(item is other for item, other in zip(shared, scoring.instrument(long).items[:2], strict=True))


def test_the_phq2_knows_neither_item_nine_nor_its_alert():
    assert scoring.instrument("phq2").alerts == ()
    assert [item.id for item in scoring.instrument("phq2").items] == ["phq9.1", "phq9.2"]


def test_item_nine_is_the_item_that_rings():
    (rule,) = scoring.instrument("phq9").alerts
    assert (rule.name, rule.item, rule.at_least) == ("self_harm", 9, 1)
    assert scoring.instrument("phq9").items[rule.item - 1].loinc == "44260-8"


@pytest.mark.parametrize(
    ("wanted", "shown"),
    [("es", "es"), ("es-MX", "es"), ("ES_us", "es"), ("en-GB", "en"), ("fr", "en"), ("", "en"), (None, "en")],
)
def test_a_language_not_offered_falls_back_to_english(wanted, shown):
    assert scoring.language_of(scoring.instrument("phq9"), wanted) == shown
    assert scoring.language_of(scoring.instrument("audit_c"), wanted) == "en"


def test_spanish_is_offered_only_where_its_official_wording_is_known_or_the_words_are_ours():
    offered = {name: set(definition.languages) for name, definition in scoring.instruments().items()}
    assert offered == {"audit_c": {"en"}, "pc_ptsd_5": {"en"}, "phq9m": {"en"}} | {
        each: {"en", "es"} for each in (*PHQ_FAMILY, "adherence")
    }


@pytest.mark.parametrize("instrument_id", ALL)
@pytest.mark.parametrize("sex", ["female", "male", None])
def test_bands_cover_every_total_once_and_the_cut_begins_one(instrument_id, sex):
    definition = scoring.instrument(instrument_id)
    covered = [total for band in definition.bands(sex) for total in range(band.lowest, band.highest + 1)]
    assert covered == list(range(definition.highest_total + 1))
    assert definition.cut(sex) in [band.lowest for band in definition.bands(sex)]
    assert all(band.words["en"] for band in definition.bands(sex))


def test_a_definition_cannot_be_changed_once_read():
    definition = scoring.instrument("phq9")
    with pytest.raises(AttributeError):
        definition.title = "other"
    with pytest.raises(TypeError):
        definition.items[0].text["en"] = "other"
    with pytest.raises(TypeError):
        scoring.instruments()["other"] = definition


def test_an_instrument_is_added_by_one_file_alone():
    mood = documents()["phq2"] | {"id": "mood", "items": [documents()["phq9"]["items"][0] | {"id": "mood.1"}]}
    del mood["grows_into"]
    mood |= {"cut": 1, "bands": [{"name": "a", "from": 0, "to": 0, "words": {"en": "A"}}]}
    mood["bands"].append({"name": "b", "from": 1, "to": 3, "words": {"en": "B"}})
    assert instruments.read({**documents(), "mood": mood})["mood"].items[0].values == (0, 1, 2, 3)


BROKEN = {
    "a wrong check digit": ("gad7", lambda d: d["items"][5].update(loinc="69689-6"), "check digit"),
    "a wrong total": ("phq9", lambda d: d.update(total_loinc="44261-5"), "check digit"),
    "a numeric answer code": ("phq9", lambda d: d["answers"][0].update(loinc="6568-5"), "no answer code"),
    "an item twice": ("phq9", lambda d: d["items"][1].update(id="phq9.1"), "written twice"),
    "another's item": ("gad7", lambda d: d["items"][0].update(id="phq9.1"), "written twice"),
    "an item asked twice": ("phq2", lambda d: d.update(items=["phq9.1", "phq9.1"]), "stands in it twice"),
    "no items": ("phq2", lambda d: d.update(items=[]), "stands in it twice, or it has none"),
    "a reference to nothing": ("phq2", lambda d: d.update(items=["phq9.1", "phq9.10"]), "phq9.10"),
    "a value twice": ("phq9", lambda d: d["answers"][1].update(value=0), "same value"),
    "an answer code twice": ("phq9", lambda d: d["answers"][1].update(loinc="LA6568-5"), "or code"),
    "a value that is true": ("phq9", lambda d: d["answers"][1].update(value=True), "no number of points"),
    "a negative value": ("phq9", lambda d: d["answers"][0].update(value=-1), "no number of points"),
    "one answer only": ("phq9", lambda d: d.update(answers=d["answers"][:1]), "no answers"),
    "a gap between bands": ("phq9", lambda d: d["bands"][1].update({"from": 6}), "gap or overlap"),
    "bands that overlap": ("phq9", lambda d: d["bands"][1].update({"from": 4}), "gap or overlap"),
    "bands that end early": ("phq9", lambda d: d["bands"][4].update(to=26), "gap or overlap"),
    "bands that end late": ("gad7", lambda d: d["bands"][3].update(to=27), "gap or overlap"),
    "a gap for men alone": ("audit_c", lambda d: d["bands"][1]["from"].update(male=5), r"\(male\)"),
    "a band without words": ("phq9", lambda d: d["bands"][0].update(words={}), "no words in English"),
    "a band with another key": ("phq9", lambda d: d["bands"][0].update(colour="red"), "a band needs"),
    "a cut inside a band": ("phq9", lambda d: d.update(cut=11), "cut falls inside"),
    "a cut of zero": ("phq9", lambda d: d.update(cut=0), "cut falls inside"),
    "a cut that is true": ("phq9", lambda d: d.update(cut=True), "no whole number"),
    "a cut for one sex": ("audit_c", lambda d: d.update(cut={"male": 4}), "each of female, male, unknown"),
    "an alert on no item": ("phq9", lambda d: d["alerts"][0].update(item=10), "item 10"),
    "an alert that always rings": ("phq9", lambda d: d["alerts"][0].update(at_least=0), "always rings"),
    "an alert that never rings": ("phq9", lambda d: d["alerts"][0].update(at_least=4), "cannot ring"),
    "a misspelt alert": ("phq9", lambda d: d["alerts"][0].update(at_leats=1), "at_leats"),
    "a skip on no answer": ("audit_c", lambda d: d["skips"][0].update(equals=5), "waits for no answer"),
    "a skip of no item": ("audit_c", lambda d: d["skips"][0].update(items=[4]), "item 4"),
    "a missing translation": ("phq9", lambda d: d["items"][3]["text"].pop("es"), "not there in all"),
    "an empty sentence": ("phq9", lambda d: d["items"][3]["text"].update(es=" "), "empty"),
    "no licence": ("audit_c", lambda d: d.pop("licence"), "licence"),
    "no English licence": ("audit_c", lambda d: d["licence"].pop("en"), "licence"),
    "no cut": ("phq9", lambda d: d.pop("cut"), "cut"),
    "an unknown key": ("phq9", lambda d: d.update(colour="red"), "colour"),
    "another file's id": ("phq9", lambda d: d.update(id="phq8"), "calls itself phq8"),
    "words of nobody": ("phq2", lambda d: d.update(wording_from="phq8"), "phq8"),
    "all missing prorated": ("phq9", lambda d: d.update(prorate_up_to=9), "too many"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_definition_that_contradicts_itself_is_refused_by_name(what):
    name, break_it, reason = BROKEN[what]
    broken = documents()
    break_it(broken[name])
    with pytest.raises(scoring.InstrumentError, match=rf"(?s)^{name}\.toml: .*{reason}"):
        instruments.read(broken)
