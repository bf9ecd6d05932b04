"""What a browser remembers of taste is for this host alone, as the cookies that open something are."""

from typing import Any

import pytest

from config import devices, runtime
from web import sessions
from web.account import preferences, sso_door


def test_over_https_no_cookie_can_be_set_by_a_neighbouring_host(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rosa = house.staff()
    plain = house.signed_in(rosa)
    told = plain.post("/preferences", names="initials", density="compact")
    named = [line.partition("=")[0] for line in told.headers.getlist("Set-Cookie")]
    assert {"wt_names", "wt_density"} <= set(named)
    https = runtime.settings().model_copy(update={"public_url": "https://clinic.example"})
    monkeypatch.setattr(runtime, "_settings", https)
    names = [devices.of_this_host(f"wt_{name}") for name in preferences.CHOICES]
    names += [sessions.cookie_name(), devices.cookie_name(), sso_door.cookie_name()]
    assert [name for name in names if not name.startswith("__Host-wt_")] == []
    with house.app.test_request_context():
        answer = house.app.make_response("")
        preferences.remember(answer, "names", "hidden")
        [line] = answer.headers.getlist("Set-Cookie")
    assert line.startswith("__Host-wt_names=hidden;")
    assert {"Secure", "HttpOnly", "Path=/"} <= {part.strip() for part in line.split(";")}
    assert "Domain" not in line


@pytest.mark.parametrize("names", ["initials", "hidden"])
def test_the_choice_is_read_again_by_the_name_it_was_given(
    house: Any, monkeypatch: pytest.MonkeyPatch, names: str
) -> None:
    https = runtime.settings().model_copy(update={"public_url": "https://clinic.example"})
    monkeypatch.setattr(runtime, "_settings", https)
    cookie = {"HTTP_COOKIE": f"__Host-wt_names={names}; wt_names=full"}
    with house.app.test_request_context(environ_overrides=cookie):
        assert preferences.chosen("names") == names
