"""A text as it looks on a patient's phone: filled for a made-up patient, with what stops it or costs more marked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from messaging.models import Clinic
from messaging.versions.publishing import Definition
from messaging.wording import situations, text_templates
from messaging.wording.clinic_words import Words, sample
from messaging.wording.situations import Situation
from reminders import phrasing
from web import words
from web.presenters import composer

LEVELS = ("generic", "place", "details")
# What a piece of a text is: ordinary, a word that may not be sent, a character that makes every part shorter.
Piece = tuple[str, str]


@dataclass(frozen=True)
class Screen:
    """One text on a phone. `other` is the situation whose words these people get instead, None if it is this one's."""

    who: str
    pieces: list[Piece]
    cost: str
    encoding: str
    parts: int
    other: Situation | None


@dataclass(frozen=True)
class Side:
    """One language of a text as it is written: what stops it, what is worth a look, and the phones it arrives on.

    `own` says whether these are the clinic's words; `costly` names the characters that make every part shorter.
    """

    language: str
    language_words: str
    text: str
    shipped: str
    own: bool
    proof: composer.Proof
    notes: list[str]
    costly: list[str]
    screens: list[Screen]


def sides(clinic: Clinic, situation: Situation, texts: Mapping[str, str], definition: Definition) -> list[Side]:
    """Return both languages of a text; `texts` are as typed, `definition` holds the clinic's other words."""
    return [_side(clinic, situation, texts[language], language, definition) for language in text_templates.LANGUAGES]


def _side(clinic: Clinic, situation: Situation, typed: str, language: str, definition: Definition) -> Side:
    values, shipped = sample(clinic, language), text_templates.texts(language)[situation.key]
    proof = composer.marked(typed, lambda text: situations.check(situation, text, values))
    counted = text_templates.segments(text_templates.fill(proof.text, values))
    return Side(
        language=language,
        language_words=words.say("languages", language),
        text=proof.text,
        shipped=shipped,
        own=proof.text != shipped,
        proof=proof,
        notes=[note.message for note in situations.notes(situation, proof.text, values)],
        costly=list(counted.costly),
        screens=[
            _screen(
                every,
                situation,
                proof.text if every == situation.key else "",
                who,
                language,
                definition,
                values,
            )
            for every, who in _levels(situation.key)
        ],
    )


def _levels(key: str) -> list[tuple[str, str]]:
    """Which text people get who want this one, with who they are; one line where all of them get the same."""
    if key.startswith("generic_"):
        return [(key, words.say("wordings", "to_generic"))]
    base = key.removeprefix("place_")
    by_level = {level: phrasing.chosen_for(base, level, place="here") for level in LEVELS}
    if len(set(by_level.values())) == 1:
        return [(key, words.say("wordings", "to_everyone"))]
    shown = sorted(dict.fromkeys(by_level.values()), key=lambda variant: variant != key)
    return [
        (variant, " / ".join(words.say("wordings", f"to_{level}") for level in LEVELS if by_level[level] == variant))
        for variant in shown
    ]


def _screen(
    key: str,
    situation: Situation,
    typed: str,
    who: str,
    language: str,
    definition: Definition,
    values: Mapping[str, str],
) -> Screen:
    here = key == situation.key
    shown = situation if here else situations.every()[key]
    text = typed if here else Words(definition).text(key, language)
    counted = text_templates.segments(text_templates.fill(text, values))
    return Screen(
        who=who,
        pieces=pieces(text, situations.check(shown, text, values), values),
        cost=composer.cost(counted),
        encoding=f"{counted.units} of {counted.room} characters, {counted.encoding}",
        parts=counted.segments,
        other=None if here else shown,
    )


def pieces(template: str, problems: Sequence[text_templates.Problem], values: Mapping[str, str]) -> list[Piece]:
    """Return a text filled in, cut where a word may not be sent ("flag") or a character costs more ("costly")."""
    parts, at = [], 0
    for problem in problems:
        if problem.start >= at and problem.word:
            parts += [
                *_cut(text_templates.fill(template[at : problem.start], values)),
                (problem.word, "flag"),
            ]
            at = problem.end
    return [*parts, *_cut(text_templates.fill(template[at:], values))]


def _cut(text: str) -> Iterator[Piece]:
    costly, run = set(text_templates.segments(text).costly), ""
    for character in text:
        if character not in costly:
            run += character
            continue
        if run:
            yield run, ""
        yield character, "costly"
        run = ""
    if run:
        yield run, ""
