"""Made-up caseloads as `warmthread explain measures` reads them."""

from typing import Any

from tests.explained import explained

MARCH = {"month": "2025-03", "zone": "America/New_York"}


def patient(name: str, enrolled: str = "2024-11-04", **further: Any) -> dict[str, Any]:
    """A patient with Medicaid and one episode; `further`: discharged, scale, payer, contacts (days), scores
    ((day, total) pairs), reviews (days), or whole fields of the line."""
    scale = further.pop("scale", "phq9")
    discharged = {"discharged": further.pop("discharged")} if "discharged" in further else {}
    live = {"kind": "treatment", "by": "phone"}
    shape = {
        "id": name,
        "birth_date": "1980-02-29",
        "episodes": [{"enrolled": enrolled, "scale": scale} | discharged],
        "coverage": [{"payer": further.pop("payer", "medicaid"), "from": "2024-01-01"}],
        "contacts": [{"at": day} | live for day in further.pop("contacts", ())],
        "scores": [{"at": day, "scale": scale, "total": total} for day, total in further.pop("scores", ())],
        "reviews": [{"at": day, "recommendation": True} for day in further.pop("reviews", ())],
    }
    return shape | further


def measured(*patients: dict[str, Any], **line: Any) -> dict[str, dict[str, Any]]:
    """The measures of March 2025 in New York."""
    [answer] = explained("measures", MARCH | {"patients": list(patients)} | line)
    assert list(answer) == ["nys"], answer
    measures: dict[str, dict[str, Any]] = answer["nys"]
    assert list(measures) == list("12345678")
    return measures
