"""What an attack leaves behind: a count and a line, and no address."""

import pytest

from config import security_events


@pytest.mark.parametrize(
    ("path", "method", "status", "kind"),
    [
        ("/webhooks/twilio/sms", "POST", 403, "forged_webhook"),
        ("/webhooks/twilio/sms", "POST", 200, None),
        ("/signin", "POST", 401, "sign_in_refused"),
        ("/signin/step", "POST", 401, "sign_in_refused"),
        ("/signin", "POST", 429, "too_many"),
        ("/signin", "GET", 200, None),
        ("/api/v1/patients", "GET", 401, "key_refused"),
        ("/api/v1/patients", "GET", 403, "forbidden"),
        ("/inbox", "GET", 403, "forbidden"),
        ("/inbox", "GET", 401, None),
        ("/settings/keys", "POST", 401, None),
    ],
)
def test_of_which_kind_a_refusal_is(path: str, method: str, status: int, kind: str | None) -> None:
    assert security_events.kind_of(path, method, status) == kind
    assert kind is None or kind in security_events.KINDS


def test_a_flood_is_counted_and_not_all_of_it_logged() -> None:
    lines = security_events._Lines()
    written = [lines.may() for _ in range(1000)]
    assert security_events.LINES_A_MINUTE <= sum(written) <= 2 * security_events.LINES_A_MINUTE
