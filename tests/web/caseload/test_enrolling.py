"""An episode of care begins with what somebody has said, and with nothing that a form took for granted."""

import re
from typing import Any

import pytest

from tests.web.caseload.seeding import with_registry


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
