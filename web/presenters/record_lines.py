"""A patient's whole record in lines that a person can read, from the same resources that the Bundle holds."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from web import times, words

Resource = dict[str, Any]
Section = tuple[str, list[str]]


def sections(resources: Sequence[Resource], zone: str) -> list[Section]:
    """Return a heading and lines for each kind of thing, the oldest first; `zone` is whose clock it follows."""
    tellers: dict[str, tuple[str, Callable[[Resource, str], list[str]]]] = {
        "Patient": ("identity", _patient),
        "Appointment": ("visits", _visit),
        "QuestionnaireResponse": ("forms", _form),
        "Observation": ("scores", _score),
        "Communication": ("texts", _text),
        "ServiceRequest": ("handoffs", _handoff),
        "Task": ("tasks", _task),
        "Flag": ("flags", _flag),
        "EpisodeOfCare": ("care", _episode),
    }
    told = []
    for kind, (key, teller) in tellers.items():
        lines = [line for each in resources if each["resourceType"] == kind for line in teller(each, zone)]
        told.append((words.say("whole_record", key), lines or [words.say("whole_record", "none")]))
    return told


def _at(moment: str | None, zone: str) -> str:
    return times.exact(datetime.fromisoformat(moment), zone) if moment else ""


def _joined(*parts: str | None) -> str:
    return ", ".join(part for part in parts if part)


def _said(concepts: Sequence[Resource]) -> str:
    return ", ".join(each["text"] for each in concepts if "text" in each)


def _patient(patient: Resource, _zone: str) -> list[str]:
    name: Resource = next(iter(patient.get("name", [])), {})
    contacts = [
        _joined(each.get("name", {}).get("text"), _said(each["relationship"]), *_numbers(each))
        for each in patient.get("contact", [])
    ]
    facts = {
        "name": _joined(" ".join([*name.get("given", []), name.get("family", "")]).strip()),
        "record": _joined(*(each["value"] for each in patient.get("identifier", []))),
        "born": patient.get("birthDate", ""),
        "sex": patient["gender"],
        "language": patient["communication"][0]["language"]["coding"][0]["code"],
        "numbers": _joined(*_numbers(patient)),
        "address": _joined(*(each["text"] for each in patient.get("address", []))),
        "emergency": _joined(*contacts),
    }
    return [words.say("whole_record", key, what=what) for key, what in facts.items() if what]


def _numbers(of: Resource) -> list[str]:
    return [each["value"] for each in of.get("telecom", [])]


def _visit(visit: Resource, zone: str) -> list[str]:
    others = [each["actor"].get("display") for each in visit["participant"]]
    kind = visit.get("appointmentType", {}).get("text")
    return [f"{_at(visit['start'], zone)}: {_joined(visit['status'], kind, *others)}"]


def _form(form: Resource, zone: str) -> list[str]:
    asked = form["questionnaire"].rpartition("/")[2].rpartition(":")[2]
    lines = [f"{_at(form['authored'], zone)}: {asked}, {form['status']}"]
    for item in form.get("item", []):
        answer = item["answer"][0]
        said = answer["valueCoding"]["display"] if "valueCoding" in answer else str(answer["valueInteger"])
        lines.append(f"   {item['text']}: {said}")
    return lines


def _score(score: Resource, zone: str) -> list[str]:
    """The totals alone: each answer stands under its form."""
    if "valueQuantity" not in score:
        return []
    total = f"{score['code']['text']}: {score['valueQuantity']['value']}"
    return [f"{_at(score['effectiveDateTime'], zone)}: {_joined(total, _said(score.get('interpretation', [])))}"]


def _text(text: Resource, zone: str) -> list[str]:
    inward = text.get("sender", {}).get("reference") is not None
    at = _at(text.get("sent") or text.get("received"), zone) or words.say("whole_record", "not_sent")
    who = words.say("whole_record", "from_patient" if inward else "to_patient")
    body = text["payload"][0]["contentString"] if "payload" in text else words.say("whole_record", "not_kept")
    return [f"{at}, {who} ({text['status']}): {body}"]


def _handoff(handoff: Resource, zone: str) -> list[str]:
    by = [each.get("display") for each in handoff.get("performer", [])]
    notes = [each["text"] for each in handoff.get("note", [])]
    said = _joined(handoff["status"], _said(handoff.get("reasonCode", [])), *by, *notes)
    return [f"{_at(handoff['authoredOn'], zone)}: {handoff['code']['text']}, {said}"]


def _task(task: Resource, zone: str) -> list[str]:
    notes = [each["text"] for each in task.get("note", [])]
    said = _joined(task["status"], task.get("owner", {}).get("display"), *notes)
    return [f"{_at(task['authoredOn'], zone)}: {task.get('description', '-')}, {said}"]


def _flag(flag: Resource, zone: str) -> list[str]:
    span = " – ".join(filter(None, (_at(flag["period"].get(end), zone) for end in ("start", "end"))))
    return [f"{span}: {flag['code']['text']}"]


def _episode(episode: Resource, _zone: str) -> list[str]:
    span = " – ".join(filter(None, (episode["period"].get("start"), episode["period"].get("end"))))
    diagnoses = [each["condition"]["display"] for each in episode.get("diagnosis", [])]
    return [f"{span}: {_joined(_said(episode['type']), episode['careManager'].get('display'), *diagnoses)}"]
