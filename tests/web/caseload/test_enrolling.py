"""An episode of care begins with what somebody has said, and nothing a form took for granted; what its table says."""

import re
from typing import Any

import pytest

from tests.web.caseload.seeding import enrolled, with_registry


@pytest.fixture
def scene(house: Any) -> Any:
    return with_registry(house)


def test_how_they_agreed_is_said_by_whoever_enrolls_and_never_taken_for_granted(scene: Any) -> None:
    patient = scene.house.patient()
    path = f"/patients/{patient.id}/care"
    assert not re.search(r'name="consent"[^>]*checked', scene.browser.get(path).text)
    form = {name: value for name, value in scene.form().items() if name != "consent"}
    refused = scene.browser.post(path, **form)
    assert refused.status_code == 422
    assert "Say whether they agreed verbally or in writing" in refused.text
    assert re.search(r'name="consent"[^>]*aria-invalid', refused.text)
    assert f'value="{form["practitioner"]}" selected' in refused.text


def test_the_registry_says_what_a_contact_is_and_folds_what_is_seldom_needed(scene: Any) -> None:
    enrolled(scene, scene.house.patient(), days_ago=3)
    page = scene.browser.get("/caseload").text
    assert "A contact is somebody speaking with the patient" in page
    folded = page.split('<details class="menu ways">')[1].split("</details>")[0]
    assert "Relapse plans" in folded
    assert "Download as CSV" in folded
