"""Reads what a patient texted: first for a crisis, then for consent, then as the answer to a reminder."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby
from operator import eq

from messaging.reading import folding, rulebook, topics
from messaging.reading.rulebook import Answer, Consent, Scope

VERSION = "2026-11-30.8"  # kept beside each reading, so that the value of the rules can be measured by version
_CODE = re.compile(r"(y|yes|si|r) ?([1-9])")
_AND_IN_SPANISH = re.compile(r"\s*y\s+\w", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?…]+\s+|[\r\n]+")
_FEW_WORDS = 8  # of a stop and an answer written in one go
_EDGES = " \t\r\n\u00a0.,;:!¡…*\"'“”‘’()[]-_"


@dataclass(frozen=True)
class Reading:
    """What a text says. Nothing here calls a text safe: without a crisis, it is only less urgent.

    ``crisis`` a human is needed now. ``consent`` and ``answer`` are None where the text does not say. ``why`` names the
    rules. ``thanks``: nothing but courtesy. ``content``: words remain beyond what was understood, so a human reads it.
    ``soft``: those of the crisis rules that are met by idiom-prone phrases alone (messaging.reading.tiers).
    ``code``: the visit the patient chose ("Y2" is 2). ``scope``: what a stop ends, None without a stop; whoever cannot
    end a part ends all (47 CFR 64.1200(a)(12) lets the patient choose). ``topics``: what it is about, see
    messaging.reading.topics; where something else was asked too, ``content`` is true beside them.
    """

    crisis: bool
    consent: Consent | None
    answer: Answer | None
    why: tuple[str, ...]
    thanks: bool = False
    content: bool = False
    code: int | None = None
    scope: Scope | None = None
    topics: tuple[topics.Topic, ...] = ()
    soft: tuple[str, ...] = ()
    version: str = VERSION


@dataclass(frozen=True)
class _Text:
    """One text in the forms the steps need: as typed, its words, these without courtesies, the rules found in it."""

    typed: str
    words: str
    core: str
    found: tuple[str, ...]


def read(text: str, language: str | None = None, awaiting: bool = True) -> Reading:
    """Read ``text`` in English and Spanish at once. Never raises.

    Any characters; up to 1,600 come, of much more the two ends are read. ``language`` only breaks ties. ``awaiting``:
    one visit awaits an answer; if not, a bare yes or no answers nothing.
    """
    rules = rulebook.rules()
    whole, text = text, folding.ends(text)
    folded = folding.fold(text)
    reply = _text_of(rules, text)
    about = topics.rules_met(reply.found)
    met = _crises(rules, reply.found, folded, text)
    crisis = tuple(dict.fromkeys(label.removesuffix(rulebook.SOFT) for label in met))
    consent, by = _consent(rules, reply)
    alone = reply.words in rules.keywords or reply.core in rules.revocations
    beside = None if alone or consent == "start" else _stop_beside_an_answer(rules, reply)
    if beside is not None:
        consent, by, reply = "stop", beside.by, beside.rest
    answer, whys, code = _answer(rules, reply, language)
    if by.endswith("revocation") and answer == "confirm" and beside is None:
        answer, whys = None, ()  # "yes stop texting me" confirms no visit
    thanks, content = _beyond(rules, reply, "" if beside else by, whys)
    thanks = thanks and beside is None
    if answer is not None and not awaiting and _is_bare(rules, reply, answer, by):
        answer, whys, thanks = None, ("answer.not_awaited",), reply.core in rules.acknowledged
    # "I confirm my appointment" is about the visit it answers, and nothing is left to ask.
    about = about if content or answer not in ("confirm", "arrived") else topics.beyond_scheduling(about)
    # What was not read is a human's, and so is what is about something: an answer beside it does not settle it.
    content = content or len(whole) > len(text) or (bool(about) and answer in (None, "confirm", "arrived"))
    why = (*crisis, *((by,) if by else ()), *whys, *about)
    scope = (_scope(rules, reply, by) if beside is None else "all") if consent == "stop" else None
    named = topics.named(about, answer)
    thanks = thanks and not crisis and not about
    soft = tuple(label for label in crisis if label not in met)
    return Reading(bool(crisis), consent, answer, why, thanks, content, code, scope, named, soft)


@dataclass(frozen=True)
class _Beside:
    """A stop that stands beside an answer: the rule that says so, and the rest of the text, which is read as always."""

    by: str
    rest: _Text


def _stop_beside_an_answer(rules: rulebook.Rules, reply: _Text) -> _Beside | None:
    """The stop of "Y. STOP", "yes please stop" or "stop, see you then"; None where the stop is part of other words."""
    words = reply.core.split(" ")
    for cut in range(1, len(words)) if len(words) <= _FEW_WORDS else ():
        first, second = " ".join(words[:cut]), " ".join(words[cut:])
        for stop, answer in ((second, first), (first, second)):
            # "Ya no me escriban": in Spanish "ya" is no yes but belongs to the stop.
            already = answer == "ya" and ".es." in rules.stops.get(stop, "")
            if stop in rules.stops and _is_answer(rules, answer) and not already:
                return _Beside(rules.stops[stop], _text_of(rules, answer))
    sentences = [sentence for sentence in _SENTENCE_END.split(reply.typed) if sentence.strip(_EDGES)]
    for place, sentence in enumerate(sentences) if len(sentences) > 1 else ():
        by = rules.stops.get(_core(rules, _words(rules, folding.fold(sentence))))
        if by is not None:
            rest = _text_of(rules, ". ".join(sentences[:place] + sentences[place + 1 :]))
            if not rest.core or _answer(rules, rest, None)[0]:
                return _Beside(by, rest)
    return None


def _is_answer(rules: rulebook.Rules, core: str) -> bool:
    return core in rules.answers_alone or bool(rules.yes.fullmatch(core)) or bool(_CODE.fullmatch(core))


def _text_of(rules: rulebook.Rules, typed: str) -> _Text:
    words = _words(rules, folding.fold(typed))
    return _Text(typed, words, _core(rules, words), rules.found(words))


def _core(rules: rulebook.Rules, words: str) -> str:
    """The words that are left without courtesies, each written once where it was repeated."""
    kept = rules.courtesies.without(words)
    if kept is words:
        return words
    return _once(" ".join([word for word in kept.split(" ") if word != rulebook.GONE]))


def _once(words: str) -> str:
    """Each word once where it was said several times in a row ("stop stop stop")."""
    separate = words.split(" ")
    if not any(map(eq, separate, separate[1:])):  # most texts: nothing was said twice
        return words
    return " ".join(word for word, _ in groupby(separate))


def _words(rules: rulebook.Rules, folded: str) -> str:
    return _once(rules.spelling.mend(folding.join_letters(folded)))


def _crises(rules: rulebook.Rules, found: tuple[str, ...], folded: str, text: str) -> tuple[str, ...]:
    """The crisis rules that a text meets. Unless one is met by a phrase that is sure, each sentence is read alone too:
    an idiom that would begin in one and end in the next must not hide either."""
    met = _crisis(rules, found, folded)
    sentences = [] if any(map(_is_sure, met)) else _SENTENCE_END.split(text)
    for sentence in sentences if len(sentences) > 1 else ():
        alone = folding.fold(sentence)
        met += _crisis(rules, rules.found(_words(rules, alone)), alone)
    return tuple(dict.fromkeys(met))


def _is_sure(label: str) -> bool:
    return not label.endswith(rulebook.SOFT)


def _crisis(rules: rulebook.Rules, labels: tuple[str, ...], folded: str) -> tuple[str, ...]:
    hits = tuple(label for label in labels if label.startswith("crisis."))
    if any(map(_is_sure, hits)):
        return hits
    if rules.spaced.search(folded) and rules.spaced.search(rules.idioms.without(folded)):
        return (*hits, "crisis.spaced")
    return hits


def _consent(rules: rulebook.Rules, reply: _Text) -> tuple[Consent | None, str]:
    """Consent and the rule that says so: keywords first, then revocation in free text (47 CFR 64.1200(a)(10))."""
    start = rules.strict.get(reply.typed.strip(_EDGES).casefold())
    if start:
        return rules.consents[start], start
    label = rules.keywords.get(reply.words) or rules.revocations.get(reply.core)
    label = label or next((label for label in reply.found if label in rules.consents), "")
    return (rules.consents[label], label) if label else (None, "")


def _scope(rules: rulebook.Rules, reply: _Text, by: str) -> Scope:
    """What a stop ends: all, but where free text names a part of it and nothing wider."""
    named = rules.scopes.labels(reply.words) if by.endswith("revocation") else frozenset()
    if "visit" in named:
        return "visit"
    if named == {"reminders"}:
        return "reminders"
    return "screening" if named == {"screening"} else "all"


def _answer(
    rules: rulebook.Rules, reply: _Text, language: str | None
) -> tuple[Answer | None, tuple[str, ...], int | None]:
    """The answer, the rules that say so, and the code of the visit it is for."""
    asks = reply.typed.rstrip().endswith("?")
    code = _CODE.fullmatch(reply.core)
    if code and not asks:
        label = "answer.code.change" if code[1] == "r" else "answer.code.confirm"
        return ("change" if code[1] == "r" else "confirm"), (label,), int(code[2])
    label = rules.answers_alone.get(reply.core, "")
    if label:
        meaning = rules.answers[label]
        return (None, (), None) if asks and meaning == "confirm" else (meaning, (label,), None)
    by_answer: dict[Answer, str] = {}
    for label in reply.found:
        if label in rules.answers:
            by_answer.setdefault(rules.answers[label], label)
    opening = _opening(rules, reply, language)
    unsure = any(label.startswith("unsure") for label in reply.found)
    chosen = _choose(frozenset(by_answer), opening, unsure)
    if chosen is None:
        return None, (), None
    return chosen, (by_answer.get(chosen, f"answer.opening.{opening}"),), None


def _opening(rules: rulebook.Rules, reply: _Text, language: str | None) -> str:
    """Whether a text with more in it begins with a clear yes or no: "yes", "no" or ""."""
    opening = "yes" if rules.yes.match(reply.core) else "no" if rules.no.match(reply.core) else ""
    if not opening or (language == "es" and _AND_IN_SPANISH.match(reply.typed)):
        return ""
    return "" if rules.never_opens.labels(reply.core) else opening


def _choose(answers: frozenset[Answer], opening: str, unsure: bool) -> Answer | None:
    """One answer out of all that was said, or None where a human should decide between them."""
    if "wrong_person" in answers:
        return "wrong_person"
    if "change" in answers:
        return None if answers & {"arrived", "confirm"} else "change"
    if "arrived" in answers:
        return "arrived"
    if "late" in answers:
        return "late"
    if unsure or opening == "no":
        return None
    return "confirm" if "confirm" in answers or opening == "yes" else None


def _beyond(rules: rulebook.Rules, reply: _Text, by: str, whys: tuple[str, ...]) -> tuple[bool, bool]:
    """Whether the text is thanks and nothing else, and whether words remain beyond what was understood."""
    if not reply.core:
        thanks = "thanks" in rules.courtesies.labels(reply.words)
        return thanks, not thanks and bool(reply.typed.strip())
    if (reply.core in rules.answers_alone and whys) or reply.words in rules.keywords or reply.core in rules.revocations:
        return False, False
    if not whys and not by:
        return False, True
    rest = reply.core
    for label in (*whys, *((by,) if by else ())):
        rest = rules.book.without(rest, label)
    if whys and whys[0].startswith("answer.code"):
        rest = ""
    elif whys and rules.answers.get(whys[0], "confirm") == "confirm":
        rest = rules.yes.sub("", rest)
    return False, any(word != rulebook.GONE and word not in rules.idle for word in rest.split())


def _is_bare(rules: rulebook.Rules, reply: _Text, answer: Answer, by: str) -> bool:
    """Whether an answer makes sense only while one is awaited: any yes, a bare no or number, a carrier's keyword."""
    if answer == "confirm" or (by and reply.words in rules.keywords):
        return True
    return answer == "change" and (reply.core.isdecimal() or bool(rules.no.fullmatch(reply.core)) or reply.core == "n")
