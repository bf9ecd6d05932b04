"""Programs that take webhooks: what came is kept and shown, and each behaves as told."""

from typing import Any

import pytest
import requests

PATIENCE = 90


def test_what_comes_is_kept_shown_and_answered_as_told(simulator: Any) -> None:
    address, own = f"{simulator.url}/receiver/w1", f"{simulator.url}/sim/receivers/w1"
    told = {"status": 503, "retry_after": 7, "times": 1}
    assert requests.put(own, json=told, timeout=PATIENCE).json()["status"] == 503
    headers = {"webhook-id": "msg_1", "webhook-timestamp": "1", "webhook-signature": "v1,x"}
    first = requests.post(address, data="{}", headers=headers, timeout=PATIENCE)
    assert (first.status_code, first.headers["Retry-After"]) == (503, "7")
    assert requests.post(address, data="{}", headers=headers, timeout=PATIENCE).status_code == 204
    kept = requests.get(own, timeout=PATIENCE).json()
    assert [each["status"] for each in kept["heard"]] == [503, 204]
    assert kept["heard"][0]["headers"]["webhook-id"] == "msg_1"
    assert kept["held"] == 0
    page = requests.get(f"{simulator.url}/receivers", timeout=PATIENCE)
    assert "msg_1" in page.text
    revision = page.text.partition('data-revision="')[2].partition('"')[0]
    assert requests.get(f"{simulator.url}/receivers?since={revision}", timeout=PATIENCE).status_code == 204


@pytest.mark.parametrize("wrong", [{"status": 99}, {"delay_ms": -1}, {"unknown": 1}])
def test_a_behaviour_there_is_not_is_refused(simulator: Any, wrong: dict[str, int]) -> None:
    answer = requests.put(f"{simulator.url}/sim/receivers/w2", json=wrong, timeout=PATIENCE)
    assert answer.status_code == 400
