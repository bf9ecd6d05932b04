"""Reads the answers of a QuestionnaireResponse (FHIR R4), so strictly that no answer is guessed:
items by linkId (LOINC), answers as valueCoding (LA code) or valueInteger."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from intake_links import scoring

# Panel codes by which a questionnaire may be named, with or without the system before them.
LOINC = ("http://loinc.org/q/", "http://loinc.org/", "http://loinc.org|", "")


class Unacceptable(ValueError):
    """The form is refused; `errors` holds a JSON pointer and a message for each field that is wrong."""

    def __init__(self, errors: Sequence[tuple[str, str]]) -> None:
        super().__init__("the form cannot be taken")
        self.errors = [{"pointer": pointer, "message": message} for pointer, message in errors]


def instrument(named: object) -> scoring.Instrument:
    """Return the instrument that a canonical names. Raises Unacceptable."""
    panel = str(named).split("|1")[0] if isinstance(named, str) else ""
    for definition in scoring.instruments().values():
        if definition.panel_loinc and panel in [system + definition.panel_loinc for system in LOINC]:
            return definition
    raise Unacceptable([("/questionnaire", "names no instrument we know by its LOINC panel code")])


def answers(definition: scoring.Instrument, items: object) -> tuple[int | None, ...]:
    """Return the points in the instrument's order, None where there is no answer. Raises Unacceptable."""
    places = {item.loinc: index for index, item in enumerate(definition.items)}
    beside = {definition.total_loinc, *(item.loinc for item in definition.unscored)}
    points: list[int | None] = [None] * len(definition.items)
    seen: set[int] = set()
    for pointer, item in _leaves(items, "/item"):
        code = str(item.get("linkId", "")).removeprefix("/")
        if code in beside:
            continue
        index = places.get(code)
        if index is None:
            raise Unacceptable([(f"{pointer}/linkId", f"is no question of {definition.id}")])
        if index in seen:
            raise Unacceptable([(f"{pointer}/linkId", "stands there twice")])
        seen.add(index)
        points[index] = _value(definition.items[index], item.get("answer", []), f"{pointer}/answer")
    return tuple(points)


def may_alert(definition: scoring.Instrument, items: object) -> bool:
    """Whether answers that cannot be taken may hold one that alerts: each alerting item but those answered with 0."""
    places = {definition.items[rule.item - 1].loinc: definition.items[rule.item - 1] for rule in definition.alerts}
    try:
        leaves = [
            leaf for leaf in _leaves(items, "/item") if str(leaf[1].get("linkId", "")).removeprefix("/") in places
        ]
    except Unacceptable:
        return bool(places)
    for pointer, item in leaves:
        try:
            question = places[str(item.get("linkId", "")).removeprefix("/")]
            if _value(question, item.get("answer", []), pointer):
                return True
        except Unacceptable:
            return True
    return False


def _leaves(items: object, pointer: str, depth: int = 0) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if not isinstance(items, list) or depth > 4:
        raise Unacceptable([(pointer, "must be a list of items")])
    for index, item in enumerate(items):
        here = f"{pointer}/{index}"
        if not isinstance(item, dict):
            raise Unacceptable([(here, "must be an object")])
        if "item" in item:
            yield from _leaves(item["item"], f"{here}/item", depth + 1)
        if "answer" in item or "item" not in item:
            yield here, item


def _value(question: scoring.Item, answers: object, pointer: str) -> int | None:
    if answers == []:
        return None
    if not isinstance(answers, list) or len(answers) != 1 or not isinstance(answers[0], dict):
        raise Unacceptable([(pointer, "must be a list of one answer")])
    kind: Literal["valueInteger", "valueCoding"] | None = next(
        (name for name in ("valueInteger", "valueCoding") if name in answers[0]),
        None,
    )
    points = {answer.loinc: answer.value for answer in question.answers}
    if kind == "valueInteger":
        value = answers[0][kind]
        if type(value) is int and value in question.values:
            return value
    elif kind == "valueCoding" and isinstance(answers[0][kind], dict):
        code = answers[0][kind].get("code")
        if isinstance(code, str) and code in points:
            return points[code]
    raise Unacceptable([(f"{pointer}/0", f"is no answer of {question.id}")])
