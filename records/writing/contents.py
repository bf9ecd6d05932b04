"""What an EHR is sent of a screen, a visit or a handoff, part by part, made of our door's own resources (pure).

An EHR gives resources ids of its own: ours go along as identifiers, by which a part is found over there, and references
between parts become those of the EHR's. Items come first, then the total, then the panel that holds them: a total is
never sent under an item's code, as each is the resource it is at our door.
"""

from base64 import b64encode
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from records.fhir import phrases
from records.fhir.values import OURS, Resource, concept, full

RESPONSE, OBSERVATIONS, DOCUMENT, NOTE = "response", "observations", "document", "note"
REQUEST, TASK, DAY, MESSAGE = "request", "task", "day", "message"
# The shapes of a screen; a document is sent where none of the others was taken.
FORMS = (RESPONSE, OBSERVATIONS, DOCUMENT)
# Whatever else is chosen: what a kind is written in that has but one form.
ALWAYS = (NOTE, REQUEST, DAY, MESSAGE)
SYSTEM = f"{OURS}:record"
# Where a resource holds what a patient said: shown to nobody who may not read it.
WORDS = (
    *("answer", "content", "interpretation", "text", "valueQuantity", "valueCodeableConcept", "valueInteger"),
    *("note", "reasonCode", "locationCode", "payload", "segments"),
)


@dataclass(frozen=True)
class Part:
    """One thing that is sent: its name within the whole, in which form it belongs, of which type it is, and itself.

    `own` is our reference of it, by which other parts speak of it; `mark` is what it is found by over there. `replaces`
    is what the EHR calls an earlier state of it, which it replaces; `is_kept_current` says that it does where it is
    found there, too.
    """

    name: str
    form: str
    type: str
    mark: str
    body: Resource
    own: str = ""
    replaces: str = ""
    is_kept_current: bool = False


def of_screen(response: Resource, observations: Sequence[Resource], title: str, pdf: bytes) -> list[Part]:
    """Return the parts of a screen in the order in which they are sent; `pdf` is the document, `title` its name."""
    panel = [each for each in observations if each["id"].endswith(".panel")]
    total = [each for each in observations if each["id"].endswith(".total")]
    items = [each for each in observations if each not in panel and each not in total]
    parts = [_part(response, RESPONSE)]
    parts += [_part(each, OBSERVATIONS) for each in (*items, *total, *panel)]
    return [*parts, _document(response, title, pdf)]


def _part(resource: Resource, form: str) -> Part:
    kind, own_id = resource["resourceType"], str(resource["id"])
    name = own_id.rpartition(".")[2] if form == OBSERVATIONS else form
    return Part(name, form, kind, own_id, resource, f"{kind}/{own_id}")


def _document(response: Resource, title: str, pdf: bytes) -> Part:
    body = full(
        {
            "resourceType": "DocumentReference",
            "status": "current",
            "docStatus": "final",
            "type": concept(title),
            "subject": response["subject"],
            "date": response["authored"],
            "content": [
                {
                    "attachment": {
                        "contentType": "application/pdf",
                        "data": b64encode(pdf).decode(),
                        "title": title,
                    }
                }
            ],
        }
    )
    return Part(DOCUMENT, DOCUMENT, "DocumentReference", f"{response['id']}.document", body)


def of_handoff(request: Resource, task: Resource, edition: int, taken: Mapping[str, str]) -> list[Part]:
    """Return the parts of a handoff or referral as it stands by now; `taken` is what the EHR calls what it has, by the
    names of the parts of earlier editions."""
    return [_current(request, REQUEST, edition, taken), _current(task, TASK, edition, taken)]


def _current(resource: Resource, form: str, edition: int, taken: Mapping[str, str]) -> Part:
    kind, own_id = resource["resourceType"], str(resource["id"])
    earlier = [taken[name] for number in range(1, edition) if (name := f"{form}.{number}") in taken]
    there = next((each for each in reversed(earlier) if "/" in each), "")
    return Part(f"{form}.{edition}", form, kind, own_id, resource, f"{kind}/{own_id}", there, is_kept_current=True)


def of_day(row_id: object, subject: Resource, sent: str | None, title: str, lines: Sequence[str]) -> Part:
    """Return the summary of a day's texts with a patient; `sent` is when the last of them came or left."""
    body = full(
        {
            "resourceType": "Communication",
            "status": "completed",
            "category": [concept(title, f"{OURS}:text-kind", "day")],
            "subject": subject,
            "sent": sent,
            "payload": [{"contentString": "\n".join([title, *lines])}],
        }
    )
    return Part(DAY, DAY, "Communication", f"{row_id}.day", body)


def note(mark: str) -> Part:
    """Return the note of a visit that was confirmed."""
    words = (phrases.say("written_back", "confirmed") or "").replace("{mark}", mark)
    return Part(NOTE, NOTE, NOTE, mark, {"notetext": words, "displayonschedule": "true"})


def message(event: str, control_id: str, segments: Sequence[str], charset: str) -> Part:
    """Return what is said of a visit by HL7, under this MSH-10."""
    body = {"charset": charset, "segments": list(segments)}
    return Part(MESSAGE, MESSAGE, event, control_id, body)


def chosen(parts: Sequence[Part], forms: Collection[str]) -> list[Part]:
    """Return the parts of the forms that an EHR is written."""
    return [part for part in parts if part.form in (*forms, *ALWAYS)]


def addressed(part: Part, patient: str, taken: Mapping[str, str]) -> Part:
    """Return a part as the EHR gets it: about its own patient, without our id, speaking of what it has taken.

    `taken` is by our reference what the EHR calls it; what it has not taken is not spoken of.
    """
    if part.form in (NOTE, MESSAGE):
        return part
    body = {name: value for name, value in part.body.items() if name not in ("id", "meta")}
    identifier = {"system": SYSTEM, "value": part.mark}
    body["for" if part.type == "Task" else "subject"] = {"reference": patient}
    body["identifier"] = identifier if part.type == "QuestionnaireResponse" else [identifier]
    for name in ("derivedFrom", "hasMember"):
        if name in body:
            body[name] = _theirs(body[name], taken)
    if "focus" in body:
        body["focus"] = next(iter(_theirs([body["focus"]], taken)), None)
    return replace(part, body=full(body))


def _theirs(references: Sequence[Mapping[str, Any]], taken: Mapping[str, str]) -> list[Resource]:
    return [{"reference": taken[each["reference"]]} for each in references if "/" in taken.get(each["reference"], "")]


def without_answers(body: Any) -> Any:
    """Return what is sent without what the patient said and what it comes to: its shape, codes and references."""
    if isinstance(body, list):
        return [without_answers(each) for each in body]
    if not isinstance(body, dict):
        return body
    return {name: "…" if name in WORDS else without_answers(value) for name, value in body.items()}
