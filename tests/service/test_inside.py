"""What watches the service is not there for the internet."""

from typing import Any

import pytest

from config import runtime
from service import app as application
from service import inside


@pytest.fixture
def client(house: Any) -> Any:
    return application.create_app().test_client()


def asked(client: Any, path: str, remote: str, **headers: str) -> int:
    answer = client.get(path, environ_base={"REMOTE_ADDR": remote}, headers=headers)
    return int(answer.status_code)


@pytest.mark.parametrize("path", inside.PATHS)
def test_the_internet_finds_neither_figures_nor_states(client: Any, path: str) -> None:
    for remote in ("127.0.0.1", "::1", "10.1.2.3", "192.168.7.8", "fd00::1"):
        assert asked(client, path, remote) in (200, 503), remote
    for remote in ("1.1.1.1", "2606:4700::1", "", "nobody"):
        assert asked(client, path, remote) == 404, remote
    assert asked(client, "/healthz", "1.1.1.1") == 200


@pytest.mark.parametrize("path", inside.PATHS)
def test_a_proxy_asks_for_whom_it_speaks(client: Any, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    passed_on = {"X-Forwarded-For": "10.1.2.3"}
    assert asked(client, path, "10.0.0.2", **passed_on) == 404  # no proxy is trusted: anybody writes such a line
    assert asked(client, path, "10.0.0.2", Forwarded="for=10.1.2.3") == 404
    monkeypatch.setattr(runtime, "_settings", runtime.settings().model_copy(update={"trusted_proxies": 1}))
    assert asked(client, path, "10.0.0.2", **passed_on) in (200, 503)
    assert asked(client, path, "10.0.0.2", **{"X-Forwarded-For": "10.1.2.3, 1.1.1.1"}) == 404


def test_no_variable_switches_a_debug_mode_on(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLASK_DEBUG", "1")
    made = application.create_app()
    assert not made.debug
    assert not made.config["PROPAGATE_EXCEPTIONS"]
    made.add_url_rule("/breaks", view_func=lambda: str(1 / 0))
    answer = made.test_client().get("/breaks")
    assert answer.status_code == 500
    assert "division" not in answer.text
    assert "Traceback" not in answer.text
