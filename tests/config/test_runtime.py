"""What a process runs with."""

import threading

import pytest

from config import runtime, settings


@pytest.fixture(autouse=True)
def _unconfigured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "_settings", None)
    monkeypatch.setattr(runtime, "_made", {})


def loaded(port: str) -> settings.Settings:
    return settings.load(
        {
            "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
            "TWILIO_AUTH_TOKEN": "a token for tests",
            "WARMTHREAD_PUBLIC_URL": "https://clinic.example",
            "PORT": port,
        }
    )


def test_asking_before_configuring_says_what_to_do():
    with pytest.raises(runtime.NotConfigured, match="configure"):
        runtime.settings()


def test_a_thing_is_made_once_and_anew_after_forgetting():
    made: list[int] = []
    for _ in range(3):
        runtime.once("thing", lambda: made.append(1))
    runtime.forget("thing")
    runtime.once("thing", lambda: made.append(2))
    assert made == [1, 2]


def test_threads_that_ask_at_once_are_given_one_thing():
    made: list[object] = []
    asked, entered = threading.Barrier(8), threading.Event()

    def make() -> object:
        entered.set()
        made.append(object())
        return made[-1]

    given: list[object] = []

    def ask() -> None:
        asked.wait()
        given.append(runtime.once("thing", make))

    with runtime._making:  # nobody gets by before all have asked
        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        assert not entered.wait(0.2)
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert given == made * 8


def test_configuring_again_forgets_what_was_made_from_the_old_settings():
    runtime.configure(loaded("8001"))
    assert runtime.once("port", lambda: runtime.settings().port) == 8001
    runtime.configure(loaded("8002"))
    assert runtime.once("port", lambda: runtime.settings().port) == 8002
