"""The question about medicine: own words that a sixth-grader reads, in both languages, and what each answer means."""

import re

import pytest

from intake_links import scoring


def grade(text: str) -> float:
    """The Flesch-Kincaid grade of English sentences, syllables counted by groups of vowels."""
    words = re.findall(r"[a-z]+|\d+", text.lower())
    sentences = max(1, len(re.findall(r"[.?!]", text)))
    syllables = sum(max(1, len(re.findall(r"[aeiouy]+", re.sub(r"e$", "", word)))) for word in words)
    return 0.39 * len(words) / sentences + 11.8 * syllables / len(words) - 15.59


def fernandez_huerta(text: str) -> float:
    """The ease of reading Spanish after Fernandez Huerta; 80 and more is easy, sixth grade or below."""
    words = re.findall(r"[a-záéíóúüñ]+|\d+", text.lower())
    syllables = sum(max(1, len(re.findall(r"[aeiouáéíóúü]+", word))) for word in words)
    sentences = max(1, len(re.findall(r"[.?!]", text)))
    return 206.84 - 60 * syllables / len(words) - 1.02 * len(words) / sentences


def test_its_words_are_plain_in_both_languages():
    form = scoring.instrument("adherence")
    assert set(form.languages) == {"en", "es"}
    [item] = form.items
    assert grade(item.text["en"]) <= 6
    assert fernandez_huerta(item.text["es"]) >= 80
    for answer in item.answers:
        assert grade(answer.text["en"] + ".") <= 6, answer
    assert item.loinc is form.total_loinc is form.panel_loinc is None


@pytest.mark.parametrize(
    ("value", "band", "positive"),
    [(0, "no_medicine", False), (1, "taken", False), (2, "missed_some", False), (3, "missed_most", True)],
)
def test_only_three_days_missed_are_put_before_a_person(value, band, positive):
    score = scoring.score("adherence", [value])
    assert (score.band, score.positive, score.alerts) == (band, positive, ())
