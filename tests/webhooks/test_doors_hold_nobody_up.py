"""However much a signed request carries, the doors for machines do not keep
the database's one writer from the others."""

from typing import Any

import pytest

from tests.holding import LONGEST, writers
from tests.webhooks.test_forms import PHQ9


@pytest.mark.parametrize("text", ["x", "I want to die. ", "½", "STOP "], ids=["one word", "crisis", "costly", "stop"])
def test_the_longest_text_is_taken_and_worked_off_at_once(world: Any, text: str) -> None:
    form = world.form((text * 60_000)[:60_000], **{f"More{n}": "y" * 100 for n in range(100)})
    with writers() as held:
        assert world.post(form).status_code < 500
        assert world.post(form, path="/webhooks/twilio/status/" + "A" * 22).status_code < 500
    assert max(held, default=0) < LONGEST


@pytest.mark.parametrize(
    "more",
    [
        {"answers": [0] * 60_000},
        {"patient": {"record": "1" * 120_000}},
        {"language": "e" * 120_000},
        {
            "item": [{"linkId": "x", "answer": [{"valueInteger": 1}]}] * 3_000,
            "resourceType": "QuestionnaireResponse",
        },
        {"submission": "9" * 120_000, "patient": {"phone": "1" * 60_000}},
    ],
    ids=["answers", "record", "language", "items", "phone"],
)
def test_the_longest_form_of_a_vendor_is_judged_at_once(world: Any, more: Any) -> None:
    with writers() as held:
        assert world.submit(PHQ9 | more).status_code < 500
    assert max(held, default=0) < LONGEST
